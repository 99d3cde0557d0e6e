"""JSON values as Terraform prints them, with the marks that stand beside: flatten, mask, collect.

A mark has the shape of its value, with `true` where the value, or all that is below, is meant.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeAlias

SENSITIVE = "(sensitive)"
UNKNOWN = "(known after apply)"
LONGEST_TEXT = 20_000
SHORTEST_LINE = 8

Place: TypeAlias = tuple[str, ...]


def leaves(value: Any, stops: frozenset[Place] = frozenset(), place: Place = ()) -> Iterator[tuple[Place, Any]]:  # noqa: ANN401 - JSON
    """Yield every scalar, empty collection, or value at one of `stops` with its place; nulls are absent."""
    if value is None:
        return
    items = None if place in stops else _items(value)
    if not items:
        yield place, value
        return
    for key, item in items:
        yield from leaves(item, stops, (*place, key))


def marked(marks: Any) -> frozenset[Place]:  # noqa: ANN401 - JSON
    """Return the places at which a mark is true."""
    return frozenset(place for place, value in leaves(marks) if value is True)


def is_below(place: Place, places: frozenset[Place]) -> bool:
    """Tell whether a place, or what it is part of, is one of `places`."""
    return any(place[:length] in places for length in range(len(place) + 1))


def masked(value: Any, marks: Any) -> Any:  # noqa: ANN401 - JSON
    """Return the value with everything marked replaced."""
    if marks is True:
        return SENSITIVE
    if isinstance(value, dict) and isinstance(marks, dict):
        return {key: masked(item, marks.get(key)) for key, item in value.items()}
    if isinstance(value, list) and isinstance(marks, list):
        padded = marks + [None] * (len(value) - len(marks))
        return [masked(item, mark) for item, mark in zip(value, padded, strict=False)]
    return value


def texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Yield every string and number of a value as text, and the longer lines of texts with several."""
    for _, leaf in leaves(value):
        if isinstance(leaf, bool | list | dict):
            continue
        text = leaf if isinstance(leaf, str) else json.dumps(leaf)
        yield text
        if "\n" in text:
            yield from (line.strip() for line in text.splitlines() if _is_telling(line.strip()))


def secrets(value: Any, marks: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Yield the texts of all that is marked."""
    if marks is True:
        yield from texts(value)
    elif isinstance(value, dict) and isinstance(marks, dict):
        for key, item in value.items():
            yield from secrets(item, marks.get(key))
    elif isinstance(value, list) and isinstance(marks, list):
        for item, mark in zip(value, marks, strict=False):
            yield from secrets(item, mark)


def text_of(value: Any) -> str:  # noqa: ANN401 - JSON
    """Return a value as a person reads it: a string as it is, the rest as JSON; very long ones are cut."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    rest = len(text) - LONGEST_TEXT
    return text if rest <= 0 else f"{text[:LONGEST_TEXT]}… ({rest} more characters)"


def name_of(place: Place) -> str:
    """Return a place as a dotted name."""
    return ".".join(place)


def _items(value: Any) -> list[tuple[str, Any]] | None:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return list(value.items())
    if isinstance(value, list):
        return [(str(index), item) for index, item in enumerate(value)]
    return None


def _is_telling(line: str) -> bool:
    return len(line) >= SHORTEST_LINE and not line.startswith("-----")
