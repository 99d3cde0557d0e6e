"""One JSON fixture of every event: written from Python's events, read by the panel's tests.

`TFAI_WRITE_FIXTURES=1 pytest tests/test_wire.py` writes it anew after an event has changed.
"""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import get_args

from tfai_jupyter.core.changes import FileChange
from tfai_jupyter.core.events import (
    ApprovalRequired,
    ApprovalResolved,
    ChangeSetProposed,
    Event,
    Notice,
    PassagesFound,
    PlanReady,
    TextDelta,
    ToolFinished,
    ToolProgress,
    ToolStarted,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    from_dict,
    name_of,
    to_dict,
)
from tfai_jupyter.core.messages import ModelName, Usage
from tfai_jupyter.core.plans import AttributeChange, PlanSummary, ResourceChange, Risk, RiskReason
from tfai_jupyter.core.results import Passage

FIXTURE = Path(__file__).parent / "fixtures" / "events.json"

SAMPLES = (
    TurnStarted("talk", "req-1", ModelName("openai", "gpt-4o"), "infra", "ask", "why?", "ann", "server", "t0"),
    TurnStarted("talk", "req-2", ModelName("offline", "rules"), "", "plan"),
    TextDelta("Hëllo\n"),
    PassagesFound((Passage("p1", "aws_vpc", "https://example.com", 0.9),)),
    ToolStarted("c1", "read_file", {"path": "main.tf", "deep": {"list": [1, 2.5, True, None]}}),
    ToolProgress("c1", "init"),
    ToolFinished("c1", "read_file", "ok", "read main.tf", 12, {"result": "report", "text": "x"}),
    ChangeSetProposed("cs1", (FileChange("a.tf", "create", "+x\n", "", "sha256:1"),), "valid", "sha256:2", "vpc"),
    PlanReady(
        "p1",
        "infra",
        PlanSummary(add=1, imported=2),
        Risk("high", (RiskReason("replace", "aws_vpc.a", "it has data"),)),
        (
            ResourceChange(
                "aws_vpc.a",
                "aws_vpc",
                "replace",
                "tainted",
                (AttributeChange("cidr", "a", None, forces_replacement=True),),
            ),
        ),
        "sha256:3",
        "sha256:4",
        {"url": "x"},
    ),
    ApprovalRequired("a1", "terraform_apply", "p1", "high", "2026-01-01T00:00:00Z", "destroy infra"),
    ApprovalResolved("a1", "deny", "ann", "too late"),
    Notice("warning", "no_documentation", "none"),
    TurnFinished("awaiting_approval", Usage(1, 2, 3, 0.5), 30, 4),
    TurnFailed("timeout", "too slow", retryable=True, request_id="req-1"),
)


def stamped():
    """Return every sample as the events of one turn."""
    stamps = ({"turn_id": "t1", "seq": seq, "at": f"2026-01-01T00:00:{seq:02}.000000Z"} for seq in range(1, 100))
    return [replace(sample, **stamp) for sample, stamp in zip(SAMPLES, stamps, strict=False)]


def test_there_is_a_sample_of_every_event():
    """Nobody can add an event without showing how it looks."""
    assert set(get_args(Event)) == {type(sample) for sample in SAMPLES}


def test_the_fixture_is_what_python_writes():
    """The panel's tests read exactly what the server sends."""
    written = [{"event": name_of(event), "data": to_dict(event)} for event in stamped()]
    if os.environ.get("TFAI_WRITE_FIXTURES"):
        FIXTURE.parent.mkdir(exist_ok=True)
        FIXTURE.write_text(json.dumps(written, indent=2) + "\n")

    assert json.loads(FIXTURE.read_text()) == json.loads(json.dumps(written))


def test_the_fixture_reads_back_as_the_events_it_was_made_of():
    """Nothing gets lost on the way."""
    assert stamped() == [from_dict(each["event"], each["data"]) for each in json.loads(FIXTURE.read_text())]
