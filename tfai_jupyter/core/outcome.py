"""Outcome: what a turn's events amount to, for a face that shows or returns a result.

The same fold serves an assistant in the process and one over HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias, assert_never

from .approvals import APPLIER_NAMES
from .changes import ChangeSet
from .events import (
    ApprovalRequired,
    ApprovalResolved,
    ChangeSetProposed,
    Event,
    Notice,
    PassagesFound,
    PlanReady,
    TextDelta,
    ToolFinished,
    TurnFailed,
    TurnFinished,
)
from .plans import Plan
from .results import Answer, Diagnosis, Passage, Report, Rows, State
from .wire import from_json

Result: TypeAlias = Answer | ChangeSet | Plan | State | Diagnosis | Rows | Report

RESULTS: dict[str, type[State | Diagnosis | Rows | Report]] = {
    "state": State,
    "diagnosis": Diagnosis,
    "rows": Rows,
    "report": Report,
}
"""Results that travel in `tool_finished.data`, by their `result` key."""


@dataclass(slots=True)
class Outcome:
    """Collects a turn's events; `run` lets results carry on with commands of the same conversation."""

    command: str = "ask"
    run: Callable[[str], object] | None = None
    text: str = ""
    passages: tuple[Passage, ...] = ()
    approvals: dict[str, ApprovalRequired] = field(default_factory=dict)
    denied: bool = False
    problems: list[str] = field(default_factory=list)
    last: TurnFinished | TurnFailed | None = None
    _found: Result | None = None

    def add(self, event: Event) -> None:
        """Take one event into account."""
        match event:
            case TextDelta(text=text):
                self.text += text
            case PassagesFound(passages=passages):
                self.passages = passages
            case ApprovalRequired():
                self.approvals[event.approval_id] = event
                self._bind(event)
            case ApprovalResolved():
                self.approvals.pop(event.approval_id, None)
                self.denied = self.denied or event.decision == "deny"
            case ChangeSetProposed() | PlanReady() | ToolFinished():
                self._find(event)
            case TurnFinished() | TurnFailed():
                self.last = event
            case Notice() | _:
                pass

    @property
    def exit_code(self) -> int:
        """0 done, 1 failed, 3 an approval is needed or was denied."""
        if isinstance(self.last, TurnFailed) or self.last is None or self.last.stop_reason == "cancelled":
            return 1
        if self.problems:
            return 1
        return 3 if self.approvals or self.denied else 0

    def result(self) -> Result:
        """Return what the command is there for, else the text as an Answer."""
        if self._found is not None and self.command != "ask":
            return self._found
        usage = self.last.usage if isinstance(self.last, TurnFinished) else None
        return Answer(self.text, self.passages, usage) if usage else Answer(self.text, self.passages)

    def _find(self, event: ChangeSetProposed | PlanReady | ToolFinished) -> None:
        match event:
            case ChangeSetProposed():
                self._found = ChangeSet(
                    event.change_set_id,
                    event.files,
                    event.change_set_digest,
                    event.summary,
                    event.validation,
                    run=self.run,
                )
            case PlanReady():
                self._found = Plan(
                    event.plan_id,
                    event.workspace,
                    event.summary,
                    event.risk,
                    event.changes,
                    event.sha256,
                    event.plan_digest,
                    event.outputs,
                    run=self.run,
                )
            case ToolFinished():
                self._read(event)
            case _:
                assert_never(event)

    def _read(self, event: ToolFinished) -> None:
        if self.command in ("ask", "generate") or (self.command == "diagnose" and event.tool != "diagnose"):
            return  # what a model looked up on its way
        if event.outcome != "ok":
            self.problems.append(event.summary)
        data = event.data or {}
        kind = RESULTS.get(str(data.get("result")))
        is_proposal = isinstance(self._found, Plan | ChangeSet) and event.tool not in APPLIER_NAMES.values()
        if kind and not (is_proposal and kind is Report):
            self._found = from_json(kind, data)
        elif kind is None and self._found is None:
            self._found = Report(event.summary, event.outcome)

    def _bind(self, event: ApprovalRequired) -> None:
        if isinstance(self._found, ChangeSet):
            self._found = replace(self._found, approval_id=event.approval_id)
