"""DuckDBJournal: the append-only record of events, written by one thread of its own.

    append() -> bounded queue -> writer thread: what waits becomes one transaction -> file
                   └ full: an overflow file, so that nothing is lost and nobody waits

DuckDB is imported, opened, written and closed in the writer thread; readers get a cursor from it and
run in worker threads. A cursor is asked for behind the events appended before, so one reads them.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tfai_jupyter.core.errors import Invalid, JournalUnavailable, TfaiError
from tfai_jupyter.core.events import Event
from tfai_jupyter.core.messages import Message
from tfai_jupyter.core.results import Rows

from .audit import AuditCheck
from .keeper import Keeper
from .ledger import check_chain, events_of
from .processes import process_name
from .recall import is_known, messages_of
from .rows import Entry
from .spool import Spool
from .sql import check_statement, run

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

_CAPACITY = 10_000
_IDLE_SECONDS = 1.0
_LINGER_SECONDS = 0.02
_PATIENCE_SECONDS = 10.0
_QUERY_SECONDS = 10.0
_CLOSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Errand:
    """Something the writer does for somebody, after the events that were appended before it."""

    work: Callable[[Keeper], Any]
    answer: Future[Any]

    def run(self, keeper: Keeper) -> None:
        import duckdb  # noqa: PLC0415 - heavy

        if not self.answer.set_running_or_notify_cancel():
            return  # whoever asked has stopped waiting
        try:
            result = self.work(keeper)
        except (TfaiError, duckdb.Error, OSError) as error:
            self.answer.set_exception(error)
        else:
            self.answer.set_result(result)


class DuckDBJournal:
    """A Journal in a DuckDB file that one process owns; see `Keeper` for what the others do."""

    def __init__(
        self,
        path: Path,
        *,
        trace: Callable[[], str] = str,
        capacity: int = _CAPACITY,
        query_seconds: float = _QUERY_SECONDS,
    ) -> None:
        """Take the file, made when missing; `trace` tells the trace id of the turn that appends."""
        self._keeper = Keeper(path)
        self._trace = trace
        self._capacity = capacity
        self._query_seconds = query_seconds
        self._process = process_name()
        self._changed = threading.Condition()
        self._queue: deque[Entry] = deque()
        self._errands: deque[_Errand] = deque()
        self._spill: Spool | None = None
        self._spilt = self._storing = 0
        self._is_closing = False
        self._thread: threading.Thread | None = None

    @property
    def notice(self) -> str:
        """One sentence when history is not kept as it should be, e.g. the file is locked; else empty."""
        return self._keeper.notice

    @property
    def pending(self) -> int:
        """How many events wait to be written."""
        return len(self._queue) + self._spilt + self._storing

    def append(self, event: Event) -> None:
        """Record a redacted event; returns at once, durable within 50 ms, never raises."""
        entry = Entry(event, self._process, self._trace())
        with self._changed:
            if self._is_closing:
                log.warning("an event came after the journal was closed", extra={"turn_id": event.turn_id})
                return
            if self._spill or len(self._queue) >= self._capacity:
                self._overflow(entry)
            else:
                self._queue.append(entry)
            if self.pending == 1:
                self._wake()

    async def flush(self) -> None:
        """Return when all that was appended is durable, or kept as well as can be."""
        if self._thread:
            with suppress(JournalUnavailable):  # closed: nothing waits any more
                await asyncio.wrap_future(self._send(lambda _: None))

    async def messages(self, conversation_id: str, limit: int = 20, before: str = "") -> tuple[Message, ...]:
        """Return a conversation's newest messages, oldest first, of turns before the turn `before`.

        Raises JournalUnavailable when another process has the file and this one knows nothing of it.
        """

        def read(cursor: DuckDBPyConnection) -> tuple[Message, ...] | None:
            found = messages_of(cursor, conversation_id, limit, before)
            return found if found or is_known(cursor, conversation_id) else None

        return self._known(await self._read(read)) or ()

    async def events(self, turn_id: str, after: int = 0) -> tuple[Event, ...]:
        """Return a turn's events with `seq` greater than `after`, split as they were emitted."""

        def read(cursor: DuckDBPyConnection) -> tuple[Event, ...] | None:
            return events_of(cursor, turn_id, after) or (None if not events_of(cursor, turn_id, 0) else ())

        return self._known(await self._read(read)) or ()

    async def query(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:
        """Run one read-only statement, at most 10 s and 10,000 rows; raises Invalid, JournalUnavailable."""
        cursor = await self._on_writer(lambda keeper: keeper.ledger.cursor() if keeper.owns else None)
        if cursor is None:
            raise JournalUnavailable(self.notice)

        def work() -> Rows:
            with closing(cursor):
                check_statement(sql)
                return run(cursor, sql, parameters)

        running = asyncio.ensure_future(asyncio.to_thread(work))
        running.add_done_callback(lambda task: task.cancelled() or task.exception())  # seen, if nobody waits
        try:
            done, _ = await asyncio.wait({running}, timeout=self._query_seconds)
        finally:
            if not running.done():
                cursor.interrupt()
        if done:
            return running.result()
        with suppress(Invalid):
            await running
        message = f"the query took longer than {self._query_seconds:g} s and was stopped; ask for less"
        raise Invalid(message)

    async def verify_audit(self) -> AuditCheck:
        """Compute the audit chain again."""
        return await self._read(check_chain)

    async def ping(self) -> None:
        """Write and read one row; raises JournalUnavailable with what is wrong."""
        await self._on_writer(Keeper.check)

    async def aclose(self) -> None:
        """Flush and give the file back."""
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """Flush and give the file back; blocks for at most 5 s."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        if self._thread:
            self._thread.join(_CLOSE_SECONDS)
            atexit.unregister(self.close)

    def _known(self, found: tuple[Answer, ...] | None) -> tuple[Answer, ...] | None:
        if found is None and not self._keeper.owns:
            raise JournalUnavailable(self.notice)
        return found

    async def _read(self, work: Callable[[DuckDBPyConnection], Answer]) -> Answer:
        cursor = await self._on_writer(lambda keeper: keeper.ledger.cursor())
        return await asyncio.to_thread(_closed_after, work, cursor)

    async def _on_writer(self, work: Callable[[Keeper], Answer]) -> Answer:
        try:
            return await asyncio.wait_for(asyncio.wrap_future(self._send(work)), _PATIENCE_SECONDS)
        except TimeoutError:
            message = "history does not answer; is its disk slow or gone?"
            raise JournalUnavailable(message) from None

    def _send(self, work: Callable[[Keeper], Answer]) -> Future[Answer]:
        answer: Future[Answer] = Future()
        with self._changed:
            if self._is_closing:
                message = "history is closed"
                raise JournalUnavailable(message)
            self._errands.append(_Errand(work, answer))
            self._wake()
        return answer

    def _overflow(self, entry: Entry) -> None:
        self._spill = self._spill or Spool(self._keeper.spools)
        left = self._spill.write((entry,), durable=False)
        self._queue.extend(left)  # no room on the disk: better a long queue than a lost event
        self._spilt += not left

    def _wake(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._write, name="tfai-journal", daemon=True)
            self._thread.start()
            atexit.register(self.close)
        self._changed.notify()

    def _write(self) -> None:
        errands: Sequence[_Errand] = ()
        try:
            self._keeper.open()
            while True:
                entries, errands, spill = self._next()
                if entries:
                    self._keeper.store(entries)
                if spill:
                    spill.close()
                    self._keeper.take_in(spill.path)
                self._storing = 0
                for errand in errands:
                    errand.run(self._keeper)
                errands = ()
                self._keeper.tend()
                if self._is_closing and not (self._queue or self._spill):
                    break
            self._keeper.close()
        finally:
            self._end(errands)

    def _next(self) -> tuple[Sequence[Entry], Sequence[_Errand], Spool | None]:
        with self._changed:
            if not self._has_work():
                self._changed.wait(_IDLE_SECONDS)
            if self._queue and not self._is_hurried():
                # One transaction of many, and the interpreter to the turn that has just begun.
                until = time.monotonic() + _LINGER_SECONDS
                while not self._is_hurried() and (left := until - time.monotonic()) > 0:
                    self._changed.wait(left)
            work = tuple(self._queue), tuple(self._errands), self._spill
            self._storing = self.pending
            self._queue.clear()
            self._errands.clear()
            self._spill, self._spilt = None, 0
            return work

    def _has_work(self) -> bool:
        return bool(self._queue or self._errands or self._spill or self._is_closing)

    def _is_hurried(self) -> bool:
        return bool(self._errands or self._spill or self._is_closing)

    def _end(self, errands: Sequence[_Errand]) -> None:
        with self._changed:
            self._is_closing = True
            left = (*errands, *self._errands)
        for errand in left:
            if not errand.answer.done() and (errand.answer.running() or errand.answer.set_running_or_notify_cancel()):
                errand.answer.set_exception(JournalUnavailable("history is closed"))


def _closed_after(work: Callable[[DuckDBPyConnection], Answer], cursor: DuckDBPyConnection) -> Answer:
    with closing(cursor):
        return work(cursor)
