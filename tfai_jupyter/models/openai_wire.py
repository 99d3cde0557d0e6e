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


def request_body(model: str, prompt: Prompt) -> dict[str, Any]:
    """Return model, messages and tools as chat completions want them."""
    messages = [_message(message) for message in prompt.messages]
    body = {"model": model, "messages": messages, "stream": True}
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

    def feed(self, chunk: object) -> str:
        """Take a chunk in and return its text; raises ModelError for what is no chunk."""
        self.heard = True
        choice = _choice(chunk)
        if usage := _object(_object(chunk).get("usage")):
            self._usage = _usage(usage)
        self.finish_reason = _text(choice.get("finish_reason")) or self.finish_reason
        delta = _object(choice.get("delta"))
        self.begun = self.begun or any(value for name, value in delta.items() if name != "role")
        parts = delta.get("tool_calls")
        for part in parts if isinstance(parts, list) else ():
            self._add_call(_object(part))
        return self._sound(_text(delta.get("content")) or _text(delta.get("refusal")))

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

    def _sound(self, text: str) -> str:
        """Count text and return it in a form that every journal, socket and screen takes."""
        try:
            self.size += len(text.encode())
        except UnicodeEncodeError:  # half a surrogate pair, cut by a server that escapes what it writes
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            self.size += len(text.encode())
        return text

    def _add_call(self, part: dict[str, Any]) -> None:
        function, index = _object(part.get("function")), part.get("index")
        name, arguments = _text(function.get("name")), function.get("arguments") or ""
        if not isinstance(arguments, str):  # some servers send the object instead of its text
            arguments = json.dumps(arguments)
        call = self._draft(index if isinstance(index, int) else None, _text(part.get("id")), name)
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


def _choice(chunk: object) -> dict[str, Any]:
    """Return the first choice of a chunk, empty where there is none; raises ModelError for what is no chunk."""
    match chunk:
        case {"choices": [{"delta": dict()} as choice, *_]} | {"choices": [{"finish_reason": str()} as choice, *_]}:
            return dict(choice)
        case {"choices": [] | None}:
            return {}
        case dict() if "choices" not in chunk:
            return {}
    message = "the model's endpoint sent something that is no chat completion chunk"
    raise ModelError(message)


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


def _usage(usage: dict[str, Any]) -> Usage:
    details = _object(usage.get("prompt_tokens_details"))
    sent, written, cached = usage.get("prompt_tokens"), usage.get("completion_tokens"), details.get("cached_tokens")
    return Usage(_count(sent) or 0, _count(written) or 0, _count(cached))


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
