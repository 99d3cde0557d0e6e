"""One turn from question to journal: who is let in, what is told, what a failure becomes."""

import asyncio

import pytest

from tfai_jupyter.core.errors import (
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    ModelError,
    ModelRefused,
    ModelTimeout,
    ModelUnavailable,
    NotFound,
    RateLimited,
    UsageError,
    WrongPhrase,
)
from tfai_jupyter.core.events import Notice, ToolFinished, TurnStarted, name_of
from tfai_jupyter.core.messages import ModelName, ToolResult
from tfai_jupyter.core.turns import Question, Turn
from tfai_jupyter.testing import MemoryJournal, ScriptedModel, calls, collect


async def test_the_first_event_says_who_asked_what(world):
    """Conversation, request, model, workspace and person are known from the beginning."""
    (world.root / "infra").mkdir()
    events = await world.ask(
        "why?", replies=[["So."]], directory="infra", user="ann", face="server", request_id="r7", parent_turn_id="t0"
    )
    expected = TurnStarted("talk", "r7", ModelName("scripted", "script"), "infra", "ask", "why?", "ann", "server", "t0")

    assert expected == type(expected)(**{name: getattr(events[0], name) for name in expected.__match_args__})
    assert events == world.journal.recorded


async def test_a_question_without_a_conversation_begins_one(world):
    """Each such turn has a conversation of its own, and a request id if none was given."""
    first, second = [(await world.ask("why?", conversation_id=""))[0] for _ in range(2)]

    assert first.conversation_id != second.conversation_id
    assert first.turn_id == first.request_id


@pytest.mark.parametrize(
    ("question", "error"),
    [
        (Question("  "), Invalid),
        (Question("", "generate"), Invalid),
        (Question("x", directory="../other"), Forbidden),
        (Question("x", directory="/etc"), Forbidden),
        (Question("x", "teleport"), UsageError),
        (Question("", "approve"), Invalid),
        (Question("", "approve", {"id": "a7"}), NotFound),
        (Question("", "deny", {"id": "a7"}), NotFound),
    ],
)
async def test_what_is_refused_at_the_door_leaves_no_trace(world, question, error):
    """No event, no record, no model call, and the conversation stays free."""
    model = ScriptedModel(["never"])
    assistant = world.assistant(model=model)
    for _ in range(2):
        with pytest.raises(error):
            await collect(assistant.ask(question))

    assert ([], [], ()) == (world.journal.recorded, model.prompts, assistant.running)


async def test_a_wrong_phrase_and_a_used_approval_are_refused_at_the_door(world):
    """The face shows why; the approval with the wrong phrase still waits."""
    asked = {"digest": "d", "binding": {}, "confirm_phrase": "yes do it"}
    approval = world.approvals.request(world.turn(), "command", "c1", **asked)
    with pytest.raises(WrongPhrase):
        await world.ask("", "approve", options={"id": approval.id, "confirm": "yes"})
    await world.ask("", "deny", options={"id": approval.id})
    with pytest.raises(Expired):
        await world.ask("", "approve", options={"id": approval.id, "confirm": "yes do it"})


async def test_a_conversation_is_free_before_its_last_event_is_shown(world):
    """Whoever sees the end can ask at once; finishing the first stream does not disturb the second turn."""
    assistant = world.assistant(["One."], ["Two."])
    first = assistant.ask(Question("one?", conversation_id="talk"))
    while name_of(await anext(first)) != "turn_finished":
        pass
    second = assistant.ask(Question("two?", conversation_id="talk"))
    await anext(second)
    await collect(first)
    with pytest.raises(Conflict):
        await world.ask("three?", assistant=assistant)

    assert "turn_finished" == name_of((await collect(second))[-1])


@pytest.mark.parametrize(
    ("error", "code", "retryable"),
    [
        (ModelUnavailable("no connection"), "model_unavailable", True),
        (ModelRefused("key refused"), "model_unavailable", False),
        (RateLimited("wait", 3), "rate_limited", True),
        (ModelTimeout("no token"), "timeout", True),
        (ModelError("odd reply"), "model_error", False),
        (NotFound("no such file"), "internal", False),
    ],
)
async def test_a_broken_model_fails_the_turn_with_a_code(world, error, code, retryable):
    """A program can tell what to do; a person reads the sentence; what was written stays."""
    events = await world.ask("why?", replies=[["Because ", error]], request_id="req7")

    assert ["turn_started", "text_delta", "turn_failed"] == [name_of(event) for event in events]
    assert (code, str(error), retryable, "req7") == (
        events[-1].code,
        events[-1].message,
        events[-1].retryable,
        events[-1].request_id,
    )


