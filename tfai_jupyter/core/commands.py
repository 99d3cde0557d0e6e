"""The command table: one grammar for /slash in the panel, %tfai in a cell, `tfai` in a shell.

A command is a tool that a person calls: its options are the tool's arguments. `ask`, `generate` and
`diagnose` go to the model, `approve`, `deny` and `apply` to approvals.
"""

from __future__ import annotations

import difflib
import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from .errors import UsageError
from .messages import Json
from .turns import Face, Question

Kind = Literal["text", "flag", "number", "list"]


@dataclass(frozen=True, slots=True)
class Option:
    """An option or, without flags, a positional argument; `name` is the tool's argument."""

    name: str
    help: str
    flags: tuple[str, ...] = ()
    kind: Kind = "text"
    choices: tuple[str, ...] = ()

    @property
    def usage(self) -> str:
        """Show it as in a synopsis."""
        word = "|".join(self.choices) or self.name.upper()
        return f"[{word}]" if not self.flags else f"[{self.flags[0]}{'' if self.kind == 'flag' else ' ' + word}]"


@dataclass(frozen=True, slots=True)
class Command:
    """A command: what it does, the tool behind it, its options; `text` names free text it takes."""

    name: str
    summary: str
    tool: str = ""
    options: tuple[Option, ...] = ()
    text: str = ""

    @property
    def usage(self) -> str:
        """Show the synopsis."""
        words = [self.name, *([self.text] if self.text else []), *(option.usage for option in self.options)]
        return " ".join(words)

    @property
    def arguments(self) -> frozenset[str]:
        """The options that are the tool's arguments, not the turn's."""
        return frozenset(option.name for option in self.options) - {DIRECTORY.name, CONVERSATION.name}


@dataclass(frozen=True, slots=True)
class Invocation:
    """A command as somebody wrote it: options by name, free text, and how to show the result."""

    command: Command
    options: Mapping[str, Json] = field(default_factory=dict)
    text: str = ""

    def question(self, directory: str = "", conversation_id: str = "", face: Face = "cli") -> Question:
        """Make the question for an assistant; `directory` is where the face stands below the root."""
        given = {name: value for name, value in self.options.items() if name not in {each.name for each in SHARED}}
        place, conversation = given.pop(DIRECTORY.name, ""), given.pop(CONVERSATION.name, conversation_id)
        return Question(
            self.text,
            self.command.name,
            given,
            posixpath.normpath(posixpath.join(directory, str(place))) if place else directory,
            str(conversation),
            face=face,
        )


DIRECTORY = Option("directory", "directory with the configuration", ("-d", "--dir"))
CONVERSATION = Option("conversation", "conversation to go on with", ("-c", "--conversation"))
SHARED = (
    Option("plain", "deterministic text only", ("--plain",), "flag"),
    Option("json", "the result as one JSON document", ("--json",), "flag"),
    Option("quiet", "nothing but errors", ("--quiet",), "flag"),
)
_NO_INIT = Option("no_init", "fail rather than run init", ("--no-init",), "flag")

COMMANDS: tuple[Command, ...] = (
    Command(
        "ask",
        "answers with workspace context, history, passages and tools",
        options=(
            DIRECTORY,
            CONVERSATION,
            Option("files", "send this file along", ("--file",), "list"),
            Option("no_docs", "search no documentation", ("--no-docs",), "flag"),
        ),
        text="TEXT",
    ),
    Command(
        "generate",
        "proposes files as a change set, validated and repaired",
        options=(Option("directory", "where the files go", ("-o", "--out", "-d", "--dir")), CONVERSATION),
        text="TEXT",
    ),
    Command(
        "diagnose",
        "finds the root cause of a failure",
        "diagnose",
        (DIRECTORY, CONVERSATION, Option("plan", "file with what Terraform printed", ("-p", "--plan"))),
        "[TEXT]",
    ),
    Command("init", "prepares a directory", "terraform_init", (DIRECTORY,)),
    Command("validate", "checks the configuration", "terraform_validate", (DIRECTORY, _NO_INIT)),
    Command("fmt", "proposes formatted files as a change set", "terraform_fmt", (DIRECTORY,)),
    Command(
        "plan",
        "shows and saves what would change",
        "terraform_plan",
        (
            DIRECTORY,
            Option("destroy", "plan to destroy everything", ("--destroy",), "flag"),
            Option("var_files", "variables file", ("--var-file",), "list"),
            Option("refresh_only", "only bring the state up to date", ("--refresh-only",), "flag"),
            _NO_INIT,
        ),
    ),
    Command("drift", "shows what changed outside Terraform", "terraform_drift", (DIRECTORY, _NO_INIT)),
    Command(
        "apply",
        "asks for approval of a saved plan or change set, then applies it",
        options=(Option("id", "plan or change set; the newest plan if left out"), DIRECTORY),
    ),
    Command("output", "shows output values", "terraform_output", (DIRECTORY,)),
    Command(
        "state",
        "shows what Terraform knows to exist, secrets masked",
        "terraform_state",
        (
            Option("subcommand", "list or show", choices=("list", "show")),
            Option("address", "resource address to show"),
            DIRECTORY,
        ),
    ),
    Command(
        "approve",
        "gives an approval and carries it out",
        options=(
            Option("id", "approval"),
            Option("confirm", "the phrase that was asked for", ("--confirm",)),
            Option("files", "take only this file of a change set", ("--file",), "list"),
        ),
    ),
    Command(
        "deny",
        "refuses an approval",
        options=(Option("id", "approval"), Option("reason", "why", ("--reason",))),
    ),
    Command("changes", "shows pending and applied change sets", "changes"),
    Command("undo", "puts back what a change set replaced", "undo", (Option("change_set_id", "the last if left out"),)),
    Command("files", "lists a directory", "files", (Option("dir", "directory"), DIRECTORY)),
    Command(
        "scaffold",
        "proposes a starter module",
        "scaffold",
        (
            Option("dir", "new module's directory"),
            Option("description", "what it is for", ("--description",)),
            DIRECTORY,
        ),
    ),
    Command("history", "shows past turns", "history", (Option("limit", "how many", ("-n", "--limit"), "number"),)),
    Command(
        "usage",
        "shows turns and tokens",
        "usage",
        (Option("by", "group by", ("--by",), choices=("day", "model", "tool", "user")),),
    ),
    Command("sql", "runs a read-only query over the journal", "sql", text="QUERY"),
    Command("status", "shows what works and what does not", "status"),
    Command("config", "shows every setting and where it comes from", "config"),
    Command("doctor", "checks everything and says what to do", "doctor", (DIRECTORY,)),
    Command("help", "shows commands, or one command's options", "help", text="[COMMAND]"),
    Command("version", "shows versions", "version"),
)

