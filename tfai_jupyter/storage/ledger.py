"""Ledger: one open DuckDB database with the journal's schema. Blocking; all writing in one thread.

It holds a file, or memory as long as the file belongs to another process. `duckdb` is imported when
a ledger is opened, since that costs 150 ms and 40 MB. Works with DuckDB 1.5 and 2.x: files are
written in the form of 1.5, so that either reads what the other wrote.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfai_jupyter.core.events import Event, TurnFailed
from tfai_jupyter.core.ids import utc_now

from .audit import AuditCheck, Link, check, is_audited, links
from .processes import is_alive
from .rows import Entry, dump, event_rows, finished_rows, moment, split, started_rows
from .spool import Chunk
from .sql import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_CONFIG = {
    "storage_compatibility_version": "v1.5.0",
    "enable_external_access": "false",  # no statement reads or writes another file, whoever wrote it
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "memory_limit": "1GB",
    "threads": "2",
    "lock_configuration": "true",
}

_EVENTS = dict.fromkeys(("turn_id", "type", "payload"), "VARCHAR")
_EVENTS |= {"created_at": "TIMESTAMP", "seq": "INTEGER", "last_seq": "INTEGER"}
_TURNS = dict.fromkeys(("turn_id", "conversation_id", "user", "face", "command", "workspace", "request_id"), "VARCHAR")
_TURNS |= dict.fromkeys(("trace_id", "provider", "model", "parent_turn_id", "process"), "VARCHAR")
_TURNS |= {"started_at": "TIMESTAMP"}
_ENDS = {"turn_id": "VARCHAR", "finished_at": "TIMESTAMP", "outcome": "VARCHAR"}
_ENDS |= {"input_tokens": "BIGINT", "output_tokens": "BIGINT", "cost_usd": "DOUBLE"}
_LINKS = dict.fromkeys((field.name for field in fields(Link)), "VARCHAR") | {"seq": "BIGINT", "created_at": "TIMESTAMP"}

_OPEN_TURNS = """
SELECT turn_id, process, request_id, coalesce(max(last_seq), 0)
FROM turns LEFT JOIN events USING (turn_id) WHERE outcome IS NULL GROUP BY ALL ORDER BY turn_id
"""


class Ledger:
    """An open database; raises `duckdb.Error` where the disk or the file fails."""

    def __init__(self, path: Path | None = None) -> None:
        """Open a file, or memory, and bring its schema up to date."""
        import duckdb  # noqa: PLC0415 - heavy, see the module's docstring

        self._path = path
        self._connection: DuckDBPyConnection = duckdb.connect(str(path) if path else ":memory:", config=dict(_CONFIG))
        self._connection.execute((files(__package__) / "schema.sql").read_text(encoding="utf-8"))
        self._keep_private()

    def cursor(self) -> DuckDBPyConnection:
        """Return a connection of its own for a thread that reads; only the writer may ask."""
        return self._connection.cursor()

    def record(self, entries: Sequence[Entry], chunk: Chunk | None = None) -> None:
        """Store events and all that follows from them as one; with a chunk, also that it was taken."""
        with self._transaction():
            self._insert("events", event_rows(entries), _EVENTS)
            self._insert("turns", started_rows(entries), _TURNS)
            self._finish(finished_rows(entries))
            self._audit([entry.event for entry in entries if is_audited(entry.event)])
            if chunk:
                name = literal(chunk.name)
                self._connection.execute(f"DELETE FROM spools WHERE name = {name}")  # noqa: S608 - a literal
                self._connection.execute(f"INSERT INTO spools VALUES ({name}, {chunk.taken})")  # noqa: S608 - a literal
        self._keep_private()

    def taken(self) -> dict[str, int]:
        """Return how many bytes of each spool are stored."""
        return dict(self._connection.execute("SELECT name, taken FROM spools").fetchall())

    def recover(self, live: frozenset[str] = frozenset()) -> int:
        """End the turns whose process is gone without a last event; returns how many.

        `live` names processes that were seen at work elsewhere, e.g. by the lock of their spool.
        """
        entries = [
            Entry(_interrupted(turn_id, request_id, last_seq), process)
            for turn_id, process, request_id, last_seq in self._connection.execute(_OPEN_TURNS).fetchall()
            if process not in live and not is_alive(process)
        ]
        if entries:
            self.record(entries)
        return len(entries)

    def probe(self) -> None:
        """Write and read one row."""
        with self._transaction():
            self._connection.execute("DELETE FROM probe")
            self._connection.execute(f"INSERT INTO probe VALUES ({literal(moment(utc_now()))})")  # noqa: S608 - a literal
        self._connection.execute("SELECT checked_at FROM probe").fetchall()
        self._keep_private()

    def close(self) -> None:
        """Write all into the file and give it back."""
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN TRANSACTION")
        done = False
        try:
            yield
            self._connection.execute("COMMIT")
            done = True
        finally:
            if not done:
                self._roll_back()

    def _roll_back(self) -> None:
        import duckdb  # noqa: PLC0415 - heavy

        try:
            self._connection.execute("ROLLBACK")
        except duckdb.Error:
            return  # a commit that failed has rolled back already

    def _insert(self, table: str, rows: Sequence[dict[str, Any]], columns: dict[str, str]) -> None:
        if rows:
            names = ", ".join(f'"{name}"' for name in columns)
            source = _unnested(rows, columns)
            self._connection.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {source}")  # noqa: S608 - literals

    def _finish(self, rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            values = ", ".join(f"{name} = ended.{name}" for name in _ENDS if name != "turn_id")
            source = f"{_unnested(rows, _ENDS)} AS ended WHERE turns.turn_id = ended.turn_id"
            self._connection.execute(f"UPDATE turns SET {values} FROM {source}")  # noqa: S608 - literals

    def _audit(self, events: Sequence[Event]) -> None:
        if not events:
            return
        turns = literal(sorted({event.turn_id for event in events}))
        found = self._connection.execute(f'SELECT turn_id, "user" FROM turns WHERE turn_id IN {turns}').fetchall()  # noqa: S608 - literals
        users = dict(found)
        last = chain(self._connection, "ORDER BY seq DESC LIMIT 1")
        chained = links(((event, users.get(event.turn_id, "")) for event in events), last[0] if last else None)
        self._insert("audit", [asdict(link) for link in chained], _LINKS)

    def _keep_private(self) -> None:
        for path in (self._path, self._path.with_name(f"{self._path.name}.wal")) if self._path else ():
            if path.exists() and path.stat().st_mode & 0o077:
                path.chmod(0o600)


def chain(cursor: DuckDBPyConnection, clause: str = "ORDER BY seq") -> list[Link]:
    """Return rows of the audit table."""
    times = {"created_at": "strftime(created_at, '%Y-%m-%d %H:%M:%S.%f')"}
    names = ", ".join(times.get(name, f'"{name}"') for name in (field.name for field in fields(Link)))
    return [Link(*row) for row in cursor.execute(f"SELECT {names} FROM audit {clause}").fetchall()]  # noqa: S608 - our own names


def check_chain(cursor: DuckDBPyConnection) -> AuditCheck:
    """Compute the whole audit chain again."""
    return check(chain(cursor))


def events_of(cursor: DuckDBPyConnection, turn_id: str, after: int) -> tuple[Event, ...]:
    """Return a turn's events past a number, split as they were emitted."""
    wanted = f"turn_id = {literal(turn_id)} AND last_seq > {literal(after)}"
    rows = cursor.execute(f"SELECT seq, type, payload FROM events WHERE {wanted} ORDER BY seq").fetchall()  # noqa: S608 - literals
    found = (event for seq, kind, payload in rows for event in split(turn_id, seq, kind, payload))
    return tuple(event for event in found if event.seq > after)


def _unnested(rows: Sequence[dict[str, Any]], columns: dict[str, str]) -> str:
    """Return a relation of rows as one JSON text: one statement for a batch, however large."""
    shape = literal(json.dumps([columns]))
    return f"(SELECT unnest(from_json(CAST({literal(dump(rows))} AS JSON), {shape}), recursive := true))"


def _interrupted(turn_id: str, request_id: str, last_seq: int) -> TurnFailed:
    message = "the process ended before the turn did; ask again"
    failed = TurnFailed("interrupted", message, retryable=True, request_id=request_id)
    return replace(failed, turn_id=turn_id, seq=last_seq + 1, at=utc_now())
