"""Values that nobody marked and that are secrets all the same, by the name they bear or by their shape. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from . import values

_NAME = re.compile(
    r"(^|[_.-])(pass|password|passwd|passphrase|pwd|secret|token|credentials?|pin_code|"
    r"(api|access|secret|private|auth|account|encryption|signing|master|shared)_?keys?|"
    r"connection_?string|webhook_?url)(_(pem|openssh|base64|string|value|binary|wo))?$",
    re.IGNORECASE,
)
_SHAPES = (
    re.compile(r"-----BEGIN [A-Z0-9 ]*KEY-----.+?-----END [A-Z0-9 ]*KEY-----\n?", re.DOTALL),
    re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_\w{22,}\b|\bglpat-[\w-]{20,}"),
    re.compile(r"\bsk-[A-Za-z0-9_-]{20,}|\bxox[abprs]-[A-Za-z0-9-]{10,}|\bhvs\.[\w-]{20,}|\bAIza[\w-]{35}\b"),
    re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*"),
    # With a digit, or else every `token: required` of a description would do.
    re.compile(
        r"(?:passw(?:or)?d|pwd|secret|token|api_?key|AccountKey)\s*[=:]\s*[\"']?((?=[^\s\"';&,]*\d)[^\s\"';&,]{6,})",
        re.IGNORECASE,
    ),
    re.compile(r"://[^\s/:@]*:([^\s/@]{6,})@"),
)


def suspects(value: Any) -> frozenset[str]:  # noqa: ANN401 - JSON
    """Return the texts in a JSON value that look like secrets."""
    return frozenset(text for place, leaf in values.leaves(value) if isinstance(leaf, str) for text in _of(place, leaf))


def is_secret_name(name: str) -> bool:
    """Tell whether something of this name is a secret."""
    return bool(_NAME.search(name))


def _of(place: values.Place, text: str) -> Iterator[str]:
    if text and _is_named(place):
        yield from values.texts(text)
    for shape in _SHAPES:
        for match in shape.finditer(text):
            yield from values.texts(match[match.lastindex or 0])


def _is_named(place: values.Place) -> bool:
    """Tell whether the name nearest to a value, list positions aside, is that of a secret."""
    names = [name for name in place if not name.isdecimal()]
    # An output or a variable as JSON keeps its value one level below its name.
    if names[-1:] == ["value"] and len(names) > 1:
        names.pop()
    return bool(names) and is_secret_name(names[-1])
