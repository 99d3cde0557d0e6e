"""Diagnostics of a run: collected from wherever Terraform said them, error_count, listed for a model. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from tfai_jupyter.core.messages import Json
from tfai_jupyter.core.plans import Diagnostic
from tfai_jupyter.core.protocols import TerraformRun
from tfai_jupyter.core.wire import to_json

from .printout import read_printout

_NEEDS_INIT = re.compile(r"\b(terraform|tofu) init\b")
_SHOWN = 20


def message_of(line: str) -> dict[str, Any]:
    """Return the JSON object in a line of a `-json` stream; empty when it is something else."""
    if not line.startswith("{"):
        return {}
    try:
        message = json.loads(line)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}


def diagnostics_of(run: TerraformRun) -> tuple[Diagnostic, ...]:
    """Return what a run complained of; one that failed always has an error."""
    found = read_printout(run.stdout) or read_printout(run.stderr)
    if run.outcome == "ok" or errors_of(found):
        return found
    if run.outcome == "timeout":
        reason = f"{run.arguments[0]} was ended after {run.duration_ms / 1000:.0f} s, its deadline"
    else:
        reason = run.stderr.strip()[-2000:] or f"{run.arguments[0]} ended with exit code {run.exit_code}"
    return (*found, Diagnostic("error", reason))


def errors_of(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return the errors only."""
    return tuple(each for each in diagnostics if each.severity == "error")


def needs_init(diagnostics: Iterable[Diagnostic]) -> bool:
    """Tell whether an error asks for `init`."""
    return any(_NEEDS_INIT.search(f"{each.summary} {each.detail}") for each in errors_of(diagnostics))


def listed(diagnostics: Iterable[Diagnostic]) -> str:
    """Say diagnostics for a model: one each, with its snippet; the first twenty."""
    every = tuple(diagnostics)
    lines = [f"{each}\n    {each.snippet}" if each.snippet else str(each) for each in every[:_SHOWN]]
    rest = len(every) - _SHOWN
    return "\n".join([*lines, f"and {rest} more"] if rest > 0 else lines)


def error_count(diagnostics: Iterable[Diagnostic]) -> str:
    """Say how many errors there are."""
    count = len(errors_of(diagnostics))
    return "1 error" if count == 1 else f"{count} errors"


def data_of(diagnostics: Iterable[Diagnostic]) -> list[Json]:
    """Return diagnostics as JSON."""
    return [to_json(each) for each in diagnostics]
