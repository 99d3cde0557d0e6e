"""A generator in a task of its own, that can be stopped from outside."""

import asyncio
import gc

import pytest

from tfai_jupyter.core.pipe import BOUND, Pipe


class Source:
    """Counts up; tells how far it came and how it ended."""

    def __init__(self, count=3, *, pause=None, error=None):
        """Count to `count`; wait at `pause`, raise `error` at the end."""
        self.count, self.pause, self.error = count, pause, error
        self.made, self.ended = 0, ""

    async def __call__(self):
        """Yield numbers."""
        try:
            for number in range(self.count):
                if number == self.pause:
                    await asyncio.Event().wait()
                self.made += 1
                yield number
            self.end()
            self.ended = "done"
        except BaseException as error:
            await asyncio.sleep(0)  # cleaning up takes a moment
            self.ended = type(error).__name__
            raise

    def end(self):
        """Break, if that is how it ends."""
        if self.error:
            raise self.error


async def read(pipe, got=None):
    """Return all items; `got` has them also when an error comes."""
    got = [] if got is None else got
    async for item in pipe:
        got.append(item)
    return got


async def test_items_come_in_order_and_the_end_ends():
    """What the source yields is what the reader gets."""
    source = Source()
    pipe = Pipe(source())

    assert [0, 1, 2] == await read(pipe)
    assert ("done", "") == (source.ended, pipe.reason)


async def test_an_error_comes_after_the_items_before_it():
    """The reader loses nothing that was made."""
    pipe, got = Pipe(Source(2, error=ValueError("broken"))()), []
    with pytest.raises(ValueError, match="broken"):
        await read(pipe, got)

    assert [0, 1] == got


async def test_a_slow_reader_holds_the_source_up():
    """No more than the bound waits, however fast the source is; then all of it comes."""
    source = Source(1000)
    pipe = Pipe(source())
    items, made = aiter(pipe), []
    for _ in range(3):
        for _ in range(200):
            await asyncio.sleep(0)
        made.append(source.made)
        await anext(items)

    assert BOUND == made[0]
    assert BOUND + 2 >= made[2]
    assert list(range(3, 1000)) == [item async for item in items]


async def test_stop_ends_the_source_and_keeps_what_was_made():
    """The reader gets the items before the stop, then the end without an error; `reason` says why."""
    source = Source(5, pause=2)
    pipe = Pipe(source(), name="turn 7")
    await asyncio.sleep(0.01)
    stopped, again = pipe.stop("timeout"), pipe.stop("cancelled")

    assert [0, 1] == await read(pipe)
    assert ("CancelledError", "timeout", True, False) == (source.ended, pipe.reason, stopped, again)


async def test_stop_frees_a_reader_that_waits():
    """Nobody waits for a stopped source."""
    pipe = Pipe(Source(5, pause=0)())
    waiting = asyncio.create_task(read(pipe))
    await asyncio.sleep(0.01)
    pipe.stop("cancelled")

    assert [] == await asyncio.wait_for(waiting, 1)


async def test_what_has_ended_cannot_be_stopped():
    """A late stop changes nothing."""
    pipe = Pipe(Source()())
    await read(pipe)

    assert (False, "") == (pipe.stop("timeout"), pipe.reason)


async def test_a_source_that_turns_the_stop_into_an_error_counts_as_stopped():
    """A library that wraps cancellation in its own error does not make a cancelled turn a failed one."""

    async def wrapping():
        yield 1
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            message = "connection lost"
            raise OSError(message) from None

    pipe = Pipe(wrapping())
    await asyncio.sleep(0.01)
    pipe.stop("cancelled")

    assert [1] == await read(pipe)


async def test_closing_waits_until_the_source_has_cleaned_up():
    """After `aclose` nothing of it runs any more, also when it was held up by a slow reader."""
    for source in (Source(5, pause=2), Source(1000), Source(3)):
        pipe = Pipe(source())
        await asyncio.sleep(0.01)
        await pipe.aclose()

        assert source.ended in {"CancelledError", "GeneratorExit", "done"}


async def test_a_reader_that_leaves_breaks_nothing():
    """An error that nobody reads is not complained about when the pipe is forgotten."""
    complaints = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    pipe = Pipe(Source(2, error=ValueError("broken"))())
    async for _ in pipe:
        await asyncio.sleep(0.05)  # meanwhile it breaks
        break
    await pipe.aclose()
    del pipe
    await asyncio.sleep(0.05)  # lets go of the iterator too
    gc.collect()

    assert [] == complaints


async def test_the_readers_own_cancellation_stays_its_own():
    """A reader that is cancelled while it waits leaves the source running until the pipe is closed."""
    source = Source(5, pause=1)
    pipe = Pipe(source())
    reader = asyncio.create_task(read(pipe))
    await asyncio.sleep(0.01)
    reader.cancel()
    await asyncio.wait({reader})

    assert (True, "", "") == (reader.cancelled(), source.ended, pipe.reason)
    await pipe.aclose()
    assert "CancelledError" == source.ended
