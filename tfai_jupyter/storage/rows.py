"""Rows: how events lie in the journal, and how they come back exactly as they were emitted.

Consecutive `text_delta`s of a turn share a row: a streamed answer is hundreds of pieces, and a row
for each would make the journal mostly overhead. Pure: no database here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tfai_jupyter.core.events import (
    Event,
    TextDelta,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    from_dict,
    name_of,
    to_dict,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """An event on its way into the journal: the trace it belongs to, the process it comes from."""

    event: Event
    process: str
    trace_id: str = ""

    def line(self) -> str:
        """Return the entry as one line of JSON, as spools hold it."""
        data = {"type": name_of(self.event), "event": to_dict(self.event), "trace_id": self.trace_id}
        return dump(data | {"process": self.process})

    @classmethod
    def parse(cls, line: str) -> Entry:
        """Read what `line` wrote; raises ValueError for anything else."""
        try:
            data = json.loads(line)
            return cls(from_dict(data["type"], data["event"]), str(data["process"]), str(data["trace_id"]))
        except (KeyError, TypeError) as error:
            message = f"no journal entry: {error}"
            raise ValueError(message) from error


def event_rows(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """Return rows of `events`; pieces of text that follow one another in a turn share one."""
    rows: list[dict[str, Any]] = []
    pieces: dict[str, list[TextDelta]] = {}
    for entry in entries:
        event, waiting = entry.event, pieces.get(entry.event.turn_id, [])
        if waiting and not (isinstance(event, TextDelta) and event.seq == waiting[-1].seq + 1):
            rows.append(_text_row(pieces.pop(event.turn_id)))
        if isinstance(event, TextDelta):
            pieces.setdefault(event.turn_id, []).append(event)
        else:
            rows.append(_row(event, event.seq, _payload(event)))
    return rows + [_text_row(waiting) for waiting in pieces.values()]


def split(turn_id: str, seq: int, kind: str, payload: str) -> Iterator[Event]:
    """Yield the events of one row, as they were emitted."""
    data = json.loads(payload)
    pieces = data.pop("pieces", None)
    if pieces is None:
        yield from_dict(kind, data | {"turn_id": turn_id, "seq": seq})
        return
    start = 0
    for offset, (length, moment) in enumerate(pieces):
        text = data["text"][start : start + length]
        yield TextDelta(text, turn_id=turn_id, seq=seq + offset, at=moment)
        start += length


def started_rows(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """Return rows of `turns` for the turns that begin."""
    return [_started_row(entry, entry.event) for entry in entries if isinstance(entry.event, TurnStarted)]


def finished_rows(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """Return what completes rows of `turns`, for the turns that end."""
    events = (entry.event for entry in entries)
    return [_finished_row(event) for event in events if isinstance(event, TurnFinished | TurnFailed)]


def moment(at: str) -> str:
    """Return an event's time as DuckDB reads a UTC TIMESTAMP; now, when it has none."""
    try:
        parsed = datetime.fromisoformat(at)
    except ValueError:
        parsed = datetime.now(UTC)
    utc = parsed.astimezone(UTC) if parsed.tzinfo else parsed
    return utc.replace(tzinfo=None).isoformat(" ", "microseconds")


def dump(data: Any) -> str:  # noqa: ANN401 - JSON
    """Return strict JSON in valid Unicode, whatever a model or tool put into its strings and numbers."""
    try:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False, default=str)
    except ValueError:
        text = json.dumps(_finite(data), ensure_ascii=False, default=str)
    return text.encode("utf-8", "replace").decode()


def _row(event: Event, last_seq: int, payload: dict[str, Any]) -> dict[str, Any]:
    return {
        "turn_id": event.turn_id,
        "seq": event.seq,
        "created_at": moment(event.at),
        "type": name_of(event),
        "payload": dump(payload),
        "last_seq": last_seq,
    }


def _text_row(pieces: list[TextDelta]) -> dict[str, Any]:
    first, last = pieces[0], pieces[-1]
    if first is last:
        return _row(first, last.seq, _payload(first))
    # Unpaired surrogates count one character before and after they are replaced, so lengths hold.
    payload = {
        "text": "".join(piece.text for piece in pieces),
        "pieces": [[len(each.text), each.at] for each in pieces],
    }
    return _row(first, last.seq, payload)


def _payload(event: Event) -> dict[str, Any]:
    return {key: value for key, value in to_dict(event).items() if key not in ("turn_id", "seq")}


def _started_row(entry: Entry, event: TurnStarted) -> dict[str, Any]:
    return {
        "turn_id": event.turn_id,
        "conversation_id": event.conversation_id,
        "user": event.user,
        "face": event.face,
        "command": event.command,
        "workspace": event.workspace,
        "request_id": event.request_id,
        "trace_id": entry.trace_id,
        "provider": event.model.provider,
        "model": event.model.name,
        "started_at": moment(event.at),
        "parent_turn_id": event.parent_turn_id,
        "process": entry.process,
    }


def _finished_row(event: TurnFinished | TurnFailed) -> dict[str, Any]:
    row: dict[str, Any] = {"turn_id": event.turn_id, "finished_at": moment(event.at), "outcome": _outcome(event)}
    if isinstance(event, TurnFinished):
        usage = event.usage
        row |= {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens, "cost_usd": usage.cost_usd}
    return row


def _outcome(event: TurnFinished | TurnFailed) -> str:
    match event:
        case TurnFinished(stop_reason="cancelled"):
            return "cancelled"
        case TurnFinished():
            return "ok"
        case TurnFailed(code="timeout"):
            return "timeout"
    return "error"


def _finite(data: Any) -> Any:  # noqa: ANN401 - JSON
    match data:
        case dict():
            return {key: _finite(value) for key, value in data.items()}
        case list() | tuple():
            return [_finite(value) for value in data]
        case float() if not math.isfinite(data):
            return None
    return data
