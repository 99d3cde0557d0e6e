"""The recorder: stamps, masks and journals what leaves a turn."""

import pytest

from tfai_jupyter.core.events import (
    ApprovalRequired,
    ApprovalResolved,
    Notice,
    TextDelta,
    ToolFinished,
    ToolProgress,
    ToolStarted,
    TurnFailed,
    TurnFinished,
    name_of,
)
from tfai_jupyter.core.messages import Usage
from tfai_jupyter.core.recorder import Recorder
from tfai_jupyter.core.redaction import Redactor
from tfai_jupyter.testing import MemoryJournal

ASKED = ApprovalRequired("a1", "change_set", "cs1", "none", "2026-01-01T00:00:00Z")


@pytest.fixture
def journal():
    """Make a journal in memory."""
    return MemoryJournal()


@pytest.fixture
def recorder(journal):
    """Make a recorder that knows one secret."""
    redactor = Redactor()
    redactor.learn(["swordfish"], "DB")
    return Recorder("t1", journal, redactor)


def record(recorder, *events, last=None):
    """Return what leaves of events and of an end."""
    last = last or TurnFinished("end")
    return [shown for event in events for shown in recorder.record(event)] + list(recorder.close(last))


def test_events_are_stamped_and_journalled_as_they_are_shown(recorder, journal):
    """Everybody sees the same: turn, count from one, time; nothing is shown that is not written down."""
    shown = record(recorder, Notice("info", "c", "x"), TextDelta("hello"), ToolProgress("c1", "y"))

    assert shown == journal.recorded
    assert [1, 2, 3, 4] == [event.seq for event in shown]
    assert {"t1"} == {event.turn_id for event in shown}
    assert sorted(event.at for event in shown) == [event.at for event in shown]


def test_text_that_may_begin_a_secret_waits(recorder):
    """What is held leaves before the next event of another kind, so the order stays."""
    shown = record(
        recorder, TextDelta("it is sword"), TextDelta("fish!"), TextDelta(" sword"), Notice("info", "c", "x")
    )

    assert "it is [REDACTED:DB#" == "".join(each.text for each in shown[:2])[:19]
    assert ["text_delta", "text_delta", "text_delta", "text_delta", "notice", "turn_finished"] == [
        name_of(event) for event in shown
    ]
    assert "swordfish" not in repr(shown)
    assert "sword" == shown[3].text


def test_held_text_leaves_at_the_end(recorder):
    """A turn that ends in the middle of a word loses none of it."""
    assert ["a ", "swor"] == [event.text for event in record(recorder, TextDelta("a swor"))[:-1]]


def test_an_empty_piece_is_no_event(recorder):
    """Nothing is numbered that shows nothing."""
    assert ["turn_finished"] == [name_of(event) for event in record(recorder, TextDelta(""))]


def test_every_event_is_masked(recorder):
    """Keys of arguments, summaries, names and reasons, and the last event too."""
    shown = record(
        recorder,
        ToolStarted("c1", "t", {"swordfish": ["swordfish"]}),
        ToolFinished("c1", "t", "ok", "swordfish", 1, {"swordfish": {"x": "swordfish"}}),
        ApprovalResolved("a1", "approve", "swordfish", "swordfish"),
        last=TurnFailed("model_error", "key swordfish refused"),
    )

    assert "swordfish" not in repr(shown)
    assert 8 == repr(shown).count("[REDACTED:DB#")


def test_tools_that_were_cut_off_are_finished(recorder):
    """Each start has its end, also when the turn was stopped."""
    shown = record(
        recorder,
        ToolStarted("c1", "plan", {}),
        ToolFinished("c1", "plan", "ok", "planned", 1),
        ToolStarted("c2", "apply", {}),
        TextDelta("swor"),
        last=TurnFinished("cancelled"),
    )

    assert ["tool_started", "text_delta", "tool_finished", "turn_finished"] == [name_of(event) for event in shown[-4:]]
    assert ("c2", "apply", "cancelled") == (shown[-2].call_id, shown[-2].tool, shown[-2].outcome)


@pytest.mark.parametrize(
    ("events", "last", "reason"),
    [
        ((), "end", "end"),
        ((ASKED,), "end", "awaiting_approval"),
        ((ASKED, ApprovalResolved("a1", "approve", "ann")), "end", "end"),
        ((ASKED,), "cancelled", "cancelled"),
        ((ASKED,), "truncated", "truncated"),
    ],
)
def test_a_turn_that_asks_for_consent_ends_awaiting_it(recorder, events, last, reason):
    """Only an ordinary end waits; an approval that was resolved in the turn does not."""
    assert reason == record(recorder, *events, last=TurnFinished(last))[-1].stop_reason


def test_the_end_says_how_long_it_took(recorder):
    """Time to the first piece of text and to the end; usage is kept."""
    last = record(recorder, TextDelta("a"), TextDelta("b"), last=TurnFinished("end", Usage(1, 2)))[-1]

    assert 0 <= last.first_token_ms <= last.duration_ms < 1000
    assert Usage(1, 2) == last.usage


def test_without_text_there_is_no_first_token(recorder):
    """None is not zero."""
    assert record(recorder)[-1].first_token_ms is None


def test_a_failure_keeps_its_code_and_message(recorder):
    """Nothing is added to a failed turn."""
    last = record(recorder, ASKED, last=TurnFailed("timeout", "too slow", retryable=True))[-1]

    assert ("timeout", "too slow", True) == (last.code, last.message, last.retryable)
