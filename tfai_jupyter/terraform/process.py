"""One child process in a group of its own: its output, its deadline, and its certain end.

Popen and not asyncio's subprocess: that one waits for pipes which grandchildren hold open, and kills
the child when it is collected, so an apply could not outlive us. Ladder: interrupt, wait, interrupt,
wait, kill; what is left of the group dies with its leader.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import fcntl
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

POLL_SECONDS = 0.02
DRAIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a child may take: until its deadline (0: none), after the first and the second interrupt."""

    timeout_seconds: float = 120.0
    interrupt_seconds: float = 10.0
    kill_seconds: float = 5.0


class Capture:
    """The text of one stream up to a cap in bytes; what is past it is read and dropped."""

    def __init__(self, cap_bytes: int) -> None:
        """Begin empty."""
        self.truncated = False
        self.lines: deque[str] = deque()
        self._room = cap_bytes
        self._parts: list[str] = []
        self._line: list[str] = []
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, data: bytes, *, final: bool = False) -> None:
        """Take bytes as they come; `final` closes the last line."""
        self.truncated = self.truncated or len(data) > self._room
        text = self._decoder.decode(data[: self._room], final=final)
        self._room -= min(len(data), self._room)
        self._parts.append(text)
        *whole, rest = text.split("\n")
        for piece in whole:
            self.lines.append("".join([*self._line, piece]).removesuffix("\r"))
            self._line = []
        self._line += [rest] if rest else []
        if final and self._line:
            self.lines.append("".join(self._line))
            self._line = []

    @property
    def text(self) -> str:
        """All that was kept."""
        return "".join(self._parts)


class Child:
    """A running child; make one with `start`, end it with `end`, whatever happened in between.

    `log`: stdout goes to this file and is followed there. A child with a log is never killed because
    we shut down: it was interrupted, and is left to save what it has. Through a pipe it would die
    with us, since writing to a pipe without a reader ends a Go program at once.
    """

    def __init__(self, process: subprocess.Popen[bytes], patience: Patience, cap_bytes: int) -> None:
        """Keep the process; `start` attaches its streams."""
        self.process = process
        self.timed_out = False
        self.killed = False
        self.stdout, self.stderr = Capture(cap_bytes), Capture(cap_bytes)
        self._patience = patience
        self._started = time.monotonic()
        self._spared = False
        self._interrupted = False
        self._stop = asyncio.Event()
        self._changed = asyncio.Event()
        self._pumps: list[asyncio.Task[None]] = []
        self._watch: asyncio.Task[None] | None = None

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        *,
        directory: Path,
        env: Mapping[str, str],
        patience: Patience,
        cap_bytes: int,
        log: Path | None = None,
    ) -> Child:
        """Start a command in a session of its own, without stdin; raises OSError."""
        error_read, error_write = os.pipe()
        read, write = (-1, _open_log(log)) if log else os.pipe()
        try:
            process = _spawn(command, directory, env, (write, error_write))
        except OSError:
            for descriptor in filter(lambda each: each >= 0, (read, error_read)):
                os.close(descriptor)
            raise
        finally:
            os.close(write)
            os.close(error_write)
        child = cls(process, patience, cap_bytes)
        child._spared = log is not None
        child._attach(child._follow(log) if log else child._pump(read, child.stdout))
        child._attach(child._pump(error_read, child.stderr))
        child._watch = asyncio.create_task(child._guard())
        return child

    async def next_line(self) -> str | None:
        """Return the next line of stdout without its end; None when there will be no more."""
        while not self.stdout.lines:
            if self._watch is None or self._watch.done():
                return None
            self._changed.clear()
            await self._changed.wait()
        return self.stdout.lines.popleft()

    async def end(self) -> None:
        """Return when the child is gone; interrupts it when it still runs. Survives being cancelled."""
        self._stop.set()
        if self._watch is not None:
            await asyncio.wait({self._watch})
            if not self._watch.cancelled():
                self._watch.result()

    @property
    def duration_ms(self) -> int:
        """Milliseconds since the start."""
        return round((time.monotonic() - self._started) * 1000)

    async def _guard(self) -> None:
        try:
            await self._until_over()
            await asyncio.wait(self._pumps, timeout=DRAIN_SECONDS)
        finally:
            if self.process.poll() is None:
                self._leave()
            for pump in self._pumps:
                pump.cancel()
            self._changed.set()

    async def _until_over(self) -> None:
        limit = self._patience.timeout_seconds
        self.timed_out = not await self._exits_within(limit or None, watch_stop=True) and not self._stop.is_set()
        for seconds in (self._patience.interrupt_seconds, self._patience.kill_seconds):
            if self.process.poll() is None:
                self._interrupted = True
                self._signal(signal.SIGINT)
                await self._exits_within(seconds)
        self.killed = self.process.poll() is None
        # The leader is gone or must go; whoever is left in its group goes with it.
        self._signal(signal.SIGKILL)
        await self._exits_within(None)

    def _leave(self) -> None:
        """Part from a child because our loop ends: interrupt one that is spared once, kill any other."""
        if not self._spared:
            self._signal(signal.SIGKILL)
        elif not self._interrupted:
            self._signal(signal.SIGINT)
        # Whoever still lives in this process reaps it; a daemon, so that we need not wait for it.
        threading.Thread(target=self.process.wait, daemon=True).start()

    async def _exits_within(self, seconds: float | None, *, watch_stop: bool = False) -> bool:
        end = None if seconds is None else time.monotonic() + seconds
        while self.process.poll() is None:
            if (watch_stop and self._stop.is_set()) or (end is not None and time.monotonic() >= end):
                return False
            await asyncio.sleep(POLL_SECONDS)
        return True

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    def _attach(self, pump: Coroutine[None, None, None]) -> None:
        self._pumps.append(asyncio.create_task(pump))

    async def _pump(self, descriptor: int, capture: Capture) -> None:
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", 0)
        )
        try:
            while data := await reader.read(65536):
                self._feed(capture, data)
        finally:
            transport.close()
            self._feed(capture, b"", final=True)

    async def _follow(self, log: Path) -> None:
        with log.open("rb") as file:
            while self.process.poll() is None:
                self._feed(self.stdout, file.read(65536))
                await asyncio.sleep(POLL_SECONDS)
            while data := file.read(65536):
                self._feed(self.stdout, data)
        self._feed(self.stdout, b"", final=True)

    def _feed(self, capture: Capture, data: bytes, *, final: bool = False) -> None:
        capture.feed(data, final=final)
        self._changed.set()


def _spawn(
    command: Sequence[str], directory: Path, env: Mapping[str, str], streams: tuple[int, int]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - a list, never a shell
        list(command),
        cwd=directory,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=streams[0],
        stderr=streams[1],
        start_new_session=True,
    )


def is_running(log: Path) -> bool:
    """Tell whether the child that writes a log still lives, whichever process started it."""
    try:
        with log.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False


def _open_log(log: Path) -> int:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    # The lock belongs to what was opened, not to us: the child holds it on until it ends.
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor
