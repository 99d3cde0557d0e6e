"""What an assistant does in a turn: answer, generate, diagnose, run a command."""

import json

import pytest

from tfai_jupyter.core.errors import JournalUnavailable, ModelRefused, Unavailable
from tfai_jupyter.core.events import (
    ApprovalRequired,
    ChangeSetProposed,
    Notice,
    PassagesFound,
    TextDelta,
    ToolFinished,
    TurnFailed,
    TurnFinished,
    name_of,
)
from tfai_jupyter.core.messages import ToolResult, Usage
from tfai_jupyter.core.results import Passage
from tfai_jupyter.core.turns import Attachment, Turn
from tfai_jupyter.testing import MemoryJournal, StaticRetriever, calls, collect

WRITE = calls("write_files", files=[{"path": "main.tf", "content": "a = 1\n"}], summary="a network")
ENVELOPE = json.dumps({"files": [{"path": "main.tf", "content": "a = 1\n"}], "summary": "a network"})
PASSAGE = Passage("p", "VPC", "https://example.com", 0.5, "text of it")


class NoDocumentation(StaticRetriever):
    """A retriever that is down."""

    async def search(self, text, *, limit=5, provider=""):
        """Say so."""
        message = f"the index is away: {text[:0]}{limit and ''}{provider}"
        raise Unavailable(message)


async def test_a_question_is_answered(world):
    """The plain case: started, text, finished."""
    events = await world.ask("why?", replies=[["Because", Usage(3, 1)]])

    assert ["turn_started", "turn_finished"] == world.names(events)
    assert ("Because", "end", Usage(3, 1)) == (events[1].text, events[-1].stop_reason, events[-1].usage)


async def test_documentation_is_found_shown_and_given_to_the_model(world):
    """A person sees the sources that the model cites."""
    assistant = world.assistant(["See [1]."], retriever=StaticRetriever(PASSAGE))
    events = await world.ask("why?", assistant=assistant)

    assert (PASSAGE,) == world.only(events, PassagesFound).passages


async def test_missing_documentation_is_one_notice(world):
    """The turn goes on without."""
    events = await world.ask("why?", assistant=world.assistant(["So."], retriever=NoDocumentation()))

    assert ["turn_started", "notice", "turn_finished"] == world.names(events)
    assert ("warning", "no_documentation") == (events[1].level, events[1].code)
    assert "the index is away" in events[1].message


async def test_documentation_can_be_left_out(world):
    """`--no-docs` searches nothing."""
    assistant = world.assistant(["So."], retriever=StaticRetriever(PASSAGE))

    assert ["turn_started", "turn_finished"] == world.names(
        await world.ask("why?", assistant=assistant, options={"no_docs": True})
    )


async def test_the_model_sees_workspace_history_and_attachments(world):
    """Files of the directory, what was said before, and what a person sent along."""
    (world.root / "main.tf").write_text("bucket = 7\n")
    (world.root / "notes.md").write_text("remember the milk")
    duties = world.duties(["First."], ["Second."])
    assistant = world.assistant(model=duties.model)
    await world.ask("one?", assistant=assistant)
    events = await world.ask(
        "two?",
        assistant=assistant,
        options={"files": ["notes.md"]},
        attachments=(Attachment("cell", "cell 3", "x = 1"), Attachment("file", "a.txt", "given text")),
    )
    seen = [message.content for message in duties.model.prompts[1].messages]

    assert ("one?", "First.") == tuple(seen[1:3])
    assert "bucket = 7" in seen[3]
    for expected in ("[cell cell 3]\nx = 1", "given text", "[file notes.md]\nremember the milk", "two?"):
        assert expected in seen[-1]
    assert "end" == events[-1].stop_reason


async def test_another_conversation_is_not_remembered(world):
    """What was said elsewhere stays there."""
    duties = world.duties(["First."], ["Second."])
    assistant = world.assistant(model=duties.model)
    await world.ask("one?", assistant=assistant)
    await world.ask("two?", assistant=assistant, conversation_id="other")

    assert "one?" not in repr(duties.model.prompts[1])


class Forgetful(MemoryJournal):
    """A journal that another process holds."""

    async def messages(self, conversation_id, limit=20, before=""):
        """Refuse."""
        message = f"another process holds {conversation_id} {limit} {before}"
        raise JournalUnavailable(message)


async def test_where_a_conversation_begins_the_journal_is_not_asked(world):
    """There is nothing to remember yet, so nothing is missed."""
    assistant = world.assistant(["One."], journal=Forgetful())
    events = await world.ask("one?", assistant=assistant, conversation_id="")

    assert "notice" not in [name_of(event) for event in events]


