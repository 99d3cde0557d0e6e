"""Bridge: a cell or shell, which cannot await, reads an asynchronous stream.

A daemon thread runs an event loop. The reader asks for one item at a time, so that nothing runs
ahead of what was shown, and a reader that leaves early closes the stream. Threads do not survive a
fork: in a child the first use starts another.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from concurrent.futures import CancelledError
from contextlib import aclosing, contextmanager, suppress
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

PATIENCE_SECONDS = 5.0
"""How long a reader that leaves waits for the stream's clean-up; it goes on without the reader."""

_END = object()


class Bridge:
    """An event loop in a thread of its own, started at first use."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._pid = 0

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The running loop."""
        if self._loop is None or self._pid != os.getpid():
            started: SimpleQueue[asyncio.AbstractEventLoop] = SimpleQueue()
            self._thread = threading.Thread(target=_serve, args=(started,), name="tfai", daemon=True)
            self._thread.start()
            self._loop, self._pid = started.get(), os.getpid()
        return self._loop

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Have a plain function called in the loop, soon."""
        self.loop.call_soon_threadsafe(function, *arguments)

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Return what a coroutine returns, or raise what it raises."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def iterate(self, source: AsyncGenerator[Item, None]) -> Iterator[Item]:
        """Yield a stream's items as they are asked for; closing this closes the stream."""
        items: SimpleQueue[Any] = SimpleQueue()
        wanted = asyncio.Semaphore(0)
        task = asyncio.run_coroutine_threadsafe(_pump(source, items, wanted), self.loop)
        patience = PATIENCE_SECONDS
        try:
            while True:
                self.call(wanted.release)
                item = items.get()
                if item is _END:
                    break
                yield item
            with suppress(CancelledError):
                task.result()
        except KeyboardInterrupt:
            patience = 0
            raise
        finally:
            if task.cancel() and patience:
                _drain(items, patience)

    def close(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Cancel what runs and stop the loop; the next use starts another."""
        loop, thread = self._loop, self._thread
        self._loop = self._thread = None
        if loop and thread and self._pid == os.getpid() and thread.is_alive():
            loop.call_soon_threadsafe(loop.stop)
            thread.join(seconds)


@contextmanager
def interrupts(stop: Callable[[], bool], *signals: signal.Signals) -> Iterator[None]:
    """Have the first interrupt call `stop`; a second one, or one that `stop` cannot serve, raises.

    Python delivers signals to the main thread alone, so elsewhere nothing changes; nor does a
    signal that is ignored, as it is in a shell's background jobs.
    """
    heard: list[int] = []

    def handle(number: int, _: FrameType | None) -> None:
        heard.append(number)
        if len(heard) > 1 or not stop():
            raise KeyboardInterrupt

    in_main = threading.current_thread() is threading.main_thread()
    before = {each: signal.getsignal(each) for each in signals} if in_main else {}
    before = {each: handler for each, handler in before.items() if handler is not signal.SIG_IGN}
    try:
        for each in before:
            signal.signal(each, handle)
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, signal.SIG_DFL if handler is None else handler)


def _serve(started: SimpleQueue[asyncio.AbstractEventLoop]) -> None:
    """Run a loop until it is stopped, then cancel what is left in it."""
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        started.put(loop)
        loop.run_forever()


async def _pump(source: AsyncGenerator[Item, None], items: SimpleQueue[Any], wanted: asyncio.Semaphore) -> None:
    try:
        async with aclosing(source):
            await wanted.acquire()
            async for item in source:
                items.put(item)
                await wanted.acquire()
    finally:
        items.put(_END)


def _drain(items: SimpleQueue[Any], seconds: float) -> None:
    """Wait until a cancelled stream has cleaned up, but not for ever."""
    with suppress(Empty):
        while items.get(timeout=seconds) is not _END:
            pass
