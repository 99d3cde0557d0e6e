"""Keeper: sees to it that events are kept somewhere, whatever happens to the journal's file.

    the file is ours            -> DuckDB, and the spools of other processes are taken in
    another process has it      -> a spool beside it, memory for our own reading; try again later
    disk full or read-only      -> memory; try again later
    the file is damaged         -> set aside under a new name, never deleted; a new file

Blocking, and used by the journal's writer thread alone.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path

from tfai_jupyter.core.errors import Conflict, JournalUnavailable

from .ledger import Ledger
from .processes import OwnerLock
from .rows import Entry
from .spool import Chunk, Spool, chunks, parse
from .sql import told

log = logging.getLogger(__name__)

_TEND_SECONDS = 1.0
_RETRY_SECONDS = 3.0
_LOCKED = re.compile(r"Could not set lock|different configuration|already attached|file handle conflict")
_DAMAGED = re.compile(r"Corrupt (database|WAL) file|checksum|not a valid DuckDB|Could not read enough|INTERNAL Error")
_WAL = re.compile(r"replaying WAL|WAL file")
_HOLDER = re.compile(r"PID (\d+)")


class Keeper:
    """Where events go at the moment.

    `ledger` can be read: the file, or what this process wrote while it was another's. `notice` says in
    one sentence what is not as it should be.
    """

    def __init__(self, path: Path) -> None:
        """Take the journal's file; nothing is opened yet."""
        self.notice = ""
        self.spools = path.with_name(f"{path.name}.spool")
        self._path = path
        self._spool = Spool(self.spools)
        self._unsaved: list[Entry] = []
        self._lock: OwnerLock | None = None
        self._taken: dict[str, int] = {}
        self._live: dict[str, str] = {}
        self._tend_at = 0.0

    @property
    def owns(self) -> bool:
        """Whether the file is ours."""
        return self._lock is not None

    def open(self) -> None:
        """Open the file, or memory where that cannot be."""
        self.ledger = Ledger()
        self._try_to_own()

    def store(self, entries: Sequence[Entry]) -> None:
        """Keep events durably where that can be, else in memory; raises nothing."""
        import duckdb  # noqa: PLC0415 - heavy

        if not self.owns:
            self._keep_aside(entries)
            return
        try:
            self._record(entries)
        except duckdb.Error as error:
            self._give_up(f"history cannot be written to {self._path} ({told(error)})")
            self._keep_aside(entries)

    def take_in(self, spill: Path | None) -> None:
        """Store what overflowed into a file of our own."""
        if self.owns:
            self._tend_at = 0.0
            self.tend()
        elif spill:
            self._remember(tuple(parse(spill.read_bytes(), spill.name)))

    def tend(self) -> None:
        """Do now and then what must be done: take in spools, or try to become the owner."""
        import duckdb  # noqa: PLC0415 - heavy

        now = time.monotonic()
        if now < self._tend_at:
            return
        self._tend_at = now + (_TEND_SECONDS if self.owns else _RETRY_SECONDS)
        if not self.owns:
            self._try_to_own()
            return
        try:
            self._take_in_spools()
        except (duckdb.Error, OSError) as error:
            self._give_up(f"history cannot be written to {self._path} ({told(error)})")

    def check(self) -> None:
        """Write and read; raises JournalUnavailable when events are not kept in the file."""
        import duckdb  # noqa: PLC0415 - heavy

        if not self.owns:
            raise JournalUnavailable(self.notice)
        try:
            self.ledger.probe()
        except duckdb.Error as error:
            message = f"history does not work: {told(error)}"
            raise JournalUnavailable(message) from error

    def close(self) -> None:
        """Give the file back; the spool is left to whoever owns it."""
        self.ledger.close()
        self._spool.close()
        if self._lock:
            self._lock.release()
        self._lock = None

    def _try_to_own(self) -> None:
        import duckdb  # noqa: PLC0415 - heavy

        self._tend_at = time.monotonic() + _RETRY_SECONDS
        try:
            self._own()
        except Conflict as holder:
            self.notice = self._in_use(str(holder))
        except duckdb.Error as error:
            holders = _HOLDER.search(str(error))
            locked = self._in_use(holders[1] if holders else "unknown")
            cannot = f"history at {self._path} cannot be used ({told(error)}); it is kept aside until that changes"
            self.notice = locked if _LOCKED.search(str(error)) else cannot
        except OSError as error:
            self.notice = self._unwritable(error.strerror or "")

    def _own(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ExitStack() as failure:
            lock = OwnerLock(self._path.with_name(f"{self._path.name}.lock"))
            failure.callback(lock.release)
            ledger, notice = self._opened()
            failure.callback(self._back_to, self.ledger)
            before, self.ledger = self.ledger, ledger
            if self._unsaved:
                self._record(self._unsaved)
                self._unsaved.clear()
            self._spool.close()
            self._taken = ledger.taken()
            self._take_in_spools()
            ledger.recover(frozenset(self._live.values()))
            failure.pop_all()
        self._lock, self.notice = lock, notice
        before.close()

    def _back_to(self, before: Ledger) -> None:
        self.ledger.close()
        self.ledger = before

    def _opened(self) -> tuple[Ledger, str]:
        """Open the file, a new one where it is damaged; returns also what is to be told of that."""
        import duckdb  # noqa: PLC0415 - heavy

        notice = ""
        for _ in range(3):
            try:
                return Ledger(self._path), notice
            except duckdb.Error as error:
                if _LOCKED.search(str(error)) or not _DAMAGED.search(str(error)):
                    raise
                log.warning("the journal is damaged", extra={"reason": told(error)})
                aside = self._set_aside("" if not _WAL.search(str(error)) else ".wal")
                notice = f"the history file was damaged: what it held is kept as {aside}, and a new one was begun"
        return Ledger(self._path), notice

    def _set_aside(self, suffix: str) -> Path:
        """Rename what is damaged: the file with its log of late writes, or, by suffix, the log alone."""
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        aside = self._path.with_name(f"{self._path.name}.corrupt-{moment}{suffix}")
        self._path.with_name(f"{self._path.name}{suffix}").rename(aside)
        if not suffix:
            with suppress(FileNotFoundError):
                self._path.with_name(f"{self._path.name}.wal").rename(aside.with_name(f"{aside.name}.wal"))
        return aside

    def _record(self, entries: Sequence[Entry], chunk: Chunk | None = None) -> None:
        """Store events; one that DuckDB does not take is told of and does not hold up the others."""
        import duckdb  # noqa: PLC0415 - heavy

        try:
            self.ledger.record(entries, chunk)
        except duckdb.Error:
            self.ledger.probe()  # raises when it is the file that is ill, not an event
        else:
            return
        for entry in entries:
            try:
                self.ledger.record((entry,))
            except duckdb.Error as error:
                extra = {"turn_id": entry.event.turn_id, "seq": entry.event.seq, "reason": told(error)}
                log.error("an event cannot be journalled", extra=extra)  # noqa: TRY400 - the trace says no more
        if chunk:
            self.ledger.record((), chunk)

    def _take_in_spools(self) -> None:
        ended = False
        for chunk in chunks(self.spools, self._taken):
            self._record(chunk.entries, chunk)
            self._taken[chunk.name] = chunk.taken
            ended = ended or chunk.ended
            if chunk.ended:
                self._live.pop(chunk.name, None)
            elif chunk.entries:
                self._live[chunk.name] = chunk.entries[-1].process
        if ended:
            self.ledger.recover(frozenset(self._live.values()))

    def _give_up(self, notice: str) -> None:
        """Let go of a file that does not work; what comes is kept aside until it does."""
        import duckdb  # noqa: PLC0415 - heavy

        log.warning("the journal's file is given up for now", extra={"reason": notice})
        with suppress(duckdb.Error):
            self.ledger.close()
        if self._lock:
            self._lock.release()
        self._lock, self.ledger, self.notice = None, Ledger(), notice
        self._tend_at = time.monotonic() + _RETRY_SECONDS

    def _keep_aside(self, entries: Sequence[Entry]) -> None:
        left = self._spool.write(entries)
        if left:
            self._unsaved.extend(left)
            self.notice = self._unwritable(self._spool.problem)
        self._remember(entries)

    def _remember(self, entries: Sequence[Entry]) -> None:
        import duckdb  # noqa: PLC0415 - heavy

        try:
            self._record(entries)
        except duckdb.Error as error:  # out of memory: these can be read only once they are in the file
            log.warning("events are kept aside, but cannot be read yet", extra={"reason": told(error)})

    def _in_use(self, holder: str) -> str:
        return (
            f"history in {self._path} belongs to process {holder} at the moment; "
            "what happens here is kept beside it and joins it later"
        )

    def _unwritable(self, reason: str) -> str:
        return f"history cannot be written to {self._path} ({reason}); it is kept in memory until that changes"