async def test_a_turn_goes_on_without_its_history(world):
    """A journal that cannot be read is a notice, not an end."""
    events = await world.ask("two?", assistant=world.assistant(["Two."], journal=Forgetful()))

    assert "no_history" == events[1].code
    assert "turn_finished" == name_of(events[-1])


async def test_what_was_left_out_is_said(world):
    """A person learns that the model did not see everything."""
    (world.root / "huge.tf").write_text("x" * 40_000)
    events = await world.ask("why?", assistant=world.assistant(["So."], context_tokens=4000))

    assert "huge.tf (over the token budget)" in world.only(events, Notice).message


async def test_a_directory_that_is_not_there_yet_can_be_asked_about(world):
    """`generate -o new` begins with an empty workspace."""
    events = await world.ask("a vpc", "generate", replies=[[WRITE], ["Done."]], directory="new")

    assert "main.tf" == world.only(events, ChangeSetProposed).files[0].path


async def test_a_directory_that_vanished_is_asked_about_without_its_files(world):
    """Somebody removed it in the meantime; the question is still answered."""
    duties = world.duties(["So."])
    turn = world.turn("why?")
    turn.directory = world.root / "gone"
    events = await collect(duties.answer(turn))

    assert [TextDelta("So."), TurnFinished("end")] == events


async def test_a_file_that_cannot_be_read_fails_the_turn_with_its_reason(world):
    """A person who names a file wants it read."""
    events = await world.ask("why?", options={"files": ["gone.tf"]}, replies=[["never"]])

    assert (TurnFailed, "internal") == (type(events[-1]), events[-1].code)
    assert "gone.tf" in events[-1].message


async def test_files_from_a_tool_are_proposed_and_nothing_is_written(world):
    """Proposed, approval asked for, the turn waits; the disk is as it was."""
    events = await world.ask("a vpc", "generate", replies=[[WRITE, Usage(1, 1)], ["Done.", Usage(1, 1)]])
    proposed, asked = world.only(events, ChangeSetProposed), world.only(events, ApprovalRequired)

    assert ("a network", ["main.tf"]) == (proposed.summary, [change.path for change in proposed.files])
    assert ("change_set", proposed.change_set_id) == (asked.kind, asked.subject_id)
    assert {"change_set": proposed.change_set_digest} == world.approvals.find(asked.approval_id).binding
    assert f"approve {asked.approval_id}" in "".join(each.text for each in events if isinstance(each, TextDelta))
    assert ("awaiting_approval", Usage(2, 2)) == (events[-1].stop_reason, events[-1].usage)
    assert [] == list(world.root.iterdir())


@pytest.mark.parametrize("text", [ENVELOPE, f"Here:\n```json\n{ENVELOPE}\n```\nEnjoy.", f"Use {{x}}. {ENVELOPE}"])
async def test_files_in_the_text_are_proposed_too(world, text):
    """A model that calls no tools writes them into its answer; it is not asked again."""
    events = await world.ask("a vpc", "generate", replies=[[text], ["never"]])

    assert ["turn_started", "tool_started", "tool_finished", "change_set_proposed", "approval_required"] == (
        world.names(events)[:-1]
    )
    assert "never" not in repr(events)


async def test_only_the_last_draft_is_proposed(world):
    """Repairs before it are no proposals of their own."""
    better = calls("write_files", files=[{"path": "main.tf", "content": "a = 2\n"}], summary="better")
    events = await world.ask("a vpc", "generate", replies=[[WRITE], [better], ["Done."]])

    assert "+a = 2" in world.only(events, ChangeSetProposed).files[0].diff


@pytest.mark.parametrize(
    "text", ["I would use a module.", ENVELOPE[:-9], ENVELOPE.replace("]", ', {"path": "main.tf", "content": ""}]')]
)
async def test_a_model_that_proposes_nothing_is_asked_once_more(world, text):
    """No files, cut JSON or a path that comes twice: one reminder, told to the model only."""
    duties = world.duties([text, Usage(1, 1)], [WRITE, Usage(1, 1)], ["Done.", Usage(1, 1)])
    assistant = world.assistant(model=duties.model, retriever=StaticRetriever(PASSAGE))
    events = await world.ask("a vpc", "generate", assistant=assistant)

    assert "a vpc\n\nYou proposed no files." in duties.model.prompts[1].messages[-1].content
    assert (1, Usage(3, 3)) == (world.names(events).count("passages_found"), events[-1].usage)
    assert ["main.tf"] == [change.path for change in world.only(events, ChangeSetProposed).files]


