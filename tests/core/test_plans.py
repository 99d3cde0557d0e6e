"""Plans, diagnostics and how a person reads them."""

from dataclasses import replace
from importlib.util import find_spec

import pytest

from tfai_jupyter.core.plans import AttributeChange, Diagnostic, Plan, PlanSummary, ResourceChange, Risk, RiskReason

PLAN = Plan(
    "p1",
    "infra",
    PlanSummary(add=1, destroy=1, replace=1),
    Risk("high", (RiskReason("destroys_data", "aws_db_instance.main", "a database goes with its data"),)),
    (
        ResourceChange(
            "aws_vpc.new", "aws_vpc", "create", attributes=(AttributeChange("cidr", None, '"10.0.0.0/16"'),)
        ),
        ResourceChange(
            "aws_db_instance.main",
            "aws_db_instance",
            "replace",
            "replace_because_cannot_update",
            (AttributeChange("engine", '"mysql"', '"postgres"', forces_replacement=True), AttributeChange("gone", "1")),
        ),
        ResourceChange("aws_subnet.same", "aws_subnet", "no-op"),
        ResourceChange("aws_subnet.moved", "aws_subnet", "no-op", previous_address="aws_subnet.old"),
    ),
    "sha256:bytes",
    "sha256:digest",
)


@pytest.mark.parametrize(
    ("summary", "expected"),
    [
        (PlanSummary(), "0 to add, 0 to change, 0 to destroy"),
        (PlanSummary(1, 2, 3, 0, 0, 0, 0), "1 to add, 2 to change, 3 to destroy"),
        (
            PlanSummary(1, 2, 3, 4, 5, 6, 7),
            "1 to add, 2 to change, 3 to destroy, 4 to replace, 5 to import, 6 to move, 7 to forget",
        ),
    ],
)
def test_a_summary_reads_as_terraform_says_it(summary, expected):
    """What is rarer is only said when there is any."""
    assert expected == str(summary)


def test_a_plan_shows_risk_changes_and_what_forces_a_replacement():
    """A person sees the reasons before the table, and each attribute before and after."""
    text = str(PLAN)

    assert "Risk: high." in text
    assert "destroys_data: aws_db_instance.main: a database goes with its data" in text
    assert "-/+  aws_db_instance.main  replace  replace because cannot update" in text
    assert '-   engine = "mysql"  # forces replacement\n+   engine = "postgres"  # forces replacement' in text
    assert '+ aws_vpc.new\n+   cidr = "10.0.0.0/16"' in text
    assert "-   gone = 1" in text
    assert "plan p1, digest sha256:digest" in text


def test_what_does_not_change_is_left_out_unless_it_moves():
    """A move is worth a line; an untouched resource is not."""
    assert "aws_subnet.same" not in str(PLAN)
    assert "aws_subnet.moved" in str(PLAN)


def test_drift_is_said_at_the_top():
    """A person learns that somebody changed things outside Terraform."""
    drifted = replace(PLAN, changes=(replace(PLAN.changes[0], drift=True),))

    assert "Changed outside Terraform." in str(drifted).splitlines()[0]
    assert "Changed outside" not in str(PLAN)


def test_a_plan_asks_for_its_own_approval_only():
    """`apply()` runs the command for exactly this plan, where there is a conversation."""
    commands = []
    replace(PLAN, run=commands.append).apply()

    assert ["apply p1"] == commands
    with pytest.raises(RuntimeError, match="cannot run commands"):
        PLAN.apply()


def test_the_function_behind_a_plan_never_travels_nor_counts():
    """Two plans are equal whoever can run them, and JSON has no function."""
    assert PLAN == replace(PLAN, run=print)
    assert "run" not in replace(PLAN, run=print).to_dict()


@pytest.mark.skipif(not find_spec("pandas"), reason="pandas is not installed")
def test_a_plan_becomes_a_data_frame():
    """The table that is shown is the table to carry on with."""
    frame = PLAN.to_df()

    assert ["", "address", "action", "reason"] == list(frame.columns)
    assert ["aws_vpc.new", "aws_db_instance.main", "aws_subnet.moved"] == list(frame["address"])


@pytest.mark.parametrize(
    ("diagnostic", "expected"),
    [
        (Diagnostic("error", "Missing item"), "error: Missing item"),
        (Diagnostic("error", "Bad", "why", "main.tf", 3), "main.tf:3: error: Bad (why)"),
        (Diagnostic("warning", "Old", file="a.tf", line=1), "a.tf:1: warning: Old"),
    ],
)
def test_a_diagnostic_is_one_line_with_its_place_first(diagnostic, expected):
    """Editors and people find the place."""
    assert expected == str(diagnostic)
