"""The agent loop: stream, run tools, repeat."""

import asyncio
from pathlib import Path

import pytest

from tfai_jupyter.core.agent import run_turn
from tfai_jupyter.core.errors import Forbidden, ModelUnavailable, NotFound
from tfai_jupyter.core.events import TextDelta, ToolFinished, ToolProgress, ToolStarted, TurnFinished, name_of
from tfai_jupyter.core.messages import Message, Prompt, ToolCall, ToolResult, Truncated, Usage
from tfai_jupyter.core.tools import Tool
from tfai_jupyter.core.turns import Question, Turn
from tfai_jupyter.testing import ScriptedModel, calls, collect

PROMPT = Prompt((Message("system", "rules"), Message("user", "go")))


async def echo(turn: Turn, word: str) -> ToolResult:
    """Say a word."""
    del turn
    return ToolResult(f"you said {word}\nand no more", data={"word": word})


async def denied(turn: Turn) -> ToolResult:
    """Refuse."""
    del turn
    message = "outside the workspace"
    raise Forbidden(message)


async def missing(turn: Turn) -> ToolResult:
    """Find nothing."""
    del turn
    message = "there is no such file"
    raise NotFound(message)


async def broken(turn: Turn) -> ToolResult:
    """Break, with a secret in the message."""
    message = f"swordfish {turn.id}"
    raise KeyError(message)


async def silent(turn: Turn):
    """Tell of progress and give no result."""
    yield ToolProgress("its own", f"working for {turn.id}")


TOOLS = {tool.spec.name: tool for tool in map(Tool.of, (echo, denied, missing, broken, silent))}


async def run(*replies, **options):
    """Return a turn's events and the model that was asked."""
    model = ScriptedModel(*replies)
    turn = Turn("t1", Question("go"), Path())
    return await collect(run_turn(model, PROMPT, TOOLS, turn, **options)), model


async def test_text_comes_as_it_is_written():
    """Each piece is an event; the end has the tokens of the call."""
    events, model = await run(["Hello ", "world", Usage(10, 2)])

    assert [TextDelta("Hello "), TextDelta("world"), TurnFinished("end", Usage(10, 2))] == events
    assert [PROMPT] == model.prompts


async def test_a_tool_runs_and_the_model_reads_its_result():
    """Started, finished, and the result as a message that names the call."""
    events, model = await run(["Let me see. ", calls("echo", "c1", word="hi"), Usage(5, 1)], ["Done.", Usage(9, 1)])
    names = ["text_delta", "tool_started", "tool_finished", "text_delta", "turn_finished"]

    assert names == [name_of(event) for event in events]
    assert ToolStarted("c1", "echo", {"word": "hi"}) == events[1]
    assert ("ok", "you said hi", {"word": "hi"}) == (events[2].outcome, events[2].summary, events[2].data)
    assert Usage(14, 2) == events[-1].usage
    assert (
        *PROMPT.messages,
        Message("assistant", "Let me see. ", (calls("echo", "c1", word="hi"),)),
        Message("tool", "you said hi\nand no more", call_id="c1"),
    ) == model.prompts[1].messages


async def test_parallel_calls_run_in_order():
    """Several calls of one reply run one after another, and each result answers its call."""
    events, model = await run([calls("echo", "a", word="1"), calls("silent", "b"), calls("echo", "c", word="3")], ["."])
    seen = [(name_of(event), event.call_id) for event in events if hasattr(event, "call_id")]

    assert [
        ("tool_started", "a"),
        ("tool_finished", "a"),
        ("tool_started", "b"),
        ("tool_progress", "b"),
        ("tool_finished", "b"),
        ("tool_started", "c"),
        ("tool_finished", "c"),
    ] == seen
    assert ["a", "b", "c"] == [message.call_id for message in model.prompts[1].messages[3:]]


@pytest.mark.parametrize(
    ("call", "outcome", "told"),
    [
        (calls("teleport"), "error", "unknown tool 'teleport'; there are broken, denied, echo, missing, silent"),
        (calls("echo"), "error", "echo needs 'word'"),
        (calls("echo", word=3), "error", "echo.word must be a string"),
        (ToolCall("c", "echo", "{word"), "error", "the arguments of echo are not JSON"),
        (ToolCall("c", "echo", '["word"]'), "error", "the arguments of echo must be one JSON object"),
        (ToolCall("c", "echo", "[" * 100_000), "error", "the arguments of echo are not JSON"),
        (calls("denied"), "denied", "outside the workspace"),
        (calls("missing"), "error", "there is no such file"),
        (calls("broken"), "error", "broken broke (KeyError); this is our mistake"),
        (calls("silent"), "error", "the tool gave no result"),
    ],
)
async def test_every_failure_is_told_to_the_model(call, outcome, told):
    """Whatever goes wrong in a tool, the model reads why and the turn goes on."""
    events, model = await run([call], ["I see."])
    finished = next(event for event in events if isinstance(event, ToolFinished))

    assert outcome == finished.outcome
    assert told in model.prompts[1].messages[-1].content
    assert finished.summary
    assert TextDelta("I see.") == events[-2]
    assert "swordfish" not in repr(model.prompts)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("", {}),
        ("{word", {"unreadable": "{word"}),
        ("[1]", {"unreadable": "[1]"}),
        ("x" * 300, {"unreadable": "x" * 200}),
    ],
)
async def test_arguments_are_shown_as_the_model_gave_them(written, shown):
    """What cannot be read is shown cut, so that a person sees what the model tried."""
    events, _ = await run([ToolCall("c", "silent", written)], ["."])

    assert shown == events[0].arguments


async def test_the_loop_ends_after_the_last_step():
    """A model that never stops asking is stopped, with what it used."""
    asking = [calls("echo", word="again"), Usage(1, 1)]
    events, model = await run(asking, asking, asking, max_steps=2)

    assert (2, "max_steps", Usage(2, 2)) == (len(model.prompts), events[-1].stop_reason, events[-1].usage)


async def test_a_cut_reply_ends_the_turn_without_its_calls():
    """Arguments that may be cut off are not run."""
    events, _ = await run(["I will", calls("echo", word="half"), Truncated(), Usage(7, 100)])

    assert [TextDelta("I will"), TurnFinished("truncated", Usage(7, 100))] == events


async def test_an_error_of_the_model_ends_the_loop():
    """It is the caller's to say what that means; the text before it has left."""
    model, turn = ScriptedModel(["Hel", ModelUnavailable("gone")]), Turn("t1", Question("go"), Path())
    events = run_turn(model, PROMPT, TOOLS, turn)

    assert TextDelta("Hel") == await anext(events)
    with pytest.raises(ModelUnavailable):
        await anext(events)


@pytest.mark.parametrize("leaving", ["close", "cancel"])
async def test_leaving_ends_model_and_tool_before_going_on(leaving):
    """Nothing of the turn runs after its stream is closed or its task cancelled."""
    ended, started = [], asyncio.Event()

    async def waiting(turn: Turn):
        try:
            yield ToolProgress("", turn.id)
            started.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("tool")

    events = run_turn(
        ScriptedModel([calls("waiting")]), PROMPT, {"waiting": Tool.of(waiting)}, Turn("t", Question("go"), Path())
    )
    if leaving == "close":
        await anext(events)
        await anext(events)
        await events.aclose()
    else:
        task = asyncio.create_task(collect(events))
        await started.wait()
        task.cancel()
        await asyncio.wait({task})

    assert ["tool"] == ended
