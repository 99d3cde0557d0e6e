"""The values that a configuration itself calls sensitive, read from its files before Terraform speaks.

Terraform's errors may quote them, and then there is no plan that would flag them. A reader of
literals, not of the language: what is computed is found in the plan instead. Reads only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from .configuration import files_of, module_directories, text_of
from .suspects import is_secret_name, suspects
from .values import texts

_VARIABLE = re.compile(r'^[ \t]*variable[ \t]+"([^"\n]+)"[ \t]*\{', re.MULTILINE)
_SENSITIVE = re.compile(r"\b(sensitive|ephemeral)[ \t]*=[ \t]*true\b")
_DEFAULT = re.compile(r"\bdefault[ \t]*=[ \t]*")
_STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
_HEREDOC = re.compile(r"<<-?(\w+)\n(.*?)\n[ \t]*\1\b", re.DOTALL)
# Begins only where a name begins and gives nothing back: a long run of letters must cost no more than its length.
_ASSIGNED = re.compile(r'(?<![\w-])([\w-]++)"?[ \t]*+[=:][ \t]*+"((?:[^"\\\n$]|\\.)*+)"')
_NUMBER = re.compile(r"\b\d{6,}\b")
_SCALAR = re.compile(r"[ \t]*([^\s,\]}]+)")


def sensitive_inputs(directory: Path, var_files: Iterable[Path] = (), env: Mapping[str, str] | None = None) -> set[str]:
    """Return the values given to sensitive variables: defaults, variable files, `TF_VAR_` variables."""
    found: set[str] = set()
    names: set[str] = set()
    for folder in module_directories(directory):
        for name, body in _variables(folder):
            if _SENSITIVE.search(body) or is_secret_name(name):
                names.add(name)
                found |= {text for match in _DEFAULT.finditer(body) for text in _literals(body[match.end() :])}
        found |= {text for path in files_of(folder) for text in _written(path)}
    for path in (*files_of(directory), *var_files):
        if path.name.endswith((".tfvars", ".tfvars.json")):
            found |= {*_given(path, names), *_written(path)}
    for name in names:
        value = (env or {}).get(f"TF_VAR_{name}", "")
        found |= {value, *_literals(value)}
    return found - {""}


def _written(path: Path) -> Iterator[str]:
    """Yield what is written in clear under the name of a secret, or has the shape of one."""
    for name, text in _ASSIGNED.findall(text_of(path)):
        yield from suspects({name: _unescaped(text)})


def _variables(directory: Path) -> Iterator[tuple[str, str]]:
    for path in files_of(directory):
        if path.name.endswith((".tf", ".tofu")):
            text = text_of(path)
            for match in _VARIABLE.finditer(text):
                yield match[1], _value(text[match.end() - 1 :])


def _given(path: Path, names: set[str]) -> Iterator[str]:
    text = text_of(path)
    if path.name.endswith(".json"):
        yield from _given_in_json(text, names)
        return
    for match in re.finditer(r"^[ \t]*\"?([\w-]+)\"?[ \t]*=[ \t]*", text, re.MULTILINE):
        if match[1] in names:
            yield from _literals(text[match.end() :])


def _given_in_json(text: str, names: set[str]) -> Iterator[str]:
    try:
        document = json.loads(text)
    except ValueError:
        return
    for name in names.intersection(document if isinstance(document, dict) else ()):
        yield from texts(document[name])


def _literals(text: str) -> Iterator[str]:
    """Yield the string literals, or the bare number, of the value that begins a text."""
    if heredoc := _HEREDOC.match(text):
        yield from texts(heredoc[2])
        return
    value = _value(text)
    strings = _STRING.findall(value) + [body for _, body in _HEREDOC.findall(value)]
    for string in strings:
        yield from texts(_unescaped(string))
    yield from _NUMBER.findall(_STRING.sub("", value))
    if not strings and (scalar := _SCALAR.match(value)):
        yield scalar[1]


def _value(text: str) -> str:
    """Return the value that begins a text: to the end of the line, or of the brackets opened on it."""
    depth = 0
    for match in re.finditer(r'"(?:[^"\\\n]|\\.)*"|[\[{(]|[\]})]|\n', text):
        piece = match[0]
        depth += (piece in "[{(") - (piece in "]})")
        if depth <= 0 and (piece == "\n" or piece in "]})"):
            return text[: match.end()]
    return text


def _unescaped(string: str) -> str:
    try:
        return str(json.loads(f'"{string}"'))
    except ValueError:
        return string
