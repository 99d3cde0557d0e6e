"""The default: the Ollama that answers, else the offline expert; nothing paid or remote by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from urllib.parse import urlsplit

from tfai_jupyter.core.errors import TfaiError
from tfai_jupyter.core.messages import ModelName, Piece, Prompt
from tfai_jupyter.core.protocols import ChatModel

CONNECT_SECONDS = 0.3
RECHECK_SECONDS = 30.0


class AutoModel:
    """Chooses before a turn; the choice holds for 30 s, so that a started Ollama is noticed."""

    def __init__(self, ollama: ChatModel, offline: ChatModel, host: str) -> None:
        """Take both, and the URL at which Ollama would answer."""
        self._ollama = ollama
        self._offline = offline
        self._host = host
        self._chosen = offline
        self._checked = -RECHECK_SECONDS

    @property
    def name(self) -> ModelName:
        """The name of the choice."""
        return self._chosen.name

    async def prepare(self) -> None:
        """Look whether Ollama answers, at most every 30 s."""
        if time.monotonic() - self._checked < RECHECK_SECONDS:
            return
        self._chosen = self._ollama if await self._answers() else self._offline
        self._checked = time.monotonic()
        await self._chosen.prepare()

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Pass the prompt to the choice."""
        async with aclosing(self._chosen.stream(prompt)) as pieces:
            async for piece in pieces:
                yield piece

    async def ping(self) -> None:
        """Ask the choice."""
        await self._chosen.ping()

    async def aclose(self) -> None:
        """Close both."""
        await self._ollama.aclose()
        await self._offline.aclose()

    async def _answers(self) -> bool:
        """Connect first, which costs nothing, and only then load what it takes to ask."""
        place = urlsplit(self._host)
        with suppress(OSError, TimeoutError, TfaiError):
            async with asyncio.timeout(CONNECT_SECONDS):
                _, writer = await asyncio.open_connection(place.hostname, place.port or 80)
            writer.close()
            await self._ollama.ping()
            return True
        return False
