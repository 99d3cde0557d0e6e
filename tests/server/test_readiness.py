"""Readiness over parts that hang, break and recover, without a server."""

import asyncio

from tfai_jupyter.core.errors import Unavailable
from tfai_jupyter.doctor import Check
from tfai_jupyter.server import health
from tfai_jupyter.server.health import Readiness


class Parts:
    """Parts that are as the test says, and count how often they are looked at."""

    def __init__(self, *checks):
        """Take what is found."""
        self.checks, self.looks, self.error = checks, 0, None

    async def __call__(self):
        """Look."""
        self.looks += 1
        await asyncio.sleep(0)
        if self.error:
            raise self.error
        return self.checks or None


async def test_many_probes_are_one_look():
    """Probes at the same time, and those soon after, share what was found."""
    parts = Parts(Check("model", "ok"))
    readiness = Readiness(parts)

    answers = await asyncio.gather(*(readiness.answer(told=True) for _ in range(100)))

    assert 1 == parts.looks
    assert {(200, "ready")} == {(status, body["status"]) for status, body in answers}


async def test_the_worst_that_matters_decides():
    """What is required decides whether it is ready, what is not whether it is degraded."""
    table = {
        ("ok", True): (200, "ready"),
        ("disabled", False): (200, "ready"),
        ("degraded", True): (200, "degraded"),
        ("down", False): (200, "degraded"),
        ("down", True): (503, "unavailable"),
    }
    for (state, is_required), expected in table.items():
        status, body = await Readiness(Parts(Check("part", state, is_required))).answer(told=False)

        assert expected == (status, body["status"])


async def test_before_there_is_anything_it_starts():
    """Nothing to look at yet is 503 and `starting`, and is asked again at once."""
    parts = Parts()
    readiness = Readiness(parts)
    assert (503, "starting") == _of(await readiness.answer(told=True))

    parts.checks = (Check("model", "ok"),)

    assert (200, "ready") == _of(await readiness.answer(told=True))


async def test_a_failure_is_unavailable_and_its_reason_is_masked():
    """Whatever breaks is told in a sentence without addresses and paths, and not at all to strangers."""
    parts = Parts()
    parts.error = Unavailable("/home/ada/.tfai at http://10.0.0.7:6333 and db.example:5432 is broken")
    readiness = Readiness(parts)

    status, told = await readiness.answer(told=True)
    _, stranger = await readiness.answer(told=False)

    assert (503, "[...] at [...] and [...] is broken") == (status, told["error"])
    assert "error" not in stranger


async def test_a_look_that_hangs_does_not_hang_the_probe():
    """The probe answers that it starts; the look goes on and is found done by a later probe."""
    gate = asyncio.Event()

    async def slow():
        await gate.wait()
        return (Check("model", "ok"),)

    readiness = Readiness(slow, look_seconds=0.05)
    assert (503, "starting") == _of(await readiness.answer(told=True))

    gate.set()

    assert (200, "ready") == _of(await readiness.answer(told=True))
    assert health.LOOK_SECONDS < 6


def _of(answer):
    status, body = answer
    return status, body["status"]
