"""Usage: named queries over the journal, for the commands `history` and `usage`."""

from __future__ import annotations

from typing import Literal

from tfai_jupyter.core.errors import Invalid
from tfai_jupyter.core.protocols import Journal
from tfai_jupyter.core.results import Rows

By = Literal["day", "model", "tool", "user"]

_MOST = 1000

_HISTORY = """
SELECT
    strftime(turns.started_at, '%Y-%m-%d %H:%M') AS started,
    turns.command,
    left(regexp_replace(asked.content, '\\s+', ' ', 'g'), 80) AS question,
    coalesce(turns.outcome, 'running') AS outcome,
    turns.workspace,
    turns.conversation_id AS conversation,
    turns.turn_id AS turn
FROM turns
LEFT JOIN messages AS asked ON asked.turn_id = turns.turn_id AND asked.role = 'user'
WHERE ? IN ('', turns.conversation_id)
ORDER BY turns.started_at DESC, turns.turn_id DESC
LIMIT ?
"""

_KEYS = {"day": "CAST(started_at AS DATE) AS day", "model": "provider, model", "user": '"user"'}

_TURNS = """
SELECT {keys}, count(*) AS turns,
    CAST(coalesce(sum(input_tokens), 0) AS BIGINT) AS input_tokens,
    CAST(coalesce(sum(output_tokens), 0) AS BIGINT) AS output_tokens,
    sum(cost_usd) AS cost_usd
FROM turns
WHERE started_at >= CAST(? AS TIMESTAMP) AND started_at < CAST(? AS TIMESTAMP)
GROUP BY ALL ORDER BY ALL
"""

_TOOLS = """
SELECT tool, count(*) AS runs, count(*) FILTER (outcome <> 'ok') AS failures,
    CAST(coalesce(sum(duration_ms), 0) AS BIGINT) AS duration_ms
FROM tool_runs
WHERE started_at >= CAST(? AS TIMESTAMP) AND started_at < CAST(? AS TIMESTAMP)
GROUP BY tool ORDER BY runs DESC, tool
"""


async def history(journal: Journal, limit: int = 20, conversation: str = "") -> Rows:
    """Return the newest turns, of one conversation or of all; raises Invalid, JournalUnavailable."""
    if not 0 < limit <= _MOST:
        message = f"the limit must be from 1 to {_MOST}, not {limit}"
        raise Invalid(message)
    return await journal.query(_HISTORY, (conversation, limit))


async def usage(journal: Journal, by: By = "day", since: str = "", until: str = "") -> Rows:
    """Return turns and tokens, or tool runs, from `since` up to before `until` (UTC, ISO 8601)."""
    span = (since or "0001-01-01", until or "9999-12-31")
    if by == "tool":
        return await journal.query(_TOOLS, span)
    return await journal.query(_TURNS.format(keys=_KEYS[by]), span)
