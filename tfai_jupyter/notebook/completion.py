"""Completion: what can stand next in a `%tfai` line: commands, options, their values, ids, paths."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tfai_jupyter.core.commands import BY_NAME, SHARED, Command, Option, split

_LINE = re.compile(r"(?:^|.*[\s=])%{1,2}tfai[ \t]+(?P<words>.*)")
_DIRECTORIES, _FILES = {"directory", "dir"}, {"files", "var_files", "plan"}
_IDS = {"approve": "approval", "deny": "approval", "undo": "change_set"}


def complete(line: str, ids: Mapping[str, Sequence[str]], directory: Path) -> tuple[str, list[str]] | None:
    """Return the word that is being typed and what it could become; None for a line that is not ours."""
    found = _LINE.fullmatch(line)
    if not found:
        return None
    before, _, token = found["words"].rpartition(" ")
    words = split(before)
    return token, sorted(text for text in _candidates(words, token, ids, directory) if text.startswith(token))


def _candidates(words: Sequence[str], token: str, ids: Mapping[str, Sequence[str]], directory: Path) -> Iterable[str]:
    if not words:
        return BY_NAME
    if words == ["help"]:
        return BY_NAME
    command = BY_NAME.get(words[0])
    if command is None:
        return ()
    flags = {flag: option for option in (*command.options, *SHARED) for flag in option.flags}
    waiting = flags.get(words[-1])
    if waiting and waiting.kind != "flag":
        return _values(waiting, token, directory)
    if token.startswith("-"):
        return flags
    place = _place(command, words[1:], flags)
    if place and place.name in ("id", "change_set_id"):
        return _known(command, ids)
    return _values(place, token, directory) if place else ()


def _place(command: Command, words: Sequence[str], flags: Mapping[str, Option]) -> Option | None:
    """Return the positional argument that comes next."""
    taken = 0
    for before, word in zip(("", *words), words, strict=False):
        value_of = flags.get(before)
        taken += word not in flags and not (value_of and value_of.kind != "flag")
    places = [option for option in command.options if not option.flags]
    return places[taken] if taken < len(places) else None


def _known(command: Command, ids: Mapping[str, Sequence[str]]) -> list[str]:
    kinds = [_IDS[command.name]] if command.name in _IDS else ["plan", "change_set"]
    return [each for kind in kinds for each in ids.get(kind, ())]


def _values(option: Option, token: str, directory: Path) -> Iterable[str]:
    if option.choices:
        return option.choices
    if option.name in _DIRECTORIES | _FILES:
        return _paths(token, directory, with_files=option.name in _FILES)
    return ()


def _paths(token: str, directory: Path, *, with_files: bool) -> Iterator[str]:
    """Yield what lies beside a half-typed path; directories end with a slash."""
    parent = token.rpartition("/")[0]
    prefix = f"{parent}/" if "/" in token else ""
    try:
        found = sorted((directory / prefix).iterdir())
    except OSError:
        return
    for path in found:
        if path.name.startswith(".") and not token.removeprefix(prefix).startswith("."):
            continue
        if path.is_dir():
            yield f"{prefix}{path.name}/"
        elif with_files:
            yield f"{prefix}{path.name}"
