"""Desk: what handlers ask for. The assistant behind it is put together at first need, once.

Loading the extension costs nothing that way, and whatever is broken is told by `config` and `ready`
while the notebook server serves notebooks. A failure is kept for a while, then tried again.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tfai_jupyter.core.duties import Duties
from tfai_jupyter.core.errors import Forbidden, TfaiError, Unavailable
from tfai_jupyter.core.protocols import Journal, Workspace
from tfai_jupyter.settings import Settings

from .health import Readiness
from .limits import Places, Rates
from .metrics import Metrics, shared_metrics
from .turns import RunningTurns

if TYPE_CHECKING:
    from tfai_jupyter.bootstrap import Assembly
    from tfai_jupyter.doctor import Check

log = logging.getLogger(__name__)

RETRY_SECONDS = 10.0
START_SECONDS = 1.0
CLOSING_SECONDS = 2.0
"""What model and journal have to close, after the turns had TFAI_SHUTDOWN_SECONDS."""


@dataclass(frozen=True, slots=True)
class Open:
    """An assembly in service, and the turns that run on it."""

    assembly: Assembly
    turns: RunningTurns

    @property
    def duties(self) -> Duties:
        """What the assistant works with."""
        return self.assembly.assistant.duties

    @property
    def workspace(self) -> Workspace:
        """The files below the root."""
        return self.duties.workspace

    @property
    def journal(self) -> Journal:
        """The record of events."""
        return self.duties.journal

    def check_writable(self) -> None:
        """Raise Forbidden where nothing may be written."""
        if self.assembly.settings.read_only:
            message = "TFAI_READ_ONLY is set: no file is written here"
            raise Forbidden(message)


class Desk:
    """The one object that all handlers share."""

    heartbeat_seconds = 15.0
    """How long a stream may be silent before a comment is sent."""

    stall_seconds = 30.0
    """How long a reader may leave the socket full before it is cut off; it can resume."""

    def __init__(self, traits: Mapping[str, object], root: Path, active: Callable[[], None]) -> None:
        """Take what `c.Tfai` gives and the server's root; `active` is told whenever a turn moves on."""
        self.metrics: Metrics = shared_metrics()
        self.readiness = Readiness(self.checks)
        self._adopt(Settings())
        self._traits = traits
        self._root = root
        self._active = active
        self._opening: asyncio.Task[Open] | None = None
        self._failed_at = 0.0
        self._is_closing = False

    @property
    def failure(self) -> str:
        """Why there is no assistant, as one sentence; empty while there is one, or none was needed yet."""
        task = self._opening
        error = task.exception() if task and task.done() and not task.cancelled() else None
        if error is None:
            return ""
        if isinstance(error, TfaiError):
            return str(error)
        return f"the assistant cannot be put together ({type(error).__name__}); the server's log says why"

    async def announce(self) -> None:
        """Log every setting and where it comes from; what is wrong with them is told, not raised."""
        try:
            self._adopt(await asyncio.to_thread(self._load))
        except TfaiError as error:
            log.error("%s", error)  # noqa: TRY400 - a person's mistake needs no traceback
            return
        for problem in self.settings.problems:
            log.warning("%s", problem)
        shown = " ".join(f"{key}={value or chr(39) * 2}({source})" for key, value, source in self.settings.table())
        log.info("settings %s: %s", self.settings.hash[:12], shown)

    def admit(self, principal: str) -> None:
        """Count a request; raises Busy."""
        self._rates.admit(principal)

    async def open(self) -> Open:
        """Return the assistant, put together now if need be; raises Unavailable with the reason."""
        if self._is_closing:
            message = "the server is shutting down; ask again when it is back"
            raise Unavailable(message)
        task = self._task()
        await asyncio.wait({task})
        if self.failure:
            raise Unavailable(self.failure)
        return task.result()

    async def peek(self, seconds: float) -> Open | None:
        """Return the assistant if it is there within `seconds`; None while it starts or when it failed."""
        task = self._task()
        await asyncio.wait({task}, timeout=seconds)
        return task.result() if task.done() and not self.failure else None

    async def checks(self) -> tuple[Check, ...] | None:
        """Look at every part; None while the assistant starts, raises Unavailable when it failed."""
        opened = await self.peek(START_SECONDS)
        if self.failure:
            raise Unavailable(self.failure)
        if opened is None:
            return None
        checks = await opened.assembly.doctor.checks()
        for check in checks:
            self.metrics.dependency.labels(check.name).set(check.status == "ok")
        return checks

    async def aclose(self) -> None:
        """End every turn and close what was opened, within TFAI_SHUTDOWN_SECONDS and a little."""
        self._is_closing = True
        task = self._opening
        if task is None or not task.done() or self.failure:
            return
        opened = task.result()
        try:
            async with asyncio.timeout(self.settings.shutdown_seconds + CLOSING_SECONDS):
                await opened.turns.aclose(opened.assembly.aclose)
        except TimeoutError:
            log.warning("not everything ended in time; the journal has what was done")

    def _adopt(self, settings: Settings) -> None:
        self.settings = settings
        self._rates = Rates(settings.rate_per_second, settings.rate_burst)

    def _task(self) -> asyncio.Task[Open]:
        is_stale = bool(self.failure) and time.monotonic() - self._failed_at > RETRY_SECONDS
        if self._opening is None or is_stale:
            self._opening = asyncio.create_task(self._open(), name="tfai assembling")
            self._opening.add_done_callback(self._opened)
        return self._opening

    def _opened(self, task: asyncio.Task[Open]) -> None:
        self._failed_at = time.monotonic()
        if self.failure:
            is_told = isinstance(task.exception(), TfaiError)  # a person's mistake needs no traceback
            log.error("%s", self.failure, exc_info=None if is_told else task.exception())

    async def _open(self) -> Open:
        assembly = await asyncio.to_thread(self._assemble)
        settings = assembly.settings
        self._adopt(settings)
        turns = RunningTurns(
            assembly.assistant,
            Places(settings.max_streams, settings.queue_length),
            self.metrics,
            reconnect_seconds=settings.reconnect_seconds,
            active=self._active,
        )
        return Open(assembly, turns)

    def _assemble(self) -> Assembly:
        """Read the settings, import the adapters and put them together; runs in a thread."""
        from tfai_jupyter.bootstrap import assemble  # noqa: PLC0415 - imports every adapter

        return assemble(self._load(), self._root)

    def _load(self) -> Settings:
        return Settings.load(os.environ, self._traits)