async def test_a_model_error_of_a_new_kind_is_a_model_error(world):
    """A code that the contract does not know never reaches a client."""

    class Moody(ModelError):
        code = "moody"

    assert "model_error" == (await world.ask("why?", replies=[[Moody("not today")]]))[-1].code


async def test_what_nobody_foresaw_is_logged_and_told_without_details(world, caplog):
    """The person is told that it was us; the message, which may hold anything, stays in the log."""
    events = await world.ask("why?", replies=[[KeyError("swordfish")]])

    assert ("internal", "something broke (KeyError); the log has the details") == (events[-1].code, events[-1].message)
    assert "swordfish" in caplog.text


async def test_history_that_is_not_kept_is_told_once(world):
    """One notice per reason, not one per turn."""
    journal = MemoryJournal("another process has the history; this turn is kept in a spool")
    assistant = world.assistant(journal=journal)
    turns = [await world.ask("why?", assistant=assistant) for _ in range(2)]
    journal.notice = "the disk is full"
    turns.append(await world.ask("why?", assistant=assistant))
    told = [[event.message for event in events if isinstance(event, Notice)] for events in turns]

    assert [["another process has the history; this turn is kept in a spool"], [], ["the disk is full"]] == told
    assert ["turn_started", "notice"] == [name_of(event) for event in turns[0][:2]]


async def test_what_outlived_its_process_is_told_in_the_first_turn(world):
    """An apply that ended while nobody was there is news once, whoever asks first."""
    asked = []

    async def look_back():
        asked.append("looked")
        return Notice("info", "applied", "plan7 was applied"), Notice("warning", "applied", "plan8 failed")

    assistant = world.assistant(look_back=look_back)
    first, second = [await world.ask("why?", assistant=assistant) for _ in range(2)]

    assert ["plan7 was applied", "plan8 failed"] == [event.message for event in first if isinstance(event, Notice)]
    assert "turn_started" == name_of(first[0])
    assert ["looked"] == asked
    assert not [event for event in second if isinstance(event, Notice)]


async def test_a_journal_that_hangs_does_not_hold_the_end_back(world):
    """The last event comes although the disk does not answer."""

    class Stuck(MemoryJournal):
        async def flush(self):
            await asyncio.Event().wait()

    events = await asyncio.wait_for(world.ask("why?", assistant=world.assistant(journal=Stuck())), 10)

    assert "turn_finished" == name_of(events[-1])


async def test_no_secret_of_the_environment_reaches_model_journal_or_screen(world):
    """What a notebook forwards is known before anything else happens."""
    (world.root / "main.tf").write_text('password = "swordfish-7"\n')

    async def leak(turn: Turn) -> ToolResult:
        """Say it."""
        return ToolResult(f"it is {turn.question.env['TF_VAR_db']}", data={"swordfish-7": ["swordfish-7"]})

    model = ScriptedModel(
        ["It is sword", "fish-7. ", calls("leak", what="swordfish-7")], [calls("leak")], ["swordfish-7"]
    )
    assistant = world.assistant(model=model, tools=(leak,))
    events = await world.ask("is it swordfish-7?", assistant=assistant, env={"TF_VAR_db": "swordfish-7"})

    assert "swordfish" not in repr((events, world.journal.recorded, model.prompts))
    assert "[REDACTED:TF_VAR_db#" in repr(model.prompts[0])
    assert "ok" == [event.outcome for event in events if isinstance(event, ToolFinished)][-1]


async def test_what_the_files_call_sensitive_is_known_before_the_model_sees_them(world):
    """A secret that stands in the configuration reaches neither the prompt nor an event."""
    (world.root / "main.tf").write_text('variable "pw" { default = "S3cret-in-a-file" }\n')

    async def secrets_of(directory):
        assert world.root == directory
        return {"S3cret-in-a-file"}

    model = ScriptedModel(["It is S3cret-in-a-file."])
    assistant = world.assistant(model=model, secrets_of=secrets_of)
    events = await collect(assistant.ask(Question("what is it?")))

    assert "S3cret-in-a-file" not in repr(model.prompts)
    assert "S3cret-in-a-file" not in repr(events)
