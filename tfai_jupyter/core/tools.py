"""Tool: a Python function that a model or a person can call, its JSON schema from its signature.

    async def read_file(turn: Turn, path: str) -> ToolResult:
        '''Read a text file of the workspace.

        path: relative to the workspace
        '''

The first parameter is the turn; the others are the tool's arguments. A tool that tells of its
progress is an async generator: it yields events, and its ToolResult last.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

from .errors import Invalid
from .events import Event
from .messages import Json, ToolResult, ToolSpec
from .turns import Turn

Yield: TypeAlias = Event | ToolResult

_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}


@dataclass(frozen=True, slots=True)
class Tool:
    """A callable tool; only what is `offered` is shown to models, the rest serves commands."""

    spec: ToolSpec
    function: Callable[..., Any]
    offered: bool = True

    @classmethod
    def of(cls, function: Callable[..., Any], *, offered: bool = True) -> Tool:
        """Derive name, description and schema from a function; see the module's docstring."""
        hints, signature = get_type_hints(function), inspect.signature(function)
        summary, notes = _docstring(function)
        names = list(signature.parameters)[1:]
        properties: dict[str, Json] = {
            name: _schema(hints[name]) | ({"description": notes[name]} if name in notes else {}) for name in names
        }
        required: list[Json] = [name for name in names if signature.parameters[name].default is inspect.Parameter.empty]
        schema: dict[str, Json] = {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }
        return cls(ToolSpec(function.__name__, summary, schema), function, offered)

    async def run(self, turn: Turn, arguments: Mapping[str, Json]) -> AsyncGenerator[Yield, None]:
        """Check the arguments, run the function, yield its events and its result last; raises Invalid."""
        hints = get_type_hints(self.function)
        given = {name: value for name, value in arguments.items() if value is not None}  # null means left out
        check(given, self.spec.parameters, self.spec.name)
        values = {name: _value(hints[name], value) for name, value in given.items()}
        running = self.function(turn, **values)
        if inspect.isawaitable(running):
            yield await running
            return
        async with aclosing(running) as events:
            async for event in events:
                yield event


def check(value: Any, schema: Any, where: str) -> None:  # noqa: ANN401 - JSON from a model
    """Hold a JSON value against the part of JSON schema that `Tool.of` makes; raises Invalid."""
    if "enum" in schema:
        _demand(value in schema["enum"], where, f"one of {', '.join(map(str, schema['enum']))}", value)
        return
    match schema["type"]:
        case "object":
            _demand(isinstance(value, dict), where, "an object", value)
            _check_object(value, schema, where)
        case "array":
            _demand(isinstance(value, list | tuple), where, "an array", value)
            for index, item in enumerate(value):
                check(item, schema["items"], f"{where}[{index}]")
        case "string":
            _demand(isinstance(value, str), where, "a string", value)
        case "boolean":
            _demand(isinstance(value, bool), where, "true or false", value)
        case "integer":
            _demand(isinstance(value, int) and not isinstance(value, bool), where, "an integer", value)
        case _:
            _demand(isinstance(value, int | float) and not isinstance(value, bool), where, "a number", value)


def _check_object(value: dict[str, Any], schema: Any, where: str) -> None:  # noqa: ANN401 - as above
    known = schema["properties"]
    for name in value:
        if name not in known:
            message = f"{where} has no argument {name!r}; it takes {', '.join(known) or 'none'}"
            raise Invalid(message)
    for name in schema["required"]:
        if name not in value:
            message = f"{where} needs {name!r}"
            raise Invalid(message)
    for name, item in value.items():
        check(item, known[name], f"{where}.{name}")


def _demand(holds: bool, where: str, wanted: str, value: object) -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        message = f"{where} must be {wanted}, not {type(value).__name__} {str(value)[:40]!r}"
        raise Invalid(message)


def _schema(hint: Any) -> dict[str, Json]:  # noqa: ANN401 - a type
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return {"type": "string", "enum": list(arguments)}
    if origin in (tuple, list):
        return {"type": "array", "items": _schema(arguments[0])}
    if is_dataclass(hint) and isinstance(hint, type):
        hints = get_type_hints(hint)
        properties: dict[str, Json] = {each.name: _schema(hints[each.name]) for each in fields(hint)}
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }
    if origin in (Union, types.UnionType):
        return _schema(arguments[0])
    return {"type": _TYPES[hint]}


def _value(hint: Any, value: Any) -> Any:  # noqa: ANN401 - a checked JSON value, typed as the hint says
    if get_origin(hint) in (Union, types.UnionType):
        return _value(get_args(hint)[0], value)
    if get_origin(hint) in (tuple, list):
        return tuple(_value(get_args(hint)[0], item) for item in value)
    if is_dataclass(hint) and isinstance(hint, type):
        return hint(**value)
    return value


def _docstring(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    summary, _, rest = (inspect.getdoc(function) or "").partition("\n\n")
    lines = (line.partition(": ") for line in rest.splitlines())
    return summary, {name.strip(): text.strip() for name, colon, text in lines if colon and name.strip().isidentifier()}
