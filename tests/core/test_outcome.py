"""What a turn's events amount to."""

import pytest

from tfai_jupyter.core.changes import ChangeSet, FileChange
from tfai_jupyter.core.events import (
    ApprovalRequired,
    ApprovalResolved,
    ChangeSetProposed,
    Notice,
    PassagesFound,
    PlanReady,
    TextDelta,
    ToolFinished,
    TurnFailed,
    TurnFinished,
)
from tfai_jupyter.core.messages import Usage
from tfai_jupyter.core.outcome import Outcome
from tfai_jupyter.core.plans import Plan, PlanSummary, Risk
from tfai_jupyter.core.results import Answer, Diagnosis, Passage, Report, Rows, State, StateResource

PROPOSED = ChangeSetProposed("cs1", (FileChange("a.tf", "create", "+x"),), "valid", "sha256:d", "a vpc")
PLANNED = PlanReady("p1", "infra", PlanSummary(add=1), Risk(), (), "sha256:p", "sha256:d", {"url": "x"})
ASKED = ApprovalRequired("a1", "change_set", "cs1", "none", "2026-01-01T00:00:00Z")
PASSAGES = (Passage("p", "VPC", "https://example.com", 0.5),)
END = TurnFinished("end", Usage(1, 2))


def done(tool, data=None, outcome="ok"):
    """Make the end of a tool."""
    return ToolFinished("c1", tool, outcome, f"{tool} {outcome}", 1, data)


def fold(command, *events, run=None):
    """Return the outcome of a command's events."""
    outcome = Outcome(command, run)
    for event in events:
        outcome.add(event)
    return outcome


FINDING = done("diagnose", {"result": "diagnosis", "error_class": "cycle", "cause": "a and b"})
LISTED = done("terraform_state", {"result": "state", "resources": [{"address": "a.b", "type": "a"}]})
REPORTED = done("terraform_plan", {"result": "report", "text": "planned"})


@pytest.mark.parametrize(
    ("command", "events", "expected"),
    [
        ("ask", [PassagesFound(PASSAGES), TextDelta("a"), TextDelta("b"), END], Answer("ab", PASSAGES, Usage(1, 2))),
        ("ask", [LISTED, PROPOSED, TextDelta("x"), END], Answer("x", (), Usage(1, 2))),
        ("ask", [TextDelta("cut")], Answer("cut")),
        ("ask", [TextDelta("half"), TurnFailed("timeout", "slow")], Answer("half")),
        ("state", [LISTED, END], State((StateResource("a.b", "a"),))),
        (
            "sql",
            [done("sql", {"result": "rows", "columns": ["n"], "rows": [[1], [None]]}), END],
            Rows(("n",), ((1,), (None,))),
        ),
        ("init", [done("terraform_init"), END], Report("terraform_init ok")),
        ("init", [done("terraform_init", outcome="error"), END], Report("terraform_init error", "error")),
        ("version", [done("version", {"result": "report", "text": "1"}), END], Report("1")),
        ("diagnose", [FINDING, LISTED, TextDelta("why"), END], Diagnosis("cycle", cause="a and b")),
        ("generate", [LISTED, TextDelta("no files"), END], Answer("no files", (), Usage(1, 2))),
        ("odd", [done("odd", {"result": "unheard"}), done("odd", {}), END], Report("odd ok")),
    ],
)
def test_each_command_gives_what_it_is_there_for(command, events, expected):
    """A state for `state`, rows for `sql`, an answer for `ask`; what a model looked up on its way is no result."""
    assert expected == fold(command, *events).result()


def test_a_proposal_is_a_change_set_with_its_approval():
    """The result can be applied, and says which command approves it."""
    commands = []
    result = fold("generate", PROPOSED, ASKED, TextDelta("done"), END, run=commands.append).result()
    result.apply()

    assert isinstance(result, ChangeSet)
    assert ("cs1", "sha256:d", "valid", "a vpc", "a1") == (
        result.id,
        result.digest,
        result.validation,
        result.summary,
        result.approval_id,
    )
    assert ["apply cs1"] == commands


@pytest.mark.parametrize("events", [(PLANNED, REPORTED), (REPORTED, PLANNED)])
def test_a_plan_stays_a_plan_beside_a_report(events):
    """The plan is what `plan` is for, whichever comes first."""
    commands = []
    result = fold("plan", *events, END, run=commands.append).result()
    result.apply()

    assert isinstance(result, Plan)
    assert ("p1", "sha256:d", {"url": "x"}) == (result.id, result.digest, result.outputs)
    assert ["apply p1"] == commands


def test_what_was_done_is_the_result_once_a_policy_let_it_happen():
    """After the files are written the result is the report of it, not the proposal again."""
    written = done("apply_change_set", {"result": "report", "text": "wrote 1 file: a.tf"})
    outcome = fold("apply", PROPOSED, ASKED, ApprovalResolved("a1", "approve", "policy"), written, END)

    assert Report("wrote 1 file: a.tf") == outcome.result()


@pytest.mark.parametrize(
    ("command", "events", "code"),
    [
        ("ask", [END], 0),
        ("ask", [done("read_file", outcome="error"), END], 0),
        ("diagnose", [FINDING, done("read_file", outcome="error"), END], 0),
        ("diagnose", [done("diagnose", outcome="error"), END], 1),
        ("plan", [done("terraform_plan", outcome="error"), END], 1),
        ("plan", [done("terraform_plan", outcome="denied"), END], 1),
        ("ask", [TurnFailed("timeout", "slow")], 1),
        ("ask", [TurnFinished("cancelled")], 1),
        ("ask", [TextDelta("cut")], 1),
        ("ask", [TurnFinished("max_steps")], 0),
        ("generate", [PROPOSED, ASKED, TurnFinished("awaiting_approval")], 3),
        ("apply", [ASKED, ApprovalResolved("a1", "approve", "policy"), done("apply_change_set"), END], 0),
        ("approve", [ApprovalResolved("a0", "approve", "ann"), done("apply", outcome="error"), END], 1),
        ("deny", [ApprovalResolved("a1", "deny", "ann"), END], 3),
        ("ask", [Notice("warning", "c", "x"), END], 0),
    ],
)
def test_exit_codes_are_those_of_the_contract(command, events, code):
    """0 done, 1 failed, 3 an approval is needed or was denied."""
    assert code == fold(command, *events).exit_code
