"""Approvals in a turn: given, refused, granted by a policy, and never by a model."""

import json

import pytest

from tfai_jupyter.core.approvals import Approvals
from tfai_jupyter.core.errors import Conflict
from tfai_jupyter.core.events import (
    ApprovalRequired,
    ApprovalResolved,
    ChangeSetProposed,
    TextDelta,
    ToolFinished,
    TurnFinished,
)
from tfai_jupyter.core.messages import ToolResult
from tfai_jupyter.core.results import Passage
from tfai_jupyter.core.turns import Turn
from tfai_jupyter.testing import calls

WRITE = calls("write_files", files=[{"path": "main.tf", "content": "a = 1\n"}], summary="a network")
ENVELOPE = json.dumps({"files": [{"path": "main.tf", "content": "a = 1\n"}], "summary": "a network"})
PASSAGE = Passage("p", "VPC", "https://example.com", 0.5, "text of it")


async def proposal(world):
    """Propose a file; return change set and approval ids."""
    events = await world.ask("a vpc", "generate", replies=[[WRITE], ["Done."]])
    return world.only(events, ChangeSetProposed), world.only(events, ApprovalRequired).approval_id


async def test_an_approval_is_carried_out_once(world):
    """Approved, written, done; the second time it was used already."""
    _, approval_id = await proposal(world)
    events = await world.ask("", "approve", options={"id": approval_id}, user="ann")

    assert ["turn_started", "approval_resolved", "tool_started", "tool_finished", "turn_finished"] == world.names(
        events
    )
    assert ("approve", "ann") == (events[1].decision, events[1].by)
    assert "a = 1\n" == (world.root / "main.tf").read_text()
    assert "apply_change_set" == world.only(events, ToolFinished).tool


async def test_what_changed_since_is_not_overwritten(world):
    """It is refused at the door, and the approval still waits, for the case that the change is taken back."""
    _, approval_id = await proposal(world)
    (world.root / "main.tf").write_text("by hand\n")
    with pytest.raises(Conflict):
        await world.ask("", "approve", options={"id": approval_id})

    assert "by hand\n" == (world.root / "main.tf").read_text()
    assert [approval_id] == [each.id for each in world.approvals.pending()]


async def test_a_refusal_is_recorded_with_its_reason(world):
    """Nothing is written, now or later."""
    _, approval_id = await proposal(world)
    events = await world.ask("", "deny", options={"id": approval_id, "reason": "too late"}, user="ann")
    resolved = world.only(events, ApprovalResolved)

    assert ("deny", "ann", "too late") == (resolved.decision, resolved.by, resolved.reason)
    assert "Denied: change_set" in next(event.text for event in events if isinstance(event, TextDelta))
    assert [] == list(world.root.iterdir())
    assert () == world.approvals.pending()


async def test_applying_a_change_set_asks_first(world):
    """`apply ID` is a wish; the file is written when somebody consents to the new approval."""
    proposed, _ = await proposal(world)
    events = await world.ask("", "apply", options={"id": proposed.change_set_id})

    assert ["turn_started", "change_set_proposed", "approval_required", "turn_finished"] == world.names(events)
    assert "awaiting_approval" == events[-1].stop_reason
    assert [] == list(world.root.iterdir())


async def test_applying_goes_on_at_once_where_a_policy_grants_it(world):
    """A headless run is allowed exactly the digest that its policy names, phrase or not."""
    proposed, _ = await proposal(world)
    granted = Approvals(world.vault, granted=frozenset([proposed.change_set_digest]), policy_name="policy ci.yaml")
    assistant = world.assistant(approvals=granted)
    events = await world.ask("", "apply", assistant=assistant, options={"id": proposed.change_set_id})

    assert ["approval_required", "approval_resolved", "tool_started", "tool_finished"] == world.names(events)[2:-1]
    assert ("policy ci.yaml", "end") == (world.only(events, ApprovalResolved).by, events[-1].stop_reason)
    assert "a = 1\n" == (world.root / "main.tf").read_text()


async def test_applying_a_plan_asks_through_its_tool(world):
    """Anything that is no change set is a plan."""

    async def terraform_apply_request(turn: Turn, plan_id: str) -> ToolResult:
        """Ask."""
        del turn
        return ToolResult(f"asked for {plan_id}")

    events = await world.ask(
        "", "apply", assistant=world.assistant(tools=(terraform_apply_request,)), options={"id": "plan7"}
    )

    assert "asked for plan7" == world.only(events, ToolFinished).summary


@pytest.mark.parametrize("command", ["ask", "generate", "diagnose"])
async def test_no_tool_of_a_model_can_use_a_consent(world, command):
    """Appliers are in no tool table: a model that names one is told that it does not exist."""
    wish = [calls(name) for name in ("apply_change_set", "terraform_apply", "run_command", "approve")]
    events = await world.ask("go", command, replies=[wish, ["Then not."], [WRITE], ["."]])
    outcomes = {event.tool: event.outcome for event in events if isinstance(event, ToolFinished)}

    assert {"error"} == {outcomes[each.name] for each in wish}
    assert [] == list(world.root.iterdir())
    assert isinstance(events[-1], TurnFinished)