BY_NAME: dict[str, Command] = {command.name: command for command in COMMANDS}


_HELP = frozenset(("-h", "--help"))
_QUOTED_WORD = re.compile(r"""(?:"[^"]*"|'[^']*'|\S)+""")


LONGEST_LINE = 8192
"""Characters of a line whose quotes are read."""


def split(line: str) -> list[str]:
    """Split a line as a shell would, but leave free text as it is written: quotes in SQL have a meaning.

    A stray quote (what's) splits at spaces only, and so does a line no person writes: shlex takes minutes for a MiB.
    """
    if len(line) > LONGEST_LINE:
        return line.split()
    command = BY_NAME.get((line.split(maxsplit=1) or [""])[0])
    if command is None or not command.text:
        return _unquoted(line)
    words = _QUOTED_WORD.findall(line)
    valued = {flag for flag, option in _flags(command).items() if option.kind != "flag"}
    free = {index for index in range(1, len(words)) if words[index][0] != "-" and words[index - 1] not in valued}
    verbatim = free if len(free) > 1 else set()
    return [word if index in verbatim else " ".join(_unquoted(word)) for index, word in enumerate(words)]


def parse(words: Sequence[str], body: str = "") -> Invocation:
    """Read a command line; `body` is a cell's. Raises UsageError with a suggestion."""
    name = words[0] if words else "ask" if body.strip() else "help"
    if name in _HELP:
        return Invocation(BY_NAME["help"])
    if name not in BY_NAME:
        message = f"unknown command {name!r}{_suggestion(name, BY_NAME)}; `help` lists them all"
        raise UsageError(message)
    command = BY_NAME[name]
    if _HELP & set(words[1:2] if command.text else words):  # free text may speak of --help
        return Invocation(BY_NAME["help"], text=name)
    options, positional = _read(command, iter(words[1:]))
    if command.text:
        return Invocation(command, options, "\n".join(filter(None, (" ".join(positional), body.strip("\n")))))
    if body.strip():
        message = f"{name} takes no text; usage: {command.usage}"
        raise UsageError(message)
    return Invocation(command, options | _placed(command, positional))


def _read(command: Command, words: Iterator[str]) -> tuple[dict[str, Json], list[str]]:
    flags = _flags(command)
    options: dict[str, Json] = {}
    positional: list[str] = []
    for word in words:
        flag, equals, value = word.partition("=")
        if word == "--":
            positional += words
        elif flag not in flags:
            _refuse_option(command, word, flags)
            positional.append(word)
        elif flags[flag].kind == "flag":
            if equals:  # `--destroy=false` must not destroy
                message = f"{flag} takes no value; leave it out to say no"
                raise UsageError(message)
            options[flags[flag].name] = True
        else:
            _set(options, flags[flag], value if equals else next(words, None), flag)
    return options, positional


def _flags(command: Command) -> dict[str, Option]:
    return {flag: option for option in (*command.options, *SHARED) for flag in option.flags}


def _unquoted(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()


def _set(options: dict[str, Json], option: Option, value: str | None, flag: str) -> None:
    if value is None:
        message = f"{flag} needs a value: {option.help}"
        raise UsageError(message)
    if option.kind == "list":
        given = options.get(option.name)
        options[option.name] = [*(given if isinstance(given, list) else []), value]
    else:
        options[option.name] = _typed(option, value, flag)


def _typed(option: Option, value: str, flag: str) -> Json:
    if option.choices and value not in option.choices:
        message = (
            f"{flag} must be one of {', '.join(option.choices)}, not {value!r}{_suggestion(value, option.choices)}"
        )
        raise UsageError(message)
    if option.kind != "number":
        return value
    if not value.isdecimal():
        message = f"{flag} must be a number, not {value!r}"
        raise UsageError(message)
    return int(value)


def _placed(command: Command, words: Sequence[str]) -> dict[str, Json]:
    places = [option for option in command.options if not option.flags]
    if len(words) > len(places):
        message = f"{command.name} does not take {words[len(places)]!r}; usage: {command.usage}"
        raise UsageError(message)
    return {place.name: _typed(place, word, command.name) for place, word in zip(places, words, strict=False)}


def _refuse_option(command: Command, word: str, flags: Mapping[str, Option]) -> None:
    if word.startswith("-") and not command.text:
        message = f"{command.name} has no option {word!r}{_suggestion(word, flags)}; usage: {command.usage}"
        raise UsageError(message)


def _suggestion(word: str, known: Mapping[str, object] | Sequence[str]) -> str:
    close = difflib.get_close_matches(word, list(known), 1)
    return f", did you mean {close[0]!r}?" if close else ""
