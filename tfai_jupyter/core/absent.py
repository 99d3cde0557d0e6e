"""Neutral objects for what is not there, so that nobody asks whether it is."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any, NoReturn

from .errors import JournalUnavailable, ModelRefused
from .events import Event
from .messages import Message, ModelName, Piece, Prompt
from .results import Passage, Rows


class NoModel:
    """A ChatModel that cannot be used; whatever needs no model works on."""

    def __init__(self, name: ModelName, reason: str) -> None:
        """Keep what is wrong, in one sentence that says what to do."""
        self.name = name
        self._reason = reason

    async def prepare(self) -> None:
        """Have nothing to get ready."""

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:  # noqa: ARG002 - protocol
        """Say what is wrong; raises ModelRefused."""
        yield await self.ping()

    async def ping(self) -> NoReturn:
        """Say what is wrong; raises ModelRefused."""
        raise ModelRefused(self._reason)

    async def aclose(self) -> None:
        """Hold nothing."""


class NoRetriever:
    """A Retriever without documentation."""

    async def search(self, text: str, *, limit: int = 5, provider: str = "") -> tuple[Passage, ...]:  # noqa: ARG002 - protocol
        """Find nothing."""
        return ()

    async def ping(self) -> None:
        """Have nothing that could fail."""


class NoJournal:
    """A Journal that is switched off: chat goes on without a memory."""

    notice = ""

    def append(self, event: Event) -> None:
        """Forget the event."""

    async def flush(self) -> None:
        """Have nothing to wait for."""

    async def messages(self, conversation_id: str, limit: int = 20, before: str = "") -> tuple[Message, ...]:  # noqa: ARG002 - protocol
        """Remember nothing."""
        return ()

    async def events(self, turn_id: str, after: int = 0) -> tuple[Event, ...]:  # noqa: ARG002 - protocol
        """Remember nothing."""
        return ()

    async def query(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:  # noqa: ARG002 - protocol
        """Say that there is no journal; raises JournalUnavailable."""
        message = "history is off; set TFAI_HISTORY_DB to a file to keep one"
        raise JournalUnavailable(message)

    async def ping(self) -> None:
        """Say that there is no journal; raises JournalUnavailable."""
        await self.query("")

    async def aclose(self) -> None:
        """Hold nothing."""
