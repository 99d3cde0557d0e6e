"""Frozen dataclasses to JSON objects and back: the one form for wire, journal and vault."""

from __future__ import annotations

import types
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

Record = TypeVar("Record")


def to_json(value: Any) -> Any:  # noqa: ANN401 - the border between typed values and JSON
    """Turn a dataclass, tuple or mapping into JSON values; fields that are None are left out."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    form: Any = type(value)
    present = ((key, getattr(value, name)) for name, key in _keys(form))
    return {key: to_json(item) for key, item in present if item is not None}


def from_json(kind: type[Record], data: Any) -> Record:  # noqa: ANN401 - as above
    """Read what `to_json` wrote; unknown keys are ignored, so that an older reader survives."""
    form: Any = kind  # a class hashes, though its type does not say so
    hints = _hints(form)
    known = {name: _read(hints[name], data[key]) for name, key in _keys(form) if key in data}
    return kind(**known)


@cache
def _keys(kind: Any) -> tuple[tuple[str, str], ...]:  # noqa: ANN401 - as above
    """Pair each field with its JSON key; `metadata` renames one (`key`) or keeps it home (`wire`)."""
    kept = (field for field in fields(kind) if field.metadata.get("wire", True))
    return tuple((field.name, field.metadata.get("key", field.name)) for field in kept)


@cache
def _hints(kind: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    return get_type_hints(kind)


def _read(hint: Any, data: Any) -> Any:  # noqa: ANN401 - as above
    if is_dataclass(hint) and isinstance(hint, type):
        return from_json(hint, data)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType) and data is not None:
        return _read(next((part for part in arguments if is_dataclass(part)), Any), data)
    if origin is tuple:
        return tuple(_read(arguments[0], item) for item in data)
    if origin is Literal and data not in arguments:
        message = f"{data!r} is not one of {', '.join(map(repr, arguments))}"
        raise ValueError(message)
    return data
