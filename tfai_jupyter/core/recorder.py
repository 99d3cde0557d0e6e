"""Recorder: stamps, redacts and journals a turn's events; nothing reaches a face around it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from .events import (
    ApprovalRequired,
    ApprovalResolved,
    Event,
    TextDelta,
    ToolFinished,
    ToolStarted,
    TurnFailed,
    TurnFinished,
)
from .ids import utc_now
from .protocols import Journal
from .redaction import Redactor, TextStream


class Recorder:
    """The one way out of a turn."""

    def __init__(self, turn_id: str, journal: Journal, redactor: Redactor) -> None:
        """Start a turn's clock and count."""
        self._turn_id = turn_id
        self._journal = journal
        self._redactor = redactor
        self._text = TextStream(redactor)
        self._seq = 0
        self._started = time.monotonic()
        self._first_token_ms: int | None = None
        self._open_tools: dict[str, ToolStarted] = {}
        self._open_approvals: set[str] = set()

    def record(self, event: Event) -> Iterator[Event]:
        """Yield what may be shown of an event: nothing yet, the event, or held text before it."""
        if isinstance(event, TextDelta):
            if self._first_token_ms is None:
                self._first_token_ms = self._elapsed_ms()
            yield from self._shown(self._text.feed(event.text))
            return
        yield from self._shown(self._text.close())
        self._follow(event)
        yield self._stamped(self._redactor.masked(event))

    def close(self, last: TurnFinished | TurnFailed) -> Iterator[Event]:
        """Yield the end of a turn: held text, tools that were cut off, the last event."""
        yield from self._shown(self._text.close())
        for tool in list(self._open_tools.values()):
            yield from self.record(ToolFinished(tool.call_id, tool.tool, "cancelled", "stopped", 0))
        if isinstance(last, TurnFinished):
            waiting = last.stop_reason == "end" and self._open_approvals
            reason = "awaiting_approval" if waiting else last.stop_reason
            duration = self._elapsed_ms()
            last = replace(last, stop_reason=reason, duration_ms=duration, first_token_ms=self._first_token_ms)
        yield self._stamped(self._redactor.masked(last))

    def _shown(self, text: str) -> Iterator[Event]:
        if text:
            yield self._stamped(TextDelta(text))

    def _stamped(self, event: Event) -> Event:
        self._seq += 1
        stamped = replace(event, turn_id=self._turn_id, seq=self._seq, at=utc_now())
        self._journal.append(stamped)
        return stamped

    def _follow(self, event: Event) -> None:
        match event:
            case ToolStarted():
                self._open_tools[event.call_id] = event
            case ToolFinished():
                self._open_tools.pop(event.call_id, None)
            case ApprovalRequired():
                self._open_approvals.add(event.approval_id)
            case ApprovalResolved():
                self._open_approvals.discard(event.approval_id)
            case _:
                pass

    def _elapsed_ms(self) -> int:
        return round((time.monotonic() - self._started) * 1000)
