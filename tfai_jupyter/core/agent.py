"""The agent loop: stream the model, run the tools it asks for, repeat until it asks for none."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import assert_never

from .errors import Forbidden, Invalid, TfaiError
from .events import Event, StopReason, TextDelta, ToolFinished, ToolProgress, ToolStarted, TurnFinished
from .messages import Json, Message, Prompt, ToolCall, ToolResult, Truncated, Usage
from .protocols import ChatModel
from .tools import Tool, Yield
from .turns import Turn

log = logging.getLogger(__name__)


async def run_turn(
    model: ChatModel, prompt: Prompt, tools: Mapping[str, Tool], turn: Turn, max_steps: int = 12
) -> AsyncGenerator[Event, None]:
    """Yield a turn's events; the last is TurnFinished with what the model used. Raises ModelError."""
    messages, usage = list(prompt.messages), Usage()
    for _ in range(max_steps):
        texts: list[str] = []
        calls: list[ToolCall] = []
        stop: StopReason | None = None
        async with aclosing(model.stream(replace(prompt, messages=tuple(messages)))) as pieces:
            async for piece in pieces:
                match piece:
                    case str():
                        texts.append(piece)
                        yield TextDelta(piece)
                    case ToolCall():
                        calls.append(piece)
                    case Usage():
                        usage += piece
                    case Truncated():
                        stop = "truncated"
                    case _:
                        assert_never(piece)
        if stop or not calls:
            yield TurnFinished(stop or "end", usage)
            return
        messages.append(Message("assistant", "".join(texts), tuple(calls)))
        for call in calls:
            async with aclosing(run_tool(call, tools, turn)) as items:
                async for item in items:
                    if isinstance(item, ToolResult):
                        messages.append(Message("tool", item.content, call_id=call.id))
                    else:
                        yield item
    yield TurnFinished("max_steps", usage)


async def run_tool(call: ToolCall, tools: Mapping[str, Tool], turn: Turn) -> AsyncGenerator[Yield, None]:
    """Prepare, execute and finish one call; every failure becomes a result that the model can read."""
    started, result = time.monotonic(), ToolResult("the tool gave no result", "error", "no result")
    yield ToolStarted(call.id, call.name, _shown(call.arguments))
    try:
        tool = _find(call.name, tools)
        async with aclosing(tool.run(turn, _parsed(call))) as items:
            async for item in items:
                if isinstance(item, ToolResult):
                    result = item
                else:
                    yield replace(item, call_id=call.id) if isinstance(item, ToolProgress) else item
    except TfaiError as error:
        result = ToolResult(str(error), "denied" if isinstance(error, Forbidden) else "error", str(error))
    except Exception as error:  # the border to tools: whatever breaks in one must not end the turn
        log.exception("tool failed", extra={"tool": call.name})
        result = ToolResult(f"{call.name} broke ({type(error).__name__}); this is our mistake", "error")
    summary = result.summary or result.content.partition("\n")[0][:200]
    duration = round((time.monotonic() - started) * 1000)
    yield ToolFinished(call.id, call.name, result.outcome, summary, duration, result.data)
    yield result


def _find(name: str, tools: Mapping[str, Tool]) -> Tool:
    if name not in tools:
        message = f"unknown tool {name!r}; there are {', '.join(sorted(tools))}"
        raise Invalid(message)
    return tools[name]


def _parsed(call: ToolCall) -> dict[str, Json]:
    try:
        arguments = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError) as error:
        message = f"the arguments of {call.name} are not JSON ({error}); send one JSON object"
        raise Invalid(message) from None
    if not isinstance(arguments, dict):
        message = f"the arguments of {call.name} must be one JSON object"
        raise Invalid(message)
    return arguments


def _shown(arguments: str) -> dict[str, Json]:
    try:
        parsed = json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        return {"unreadable": arguments[:200]}
    return parsed if isinstance(parsed, dict) else {"unreadable": arguments[:200]}
