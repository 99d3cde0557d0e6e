"""The closed union of events."""

import json
from pathlib import Path
from typing import get_args

import pytest

from tfai_jupyter.core import events
from tfai_jupyter.core.messages import Usage

WRITTEN = json.loads((Path(__file__).parents[1] / "fixtures" / "events.json").read_text())


def test_every_event_has_its_name_on_the_wire():
    """No event is forgotten, and each name is the class's in small letters."""
    assert set(get_args(events.Event)) == set(events.EVENTS.values())
    assert "change_set_proposed" == events.name_of(events.ChangeSetProposed("c", (), "valid", "d"))


def test_names_are_those_of_the_contract():
    """Panels and dashboards rely on these thirteen names."""
    expected = (
        "turn_started text_delta passages_found tool_started tool_progress tool_finished change_set_proposed "
        "plan_ready approval_required approval_resolved notice turn_finished turn_failed"
    )

    assert expected.split() == list(events.EVENTS)


@pytest.mark.parametrize("name", events.EVENTS)
def test_every_event_survives_the_wire(name):
    """What SSE and journal carry as JSON text reads back as the same event."""
    for data in (each["data"] for each in WRITTEN if each["event"] == name):
        event = events.from_dict(name, data)

        assert name == events.name_of(event)
        assert data == json.loads(json.dumps(events.to_dict(event)))
        assert event == events.from_dict(name, data | {"unheard_of": 1})


def test_what_is_not_there_has_no_key():
    """An absent confirm phrase, cost or number is left out rather than null."""
    asked = events.ApprovalRequired("a1", "command", "c1", "none", "2026-01-01T00:00:00Z")

    assert "confirm_phrase" not in events.to_dict(asked)
    assert {"input_tokens": 0, "output_tokens": 0} == events.to_dict(events.TurnFinished("end"))["usage"]
    assert Usage() == events.from_dict("turn_finished", {"stop_reason": "end"}).usage


def test_an_unknown_name_is_refused():
    """A reader learns which name it does not know."""
    with pytest.raises(ValueError, match="unknown event 'teleported'"):
        events.from_dict("teleported", {})
