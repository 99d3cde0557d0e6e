"""What passes between assistant and model: messages, tool calls, their results, token counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Number = TypeVar("Number", int, float)
Role = Literal["system", "user", "assistant", "tool"]
Outcome = Literal["ok", "error", "denied", "timeout", "cancelled"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's wish to use a tool; `arguments` is the JSON text exactly as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool answered: `content` for the model, `summary` for a person, `data` for a program."""

    content: str
    outcome: Outcome = "ok"
    summary: str = ""
    data: dict[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message as a model sees it; `call_id` names the call that a tool message answers."""

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one or more model calls; the cost in US dollars where a price is known."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int | None = None
    cost_usd: float | None = None

    def __add__(self, other: Usage) -> Usage:
        """Add two counts; an unknown part stays unknown only when it is unknown on both sides."""
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            _sum(self.cached_tokens, other.cached_tokens),
            _sum(self.cost_usd, other.cost_usd),
        )


@dataclass(frozen=True, slots=True)
class ModelName:
    """A provider and the model behind it, e.g. `openai`, `gpt-4o`."""

    provider: str
    name: str


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as a model is told of it; `parameters` is a JSON schema of type object."""

    name: str
    description: str
    parameters: dict[str, Json]


@dataclass(frozen=True, slots=True)
class Prompt:
    """All that one model call sees. `task` is the command it serves, for models that work by rule."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    task: str = "ask"


@dataclass(frozen=True, slots=True)
class Truncated:
    """The model stopped because it ran out of room, not because it was done."""


Piece: TypeAlias = str | ToolCall | Usage | Truncated
"""What a model streams: text as it is written, whole tool calls, token counts, and why it was cut."""


def _sum(left: Number | None, right: Number | None) -> Number | None:
    if left is None or right is None:
        return right if left is None else left
    return left + right
