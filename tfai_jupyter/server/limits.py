"""Limits at the door: sizes, how many turns run at once, and how fast one person may ask.

A limit is kept per principal, not per address: behind a hub all addresses are the same, and token
requests get a new random user name each time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from tfai_jupyter.core.errors import Busy

CHAT_BYTES = CREATE_BYTES = 1024 * 1024
SAVE_BYTES = 5 * 1024 * 1024
READ_BYTES = 2 * 1024 * 1024
OTHER_BYTES = 64 * 1024
"""The longest bodies, and the longest file that is read."""

QUEUE_SECONDS = 10.0
_PRINCIPALS = 1024


class Places:
    """So many turns run, so many more wait a little while; the others are told to come back."""

    def __init__(self, running: int, waiting: int, seconds: float = QUEUE_SECONDS) -> None:
        """Take both numbers, and how long one may wait."""
        self._free = asyncio.Semaphore(running)
        self._running = running
        self._room = waiting
        self._seconds = seconds

    @asynccontextmanager
    async def taken(self) -> AsyncGenerator[None, None]:
        """Hold a place; raises Busy when none becomes free in time."""
        await self._take()
        try:
            yield
        finally:
            self._free.release()

    async def _take(self) -> None:
        if self._free.locked() and not self._room:
            raise self._refusal()
        self._room -= 1
        try:
            async with asyncio.timeout(self._seconds):
                await self._free.acquire()
        except TimeoutError:
            raise self._refusal() from None
        finally:
            self._room += 1

    def _refusal(self) -> Busy:
        message = f"{self._running} turns run at once here (TFAI_MAX_STREAMS), and no place became free; try again"
        return Busy(message, self._seconds)


class Rates:
    """A token bucket for each principal, kept as the time at which it will be full again (GCRA)."""

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the sustained rate and how many may come at once."""
        self._interval = 1 / per_second
        self._slack = (burst - 1) * self._interval
        self._clock = clock
        self._full: dict[str, float] = {}

    def admit(self, principal: str) -> None:
        """Count one request; raises Busy, which says when the next is admitted, and then counts nothing."""
        now = self._clock()
        full = max(self._full.get(principal, now), now)
        wait = full - now - self._slack
        if wait > 1e-9:
            message = f"too many requests; try again in {wait:.1f} s (TFAI_RATE_PER_SECOND)"
            raise Busy(message, wait)
        self._full[principal] = full + self._interval
        if len(self._full) > _PRINCIPALS:
            self._full = {name: time for name, time in self._full.items() if time > now}
