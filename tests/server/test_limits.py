"""Places and rates, without a server."""

import asyncio

import pytest

from tfai_jupyter.core.errors import Busy
from tfai_jupyter.server.limits import Places, Rates


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self):
        """Tell the time."""
        return self.now


def test_a_burst_passes_and_then_the_rate_holds():
    """Twenty at once, then one each tenth of a second; the wait that is told is exact."""
    clock = Clock()
    rates = Rates(10, 20, clock)
    for _ in range(20):
        rates.admit("ada")

    with pytest.raises(Busy) as refused:
        rates.admit("ada")
    clock.now = refused.value.retry_after_seconds
    rates.admit("ada")

    assert 0.1 == pytest.approx(clock.now)
    with pytest.raises(Busy):
        rates.admit("ada")


def test_one_person_does_not_use_up_anothers_rate():
    """Each principal has a bucket of its own, and idle ones are forgotten."""
    clock = Clock()
    rates = Rates(1, 1, clock)
    rates.admit("ada")
    rates.admit("grace")
    with pytest.raises(Busy):
        rates.admit("ada")

    clock.now = 100.0
    for number in range(3000):
        rates.admit(f"stranger {number}")

    assert "grace" not in rates._full  # noqa: SLF001 - that memory is bounded cannot be seen from outside


async def test_who_waits_gets_a_place_as_soon_as_one_is_free():
    """The queue is served; who finds it full is refused at once."""
    places, order = Places(1, 1, seconds=5), []

    async def work(name, seconds):
        async with places.taken():
            order.append(name)
            await asyncio.sleep(seconds)

    first = asyncio.create_task(work("first", 0.05))
    await asyncio.sleep(0)
    second = asyncio.create_task(work("second", 0))
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await work("third", 0)
    await asyncio.gather(first, second)

    assert ["first", "second"] == order


async def test_who_waits_too_long_is_refused():
    """Nobody waits for ever, and the place is not lost."""
    places = Places(1, 5, seconds=0.05)
    async with places.taken():
        with pytest.raises(Busy) as refused:
            async with places.taken():
                pass

    async with places.taken():
        assert 0.05 == refused.value.retry_after_seconds
