"""The shipped twins of the outside world behave as their protocols say."""

from pathlib import Path

import pytest

from tfai_jupyter.core.errors import JournalUnavailable, ModelUnavailable
from tfai_jupyter.core.events import TextDelta, ToolFinished, TurnFailed, TurnFinished, TurnStarted
from tfai_jupyter.core.messages import Message, ModelName, Prompt, ToolCall, Usage
from tfai_jupyter.core.protocols import TerraformRun
from tfai_jupyter.core.results import Passage
from tfai_jupyter.testing import FakeTerraform, MemoryJournal, ScriptedModel, StaticRetriever, calls, collect


def test_a_call_is_written_as_a_model_would():
    """Arguments are JSON text, the id is there whether given or not."""
    assert ToolCall("call_read_file", "read_file", '{"path": "a.tf"}') == calls("read_file", path="a.tf")
    assert "c7" == calls("read_file", "c7").id


async def test_collecting_closes_what_it_reads():
    """A stream that is read to its end has cleaned up."""
    closed = []

    async def stream():
        try:
            yield 1
            yield 2
        finally:
            closed.append("closed")

    assert ([1, 2], ["closed"]) == (await collect(stream()), closed)


async def test_a_scripted_model_plays_its_replies_in_order():
    """Pieces as given, exceptions raised, a sentence when the script has ended; every prompt is kept."""
    model = ScriptedModel(["one", Usage(1, 2)], [ModelUnavailable("gone")], pause_seconds=0.001)
    prompt = Prompt((Message("user", "go"),))
    await model.prepare()
    await model.ping()

    assert ["one", Usage(1, 2)] == await collect(model.stream(prompt))
    with pytest.raises(ModelUnavailable, match="gone"):
        await collect(model.stream(prompt))
    assert ["(the script has ended)"] == await collect(model.stream(prompt))
    assert ([prompt] * 3, ModelName("scripted", "script")) == (model.prompts, model.name)
    await model.aclose()


async def test_a_fake_terraform_answers_by_its_first_argument():
    """Lines first, the run last; what is not in the table succeeds in silence."""
    terraform = FakeTerraform({"plan": (2, "a\nb\n", ""), "apply": (1, "", "Error: no\n")})
    place = {"directory": Path(), "env": {}}
    planned = await collect(terraform.stream(["plan", "-json"], **place))
    applied = await collect(terraform.stream(["apply"], **place))
    shown = await collect(terraform.stream(["show"], **place))

    assert ["a", "b", TerraformRun(("plan", "-json"), 2, "a\nb\n", "", 0, "ok")] == planned
    assert [TerraformRun(("apply",), 1, "", "Error: no\n", 0, "error")] == applied
    assert [TerraformRun(("show",), 0, "", "", 0, "ok")] == shown
    assert [("plan", "-json"), ("apply",), ("show",)] == terraform.runs
    assert "fake" == (await terraform.version()).source


async def test_a_static_retriever_finds_the_same_whatever_is_asked():
    """As many as are wanted, best first."""
    passages = tuple(Passage(str(number), "t", "s", 1.0) for number in range(3))
    retriever = StaticRetriever(*passages)
    await retriever.ping()

    assert passages[:2] == await retriever.search("anything", limit=2)


def started(turn_id, conversation_id, question, command="ask"):
    """Make the beginning of a turn."""
    return TurnStarted(
        conversation_id, "r", ModelName("p", "m"), "", command, question, turn_id=turn_id, seq=1, at="2026"
    )


@pytest.fixture
def journal():
    """Make a journal that remembers four turns of two conversations."""
    journal = MemoryJournal()
    for event in (
        started("t1", "talk", "one?"),
        started("t2", "other", "two?"),
        TextDelta("On", turn_id="t1", seq=2),
        TextDelta("e.", turn_id="t1", seq=3),
        TurnFinished("end", turn_id="t1", seq=4),
        started("t3", "talk", "", "plan"),
        ToolFinished("c", "terraform_plan", "ok", "1 to add", 5, turn_id="t3", seq=2),
        started("t4", "talk", "four?"),
        TurnFailed("timeout", "too slow", turn_id="t4", seq=2),
        started("t5", "talk", "five?"),
    ):
        journal.append(event)
    return journal


async def test_a_journal_in_memory_remembers_conversations(journal):
    """Question and answer of each turn, oldest first; a command by its name, a failure by its message."""
    messages = [(message.role, message.content) for message in await journal.messages("talk")]

    assert [
        ("user", "one?"),
        ("assistant", "One."),
        ("user", "/plan"),
        ("assistant", "terraform_plan: 1 to add"),
        ("user", "four?"),
        ("assistant", "(no answer: too slow)"),
        ("user", "five?"),
        ("assistant", "(no answer: not finished yet)"),
    ] == messages
    assert () == await journal.messages("nobody") == await journal.messages("talk", limit=0)


async def test_a_journal_in_memory_remembers_what_was_before_a_turn(journal):
    """A running turn does not see itself, and a limit keeps the newest."""
    earlier = [message.content for message in await journal.messages("talk", before="t4")]

    assert ["one?", "One.", "/plan", "terraform_plan: 1 to add"] == earlier
    assert ["/plan", "terraform_plan: 1 to add"] == [
        message.content for message in await journal.messages("talk", limit=2, before="t4")
    ]


async def test_a_journal_in_memory_gives_a_turn_again(journal):
    """From any place in it, as it was emitted; and says that it has no SQL."""
    await journal.flush()
    await journal.ping()

    assert [3, 4] == [event.seq for event in await journal.events("t1", after=2)]
    assert () == await journal.events("nobody")
    with pytest.raises(JournalUnavailable, match="answers no SQL"):
        await journal.query("SELECT 1")
    await journal.aclose()
