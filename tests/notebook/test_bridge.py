"""The bridge: a synchronous reader of an asynchronous stream."""

import asyncio
import os
import signal
import threading
import time
from contextlib import closing

import pytest

from tfai_jupyter.notebook.bridge import Bridge, interrupts


@pytest.fixture
def bridge():
    """Give a bridge that is closed again."""
    bridge = Bridge()
    yield bridge
    bridge.close()


async def count(told, *, until=1_000_000, pause=0.0):
    """Yield numbers, telling which were made and that the end was reached."""
    try:
        for number in range(until):
            told.append(number)
            yield number
            await asyncio.sleep(pause)
    finally:
        told.append("closed")


def interrupt_soon(seconds=0.2):
    """Send this process a real SIGINT in a moment."""
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    return timer


def test_items_arrive_in_order_until_the_stream_ends(bridge):
    """A stream is read to its end, and its clean-up has run by then."""
    told = []

    assert [0, 1, 2] == list(bridge.iterate(count(told, until=3)))
    assert "closed" == told[-1]


def test_nothing_runs_ahead_of_its_reader(bridge):
    """The stream makes an item only when it is asked for one."""
    told = []
    with closing(bridge.iterate(count(told))) as items:
        next(items)
        time.sleep(0.1)

        assert [0] == told


def test_a_reader_that_leaves_early_closes_the_stream(bridge):
    """Leaving a loop ends the stream's work before the next statement runs."""
    told = []
    with closing(bridge.iterate(count(told))) as items:
        for number in items:
            if number == 2:
                break

    assert [0, 1, 2, "closed"] == told


def test_what_the_stream_raises_reaches_the_reader(bridge):
    """An error arrives after the items that came before it."""

    async def failing():
        yield 1
        message = "no more"
        raise ValueError(message)

    items = bridge.iterate(failing())
    assert 1 == next(items)
    with pytest.raises(ValueError, match="no more"):
        next(items)


def test_the_first_interrupt_stops_and_the_rest_still_arrives(bridge):
    """SIGINT asks the stream to stop; the reader gets what it still has to say."""
    stopped = asyncio.Event()

    async def stoppable():
        yield "begun"
        await stopped.wait()
        yield "the rest"

    def stop():
        bridge.call(stopped.set)
        return True

    timer = interrupt_soon()
    with interrupts(stop, signal.SIGINT), closing(bridge.iterate(stoppable())) as items:
        assert ["begun", "the rest"] == list(items)
    timer.join()


def test_a_second_interrupt_gives_up_at_once(bridge):
    """A stream that does not stop is left alone, and cancelled behind the reader's back."""
    told = []
    timers = [interrupt_soon(0.2), interrupt_soon(0.4)]
    started = time.monotonic()
    with (
        pytest.raises(KeyboardInterrupt),
        interrupts(lambda: True, signal.SIGINT),
        closing(bridge.iterate(count(told, pause=60))) as items,
    ):
        list(items)
    for timer in timers:
        timer.join()

    assert 3 > time.monotonic() - started
    bridge.run(asyncio.sleep(0.05))
    assert "closed" == told[-1]


def test_an_interrupt_that_cannot_be_served_raises(bridge):
    """Before there is anything to stop, SIGINT is an ordinary KeyboardInterrupt."""
    timer = interrupt_soon()
    with pytest.raises(KeyboardInterrupt), interrupts(lambda: False, signal.SIGINT):
        bridge.run(asyncio.sleep(60))
    timer.join()


def test_handlers_are_put_back():
    """After a stream, SIGINT means what it meant before; an ignored signal stays ignored."""
    before = signal.getsignal(signal.SIGINT)
    ignored = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interrupts(lambda: True, signal.SIGINT, signal.SIGHUP):
            assert signal.SIG_IGN == signal.getsignal(signal.SIGHUP)
            assert before != signal.getsignal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGHUP, ignored)

    assert before == signal.getsignal(signal.SIGINT)


def test_closing_leaves_no_thread_and_the_next_use_begins_anew():
    """A closed bridge has given its thread back, and can be used again."""
    bridge = Bridge()
    told = []
    abandoned = bridge.iterate(count(told, pause=60))
    next(abandoned)
    bridge.close()

    assert "closed" == told[-1]
    assert [] == [thread for thread in threading.enumerate() if thread.name == "tfai"]
    assert [0] == list(bridge.iterate(count([], until=1)))
    bridge.close()


def test_a_forked_child_starts_a_thread_of_its_own(bridge):
    """A bridge works in a child process although its thread did not come along."""
    assert [0] == list(bridge.iterate(count([], until=1)))
    pid = os.fork()
    if pid == 0:
        numbers = []
        try:
            numbers = list(bridge.iterate(count([], until=2)))
        finally:
            os._exit(0 if numbers == [0, 1] else 1)
    _, status = os.waitpid(pid, 0)

    assert 0 == os.waitstatus_to_exitcode(status)
