"""Display: a turn as text, while it happens: words as they are written, tools and notices as lines.

Four forms: `stream` for a person, `plain` and `json` for what must be the same every time, `quiet`.
It writes to streams it is given and knows neither IPython nor a terminal.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TextIO

from tfai_jupyter.core.events import (
    ApprovalRequired,
    ApprovalResolved,
    Event,
    Notice,
    TextDelta,
    ToolFinished,
    ToolProgress,
    ToolStarted,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)
from tfai_jupyter.core.messages import Json
from tfai_jupyter.core.outcome import Outcome, Result
from tfai_jupyter.core.results import Answer

Form = Literal["stream", "plain", "json", "quiet"]

_MODELLED = ("ask", "generate", "diagnose")  # where a model chooses the tools, so that each is news
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # a model's text must not steer a terminal
_ID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b")


def form_of(options: Mapping[str, Json]) -> Form:
    """Return the form that a command's options ask for."""
    if options.get("json"):
        return "json"
    if options.get("plain"):
        return "plain"
    return "quiet" if options.get("quiet") else "stream"


def problem_of(outcome: Outcome) -> str:
    """Say in a sentence why a turn did not come to its end, or what its command failed with; empty if neither."""
    match outcome.last:
        case TurnFailed(message=message):
            return message
        case TurnFinished(stop_reason="cancelled"):
            return "cancelled; what was said until then is kept"
        case None:
            return "the turn was given up before its end"
        case _:
            return outcome.problems[0] if outcome.problems else ""


@dataclass(slots=True)
class Display:
    """Shows one turn: its text on `out`, notes on `notes`; `prompt` is how a person calls us."""

    out: TextIO
    notes: TextIO
    form: Form = "stream"
    prompt: str = "tfai"
    _is_inside: TextIO | None = None
    _waiting: str = ""
    _is_announced: bool = True

    def show(self, event: Event) -> None:
        """Show what a person wants to see of an event."""
        if self.form == "stream":
            self._tell(event)

    def finish(self, outcome: Outcome) -> Result:
        """End the last line, print the result where the form is for programs, and return it."""
        self._end_line()
        result = outcome.result()
        is_empty = isinstance(result, Answer) and not result.text
        if self.form == "stream" and isinstance(result, Answer):
            for number, passage in enumerate(result.passages, 1):
                self._write(self.out, f"[{number}] {passage.title} {passage.source}\n")
        if self.form == "plain" and not is_empty:
            self._write(self.out, plain(result) + "\n")
        if self.form == "json" and not (is_empty and problem_of(outcome)):
            self._write(self.out, json.dumps(result.to_dict(), indent=2, ensure_ascii=False) + "\n")
        return result

    def tell(self, result: Result, problem: str) -> None:
        """Write a failed command's result, where it says more than the problem that follows it."""
        if not self.has_told(result) and str(result) != problem:
            self._write(self.out, f"{result}\n")

    def has_told(self, result: Result) -> bool:
        """Tell whether all of a result has been written, so that a cell need not show it again."""
        return self.form != "stream" or isinstance(result, Answer)

    def note(self, text: str) -> None:
        """Write a line of its own beside the text."""
        self._end_line()
        self._write(self.notes, f"{text}\n")

    def _tell(self, event: Event) -> None:
        match event:
            case TextDelta(text=text):
                self._write(self.out, text)
            case TurnStarted(command=command):
                self._is_announced = command in _MODELLED
            case ToolStarted(tool=tool) if self._is_announced:
                self._end_line()
                self._write(self.notes, f"· {tool} … ")
                self._waiting = tool
            case ToolProgress(text=text):
                self._is_announced = True
                self.note(f"  {text}")
            case ToolFinished():
                self._tell_end(event)
            case Notice(message=message):
                self.note(f"· {message}")
            case ApprovalRequired() if event.kind != "change_set":  # the text says how to write files
                self.note(self._how_to_approve(event))
            case ApprovalResolved(decision="approve", by=by):
                self.note(f"· approved by {by}")
            case TurnFinished(stop_reason="max_steps"):
                self.note("· stopped: the turn used all its steps (TFAI_MAX_STEPS)")
            case TurnFinished(stop_reason="truncated"):
                self.note("· cut off: the answer is longer than MODEL_MAX_TOKENS admits")
            case _:
                pass

    def _tell_end(self, event: ToolFinished) -> None:
        """Complete the line that the tool's start began, or begin another when something came between."""
        ending = f"{event.outcome} {event.duration_ms / 1000:.1f} s"
        if event.outcome != "ok" and event.summary:
            ending += f": {event.summary}"
        if not self._is_announced:
            return  # a person named it, and it was done at once: the result, or the problem, says enough
        if self._waiting == event.tool:
            self._write(self.notes, f"{ending}\n")
            self._waiting = ""
        else:
            self.note(f"· {event.tool} {ending}")

    def _how_to_approve(self, event: ApprovalRequired) -> str:
        phrase = f" --confirm {shlex.quote(event.confirm_phrase)}" if event.confirm_phrase else ""
        return f"· to go on: {self.prompt} approve {event.approval_id}{phrase}"

    def _end_line(self) -> None:
        self._waiting = ""
        if self._is_inside:
            self._write(self._is_inside, "\n")

    def _write(self, stream: TextIO, text: str) -> None:
        """Write at once; another stream's unfinished line is ended first."""
        if self._is_inside and self._is_inside is not stream:
            self._end_line()
        shown = _CONTROLS.sub("", text)
        if shown:
            stream.write(shown)
            stream.flush()
            self._is_inside = None if shown.endswith("\n") else stream


def plain(result: Result) -> str:
    """Return a result's text without what differs from run to run: ids are masked."""
    return _ID.sub("<id>", str(result))
