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
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import TypeVar
from urllib.parse import quote

SHORTEST = 6
"""Shorter values are masked only where a mark sits: elsewhere they would blot out ordinary text."""

PLACEHOLDER = "[REDACTED:"

_COMMON = frozenset(("default", "password", "secret", "changeme", "example", "localhost", "disabled", "enabled"))
_PUBLIC_NAME = re.compile(r"(REGION|PROFILE|WORKSPACE|LOCATION|PROJECT|ENVIRONMENT|NAMESPACE|CONTEXT)S?$")

Value = TypeVar("Value")


class Redactor:
    """Knows the secrets of this process and masks them in texts, events and prompts."""

    def __init__(self, salt: bytes = b"") -> None:
        """Start with no secret; `salt` keys the four hex digits that let equal values be recognised."""
        self._salt = salt
        self._placeholders: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        self.longest = 0

    def learn(self, values: Iterable[str], name: str = "") -> None:
        """Treat values, and their encodings, as secret from now on; `name` stands in the placeholder."""
        for value in values:
            if len(value.strip()) >= SHORTEST and value.lower() not in _COMMON:
                self._add(value, name or "value")

    def learn_environment(self, environment: Mapping[str, str]) -> None:
        """Treat a forwarded environment's values as secret, but for regions, profiles and the like."""
        for name, value in environment.items():
            if not _PUBLIC_NAME.search(name):
                self.learn([value], name)

    def redact(self, text: str) -> str:
        """Mask every known secret in a text."""
        if not self._placeholders:
            return text
        return self._compiled().sub(lambda match: self._placeholders[match[0]], text)

    def masked(self, value: Value) -> Value:
        """Mask every text inside a dataclass, tuple, list or mapping; the rest stays as it is."""
        return _walk(value, self) if self._placeholders else value

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where secrets stand."""
        if self._placeholders:
            yield from (match.span() for match in self._compiled().finditer(text))

    def may_begin(self, tail: str) -> bool:
        """Tell whether a text could be the beginning of a longer secret."""
        return any(form.startswith(tail) and form != tail for form in self._placeholders)

    def _add(self, value: str, name: str) -> None:
        digest = hashlib.sha256(self._salt + value.encode()).hexdigest()[:4]
        for form in _forms(value):
            self._placeholders.setdefault(form, f"{PLACEHOLDER}{name}#{digest}]")
            self.longest = max(self.longest, len(form))
        self._pattern = None

    def _compiled(self) -> re.Pattern[str]:
        if self._pattern is None:
            longest_first = sorted(self._placeholders, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))
        return self._pattern


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
            inside = any(first < start < last for first, last in whole)
            if not inside and redactor.may_begin(text[start:]):
                return start
        return len(text)


def _forms(value: str) -> set[str]:
    raw = value.encode()
    forms = {value, quote(value, safe=""), json.dumps(value)[1:-1], raw.hex()}
    forms |= {base64.b64encode(raw).decode().rstrip("="), base64.urlsafe_b64encode(raw).decode().rstrip("=")}
    return {form for form in forms if len(form) >= SHORTEST}


def _walk(value: Value, redactor: Redactor) -> Value:
    if isinstance(value, str):
        return redactor.redact(value)  # type: ignore[return-value] # a str stays a str
    if isinstance(value, tuple | list):
        return type(value)(_walk(item, redactor) for item in value)
    if isinstance(value, dict):
        return type(value)((_walk(key, redactor), _walk(item, redactor)) for key, item in value.items())
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: _walk(getattr(value, each.name), redactor) for each in fields(value)})
    return value
