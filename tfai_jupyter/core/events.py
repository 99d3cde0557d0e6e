"""The closed union of events: all that a face, the journal or a stream ever receives of a turn.

    turn_started
      ├─ notice*  passages_found?
      ├─ text_delta*  ( tool_started  tool_progress*  tool_finished )*
      ├─ plan_ready*  change_set_proposed?  approval_required*  approval_resolved*
    turn_finished | turn_failed          exactly one, always the last

Events are made without a stamp; the assistant adds `turn_id`, `seq` (from 1) and `at` (UTC).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from .changes import FileChange
from .messages import Json, ModelName, Outcome, Usage
from .plans import PlanSummary, ResourceChange, Risk, RiskLevel
from .results import Passage
from .wire import from_json, to_json

ApprovalKind = Literal["change_set", "terraform_apply", "command"]
Decision = Literal["approve", "deny"]
StopReason = Literal["end", "max_steps", "truncated", "cancelled", "awaiting_approval"]
FailureCode = Literal[
    "timeout",
    "model_unavailable",
    "model_error",
    "rate_limited",
    "budget_exceeded",
    "server_shutdown",
    "interrupted",
    "internal",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """Which turn an event belongs to, its place in it, and when it happened (UTC, ISO 8601)."""

    turn_id: str = ""
    seq: int = 0
    at: str = ""


@dataclass(frozen=True, slots=True)
class TurnStarted(Stamp):
    """A turn began; journalled before anything else happens."""

    conversation_id: str
    request_id: str
    model: ModelName
    workspace: str
    command: str
    question: str = ""
    user: str = ""
    face: str = ""
    parent_turn_id: str | None = None


@dataclass(frozen=True, slots=True)
class TextDelta(Stamp):
    """A piece of the answer, as it was written."""

    text: str


@dataclass(frozen=True, slots=True)
class PassagesFound(Stamp):
    """Documentation that the model was given."""

    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class ToolStarted(Stamp):
    """A tool is about to run; `arguments` as the model or a person gave them."""

    call_id: str
    tool: str
    arguments: dict[str, Json]


@dataclass(frozen=True, slots=True)
class ToolProgress(Stamp):
    """A line of a tool's progress."""

    call_id: str
    text: str


@dataclass(frozen=True, slots=True)
class ToolFinished(Stamp):
    """How a tool ended; `data` holds its result for programs."""

    call_id: str
    tool: str
    outcome: Outcome
    summary: str
    duration_ms: int
    data: dict[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class ChangeSetProposed(Stamp):
    """Files that wait for approval."""

    change_set_id: str
    files: tuple[FileChange, ...]
    validation: str
    change_set_digest: str
    summary: str = ""


@dataclass(frozen=True, slots=True)
class PlanReady(Stamp):
    """A saved plan that can be applied after approval."""

    plan_id: str
    workspace: str
    summary: PlanSummary
    risk: Risk
    changes: tuple[ResourceChange, ...]
    sha256: str
    plan_digest: str
    outputs: dict[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class ApprovalRequired(Stamp):
    """Somebody must consent to one exact subject before `expires_at` (UTC, ISO 8601)."""

    approval_id: str
    kind: ApprovalKind
    subject_id: str
    risk: RiskLevel
    expires_at: str
    confirm_phrase: str | None = None


@dataclass(frozen=True, slots=True)
class ApprovalResolved(Stamp):
    """An approval was given or denied; `by` is a user or a policy file."""

    approval_id: str
    decision: Decision
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Notice(Stamp):
    """Something a person should know that does not stop the turn."""

    level: Literal["info", "warning"]
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class TurnFinished(Stamp):
    """The turn came to an end; the last event."""

    stop_reason: StopReason
    usage: Usage = field(default_factory=Usage)
    duration_ms: int = 0
    first_token_ms: int | None = None


@dataclass(frozen=True, slots=True)
class TurnFailed(Stamp):
    """The turn could not be completed; the last event."""

    code: FailureCode
    message: str
    retryable: bool = False
    request_id: str = ""


Event: TypeAlias = (
    TurnStarted
    | TextDelta
    | PassagesFound
    | ToolStarted
    | ToolProgress
    | ToolFinished
    | ChangeSetProposed
    | PlanReady
    | ApprovalRequired
    | ApprovalResolved
    | Notice
    | TurnFinished
    | TurnFailed
)

EVENTS: dict[str, type[Event]] = {
    re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower(): kind for kind in get_args(Event)
}
"""Every event type by its name on the wire, e.g. `text_delta`."""

_NAMES = {kind: name for name, kind in EVENTS.items()}


def name_of(event: Event) -> str:
    """Return an event's name on the wire."""
    return _NAMES[type(event)]


def to_dict(event: Event) -> dict[str, Any]:
    """Return an event as the JSON object that SSE and journal carry (its name travels beside it)."""
    data: dict[str, Any] = to_json(event)
    return data


def from_dict(name: str, data: dict[str, Any]) -> Event:
    """Read an event; raises ValueError for a name that does not exist."""
    if name not in EVENTS:
        message = f"unknown event {name!r}"
        raise ValueError(message)
    return from_json(EVENTS[name], data)
