"""Token counts add up."""

import pytest

from tfai_jupyter.core.messages import Usage


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (Usage(1, 2), Usage(3, 4), Usage(4, 6)),
        (Usage(1, 2, 5, 0.5), Usage(3, 4), Usage(4, 6, 5, 0.5)),
        (Usage(1, 2), Usage(3, 4, 5, 0.5), Usage(4, 6, 5, 0.5)),
        (Usage(1, 2, 1, 0.25), Usage(3, 4, 5, 0.5), Usage(4, 6, 6, 0.75)),
        (Usage(0, 0, 0, 0.0), Usage(), Usage(0, 0, 0, 0.0)),
    ],
)
def test_usage_adds_up_and_what_is_unknown_stays_unknown(left, right, expected):
    """A cost is known when either side knows it; zero is known, None is not."""
    assert expected == left + right
