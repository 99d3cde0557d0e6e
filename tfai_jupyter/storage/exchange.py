"""Exchange: several files are replaced as a whole or not at all, and can be put back.

    record written -> new texts staged beside the files -> renamed one by one -> record closed

The record and both texts of each file lie in the vault before the first file is touched, so a
process that dies in between is repaired by the next one (`recover`). One exchange at a time.
"""

from __future__ import annotations

import fcntl
import logging
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tfai_jupyter.core.changes import sha256_of
from tfai_jupyter.core.errors import Conflict, NotFound
from tfai_jupyter.core.ids import utc_now
from tfai_jupyter.core.protocols import Vault
from tfai_jupyter.core.wire import from_json, to_json

from .paths import Root
from .vault import replace_file

log = logging.getLogger(__name__)

Side = Literal["before", "after"]
State = Literal["applying", "applied", "undoing", "undone", "failed"]

_KIND = "exchanges"
_NEW_FILE_MODE = 0o644


@dataclass(frozen=True, slots=True)
class Swap:
    """One file on both sides, by hash (empty: no file there); the texts lie in the vault."""

    path: str
    before: str
    after: str
    mode: int = _NEW_FILE_MODE

    def on(self, side: Side) -> str:
        """Return the hash on one side."""
        return self.before if side == "before" else self.after


@dataclass(frozen=True, slots=True)
class Record:
    """An exchange as the vault keeps it; `made` are the directories it made, outermost first."""

    id: str
    root: str
    state: State
    swaps: tuple[Swap, ...]
    made: tuple[str, ...] = ()
    changed_at: str = ""


