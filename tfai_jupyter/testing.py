"""Scripted twins of the outside world: public and documented, used by our own tests and by yours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, TypeVar

from .core.errors import JournalUnavailable
from .core.events import Event, TextDelta, ToolFinished, TurnFailed, TurnStarted
from .core.messages import Message, ModelName, Piece, Prompt, ToolCall
from .core.protocols import TerraformRun, TerraformVersion
from .core.results import Passage, Rows

Item = TypeVar("Item")


def calls(tool: str, call_id: str = "", **arguments: object) -> ToolCall:
    """Make a tool call as a model would write it."""
    return ToolCall(call_id or f"call_{tool}", tool, json.dumps(arguments))


async def collect(stream: AsyncGenerator[Item, None]) -> list[Item]:
    """Read a stream to its end, close it, return its items, e.g. the events of `assistant.ask(question)`."""
    async with aclosing(stream) as items:
        return [item async for item in items]


class ScriptedModel:
    """A ChatModel that plays replies in order: each is a list of pieces, or an exception to raise.

    `prompts` keeps every prompt it was shown. Past its last reply it says so instead of failing.
    `pause_seconds` waits before each piece, so that a test can cancel in the middle.
    """

    def __init__(self, *replies: Sequence[Piece | Exception], pause_seconds: float = 0.0) -> None:
        """Keep the script."""
        self.name = ModelName("scripted", "script")
        self.replies = list(replies)
        self.prompts: list[Prompt] = []
        self.pause_seconds = pause_seconds

    async def prepare(self) -> None:
        """Be ready."""

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Yield the next reply's pieces."""
        self.prompts.append(prompt)
        for piece in self.replies.pop(0) if self.replies else ("(the script has ended)",):
            await asyncio.sleep(self.pause_seconds)
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def ping(self) -> None:
        """Work, always."""

    async def aclose(self) -> None:
        """Hold nothing."""


class FakeTerraform:
    """A Terraform that answers by its first argument: `{"plan": (0, "stdout", "stderr")}`.

    `runs` keeps the arguments of every run; what is not in the table succeeds silently.
    """

    def __init__(self, answers: Mapping[str, tuple[int, str, str]] | None = None) -> None:
        """Keep the answers."""
        self.answers = dict(answers or {})
        self.runs: list[tuple[str, ...]] = []

    async def stream(
        self,
        arguments: Sequence[str],
        *,
        directory: Path,  # noqa: ARG002 - part of the protocol
        env: Mapping[str, str],  # noqa: ARG002 - part of the protocol
        timeout_seconds: float | None = None,  # noqa: ARG002 - part of the protocol
    ) -> AsyncGenerator[str | TerraformRun, None]:
        """Yield the scripted stdout line by line, then the run."""
        self.runs.append(tuple(arguments))
        exit_code, stdout, stderr = self.answers.get(arguments[0], (0, "", ""))
        for line in stdout.splitlines():
            yield line
        outcome = "ok" if exit_code in (0, 2) else "error"
        yield TerraformRun(tuple(arguments), exit_code, stdout, stderr, 0, outcome)  # type: ignore[arg-type] # ruled by exit code

    async def version(self) -> TerraformVersion:
        """Be a Terraform of no importance."""
        return TerraformVersion("terraform", "0.0.0", "fake", "")


class StaticRetriever:
    """A Retriever that finds the same passages whatever is asked."""

    def __init__(self, *passages: Passage) -> None:
        """Keep the passages."""
        self.passages = passages

    async def search(self, text: str, *, limit: int = 5, provider: str = "") -> tuple[Passage, ...]:  # noqa: ARG002
        """Return at most `limit` of them."""
        return self.passages[:limit]

    async def ping(self) -> None:
        """Work, always."""


class MemoryJournal:
    """A Journal in memory: what was appended is in `recorded`, and remembered until the process ends.

    `notice` is what it would tell a person, e.g. that another process has the file.
    """

    def __init__(self, notice: str = "") -> None:
        """Start empty."""
        self.notice = notice
        self.recorded: list[Event] = []

    def append(self, event: Event) -> None:
        """Keep the event."""
        self.recorded.append(event)

    async def flush(self) -> None:
        """Have nothing to write."""

    async def messages(self, conversation_id: str, limit: int = 20, before: str = "") -> tuple[Message, ...]:
        """Return question and answer of each turn, oldest first, of turns before the turn `before`."""
        began = [event for event in self.recorded if isinstance(event, TurnStarted)]
        turns = [turn for turn in began if turn.conversation_id == conversation_id]
        earlier = [turn for turn in turns if not before or turn.turn_id < before]
        found = [message for turn in earlier for message in self._pair(turn)]
        return tuple(found[-limit:]) if limit > 0 else ()

    async def events(self, turn_id: str, after: int = 0) -> tuple[Event, ...]:
        """Return a turn's events with `seq` greater than `after`."""
        return tuple(event for event in self.recorded if event.turn_id == turn_id and event.seq > after)

    async def query(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:  # noqa: ARG002 - part of the protocol
        """Say that there is no SQL here; raises JournalUnavailable."""
        message = "a journal in memory answers no SQL; take a DuckDBJournal"
        raise JournalUnavailable(message)

    async def ping(self) -> None:
        """Work, always."""

    async def aclose(self) -> None:
        """Hold nothing."""

    def _pair(self, turn: TurnStarted) -> tuple[Message, Message]:
        events = [event for event in self.recorded if event.turn_id == turn.turn_id]
        words = "".join(event.text for event in events if isinstance(event, TextDelta))
        summaries = "\n".join(f"{each.tool}: {each.summary}" for each in events if isinstance(each, ToolFinished))
        failure = next((each.message for each in events if isinstance(each, TurnFailed)), "not finished yet")
        question = turn.question or f"/{turn.command}"
        return Message("user", question), Message("assistant", words or summaries or f"(no answer: {failure})")
