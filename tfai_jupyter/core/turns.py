"""A question as a face hands it in, and the turn that tools work for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from .messages import Json

Face = Literal["server", "notebook", "cli"]
AttachmentKind = Literal["file", "cell", "selection", "text"]


@dataclass(frozen=True, slots=True)
class Attachment:
    """Something a person sends along: a file by `path`, or a cell, selection or text."""

    kind: AttachmentKind
    name: str = ""
    text: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What a person asked: a command, its options and its text, and where and for whom.

    `directory` is relative to the workspace root, `env` the allow-listed part of a notebook's
    environment; an empty `conversation_id` begins a conversation.
    """

    text: str
    command: str = "ask"
    options: Mapping[str, Json] = field(default_factory=dict)
    directory: str = ""
    conversation_id: str = ""
    attachments: tuple[Attachment, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    face: Face = "cli"
    user: str = ""
    request_id: str = ""
    parent_turn_id: str | None = None


@dataclass(slots=True)
class Turn:
    """A running turn as its tools see it.

    `draft` collects the files that tools propose (path relative to the root, None to delete); the
    assistant makes one ChangeSet of it when the turn ends. `attempts` counts drafts; `begins` a
    conversation: there is no history to recall.
    """

    id: str
    question: Question
    directory: Path
    draft: dict[str, str | None] = field(default_factory=dict)
    summary: str = ""
    validation: str = "skipped"
    attempts: int = 0
    begins: bool = False
