"""Pipe: runs an async generator in a task of its own, so that it can be stopped from outside.

The reader gets what was made before the stop, and its own cancellation stays its own.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Generic, TypeVar

Item = TypeVar("Item")

BOUND = 64
"""Items that may wait for the reader before the source is held up."""


class Pipe(Generic[Item]):
    """An async iterator over a source; `stop` ends it, `reason` says why."""

    def __init__(self, source: AsyncGenerator[Item, None], name: str = "") -> None:
        """Start to run the source."""
        self.reason = ""
        self._items: deque[Item] = deque()
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._task = asyncio.create_task(self._pump(source), name=name or None)
        self._task.add_done_callback(lambda _: self._changed.set())

    def stop(self, reason: str) -> bool:
        """Cancel the source; False when it has already ended."""
        if self.reason or self._task.done():
            return False
        self.reason = reason
        self._task.cancel()
        return True

    async def __aiter__(self) -> AsyncIterator[Item]:
        """Yield items as they come; raises what the source raised, unless it was stopped."""
        while True:
            while self._items:
                yield self._items.popleft()
                self._room.set()
            if self._task.done():
                break
            self._changed.clear()
            await self._changed.wait()
        if not self.reason and not self._task.cancelled():
            self._task.result()

    async def aclose(self) -> None:
        """Cancel the source and wait until it has cleaned up."""
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _pump(self, source: AsyncGenerator[Item, None]) -> None:
        async with aclosing(source) as items:
            async for item in items:
                self._items.append(item)
                self._changed.set()
                if len(self._items) >= BOUND:
                    self._room.clear()
                    await self._room.wait()
