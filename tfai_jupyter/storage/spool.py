"""Spool: where a process keeps its events while another one owns the journal.

One append-only file per process beside the database, a line of JSON per event, locked as long as its
writer lives. The owner takes in whole lines as they come, and removes the file once the lock is free.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from .processes import try_lock
from .rows import Entry

log = logging.getLogger(__name__)

_CHUNK_BYTES = 4 * 1024 * 1024


class Spool:
    """The file of this process; made at the first write. Not thread-safe."""

    def __init__(self, directory: Path) -> None:
        """Take the directory, which is made when it is needed."""
        self._directory = directory
        self._handle = -1
        self.path: Path | None = None
        self.problem = ""

    def write(self, entries: Sequence[Entry], *, durable: bool = True) -> Sequence[Entry]:
        """Append events and return those for which there was no room; `problem` then says why.

        What was appended survives a crash of the machine (of the process, if not `durable`).
        """
        lines = [f"{entry.line()}\n".encode() for entry in entries]
        self.problem, start, written = "", 0, 0
        try:
            if self._handle < 0:
                self._open()
            start = os.fstat(self._handle).st_size
            view = memoryview(b"".join(lines))
            while written < len(view):
                written += os.write(self._handle, view[written:])
            if durable:
                os.fsync(self._handle)
        except OSError as error:
            self.problem = error.strerror or type(error).__name__
            return entries[self._cut_torn(lines, start, written) :]
        return ()

    def close(self) -> None:
        """Give up the lock, so that an owner takes in the rest and removes the file."""
        if self._handle >= 0:
            os.close(self._handle)
        self._handle = -1

    def _cut_torn(self, lines: Sequence[bytes], start: int, written: int) -> int:
        """Return how many lines are whole, after cutting off the part of one that is not."""
        ends = list(accumulate(map(len, lines), initial=0))
        whole = max(count for count, end in enumerate(ends) if end <= written)
        with suppress(OSError):
            if self._handle >= 0:
                os.ftruncate(self._handle, start + ends[whole])
        return whole

    def _open(self) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._directory / f"{os.getpid()}-{secrets.token_hex(8)}.jsonl"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        # An owner that looked between these two lines took our empty file for an abandoned one.
        if not try_lock(handle) or os.fstat(handle).st_nlink == 0:
            os.close(handle)
            self._open()
            return
        self._handle, self.path = handle, path


@dataclass(frozen=True, slots=True)
class Chunk:
    """What was read of a spool: `taken` bytes in all; `ended`: its writer is gone and nothing follows."""

    name: str
    entries: tuple[Entry, ...]
    taken: int
    ended: bool


def chunks(directory: Path, taken: dict[str, int]) -> Iterator[Chunk]:
    """Yield what each spool holds past the bytes already `taken`; after an ended one the file is removed.

    The caller stores a chunk before it asks for the next, so that a crash repeats nothing: a file is
    removed only when its last chunk has been stored.
    """
    for path in sorted(directory.glob("*.jsonl")):
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue  # removed meanwhile, or not ours to read
        try:
            yield from _chunks(path, handle, taken.get(path.name, 0))
        finally:
            os.close(handle)


def parse(text: bytes, name: str) -> Iterator[Entry]:
    """Yield the entries of whole lines; a line that was torn by a crash is told of and left out."""
    for line in text.decode("utf-8", "replace").split("\n"):
        if not line.strip("\0 "):
            continue  # some file systems leave NULs where a crash cut a write
        try:
            yield Entry.parse(line)
        except ValueError:
            log.warning("a torn line of a spool is left out", extra={"spool": name, "length": len(line)})


def _chunks(path: Path, handle: int, taken: int) -> Iterator[Chunk]:
    # The lock is tried before reading: a writer that lets go after that is seen the next time.
    abandoned = try_lock(handle)
    while True:
        data, is_last = _read(handle, taken)
        if not (abandoned and is_last):
            data = data[: data.rfind(b"\n") + 1]
        taken += len(data)
        if data or (abandoned and is_last):
            yield Chunk(path.name, tuple(parse(data, path.name)), taken, abandoned and is_last)
        if is_last:
            break
    if abandoned:
        path.unlink(missing_ok=True)


def _read(handle: int, offset: int) -> tuple[bytes, bool]:
    """Return at least one line, if there is one, and whether the file ends here."""
    size = _CHUNK_BYTES
    while True:
        data = os.pread(handle, size, offset)
        if len(data) < size or b"\n" in data:
            return data, len(data) < size
        size *= 2
