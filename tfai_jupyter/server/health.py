"""Readiness: whether every part works, asked at most once a minute and by one at a time.

It never decides about liveness: a probe that kills a server for a slow model kills a person's kernels.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tfai_jupyter.core.errors import TfaiError
from tfai_jupyter.core.messages import Json

if TYPE_CHECKING:
    from tfai_jupyter.doctor import Check

log = logging.getLogger(__name__)

State = Literal["ready", "degraded", "starting", "unavailable"]

GOOD_SECONDS = 60.0
BAD_SECONDS = 5.0
LOOK_SECONDS = 5.5
"""How long a probe waits for a look; each part has 5 s, but libraries may have to be loaded first."""

_PRIVATE = re.compile(r"\w+://\S+|\b[\w.-]+:\d{1,5}\b|(?<![\w.])[~.]{0,2}/[\w.@%+-]+\S*")


@dataclass(frozen=True, slots=True)
class Seen:
    """What the last look found, and when."""

    checks: tuple[Check, ...]
    at: float
    failure: str = ""

    @property
    def state(self) -> State:
        """The worst that matters."""
        if self.failure or any(check.required and check.status == "down" for check in self.checks):
            return "unavailable"
        is_well = all(check.status in ("ok", "disabled") for check in self.checks)
        return "ready" if is_well else "degraded"

    def is_fresh(self, now: float) -> bool:
        """Whether it still counts; what is bad is looked at again sooner."""
        return now - self.at < (GOOD_SECONDS if self.state == "ready" else BAD_SECONDS)


class Readiness:
    """Answers every probe from the last look."""

    def __init__(
        self,
        checks: Callable[[], Coroutine[object, object, tuple[Check, ...] | None]],
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        """Take what looks at every part; it gives None while there is nothing to look at yet."""
        self._checks = checks
        self._look_seconds = look_seconds
        self._seen: Seen | None = None
        self._look: asyncio.Task[tuple[Check, ...] | None] | None = None

    async def answer(self, *, told: bool) -> tuple[int, dict[str, Json]]:
        """Return a status and a body; `told`: what is wrong may be told to whoever asks."""
        seen = await self._latest()
        if seen is None:
            return 503, {"ready": False, "status": "starting", "checks": []}
        is_ready = seen.state in ("ready", "degraded")
        checks: list[Json] = [_shown(check, seen.at, told=told) for check in seen.checks]
        body: dict[str, Json] = {"ready": is_ready, "status": seen.state, "checks": checks}
        if seen.failure and told:
            body["error"] = _masked(seen.failure)
        return 200 if is_ready else 503, body

    async def _latest(self) -> Seen | None:
        if self._seen and self._seen.is_fresh(time.monotonic()):
            return self._seen
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._checks(), name="tfai readiness")
        look = self._look
        await asyncio.wait({look}, timeout=self._look_seconds)
        if not look.done():  # it goes on; whoever asks next may find it done
            return self._seen and Seen((), time.monotonic(), "the parts do not answer in time")
        error, now = look.exception(), time.monotonic()
        if error:
            self._seen = Seen((), now, _reason(error))
        elif checks := look.result():
            self._seen = Seen(checks, now)
        return self._seen


def _reason(error: BaseException) -> str:
    if isinstance(error, TfaiError):
        return str(error)
    log.error("a check broke", exc_info=error)
    return f"a check broke ({type(error).__name__}); the server's log says how"


def _shown(check: Check, at: float, *, told: bool) -> dict[str, Json]:
    age = round(time.monotonic() - at, 1)
    shown: dict[str, Json] = {
        "name": check.name,
        "status": check.status,
        "required": check.required,
        "age_seconds": age,
    }
    if told and check.status in ("down", "degraded"):
        shown["error"] = _masked("; ".join(filter(None, (check.detail, check.advice))))
    return shown


def _masked(text: str) -> str:
    """Keep addresses and paths of this machine to ourselves."""
    return _PRIVATE.sub("[...]", text)
