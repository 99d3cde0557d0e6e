"""Chat completions as data: what we send for a prompt, and pieces from the chunks that come back.

Pure, and lenient in what it reads: the endpoints that speak this wire differ in what they leave out.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tfai_jupyter.core.errors import ModelError
from tfai_jupyter.core.messages import Message, Piece, Prompt, ToolCall, ToolSpec, Truncated, Usage

MAX_ANSWER_BYTES = 4 * 1024 * 1024


def request_body(prompt: Prompt) -> dict[str, Any]:
    """Return messages and tools as chat completions want them."""
    body: dict[str, Any] = {"messages": [_message(message) for message in prompt.messages]}
    return body | ({"tools": [_tool(tool) for tool in prompt.tools]} if prompt.tools else {})


@dataclass(slots=True)
class StreamedReply:
    """One answer while it streams in: feed it chunks, then take its tool calls and counts.

    `heard`: something came; `begun`: there was a sign of an answer, be it only reasoning;
    `finish_reason`: empty until the provider said that it is done; `full`: it passed the size cap.
    """

    max_bytes: int = MAX_ANSWER_BYTES
    heard: bool = False
    begun: bool = False
    finish_reason: str = ""
    size: int = 0
    _calls: list[_CallDraft] = field(default_factory=list)
    _usage: Usage | None = None

    @property
    def full(self) -> bool:
        """Tell whether the answer is larger than anybody should read."""
        return self.size > self.max_bytes

    def feed(self, chunk: Any) -> str:  # noqa: ANN401 - the SDK builds chunks without checking them
        """Take a chunk in and return its text; raises ModelError for what is no chunk."""
        self.heard = True
        usage, choices = getattr(chunk, "usage", None), getattr(chunk, "choices", None)
        if usage is not None:
            self._usage = _usage(usage)
        if not choices:
            return ""
        choice = choices[0] if isinstance(choices, list) else None
        delta, finish_reason = getattr(choice, "delta", None), getattr(choice, "finish_reason", None)
        if delta is None and finish_reason is None:
            message = "the model's endpoint sent something that is no chat completion chunk"
            raise ModelError(message)
        self.finish_reason = finish_reason or self.finish_reason
        for part in getattr(delta, "tool_calls", None) or ():
            self._add_call(part)
        return self._add_text(delta)

    def rest(self) -> Iterator[Piece]:
        """Yield what can be told only now: tool calls, counts, and that it was cut.

        Of an answer that was cut no tool call is told: nobody should act on half of one.
        """
        cut = self.full or self.finish_reason == "length"
        if not cut:
            yield from (call.whole() for call in self._calls if call.name)
        if self._usage is not None:
            yield self._usage
        if cut:
            yield Truncated()

    def _add_text(self, delta: Any) -> str:  # noqa: ANN401 - as above
        text = getattr(delta, "content", None) or getattr(delta, "refusal", None)
        self.begun = self.begun or bool(text or self._calls) or _reasons(delta)
        if not isinstance(text, str):
            return ""
        try:
            self.size += len(text.encode())
        except UnicodeEncodeError:  # half a surrogate pair: no journal, socket or screen would take it
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            self.size += len(text.encode())
        return text

    def _add_call(self, part: Any) -> None:  # noqa: ANN401 - as above
        function = getattr(part, "function", None)
        name, arguments = getattr(function, "name", None) or "", getattr(function, "arguments", None) or ""
        if not isinstance(arguments, str):  # some servers send the object instead of its text
            arguments = json.dumps(arguments)
        call = self._draft(getattr(part, "index", None), getattr(part, "id", None) or "", name)
        call.name = call.name or name
        call.arguments.append(arguments)
        self.size += len(arguments)

    def _draft(self, index: int | None, call_id: str, name: str) -> _CallDraft:
        """Find the call that a part belongs to, or begin one.

        Some servers give no index, or the same for all calls of an answer; then an id of its own, or a
        name after complete arguments, begins a call.
        """
        same = [call for call in self._calls if index is None or call.index == index]
        if same:
            last = same[-1]
            renamed = name != "" and (name != last.name or last.is_complete())
            if not (call_id not in ("", last.id) if last.id else renamed):
                last.id = last.id or call_id
                return last
        self._calls.append(_CallDraft(index, call_id))
        return self._calls[-1]


@dataclass(slots=True)
class _CallDraft:
    index: int | None
    id: str
    name: str = ""
    arguments: list[str] = field(default_factory=list)

    def is_complete(self) -> bool:
        return _is_object("".join(self.arguments))

    def whole(self) -> ToolCall:
        """Return the call; an id is made up where there is none, for its result must name one."""
        return ToolCall(self.id or f"call_{secrets.token_hex(8)}", self.name, "".join(self.arguments) or "{}")


def _reasons(delta: Any) -> bool:  # noqa: ANN401 - as above
    """Tell whether a delta holds reasoning, which every server names differently and we do not show."""
    return any((getattr(delta, "model_extra", None) or {}).values())


def _message(message: Message) -> dict[str, Any]:
    match message.role:
        case "tool":
            return {"role": "tool", "tool_call_id": message.call_id, "content": message.content}
        case "assistant" if message.tool_calls:
            calls = [_call(call) for call in message.tool_calls]
            return {"role": "assistant", "content": message.content or None, "tool_calls": calls}
        case role:
            return {"role": role, "content": message.content}


def _call(call: ToolCall) -> dict[str, Any]:
    # Ollama refuses a whole conversation for one call whose arguments are no JSON; its result says what was wrong.
    arguments = call.arguments if _is_object(call.arguments) else "{}"
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _tool(tool: ToolSpec) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _usage(usage: Any) -> Usage:  # noqa: ANN401 - as above
    cached = getattr(getattr(usage, "prompt_tokens_details", None), "cached_tokens", None)
    sent, written = getattr(usage, "prompt_tokens", None), getattr(usage, "completion_tokens", None)
    return Usage(_count(sent) or 0, _count(written) or 0, _count(cached))


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
