"""The exception tree."""

import re

import pytest

from tfai_jupyter.core import errors

EVERY = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.TfaiError)]


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_every_failure_has_a_place_in_the_drawing(kind):
    """The module's docstring draws each one, and says the status it has."""
    line = next(line for line in errors.__doc__.splitlines() if re.search(rf"\b{kind.__name__}\b", line))
    drawn = re.search(r"  (\d\d\d)$", line)

    assert not drawn or kind.status == int(drawn[1])


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_every_failure_says_its_message_and_has_a_code(kind):
    """Whatever goes wrong, a person reads the sentence and a program the code."""
    assert "the disk is full" == str(kind("the disk is full"))
    assert re.fullmatch(r"[a-z_]+", kind.code)


def test_a_limit_says_when_to_come_back():
    """The number of seconds travels beside the message."""
    assert 7.5 == errors.Busy("wait", 7.5).retry_after_seconds
    assert 1.0 == errors.Busy("wait").retry_after_seconds
    assert 3 == errors.RateLimited("wait", 3).retry_after_seconds
    assert errors.RateLimited("wait").retry_after_seconds is None


def test_only_what_may_work_next_time_is_worth_a_retry():
    """A refused key stays refused; a broken line may mend."""
    retryable = {kind.__name__ for kind in EVERY if getattr(kind, "retryable", False)}

    assert {"ModelUnavailable", "RateLimited", "ModelTimeout"} == retryable