async def test_nothing_proposed_twice_is_a_failure_that_says_so(world):
    """`generate` without files is not done."""
    events = await world.ask("a vpc", "generate", replies=[["No."], ["No!"]])

    assert (TurnFailed, "model_error") == (type(events[-1]), events[-1].code)
    assert "no files were proposed" in events[-1].message


async def test_an_answer_that_was_cut_is_not_asked_for_again(world):
    """A model without room has no more the second time."""
    events = await world.ask("a vpc", "generate", assistant=world.assistant([calls("write_files")], max_steps=1))

    assert ["turn_started", "tool_started", "tool_finished", "turn_finished"] == world.names(events)
    assert "max_steps" == events[-1].stop_reason


async def test_files_that_are_already_so_are_a_notice(world):
    """Nothing is asked for that would change nothing."""
    (world.root / "main.tf").write_text("a = 1\n")
    events = await world.ask("a vpc", "generate", replies=[[WRITE], ["Done."]])

    assert "nothing_changes" == world.only(events, Notice).code
    assert "end" == events[-1].stop_reason


async def test_an_answer_may_propose_files(world):
    """`ask` that turns out to need a change proposes it."""
    events = await world.ask("fix it", replies=[[WRITE], ["Fixed."]])

    assert "a network" == world.only(events, ChangeSetProposed).summary
    assert "awaiting_approval" == events[-1].stop_reason


async def test_a_finding_is_explained_and_a_repair_proposed(world):
    """The rule's finding comes first, then the model's words and files."""
    duties = world.duties([WRITE], ["It is a cycle."])
    events = await world.ask("Error: Cycle", "diagnose", assistant=world.assistant(model=duties.model))

    assert "diagnosis" == next(each for each in events if isinstance(each, ToolFinished)).data["result"]
    assert "Error: Cycle\n\nFinding:\ncycle: a and b" in duties.model.prompts[0].messages[-1].content
    assert "a network" == world.only(events, ChangeSetProposed).summary
    assert "awaiting_approval" == events[-1].stop_reason


async def test_a_finding_stands_when_the_model_is_broken(world):
    """What was found by rule does not depend on a model."""
    events = await world.ask("Error: Cycle", "diagnose", replies=[[ModelRefused("no key")]])

    assert ["turn_started", "tool_started", "tool_finished", "notice", "turn_finished"] == world.names(events)
    assert "not explained further: no key" == world.only(events, Notice).message
    assert "end" == events[-1].stop_reason


async def test_without_a_finding_no_model_is_asked(world):
    """There is nothing to explain."""
    events = await world.ask("", "diagnose", replies=[["never"]])

    assert ["turn_started", "tool_started", "tool_finished", "turn_finished"] == world.names(events)
    assert "error" == world.only(events, ToolFinished).outcome


async def test_what_terraform_printed_is_diagnosed_from_a_file(world):
    """`--plan FILE` and attachments are read before the text."""
    (world.root / "out.txt").write_text("Error: Cycle\n")
    attached = (Attachment("cell", text="from a cell"), Attachment("text"))
    assistant = world.assistant(["So."])
    events = await world.ask("", "diagnose", assistant=assistant, options={"plan": "out.txt"}, attachments=attached)

    assert {"text": "from a cell\nError: Cycle\n"} == next(
        event.arguments for event in events if name_of(event) == "tool_started"
    )


async def test_a_command_runs_its_tool_with_its_own_options(world):
    """No model is asked; the turn's directory and free text are not confused with arguments."""

    async def terraform_plan(turn: Turn, *, destroy: bool = False) -> ToolResult:
        """Plan."""
        return ToolResult(f"{turn.directory.name} {destroy}")

    async def sql(turn: Turn, query: str) -> ToolResult:
        """Query."""
        del turn
        return ToolResult(query)

    assistant = world.assistant(["never"], tools=(terraform_plan, sql))
    planned = await world.ask("", "plan", assistant=assistant, options={"destroy": True, "quiet": True})
    queried = await world.ask("SELECT 1", "sql", assistant=assistant)

    assert ("work True", "SELECT 1") == (
        world.only(planned, ToolFinished).summary,
        world.only(queried, ToolFinished).summary,
    )
    assert "never" not in repr((planned, queried))


async def test_what_a_command_drafts_is_proposed(world):
    """`fmt` proposes formatted files like everybody else."""

    async def terraform_fmt(turn: Turn) -> ToolResult:
        """Format."""
        turn.draft["main.tf"] = "a = 1\n"
        return ToolResult("1 file formatted")

    events = await world.ask("", "fmt", assistant=world.assistant(tools=(terraform_fmt,)))

    assert ["change_set_proposed", "approval_required", "turn_finished"] == world.names(events)[-3:]
