"""How turns end before their time: cancelled, left, too late, shut down."""

import asyncio

import pytest

from tfai_jupyter.core.errors import (
    Conflict,
)
from tfai_jupyter.core.events import TextDelta, ToolFinished, ToolProgress, name_of
from tfai_jupyter.core.messages import ToolResult
from tfai_jupyter.core.turns import Question, Turn
from tfai_jupyter.testing import MemoryJournal, ScriptedModel, calls, collect


class Waiting:
    """A tool that waits until somebody ends it, and tells how it ended."""

    def __init__(self):
        """Start with nothing."""
        self.started, self.ended = asyncio.Event(), []

    async def wait(self, turn: Turn):
        """Wait for ever."""
        try:
            yield ToolProgress("", turn.id)
            self.started.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.ended.append("tool")
        yield ToolResult("never")


async def begun(world, **options):
    """Begin a turn that waits in a tool; return assistant, tool, the task that reads and what it read."""
    tool, read = Waiting(), []
    assistant = world.assistant(["Let me ", "see. ", calls("wait")], tools=(tool.wait,), **options)

    async def reading():
        async for event in assistant.ask(Question("go", conversation_id="talk", request_id="req7")):
            read.append(event)  # noqa: PERF401 - another task looks at it meanwhile

    task = asyncio.create_task(reading())
    await tool.started.wait()
    return assistant, tool, task, read


async def test_a_conversation_has_one_turn_at_a_time(world):
    """A second question is refused until the first has ended; other conversations go on."""
    assistant, _, task, read = await begun(world)
    with pytest.raises(Conflict, match="conversation talk is busy"):
        await world.ask("too soon", assistant=assistant)
    await world.ask("elsewhere", assistant=assistant, conversation_id="other")
    assistant.cancel(read[0].turn_id)
    await task

    assert "turn_finished" == name_of((await world.ask("now", assistant=assistant))[-1])


async def test_cancelling_keeps_what_was_written(world):
    """Partial text, the tool's end and exactly one last event; nothing of the turn runs on."""
    assistant, tool, task, read = await begun(world)

    assert (read[0].turn_id,) == assistant.running
    assert assistant.cancel(read[0].turn_id)
    await task
    assert "Let me see. " == "".join(event.text for event in read if isinstance(event, TextDelta))
    assert ["tool_started", "tool_progress", "tool_finished", "turn_finished"] == [name_of(each) for each in read[-4:]]
    assert ("cancelled", "cancelled") == (read[-2].outcome, read[-1].stop_reason)
    assert (["tool"], (), False) == (tool.ended, assistant.running, assistant.cancel(read[0].turn_id))
    assert read == world.journal.recorded


async def test_a_turn_can_be_cancelled_from_its_first_event(world):
    """A person who is quick is heard; the model is not even asked."""
    model = ScriptedModel(["never"])
    assistant = world.assistant(model=model)
    stream = assistant.ask(Question("go"))
    started = await anext(stream)

    assert assistant.cancel(started.turn_id)
    assert ["cancelled"] == [event.stop_reason for event in await collect(stream)]
    assert [] == model.prompts


async def test_nobody_cancels_what_does_not_run(world):
    """An id that is none is told apart."""
    assert not world.assistant().cancel("t7")


@pytest.mark.parametrize("leave", ["close", "cancel", "cancel twice"])
async def test_a_reader_that_leaves_ends_the_turn(world, leave):
    """Closing the stream early still records an end, frees the conversation and leaves nothing running."""
    tool = Waiting()
    assistant = world.assistant([calls("wait")], tools=(tool.wait,))
    stream = assistant.ask(Question("go", conversation_id="talk"))
    if leave == "close":
        while name_of(await anext(stream)) != "tool_progress":
            pass
        await stream.aclose()
    else:
        task = asyncio.create_task(collect(stream))
        await tool.started.wait()
        task.cancel()
        if leave == "cancel twice":
            await asyncio.sleep(0)
            task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
    last = world.journal.recorded[-1]

    assert ("turn_finished", "cancelled", ()) == (name_of(last), last.stop_reason, assistant.running)
    assert ["tool"] == tool.ended
    assert "turn_finished" == name_of((await world.ask("again", assistant=assistant))[-1])


