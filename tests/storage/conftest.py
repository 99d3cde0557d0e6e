"""What the journal's tests share: turns as the assistant emits them, and processes that append them."""

import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tfai_jupyter.core.changes import FileChange
from tfai_jupyter.core.events import (
    ApprovalRequired,
    ApprovalResolved,
    ChangeSetProposed,
    TextDelta,
    ToolFinished,
    ToolStarted,
    TurnFinished,
    TurnStarted,
)
from tfai_jupyter.core.messages import ModelName, Usage

PROCESS = """
import asyncio, os, sys
from dataclasses import replace
from pathlib import Path
from tfai_jupyter.core.events import TextDelta, TurnFinished, TurnStarted
from tfai_jupyter.core.ids import utc_now
from tfai_jupyter.core.messages import ModelName
from tfai_jupyter.storage.journal import DuckDBJournal

journal = DuckDBJournal(Path(sys.argv[1]))
turn = sys.argv[2]
count = 0

def emit(event):
    global count
    count += 1
    journal.append(replace(event, turn_id=turn, seq=count, at=utc_now()))

def start():
    emit(TurnStarted("c-" + turn, "r", ModelName("p", "m"), "", "ask", "why?", "ann", "cli"))

def say(text):
    emit(TextDelta(text))

def flush():
    asyncio.run(journal.flush())
    print("flushed", flush=True)

def wait():
    sys.stdin.readline()
"""


def stamped(turn_id, *events):
    """Return events numbered, with times a second apart."""
    times = (f"2026-01-01T00:00:{second:02}.000500Z" for second in range(len(events)))
    return [
        replace(event, turn_id=turn_id, seq=number, at=at)
        for number, (event, at) in enumerate(zip(events, times, strict=True), 1)
    ]


def started(conversation="c1", command="ask", question="why?"):
    """Begin a turn."""
    return TurnStarted(conversation, "req", ModelName("openai", "gpt"), "infra", command, question, "ann", "notebook")


def finished():
    """End a turn."""
    return TurnFinished("end", Usage(10, 5, None, 0.25), 1200, 300)


@pytest.fixture
def short_turn():
    """Return a function that makes the events of a turn without an answer."""
    return lambda turn_id, conversation="c1": stamped(turn_id, started(conversation), finished())


@pytest.fixture
def change_events():
    """Return the events of a turn that proposes, approves and writes a file."""
    files = [{"path": "main.tf", "action": "update", "sha256": "sha256:b"}]
    return stamped(
        "t-change",
        started(command="approve", question=""),
        ChangeSetProposed("cs1", (FileChange("main.tf", "update", "diff", "sha256:a", "sha256:b"),), "valid", "d"),
        ApprovalRequired("ap1", "change_set", "cs1", "none", "2026-01-01T00:15:00Z"),
        ApprovalResolved("ap1", "approve", "ann"),
        ToolStarted("call", "apply_change_set", {"a": 1}),
        ToolFinished(
            "call", "apply_change_set", "ok", "wrote", 7, {"change_set_id": "cs1", "done": "applied", "files": files}
        ),
        finished(),
    )


@pytest.fixture
def answer_events():
    """Return the events of a turn that answers in many pieces, some of them hard to store."""
    pieces = ("Use ", "a 'module'.", "\n\0", "é💥", "", " Done.")
    return stamped("t-answer", started(), *map(TextDelta, pieces), finished())


@pytest.fixture
def process():
    """Run a script as another process of the same journal; see PROCESS for what it has at hand."""

    @contextmanager
    def run(path, turn, script):
        program = [sys.executable, "-c", PROCESS + script, str(path), turn]
        root = str(Path(__file__).parents[2])
        with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root) as running:
            try:
                yield running
            finally:
                running.kill()

    return run
