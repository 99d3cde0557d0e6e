"""ShieldedModel: a ChatModel that never sees a secret, whoever composed the prompt."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from .messages import ModelName, Piece, Prompt
from .protocols import ChatModel
from .redaction import Redactor


class ShieldedModel:
    """Masks every prompt on its way to the model behind it."""

    def __init__(self, model: ChatModel, redactor: Redactor) -> None:
        """Stand before a model."""
        self._model = model
        self._redactor = redactor

    @property
    def name(self) -> ModelName:
        """The name of the model behind."""
        return self._model.name

    async def prepare(self) -> None:
        """Get the model behind ready."""
        await self._model.prepare()

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Pass the masked prompt on."""
        masked = replace(prompt, messages=self._redactor.masked(prompt.messages))  # tools are ours: no secret in them
        async with aclosing(self._model.stream(masked)) as pieces:
            async for piece in pieces:
                yield piece

    async def ping(self) -> None:
        """Ask the model behind."""
        await self._model.ping()

    async def aclose(self) -> None:
        """Close the model behind."""
        await self._model.aclose()
