"""A desk: everything the Terraform tools need, on real disk and with the real Terraform."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tfai_jupyter.core.agent import run_tool
from tfai_jupyter.core.approvals import Approvals, Consent
from tfai_jupyter.core.ids import new_id
from tfai_jupyter.core.messages import ToolCall, ToolResult
from tfai_jupyter.core.redaction import Redactor
from tfai_jupyter.core.turns import Question, Turn
from tfai_jupyter.core.wire import to_json
from tfai_jupyter.storage.vault import Vault
from tfai_jupyter.storage.workspace import DiskWorkspace
from tfai_jupyter.terraform.drafts import DraftTools
from tfai_jupyter.terraform.process import Patience
from tfai_jupyter.terraform.runner import Runner
from tfai_jupyter.terraform.tools import TerraformTools


@dataclass
class Desk:
    """A workspace, its tools, and how to call them as the assistant does."""

    root: Path
    vault: Vault
    workspace: DiskWorkspace
    approvals: Approvals
    redactor: Redactor
    terraform: Runner
    tools: TerraformTools
    drafts: DraftTools
    env: dict[str, str] = field(default_factory=dict)
    home: str = "."

    def write(self, path: str, text: str) -> Path:
        """Write a file of the workspace."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def turn(self, directory: str = "", conversation: str = "talk") -> Turn:
        """Begin a turn in a directory."""
        question = Question("", conversation_id=conversation, env=self.env)
        return Turn(new_id(), question, self.workspace.resolve(directory or self.home))

    def anew(self, home: str = ".") -> "Desk":
        """Return the desk of another process over the same disk, whose turns begin in `home`."""
        redactor = Redactor(b"salt")
        tools = TerraformTools(self.terraform, self.workspace, self.vault, self.approvals, redactor)
        return replace(self, redactor=redactor, tools=tools, home=home)

    async def call(self, tool: str, turn: Turn | None = None, **arguments):
        """Call a tool; return its events and its result, redacted as every face gets them."""
        named = {each.spec.name: each for each in (*self.tools.tools(), *self.drafts.tools())}
        call = ToolCall("call", tool, json.dumps(arguments))
        return await self.collect(run_tool(call, named, turn or self.turn()))

    async def collect(self, items):
        """Collect events and the result."""
        found = [self.redactor.masked(item) async for item in items]
        results = [item for item in found if isinstance(item, ToolResult)]
        return [item for item in found if not isinstance(item, ToolResult)], results[-1]

    async def plan(self, turn: Turn | None = None, **arguments) -> str:
        """Plan and return the plan's id."""
        _, result = await self.call("terraform_plan", turn, **arguments)
        return result.data["id"]

    async def consent(self, plan_id: str, turn: Turn | None = None) -> Consent:
        """Ask for the approval of a plan and give it."""
        _, result = await self.call("request_apply", turn, plan_id=plan_id)
        approval = self.approvals.find(result.data["approval_id"])
        return self.approvals.resolve(approval.id, "approve", by="tester", confirm=approval.confirm_phrase)

    async def apply(self, plan_id: str):
        """Approve and apply a plan."""
        return await self.collect(self.tools.applier.apply(self.turn(), await self.consent(plan_id)))

    @staticmethod
    def text(*things) -> str:
        """Return everything in events and results as one text."""
        return json.dumps([[to_json(thing) for thing in each] for each in things])


@pytest.fixture
def desk(tmp_path):
    """Set a desk over an empty workspace."""
    root = tmp_path / "workspace"
    root.mkdir()
    vault, redactor = Vault(tmp_path / "home"), Redactor(b"salt")
    workspace, approvals = DiskWorkspace(root, vault), Approvals(vault)
    terraform = Runner(patience=Patience(60, 1, 1))
    tools = TerraformTools(terraform, workspace, vault, approvals, redactor)
    drafts = DraftTools(workspace, terraform)
    return Desk(workspace.root, vault, workspace, approvals, redactor, terraform, tools, drafts)
