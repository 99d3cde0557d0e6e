"""The console script `tfai`: the same commands in a shell, with exit codes for scripts.

Results and text go to stdout, everything else to stderr. 0 done, 1 failed, 2 usage, 3 approval
needed or denied, 130 interrupted.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Sequence

from tfai_jupyter.core.commands import BY_NAME, Invocation, parse
from tfai_jupyter.core.errors import Invalid, SettingsError, TfaiError, WrongPhrase
from tfai_jupyter.core.events import TurnFinished
from tfai_jupyter.core.outcome import Outcome
from tfai_jupyter.notebook.display import Display, form_of, problem_of
from tfai_jupyter.notebook.session import Session

FAILED, USAGE, UNAPPROVED, INTERRUPTED = 1, 2, 3, 130
_SYNONYMS = {"-h": "help", "--help": "help", "-V": "version", "--version": "version"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command line and return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    words[:1] = [_SYNONYMS.get(word, word) for word in words[:1]]
    try:
        return _carry_out(parse(words, _piped(words)))
    except TfaiError as error:
        sys.stderr.write(f"tfai: {error}\n")
        return _code(error)
    except KeyboardInterrupt:
        sys.stderr.write("tfai: interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:  # whoever read us has seen enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        sys.stderr.write(f"tfai: {error}\n")
        return FAILED


def _carry_out(invocation: Invocation) -> int:
    display = Display(sys.stdout, sys.stderr, form_of(invocation.options))
    session = Session("cli", os.environ, {}, lambda line: main(line.split()))
    try:
        outcome = session.ask(invocation, display.show)
        result = display.finish(outcome)
        problem = problem_of(outcome)
        display.tell(result, problem)
        sys.stdout.flush()
    finally:
        session.close()
    if problem:
        sys.stderr.write(f"tfai: {problem}\n")
    return INTERRUPTED if _is_cancelled(outcome) else outcome.exit_code


def _piped(words: Sequence[str]) -> str:
    """Read what was piped or redirected into a command that takes text; a bare `tfai` never waits."""
    command = BY_NAME.get(words[0]) if words else None
    if command is None or not command.text or command.name == "help" or sys.stdin is None:
        return ""
    mode = os.fstat(sys.stdin.fileno()).st_mode
    return sys.stdin.read() if stat.S_ISFIFO(mode) or stat.S_ISREG(mode) else ""


def _code(error: TfaiError) -> int:
    if isinstance(error, WrongPhrase):
        return UNAPPROVED
    return USAGE if isinstance(error, Invalid) and not isinstance(error, SettingsError) else FAILED


def _is_cancelled(outcome: Outcome) -> bool:
    return isinstance(outcome.last, TurnFinished) and outcome.last.stop_reason == "cancelled"
