"""Nothing is written or applied without a consent: the real tools in the hands of a model that tries everything."""

import pytest

from tfai_jupyter.bootstrap import assemble
from tfai_jupyter.core.events import ApprovalRequired, PlanReady, ToolFinished
from tfai_jupyter.core.turns import Question
from tfai_jupyter.settings import Settings
from tfai_jupyter.testing import ScriptedModel, calls, collect

MAIN = 'resource "terraform_data" "greeting" {\n  input = "hello"\n}\n'
WANTED = {
    "write_files": {
        "files": [{"path": "main.tf", "content": ""}, {"path": "new.tf", "content": "# new\n"}],
        "summary": "",
    },
    "read_file": {"path": "main.tf"},
    "request_apply": {"plan_id": "none"},
}
SAMPLES = {"string": "main", "integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}


def arguments_of(tool):
    """Return arguments that a tool accepts, every optional one left out."""
    schema = tool.spec.parameters
    needed = {name: SAMPLES[schema["properties"][name]["type"]] for name in schema["required"]}
    return WANTED.get(tool.spec.name, needed)


def tree(root):
    """Return what a person sees of a workspace: every file with its bytes, but what init keeps for itself."""
    files = (path for path in root.rglob("*") if path.is_file() and ".terraform" not in path.parts)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def workspace(tmp_path):
    """Make a configuration that needs no network."""
    root = tmp_path / "work"
    root.mkdir()
    (root / "main.tf").write_text(MAIN)
    return root


@pytest.fixture
def model():
    """Make a model whose script is written while it goes."""
    return ScriptedModel()


@pytest.fixture
def assembly(tmp_path, workspace, model):
    """Put the real assistant together around the scripted model."""
    return assemble(Settings(home=tmp_path / "home", history_db="disabled"), workspace, model=model)


async def ask(assembly, command="ask", **options):
    """Return the events of one turn."""
    question = Question("go" if command == "ask" else "", command, options, conversation_id="talk")
    return await collect(assembly.assistant.ask(question))


def only(events, kind):
    """Return the one event of a kind."""
    [found] = [event for event in events if isinstance(event, kind)]
    return found


async def test_no_offered_tool_writes_a_file_or_changes_infrastructure(assembly, workspace, model):
    """A model that calls every tool it is offered leaves the workspace as it was, and approvals that wait."""
    offered = [tool for tool in assembly.assistant.duties.tools.values() if tool.offered]
    model.replies = [[calls(tool.spec.name, **arguments_of(tool)) for tool in offered], ["Done."]]
    before = tree(workspace)
    events = await ask(assembly)
    finished = {event.tool: event.outcome for event in events if isinstance(event, ToolFinished)}

    assert {tool.spec.name for tool in offered} == finished.keys()
    assert "ok" == finished["terraform_plan"] == finished["write_files"]
    assert before == tree(workspace)
    assert "change_set" in {event.kind for event in events if isinstance(event, ApprovalRequired)}
    await assembly.aclose()


async def test_a_model_cannot_reach_an_applier_by_any_name(assembly, workspace, model):
    """Commands of a person, appliers and approvals are no tools of a model, whatever it knows of them."""
    model.replies = [[calls("terraform_plan"), calls("write_files", **WANTED["write_files"])], ["Done."]]
    events = await ask(assembly)
    plan = only(events, PlanReady)
    waiting = [each.id for each in assembly.assistant.duties.approvals.pending()]
    hidden = [name for name, tool in assembly.assistant.duties.tools.items() if not tool.offered]
    tried = [*hidden, "apply_change_set", "terraform_apply", "run_command", "approve", "apply"]
    model.replies = [[calls(name, id=identifier) for name in tried for identifier in (*waiting, plan.plan_id)], ["."]]
    before = tree(workspace)
    events = await ask(assembly)

    assert {"error"} == {event.outcome for event in events if isinstance(event, ToolFinished)}
    assert waiting == [each.id for each in assembly.assistant.duties.approvals.pending()]
    assert before == tree(workspace)
    await assembly.aclose()


async def test_only_a_consent_applies_a_plan(assembly, workspace, model):
    """Asking again and again changes nothing; one approval changes it once."""
    model.replies = [[calls("terraform_plan")], ["Done."]]
    plan = only(await ask(assembly), PlanReady)
    model.replies = [[calls("request_apply", plan_id=plan.plan_id)], ["Asked."]]
    asked = only(await ask(assembly), ApprovalRequired)
    before = tree(workspace)
    applied = await ask(assembly, "approve", id=asked.approval_id, confirm=asked.confirm_phrase or "")

    assert "terraform.tfstate" not in before
    assert ("terraform_apply", plan.plan_id) == (asked.kind, asked.subject_id)
    assert "ok" == only(applied, ToolFinished).outcome
    assert b"greeting" in (workspace / "terraform.tfstate").read_bytes()
    await assembly.aclose()
