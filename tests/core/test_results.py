"""What a turn gives back, and how a person reads it."""

from importlib.util import find_spec

import pytest

from tfai_jupyter.core.plans import Diagnostic
from tfai_jupyter.core.results import Answer, Diagnosis, Passage, Report, Rows, State, StateResource

needs_pandas = pytest.mark.skipif(not find_spec("pandas"), reason="pandas is not installed")
needs_duckdb = pytest.mark.skipif(not find_spec("duckdb"), reason="duckdb is not installed")

STATE = State(
    (
        StateResource("aws_vpc.a", "aws_vpc", "aws", attributes={"cidr": "10.0.0.0/16"}),
        StateResource("aws_vpc.b", "aws_vpc", "aws"),
    ),
    serial=3,
)


def test_an_answer_ends_with_its_sources():
    """What the model cites as [1] can be looked up below."""
    answer = Answer("Use a module [1].", (Passage("p", "Modules", "https://example.com", 0.5),))

    assert "Use a module [1].\n     title    source\n[1]  Modules  https://example.com" == str(answer)
    assert "No sources." == str(Answer("No sources."))


def test_state_lists_addresses_and_the_attributes_that_were_asked_for():
    """A listing has no attributes, `state show` has."""
    assert "2 resources in the state" in str(STATE)
    assert "# aws_vpc.a\ncidr = 10.0.0.0/16" in str(STATE)
    assert "# aws_vpc.b" not in str(STATE)


@pytest.mark.parametrize(
    ("diagnosis", "first"),
    [
        (Diagnosis("cycle"), "cycle"),
        (Diagnosis("cycle", "aws_vpc.a"), "cycle: aws_vpc.a"),
        (Diagnosis("cycle", "aws_vpc.a", "main.tf"), "cycle: aws_vpc.a at main.tf"),
        (Diagnosis("cycle", "aws_vpc.a", "main.tf", 4), "cycle: aws_vpc.a at main.tf:4"),
        (Diagnosis("cycle", file="main.tf", line=4), "cycle: main.tf:4"),
    ],
)
def test_a_diagnosis_begins_with_the_place(diagnosis, first):
    """Rule, address, file and line, as far as they are known."""
    assert first == str(diagnosis).splitlines()[0]


def test_a_diagnosis_says_cause_fix_and_terraforms_own_words():
    """Nothing that Terraform said is lost."""
    diagnosis = Diagnosis("cycle", cause="a needs b", fix="break it", diagnostics=(Diagnostic("error", "Cycle"),))

    assert "cycle\na needs b\nFix: break it\nerror: Cycle" == str(diagnosis)


def test_rows_say_when_there_is_nothing_and_when_there_is_more():
    """An empty answer is a sentence, and a cut one says so."""
    assert "nothing yet" == str(Rows(("day",), ()))
    assert "no turns" == str(Rows(("day",), (), empty="no turns"))
    assert "day  turns\nMon  2" == str(Rows(("day", "turns"), (("Mon", 2),)))
    assert "the first 1 rows; there are more" == str(Rows(("n",), ((1,),), truncated=True)).splitlines()[-1]


def test_a_report_is_its_text():
    """Nothing is added to what a command said."""
    assert "fine" == str(Report("fine"))


@needs_pandas
def test_tables_become_data_frames():
    """State and rows carry on as pandas."""
    assert ["aws_vpc.a", "aws_vpc.b"] == list(STATE.to_df()["address"])
    assert [2] == list(Rows(("day", "turns"), (("Mon", 2),)).to_df()["turns"])


@needs_pandas
@needs_duckdb
def test_rows_carry_on_in_sql():
    """`relation` is DuckDB's own object, not a class of ours."""
    assert [(4,)] == Rows(("n",), ((1,), (3,))).relation.sum("n").fetchall()
