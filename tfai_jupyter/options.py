"""Option: all that is known of one setting, told once, beside the field that holds its value.

    terraform_timeout_seconds: float = option(120.0, "deadline of a plan", low=1)
    openai_model: str = option("gpt-4o", "model of OpenAI", "model.openai.model")

From such a field come the environment name, the YAML key, the trait, the check and the documentation.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import Field, dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args, get_origin, get_type_hints

Value: TypeAlias = "str | int | float | bool | Path | None"

_TRUE, _FALSE = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+(?=@)")


@dataclass(frozen=True, slots=True)
class Option:
    """One setting: names, type, default, help, what it admits, and how strict we are about it.

    A `yaml` key is dotted, empty where a file cannot set it. A value that a `strict` option cannot
    use is an error; for the others it is a warning, and the next source is asked.
    """

    name: str
    env: str
    yaml: str
    kind: type
    default: Value
    help: str
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    secret: bool = False
    strict: bool = False
    existing: bool = False

    @property
    def wanted(self) -> str:
        """Say what a value must be, to follow "must be"."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        path = "the path of an existing file" if self.existing else "a path"
        noun = {int: "a whole number", float: "a number", bool: "true or false", Path: path}
        return noun.get(self.kind, "text") + self._range()

    def convert(self, given: object) -> Value:
        """Turn what a source gave into the option's type; raises ValueError that says what it must be."""
        value = self._read(given)
        if not self._admits(value):
            raise ValueError(self.wanted)
        return value

    def show(self, value: object) -> str:
        """Return a value as a person may see it: secrets as set or unset, no credentials in a URL."""
        if self.secret:
            return "unset" if value in ("", None) else "set"
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, float):
            return f"{value:g}"
        return "" if value is None else _CREDENTIALS.sub("***", str(value))

    def _read(self, given: object) -> Value:
        text = str(given).lower() if isinstance(given, bool) else str(given).strip()
        if isinstance(given, dict | list) or not text.isprintable():
            raise ValueError(self.wanted)
        if self.choices:
            return self._choose(text)
        if self.kind is bool:
            return self._choose_truth(text)
        if self.kind is Path:
            return expand(text)
        if self.kind is str:
            return text
        try:
            return int(text) if self.kind is int else float(text)
        except ValueError:
            raise ValueError(self.wanted) from None

    def _choose(self, text: str) -> str:
        if text.lower() not in self.choices:
            raise ValueError(self.wanted)
        return text.lower()

    def _choose_truth(self, text: str) -> bool:
        if text.lower() not in _TRUE | _FALSE:
            raise ValueError(self.wanted)
        return text.lower() in _TRUE

    def _admits(self, value: Value) -> bool:
        if isinstance(value, Path):
            return is_file(value) or not self.existing
        if not isinstance(value, int | float):
            return True
        low, high = self.low, self.high
        return math.isfinite(value) and (low is None or value >= low) and (high is None or value <= high)

    def _range(self) -> str:
        match self.low, self.high:
            case None, None:
                return ""
            case low, None:
                return f" from {low:g} up"
            case low, high:
                return f" from {low:g} to {high:g}"


def option(default: Value, text: str, yaml: str | None = None, **known: str | float | bool) -> Any:  # noqa: ANN401
    """Make a dataclass field of a default, a help text and any other field of `Option`.

    Without a `yaml` key the field `name` is `server.name` in YAML, and `TFAI_NAME` in the environment;
    with one it is `NAME` there, as it was in the predecessor; with an empty one a file cannot set it.
    """
    return field(default=default, metadata={"help": text, "yaml": yaml, **known})


def options_of(settings: type) -> tuple[Option, ...]:
    """Read the table of options off a dataclass whose fields are made by `option`."""
    hints = get_type_hints(settings)
    return tuple(_option(each, hints[each.name]) for each in fields(settings) if each.metadata)


def suggest(name: str, known: Iterable[str]) -> str:
    """Say which known name was meant, if one is near: a clause to append."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.75)
    return f" (did you mean {near[0]}?)" if near else ""


def expand(text: str) -> Path:
    """Return the path with the home directory for `~`; that of a user who does not exist stays as it is."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)


def is_file(path: Path) -> bool:
    """Say whether there is a file; a path that the system refuses names none."""
    try:
        return path.is_file()
    except OSError:
        return False


def document(options: Iterable[Option]) -> str:
    """Write the Markdown table of options, in sections as in the YAML file."""
    lines = [
        "# Settings",
        "",
        "A trait (`c.Tfai.NAME` in a Jupyter or IPython configuration file) beats the environment,",
        "which beats the YAML file, which beats the default.",
        "The YAML file is the one that `TFAI_CONFIG` names, else `~/.tfai/config.yaml`;",
        "one that merely lies in a workspace is never read.",
        "In it `version: 1` is the version of its form, and `${NAME}` stands for a variable of the environment.",
        "`tfai config` shows every value and where it came from.",
        "This page is made from the code by `make docs`.",
    ]
    section = None
    for each in options:
        heading = each.yaml.partition(".")[0] or "environment and traits only"
        if heading != section:
            section = heading
            lines += [
                "",
                f"## {section}",
                "",
                "| environment | YAML | trait | default | meaning |",
                "|---|---|---|---|---|",
            ]
        lines.append(_row(each))
    return "\n".join([*lines, ""])


def _row(each: Option) -> str:
    default = f"`{each.show(each.default)}`" if each.show(each.default) and not each.secret else ""
    yaml = f"`{each.yaml}`" if each.yaml else ""
    notes = [each.help]
    if each.choices or each.kind in (int, float):
        notes.append(each.wanted)
    if each.secret:
        notes.append("secret")
    return f"| `{each.env}` | {yaml} | `{each.name}` | {default} | {'; '.join(notes)} |"


def _option(each: Field[Any], hint: Any) -> Option:  # noqa: ANN401 - a type
    yaml, upper = each.metadata["yaml"], each.name.upper()
    names = {
        "yaml": f"server.{each.name}" if yaml is None else yaml,
        "env": upper if yaml else f"TFAI_{upper}",
    }
    known = {key: value for key, value in each.metadata.items() if key != "yaml"}
    choices = tuple(filter(None, get_args(hint))) if get_origin(hint) is Literal else ()
    default: Any = each.default
    return Option(name=each.name, default=default, kind=_kind(hint), choices=choices, **(names | known))


def _kind(hint: Any) -> type:  # noqa: ANN401 - a type
    if get_origin(hint) is Literal:
        return str
    kind: type = next((part for part in get_args(hint) if part is not type(None)), hint)
    return kind