class Exchange:
    """Replaces files below a root. All methods block: call them in a thread."""

    def __init__(self, root: Root, vault: Vault) -> None:
        """Take the root and where records and texts are kept."""
        self._root = root
        self._vault = vault

    def apply(self, exchange_id: str, swaps: Sequence[Swap], texts: Sequence[bytes]) -> None:
        """Move files to their new side; raises Conflict when one is not what it was, OSError undone."""
        with self._alone():
            self._check(swaps, "before")
            swaps = tuple(self._kept(exchange_id, swap) for swap in swaps)
            for text in texts:
                self._keep(exchange_id, text)
            made = tuple(self._missing_directories(swaps))
            record = Record(exchange_id, str(self._root.path), "applying", swaps, made)
            self._move(record, "after", "applied")

    def undo(self, exchange_id: str) -> Record:
        """Move an applied exchange's files back; raises NotFound, Conflict when one changed since."""
        with self._alone():
            record = self.find(exchange_id)
            if record is None or record.state != "applied":
                message = "nothing to undo"
                raise NotFound(message)
            self._check(record.swaps, "after")
            self._move(_with_state(record, "undoing"), "before", "undone")
            return record

    def recover(self) -> tuple[str, ...]:
        """Put back what a process left half done; returns the ids. Waits for a running exchange."""
        repaired: list[str] = []
        with self._alone():
            for record in self.records():
                if record.state in ("applying", "undoing"):
                    self._roll_back(record)
                    repaired.append(record.id)
        return tuple(repaired)

    def find(self, exchange_id: str) -> Record | None:
        """Return an exchange of this root, None when there is none."""
        with suppress(NotFound):
            record = from_json(Record, self._vault.read(_KIND, exchange_id))
            return record if record.root == str(self._root.path) else None
        return None

    def records(self) -> tuple[Record, ...]:
        """Return all exchanges of this root, the last changed last."""
        found = filter(None, map(self.find, self._vault.names(_KIND)))
        return tuple(sorted(found, key=lambda record: record.changed_at))

    def _move(self, record: Record, side: Side, done: State) -> None:
        with ExitStack() as failure:
            self._write(record)
            failure.callback(self._roll_back, record)
            self._settle(record, side)
            self._write(_with_state(record, done))  # this rename is the moment at which it has happened
            failure.pop_all()
        if side == "before":
            self._remove_directories(record)

    def _roll_back(self, record: Record) -> None:
        side: Side = "before" if record.state == "applying" else "after"
        other: Side = "after" if side == "before" else "before"
        ours = [swap for swap in record.swaps if self._hash(swap.path) in (swap.on(side), swap.on(other))]
        for swap in set(record.swaps) - set(ours):
            log.warning("a file changed during a repair and is left as it is", extra={"path": swap.path})
        self._settle(Record(record.id, record.root, record.state, tuple(ours), record.made), side)
        if side == "before":
            self._remove_directories(record)
        self._write(_with_state(record, "failed" if side == "before" else "applied"))

    def _settle(self, record: Record, side: Side) -> None:
        """Bring every file to one side: stage all, then rename all; what is there already stays."""
        with ExitStack() as cleanup:
            staged: list[tuple[Swap, int, str]] = []
            for number, swap in enumerate(record.swaps):
                path, temporary = self._root.path / swap.path, f".tfai-{record.id}-{number}.tmp"
                if self._hash(swap.path) == swap.on(side):
                    with suppress(NotFound), self._root.parent(path) as parent:
                        _unlink(temporary, parent)  # left by a process that died
                    continue
                if swap.on(side):
                    self._make_directories(path)
                parent = cleanup.enter_context(self._root.parent(path))
                _unlink(temporary, parent)
                cleanup.callback(_unlink, temporary, parent)
                self._stage(record.id, swap, side, (parent, temporary))
                staged.append((swap, parent, temporary))
            self._check([swap for swap, _, _ in staged], "before" if side == "after" else "after")
            for swap, parent, temporary in staged:
                _place(Path(swap.path).name, temporary if swap.on(side) else "", parent)

    def _stage(self, exchange_id: str, swap: Swap, side: Side, where: tuple[int, str]) -> None:
        if not swap.on(side):
            return
        parent, temporary = where
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(temporary, flags, 0o600, dir_fd=parent), "wb") as file:
            file.write(self._text(exchange_id, swap.on(side)))
            os.fchmod(file.fileno(), swap.mode)
            file.flush()
            os.fsync(file.fileno())

    def _check(self, swaps: Sequence[Swap], side: Side) -> None:
        for swap in swaps:
            if self._hash(swap.path) != swap.on(side):
                message = f"{swap.path} changed since it was read; nothing was written, propose again"
                raise Conflict(message)

    def _hash(self, path: str) -> str:
        try:
            with self._root.open(self._root.path / path) as handle, os.fdopen(os.dup(handle), "rb") as file:
                return sha256_of(file.read())
        except NotFound:
            return ""

    def _kept(self, exchange_id: str, swap: Swap) -> Swap:
        if not swap.before:
            return swap
        with self._root.open(self._root.path / swap.path) as handle, os.fdopen(os.dup(handle), "rb") as file:
            mode = stat.S_IMODE(os.fstat(handle).st_mode)
            self._keep(exchange_id, file.read())
        return Swap(swap.path, swap.before, swap.after, mode)

    def _keep(self, exchange_id: str, text: bytes) -> None:
        replace_file(self._blob(exchange_id, sha256_of(text)), text)

    def _text(self, exchange_id: str, digest: str) -> bytes:
        text = self._blob(exchange_id, digest).read_bytes()
        if sha256_of(text) != digest:
            message = f"the kept copy {digest} is damaged; nothing was written"
            raise Conflict(message)
        return text

    def _blob(self, exchange_id: str, digest: str) -> Path:
        return self._vault.directory(_KIND, exchange_id) / digest.removeprefix("sha256:")

    def _missing_directories(self, swaps: Sequence[Swap]) -> Iterator[str]:
        wanted = {parent.as_posix() for swap in swaps if swap.after for parent in Path(swap.path).parents}
        yield from sorted(each for each in wanted if not (self._root.path / each).exists())

    def _make_directories(self, path: Path) -> None:
        for parent in reversed(path.relative_to(self._root.path).parents[:-1]):
            with self._root.parent(self._root.path / parent) as handle, suppress(FileExistsError):
                os.mkdir(parent.name, dir_fd=handle)

    def _remove_directories(self, record: Record) -> None:
        for each in reversed(record.made):
            with suppress(NotFound, OSError), self._root.parent(self._root.path / each) as handle:
                os.rmdir(Path(each).name, dir_fd=handle)  # fails, as it should, when it is not empty

    def _write(self, record: Record) -> None:
        self._vault.write(_KIND, record.id, to_json(record))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self._vault.directory(_KIND, "lock") / "held").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _with_state(record: Record, state: State) -> Record:
    return Record(record.id, record.root, state, record.swaps, record.made, utc_now())


def _place(name: str, temporary: str, parent: int) -> None:
    if temporary:
        os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
    else:
        os.unlink(name, dir_fd=parent)
    os.fsync(parent)


def _unlink(name: str, parent: int) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=parent)