async def test_leaving_before_the_first_event_leaves_no_trace(world):
    """A model that is slow to get ready can be left; there is no turn to end."""

    class Slow(ScriptedModel):
        async def prepare(self):
            await asyncio.sleep(60)

    assistant = world.assistant(model=Slow())
    task = asyncio.create_task(collect(assistant.ask(Question("go", conversation_id="talk"))))
    await asyncio.sleep(0.01)
    with pytest.raises(Conflict):
        await world.ask("too soon", assistant=assistant)
    task.cancel()
    await asyncio.wait({task})

    assert [] == world.journal.recorded
    assert "turn_finished" == name_of((await world.ask("now", assistant=world.assistant()))[-1])


async def test_a_slow_reader_that_leaves_ends_the_tool_too(world):
    """A source that was held up by its reader is closed from the inside out, before the stream is."""
    ended = []

    async def chatty(turn: Turn):
        """Talk without end."""
        try:
            for number in range(10_000):
                yield ToolProgress("", f"{turn.id} {number}")
        finally:
            await asyncio.sleep(0)
            ended.append("tool")

    stream = world.assistant([calls("chatty")], tools=(chatty,)).ask(Question("go"))
    while name_of(await anext(stream)) != "tool_progress":
        pass
    await asyncio.sleep(0.05)
    await stream.aclose()

    assert ["tool"] == ended


async def test_a_turn_that_takes_too_long_fails_with_a_timeout(world):
    """What was written stays, the tool is ended, and asking again may work."""
    _, tool, task, read = await begun(world, turn_seconds=0.2)
    await task

    assert ("timeout", True, "req7") == (read[-1].code, read[-1].retryable, read[-1].request_id)
    assert "longer than 0.2 s (TFAI_CHAT_TIMEOUT_SECONDS)" in read[-1].message
    assert ["tool"] == tool.ended
    assert "cancelled" == next(event for event in read if isinstance(event, ToolFinished)).outcome


async def test_a_command_has_all_the_time_it_needs(world):
    """The limit is the model's; Terraform has its own."""

    async def terraform_init(turn: Turn) -> ToolResult:
        """Take a moment."""
        await asyncio.sleep(0.2)
        return ToolResult(turn.id)

    events = await world.ask("", "init", assistant=world.assistant(tools=(terraform_init,), turn_seconds=0.05))

    assert ("turn_finished", "end") == (name_of(events[-1]), events[-1].stop_reason)


async def test_a_shutdown_ends_every_turn_and_closes_what_is_open(world):
    """Each reader gets its last event; model and journal are closed after that."""
    closed = []

    class Model(ScriptedModel):
        async def aclose(self):
            closed.append("model")

    class Journal(MemoryJournal):
        async def aclose(self):
            closed.append(("journal", name_of(self.recorded[-1])))

    tool, journal = Waiting(), Journal()
    assistant = world.assistant(model=Model([calls("wait")]), tools=(tool.wait,), journal=journal)
    task = asyncio.create_task(collect(assistant.ask(Question("go"))))
    await tool.started.wait()
    await assistant.aclose()
    events = await task

    assert ("server_shutdown", True) == (events[-1].code, events[-1].retryable)
    assert (["tool"], ["model", ("journal", "turn_failed")]) == (tool.ended, closed)
    assert "server_shutdown" == (await world.ask("late", assistant=assistant))[-1].code


async def test_a_shutdown_does_not_wait_for_a_reader_that_stalls(world):
    """A browser that stopped reading cannot keep a server alive."""
    assistant = world.assistant(["a", "b"])
    stream = assistant.ask(Question("go"))
    await anext(stream)
    await asyncio.wait_for(assistant.aclose(0.05), 1)

    assert "server_shutdown" == (await collect(stream))[-1].code
