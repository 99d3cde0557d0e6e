"""The one choke point: every text passes here on its way to model, journal, log or screen.

A value that any mark flags as sensitive is a secret wherever it appears, also encoded: Terraform's
own marks do not follow a value through outputs, strings and functions. Best effort is no boundary,
so approvals, the gate and file modes stand behind it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import is_dataclass, replace
from functools import cache
from typing import Any, Literal, TypeVar, get_origin, get_type_hints
from urllib.parse import quote

SHORTEST = 6
"""Shorter values are masked only where a mark sits: elsewhere they would blot out ordinary text."""

PLACEHOLDER = "[REDACTED:"

_COMMON = frozenset(("default", "password", "secret", "changeme", "example", "localhost", "disabled", "enabled"))
_PUBLIC_NAME = re.compile(
    r"(REGION|PROFILE|WORKSPACE|LOCATION|PROJECT|ENVIRONMENT|NAMESPACE|CONTEXT)S?$", re.IGNORECASE
)
_LONG_LINE = re.compile(r"\S{20,}")
_GO_JSON = str.maketrans({"<": r"\u003c", ">": r"\u003e", "&": r"\u0026"})  # what Go's encoder, so Terraform, writes

Value = TypeVar("Value")


class Redactor:
    """Knows the secrets of this process and masks them in texts, events and prompts."""

    def __init__(self, salt: bytes = b"") -> None:
        """Start with no secret; `salt` keys the four hex digits that let equal values be recognised."""
        self._salt = salt
        self._placeholders: dict[str, str] = {}
        self._sorted: list[str] = []
        self.longest = 0

    def learn(self, values: Iterable[str], name: str = "") -> None:
        """Treat values, and their encodings, as secret from now on; `name` stands in the placeholder.

        The long lines of a value are secrets too: a key shown indented is still the key.
        """
        for value in values:
            lines = (line.strip() for line in value.splitlines())
            for text in (value, value.strip(), *filter(_LONG_LINE.fullmatch, lines)):
                if len(text.strip()) >= SHORTEST and text.lower() not in _COMMON:
                    self._add(text, name or "value")

    def learn_environment(self, environment: Mapping[str, str]) -> None:
        """Treat a forwarded environment's values as secret, but for regions, profiles and the like."""
        for name, value in environment.items():
            if not _PUBLIC_NAME.search(name):
                self.learn([value], name)

    def redact(self, text: str) -> str:
        """Mask every known secret in a text."""
        parts, end = [], 0
        for first, last in self.spans(text):
            parts += [text[end:first], self._placeholders[text[first:last]]]
            end = last
        return "".join((*parts, text[end:]))

    def masked(self, value: Value) -> Value:
        """Mask every text inside a dataclass, tuple, list or mapping; the rest stays as it is."""
        return _walk(value, self) if self._placeholders else value

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where secrets stand: the leftmost first, of those that begin there the longest."""
        # Looking for each form by itself is many times faster than one pattern of hundreds of them.
        present = sorted((form for form in self._sorted if form in text), key=len, reverse=True)
        if present:
            yield from (match.span() for match in re.finditer("|".join(map(re.escape, present)), text))

    def may_begin(self, tail: str) -> bool:
        """Tell whether a text could be the beginning of a longer secret."""
        following = bisect_right(self._sorted, tail)
        return following < len(self._sorted) and self._sorted[following].startswith(tail)

    def _add(self, value: str, name: str) -> None:
        if value in self._placeholders:
            return
        digest = hashlib.sha256(self._salt + _bytes(value.strip())).hexdigest()[:4]
        for form in _forms(value) - self._placeholders.keys():
            self._placeholders[form] = f"{PLACEHOLDER}{name}#{digest}]"
            insort(self._sorted, form)
            self.longest = max(self.longest, len(form))


class TextStream:
    """Redacts a text that arrives in pieces; holds back only a tail that may begin a secret."""

    def __init__(self, redactor: Redactor) -> None:
        """Start with nothing held."""
        self._redactor = redactor
        self._held = ""

    def feed(self, text: str) -> str:
        """Take a piece, give what can be shown now."""
        self._held += text
        cut = self._cut()
        shown, self._held = self._held[:cut], self._held[cut:]
        return self._redactor.redact(shown)

    def close(self) -> str:
        """Give what is still held."""
        shown, self._held = self._held, ""
        return self._redactor.redact(shown)

    def _cut(self) -> int:
        text, redactor = self._held, self._redactor
        if not redactor.longest:
            return len(text)
        whole = list(redactor.spans(text))
        for start in range(max(0, len(text) - redactor.longest + 1), len(text)):
            if redactor.may_begin(text[start:]) and not any(first < start < last for first, last in whole):
                return start
        return len(text)


def _bytes(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")  # an environment may hold what is no UTF-8


def _forms(value: str) -> set[str]:
    """List how a value may be written: as it is, in JSON (ours, others', Go's), in a URL, in hex and base64."""
    raw, plain_json = _bytes(value), json.dumps(value, ensure_ascii=False)[1:-1]
    forms = {value, json.dumps(value)[1:-1], plain_json, plain_json.translate(_GO_JSON)}
    forms |= {quote(raw), quote(raw, safe=""), raw.hex()}
    forms |= {base64.b64encode(raw).decode().rstrip("="), base64.urlsafe_b64encode(raw).decode().rstrip("=")}
    return {form for form in forms if len(form) >= SHORTEST}


@cache
def _texts(kind: Any) -> tuple[str, ...]:  # noqa: ANN401 - a class, which hashes though its type does not say so
    """Name the fields that may hold somebody's text: a closed vocabulary (`role`, `outcome`) never does."""
    return tuple(name for name, hint in get_type_hints(kind).items() if get_origin(hint) is not Literal)


def _walk(value: Value, redactor: Redactor) -> Value:
    if isinstance(value, str):
        return redactor.redact(value)  # type: ignore[return-value] # a str stays a str
    if isinstance(value, tuple | list):
        return type(value)(_walk(item, redactor) for item in value)
    if isinstance(value, dict):
        return type(value)((_walk(key, redactor), _walk(item, redactor)) for key, item in value.items())
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{name: _walk(getattr(value, name), redactor) for name in _texts(type(value))})
    return value
