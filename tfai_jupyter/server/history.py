"""History: what the panel shows of the journal, as named queries. Nothing is kept beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal, TypeAlias, get_args

from tfai_jupyter.core.errors import Invalid, NotFound
from tfai_jupyter.core.messages import Json
from tfai_jupyter.core.protocols import Journal
from tfai_jupyter.core.results import Rows

By = Literal["day", "model", "tool", "user"]
Object: TypeAlias = dict[str, Json]

MAX_CONVERSATIONS = 200
_TITLE_CHARACTERS = 120
_MOST_TURNS = 1000

_CONVERSATIONS = """
WITH grouped AS (
    SELECT conversation_id, arg_max(workspace, started_at) AS workspace, count(*) AS turns,
        max(coalesce(finished_at, started_at)) AS updated_at
    FROM turns GROUP BY conversation_id
), titles AS (
    SELECT conversation_id, arg_min(content, created_at) AS title
    FROM messages WHERE role = 'user' GROUP BY conversation_id
)
SELECT grouped.conversation_id, coalesce(title, '') AS title, workspace, turns, updated_at
FROM grouped LEFT JOIN titles ON titles.conversation_id = grouped.conversation_id
WHERE updated_at < CAST(? AS TIMESTAMP)
ORDER BY updated_at DESC LIMIT ?
"""
_TURNS = """
SELECT turn_id, command, workspace, provider, model, started_at, finished_at, outcome
FROM turns WHERE conversation_id = ? ORDER BY started_at DESC LIMIT ?
"""
_MESSAGES = """
SELECT turn_id, role, content, created_at FROM messages
WHERE conversation_id = ? AND turn_id >= ? ORDER BY turn_id, role DESC
"""
_SPAN = "CAST(started_at AS DATE) BETWEEN CAST(? AS DATE) AND CAST(? AS DATE)"
_SUMS = """count(*) AS turns, CAST(coalesce(sum(input_tokens), 0) AS BIGINT) AS input_tokens,
    CAST(coalesce(sum(output_tokens), 0) AS BIGINT) AS output_tokens, sum(cost_usd) AS cost_usd"""
_KEYS = {"day": "CAST(started_at AS DATE) AS day", "model": "provider, model", "user": '"user"'}
_TOOLS = f"""
SELECT tool, count(*) AS runs, count(*) FILTER (outcome <> 'ok') AS failures,
    CAST(coalesce(sum(duration_ms), 0) AS BIGINT) AS duration_ms
FROM tool_runs WHERE {_SPAN} GROUP BY tool ORDER BY runs DESC
"""  # noqa: S608 - constants


async def conversations(journal: Journal, limit: str, before: str) -> Object:
    """List conversations, newest first; `next` is the `before` of the next page. Raises Invalid."""
    most = _number(limit or "50")
    rows = await journal.query(_CONVERSATIONS, (_moment(before or "9999-01-01"), most + 1))
    found = _objects(rows)
    for each in found:
        each["title"] = str(each["title"]).strip().partition("\n")[0][:_TITLE_CHARACTERS]
    page: Object = {"conversations": [*found[:most]]}
    return page | {"next": found[most - 1]["updated_at"]} if len(found) > most else page


async def conversation(journal: Journal, conversation_id: str) -> Object:
    """Return one conversation with its messages and turns, oldest first; raises NotFound."""
    turns = _objects(await journal.query(_TURNS, (conversation_id, _MOST_TURNS)))[::-1]
    if not turns:
        message = f"there is no conversation {conversation_id[:64]}"
        raise NotFound(message)
    messages = _objects(await journal.query(_MESSAGES, (conversation_id, turns[0]["turn_id"])))
    asked = (str(each["content"]) for each in messages if each["role"] == "user")
    title = next(asked, "").strip().partition("\n")[0][:_TITLE_CHARACTERS]
    return {"conversation_id": conversation_id, "title": title, "messages": [*messages], "turns": [*turns]}


async def usage(journal: Journal, since: str, until: str, by: str) -> Object:
    """Return turns and tokens by day, model, tool or user, and their sum; raises Invalid."""
    if by not in get_args(By):
        message = f"'by' must be one of {', '.join(get_args(By))}"
        raise Invalid(message)
    span = (_moment(since or "0001-01-01"), _moment(until or "9999-01-01"))
    totals = _objects(await journal.query(f"SELECT {_SUMS} FROM turns WHERE {_SPAN}", span))[0]  # noqa: S608 - as above
    if by == "tool":
        rows = await journal.query(_TOOLS, span)
    else:
        sql = f"SELECT {_KEYS[by]}, {_SUMS} FROM turns WHERE {_SPAN} GROUP BY ALL ORDER BY 1"  # noqa: S608 - as above
        rows = await journal.query(sql, span)
    return {"rows": [*_objects(rows)], "totals": totals}


def _objects(rows: Rows) -> list[Object]:
    return [{name: _told(name, value) for name, value in zip(rows.columns, row, strict=True)} for row in rows.rows]


def _told(name: str, value: Json) -> Json:
    """Say of a time that it is UTC, as events do."""
    return f"{value}Z" if name.endswith("_at") and isinstance(value, str) else value


def _number(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text[:6]) <= MAX_CONVERSATIONS:
        message = f"'limit' must be a number from 1 to {MAX_CONVERSATIONS}"
        raise Invalid(message)
    return int(text)


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = f"{text[:40]!r} is no date or time in ISO 8601"
        raise Invalid(message) from None
    return (moment.astimezone(UTC) if moment.tzinfo else moment).replace(tzinfo=None).isoformat()
