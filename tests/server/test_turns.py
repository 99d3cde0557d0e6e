"""Running turns in this process, with a scripted model: memory, readers, shutdown."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry

from tfai_jupyter.bootstrap import assemble
from tfai_jupyter.core.errors import Busy, Conflict, Invalid, NotFound, Unavailable
from tfai_jupyter.core.turns import Question
from tfai_jupyter.server.limits import Places
from tfai_jupyter.server.metrics import Metrics
from tfai_jupyter.server.turns import KEPT_BYTES, RunningTurns
from tfai_jupyter.settings import Settings
from tfai_jupyter.testing import ScriptedModel


@asynccontextmanager
async def turns_with(tmp_path, model, *, running=8, waiting=16, reconnect_seconds=30.0):
    """Put running turns together below a directory."""
    settings = Settings(home=tmp_path / "home", history_db="disabled", shutdown_seconds=1.0)
    (tmp_path / "root").mkdir(exist_ok=True)
    assembly = assemble(settings, tmp_path / "root", model=model)
    turns = RunningTurns(
        assembly.assistant,
        Places(running, waiting, seconds=0.2),
        Metrics(CollectorRegistry()),
        reconnect_seconds=reconnect_seconds,
        active=lambda: None,
    )
    yield turns
    async with asyncio.timeout(10):
        await turns.aclose(assembly.aclose)


async def test_a_refused_question_starts_no_turn(tmp_path):
    """What is refused at the door is raised to whoever asked; it counts as rejected."""
    async with turns_with(tmp_path, ScriptedModel()) as turns:
        with pytest.raises(Invalid):
            await turns.start(Question("  "))
        with pytest.raises(NotFound):
            await turns.cancel("nobody")


async def test_a_turn_ends_without_a_reader(tmp_path):
    """Nobody needs to read it: its frames are there when it is over."""
    async with turns_with(tmp_path, ScriptedModel(["Hello ", "there."])) as turns:
        turn = await turns.start(Question("hi"))
        await turn.over()

        assert [1, 2, 3, 4] == [frame.seq for frame in turn.after(0)]
        assert turn is turns.find(turn.id)
        with pytest.raises(Conflict):
            await turns.cancel(turn.id)


async def test_memory_of_a_turn_is_bounded(tmp_path):
    """Of a flood only the end is kept; a reader that is too far behind is told so."""
    async with turns_with(tmp_path, ScriptedModel(["x" * 100_000] * 100)) as turns:
        turn = await turns.start(Question("flood"))
        await turn.over()

        assert sum(len(frame.data) for frame in turn.after(0)) <= KEPT_BYTES
        assert not turn.keeps(0)
        assert turn.keeps(turn.after(0)[0].seq)
        with pytest.raises(NotFound):  # history is disabled here
            await turns.past(turn.id, 0)


async def test_an_approved_turn_is_not_stopped_for_want_of_readers(tmp_path):
    """What somebody approved goes on; a question does not."""
    async with turns_with(tmp_path, ScriptedModel(["a"] * 50, pause_seconds=0.05), reconnect_seconds=0.1) as turns:
        turn = await turns.start(Question("slowly"))
        with turns.reading(turn):
            pass
        await turn.over()

        assert b'"stop_reason":"cancelled"' in turn.after(0)[-1].data
        assert (await turns.start(Question("", "apply", {"id": "x"}))).is_committed


async def test_no_place_is_a_refusal_that_says_when_to_come_back(tmp_path):
    """With every place taken and nobody leaving, the next is Busy."""
    async with turns_with(tmp_path, ScriptedModel(["a"] * 99, pause_seconds=0.1), running=1, waiting=1) as turns:
        await turns.start(Question("first"))

        with pytest.raises(Busy):
            await turns.start(Question("second"))


async def test_a_shutdown_ends_every_turn_and_admits_none(tmp_path):
    """Running turns get their last event; who waits or comes later is told that it is too late."""
    model = ScriptedModel(["a"] * 99, pause_seconds=0.1)
    async with turns_with(tmp_path, model, running=1) as turns:
        turn = await turns.start(Question("first"))
        waiting = asyncio.create_task(turns.start(Question("second")))
        await asyncio.sleep(0.05)

    assert b"server_shutdown" in turn.after(0)[-1].data
    with pytest.raises((Unavailable, Busy)):
        await waiting
    with pytest.raises(Unavailable):
        await turns.start(Question("third"))
