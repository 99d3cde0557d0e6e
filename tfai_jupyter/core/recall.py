"""Recall: gathers what a model could be shown of a turn; what cannot be had is a notice, not an end."""

from __future__ import annotations

import posixpath
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from typing import TypeVar

from .context import Material
from .errors import TfaiError
from .events import Notice
from .instructions import instructions
from .messages import Message
from .protocols import FileText, Journal, Retriever, Snapshot, Workspace
from .results import Passage
from .turns import Attachment, Turn

Found = TypeVar("Found")

HISTORY_MESSAGES = 20


@dataclass(frozen=True, slots=True)
class Recall:
    """Conversation, documentation, workspace and attachments, each from its own place."""

    workspace: Workspace
    journal: Journal
    retriever: Retriever

    async def gather(self, turn: Turn, question: str) -> tuple[Material, tuple[Notice, ...]]:
        """Return the material for one prompt, and what went without. Raises NotFound, Forbidden (attachments)."""
        notices: list[Notice] = []
        material = Material(
            instructions(turn.question.command),
            question,
            await _or_without(self._history(turn), (), "history", notices),
            await _or_without(self._passages(turn), (), "documentation", notices),
            await self._snapshot(turn),
            await self.attachments(turn),
        )
        return material, tuple(notices)

    async def attachments(self, turn: Turn) -> tuple[Attachment, ...]:
        """Return what was sent along, files with their text."""
        paths = turn.question.options.get("files")
        named = [Attachment("file", path=str(path)) for path in paths] if isinstance(paths, list) else []
        return tuple([await self._loaded(each, turn) for each in (*turn.question.attachments, *named)])

    async def _history(self, turn: Turn) -> tuple[Message, ...]:
        if turn.begins:
            return ()
        return await self.journal.messages(turn.question.conversation_id, HISTORY_MESSAGES, before=turn.id)

    async def _passages(self, turn: Turn) -> tuple[Passage, ...]:
        if turn.question.options.get("no_docs") or not turn.question.text:
            return ()
        return await self.retriever.search(turn.question.text)

    async def _snapshot(self, turn: Turn) -> Snapshot:
        """Show paths as tools take them: relative to the turn's directory."""
        snapshot = await self.workspace.snapshot(turn.directory)
        here = self.workspace.relative(turn.directory) or "."
        return replace(snapshot, files=tuple(_from(here, file) for file in snapshot.files))

    async def _loaded(self, attachment: Attachment, turn: Turn) -> Attachment:
        if attachment.kind != "file" or attachment.text:
            return attachment
        file = await self.workspace.read(attachment.path, turn.directory)
        return replace(attachment, name=file.path, text=file.content)


def _from(here: str, file: FileText) -> FileText:
    return replace(file, path=posixpath.relpath(file.path, here))


async def _or_without(wanted: Awaitable[Found], instead: Found, name: str, notices: list[Notice]) -> Found:
    try:
        return await wanted
    except TfaiError as error:
        notices.append(Notice("warning", f"no_{name}", f"answered without {name}: {error}"))
        return instead
