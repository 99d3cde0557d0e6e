"""A whole assistant in a temporary directory: scripted model, journal in memory, real workspace and vault."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tfai_jupyter.core.absent import NoRetriever
from tfai_jupyter.core.approvals import Approvals
from tfai_jupyter.core.assistant import Assistant
from tfai_jupyter.core.duties import Duties
from tfai_jupyter.core.errors import Conflict
from tfai_jupyter.core.events import TextDelta, name_of
from tfai_jupyter.core.ids import new_id
from tfai_jupyter.core.messages import ToolResult
from tfai_jupyter.core.recall import Recall
from tfai_jupyter.core.redaction import Redactor
from tfai_jupyter.core.tools import Tool
from tfai_jupyter.core.turns import Question, Turn
from tfai_jupyter.storage.vault import Vault
from tfai_jupyter.storage.workspace import DiskWorkspace
from tfai_jupyter.testing import MemoryJournal, ScriptedModel, collect


@dataclass(frozen=True)
class File:
    """A file as a model writes it."""

    path: str
    content: str


async def write_files(turn: Turn, files: list[File], summary: str = "") -> ToolResult:
    """Propose files."""
    turn.draft |= {file.path: file.content for file in files}
    turn.summary = summary
    return ToolResult("drafted", summary=f"{len(files)} files drafted")


async def diagnose(turn: Turn, text: str = "") -> ToolResult:
    """Find the root cause."""
    del turn
    if not text:
        return ToolResult("nothing to diagnose", "error", "nothing to diagnose")
    data = {"result": "diagnosis", "error_class": "cycle", "cause": "a and b need each other"}
    return ToolResult("cycle: a and b", summary="cycle", data=data)


NO_DOCUMENTATION = NoRetriever()


class World:
    """What a turn needs, and ways to ask it."""

    def __init__(self, place: Path) -> None:
        """Make a workspace and a home."""
        self.root = place / "work"
        self.root.mkdir()
        self.vault = Vault(place / "home")
        self.workspace = DiskWorkspace(self.root, self.vault)
        self.approvals = Approvals(self.vault)
        self.journal = MemoryJournal()
        self.redactor = Redactor()

    def duties(self, *replies, tools=(), retriever=NO_DOCUMENTATION, journal=None, **changes):
        """Put the collaborators of a turn together; `replies` are the model's."""
        known = [Tool.of(each) for each in (write_files, *tools)] + [Tool.of(diagnose, offered=False)]
        duties = Duties(
            model=ScriptedModel(*replies),
            tools={tool.spec.name: tool for tool in known},
            appliers={"change_set": self},
            workspace=self.workspace,
            vault=self.vault,
            journal=journal or self.journal,
            recall=Recall(self.workspace, journal or self.journal, retriever),
            approvals=self.approvals,
        )
        return replace(duties, **changes)

    def assistant(self, *replies, turn_seconds=300, look_back=None, secrets_of=None, **changes):
        """Make an assistant whose model plays `replies`."""
        duties = self.duties(*replies, **changes)
        more = {"look_back": look_back, "secrets_of": secrets_of}
        return Assistant(duties, self.redactor, turn_seconds=turn_seconds, **more)

    def turn(self, text="", command="ask", **changes):
        """Make a running turn in the root."""
        question = Question(text, command, conversation_id="talk", **changes)
        return Turn(new_id(), question, self.root)

    async def ask(self, text="", command="ask", *, replies=(), assistant=None, **changes):
        """Return all events of one question."""
        question = Question(text, command, **{"conversation_id": "talk"} | changes)
        return await collect((assistant or self.assistant(*replies)).ask(question))

    @staticmethod
    def names(events):
        """Name the events that are no text."""
        return [name_of(event) for event in events if not isinstance(event, TextDelta)]

    @staticmethod
    def only(events, kind):
        """Return the one event of a kind."""
        [found] = [event for event in events if isinstance(event, kind)]
        return found

    async def check(self, approval, files):
        """Refuse a change set whose files were touched since."""
        for change in (await self.workspace.load(approval.subject_id)).files:
            if change.action == "create" and (self.root / change.path).exists() and not files:
                message = f"{change.path} is there already"
                raise Conflict(message)

    async def apply(self, turn, consent):
        """Write the files somebody consented to, if they are still the ones that were shown."""
        change_set = await self.workspace.load(consent.approval.subject_id)
        if consent.approval.binding != {"change_set": change_set.digest}:
            message = "the change set is not the one that was approved"
            raise Conflict(message)
        taken = turn.question.options.get("files", ())
        yield ToolResult(f"wrote {', '.join(await self.workspace.apply(change_set, taken))}")


@pytest.fixture
def world(tmp_path):
    """Make a fresh world."""
    return World(tmp_path)
