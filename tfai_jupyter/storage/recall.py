"""Recall: what the model is reminded of: the questions and answers of a conversation, oldest first."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tfai_jupyter.core.messages import Message

from .sql import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_TURNS = """
SELECT turn_id, command, outcome, started_at FROM turns
WHERE conversation_id = {conversation} AND turn_id <> {before}
AND started_at <= coalesce((SELECT max(started_at) FROM turns WHERE turn_id = {before}), TIMESTAMP '9999-01-01')
ORDER BY started_at DESC, turn_id DESC LIMIT {limit}
"""

# The time bounds the scan: events lie in the file in the order in which they happened.
_EVENTS = """
SELECT turn_id, type, payload FROM events
WHERE created_at >= {since} AND turn_id IN {turns}
AND type IN ('turn_started', 'text_delta', 'tool_finished', 'turn_failed')
ORDER BY turn_id, seq
"""


def messages_of(cursor: DuckDBPyConnection, conversation_id: str, limit: int, before: str) -> tuple[Message, ...]:
    """Return at most `limit` messages of the turns before the turn `before` (empty: of all)."""
    named = {"conversation": conversation_id, "before": before, "limit": max(1, (limit + 1) // 2)}
    turns = cursor.execute(_filled(_TURNS, **named)).fetchall()
    if not turns:
        return ()
    statement = _filled(_EVENTS, since=min(turn[3] for turn in turns), turns=[turn[0] for turn in turns])
    events: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for turn_id, kind, payload in cursor.execute(statement).fetchall():
        events.setdefault(turn_id, []).append((kind, json.loads(payload)))
    pairs = (_pair(command, outcome, events.get(turn_id, ())) for turn_id, command, outcome, _ in reversed(turns))
    found = [message for pair in pairs for message in pair]
    return tuple(found[-limit:]) if limit > 0 else ()


def _filled(template: str, **values: object) -> str:
    return template.format(**{name: literal(value) for name, value in values.items()})


def _pair(command: str, outcome: str | None, events: Sequence[tuple[str, dict[str, Any]]]) -> tuple[Message, Message]:
    def parts(kind: str) -> list[dict[str, Any]]:
        return [payload for each, payload in events if each == kind]

    question = next((payload.get("question", "") for payload in parts("turn_started")), "")
    words = "".join(payload["text"] for payload in parts("text_delta"))
    summaries = "\n".join(f"{payload['tool']}: {payload['summary']}" for payload in parts("tool_finished"))
    failure = next((payload["message"] for payload in parts("turn_failed")), outcome or "not finished yet")
    answer = words or summaries or f"(no answer: {failure})"
    return Message("user", question or f"/{command}"), Message("assistant", answer)


def is_known(cursor: DuckDBPyConnection, conversation_id: str) -> bool:
    """Tell whether a conversation has any turn."""
    found = cursor.execute(_filled("SELECT 1 FROM turns WHERE conversation_id = {id} LIMIT 1", id=conversation_id))
    return bool(found.fetchall())
