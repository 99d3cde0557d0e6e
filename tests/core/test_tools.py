"""Tools: schema from a signature, arguments checked against it, progress and result."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from tfai_jupyter.core.errors import Invalid
from tfai_jupyter.core.events import ToolProgress
from tfai_jupyter.core.messages import ToolResult
from tfai_jupyter.core.tools import Tool, check
from tfai_jupyter.core.turns import Question, Turn
from tfai_jupyter.testing import collect

TURN = Turn("t1", Question("go"), Path())


@dataclass(frozen=True)
class Spot:
    """A place in a file."""

    path: str
    line: int


async def everything(
    turn: Turn,
    name: str,
    *,
    count: int = 1,
    share: float = 0.5,
    loud: bool = False,
    kind: Literal["list", "show"] = "list",
    files: tuple[str, ...] = (),
    spots: list[Spot] | None = None,
) -> ToolResult:
    """Take every type.

    name: what to call it
    It has a sentence without a meaning: for the schema.
    nobody: is no argument
    """
    return ToolResult(repr((turn.id, name, count, share, loud, kind, files, spots)))


TOOL = Tool.of(everything)


def test_the_schema_comes_from_the_signature():
    """A model is told names, types, choices, defaults' absence and the notes of the docstring."""
    properties = TOOL.spec.parameters["properties"]

    assert ("everything", "Take every type.") == (TOOL.spec.name, TOOL.spec.description)
    assert {"type": "string", "description": "what to call it"} == properties["name"]
    assert ["integer", "number", "boolean"] == [properties[each]["type"] for each in ("count", "share", "loud")]
    assert {"type": "string", "enum": ["list", "show"]} == properties["kind"]
    assert {"type": "array", "items": {"type": "string"}} == properties["files"]
    assert "nobody" not in properties
    assert (["name"], False) == (TOOL.spec.parameters["required"], TOOL.spec.parameters["additionalProperties"])


def test_records_become_objects():
    """A list of dataclasses is an array of objects that need every field."""
    items = TOOL.spec.parameters["properties"]["spots"]["items"]

    assert {"path": {"type": "string"}, "line": {"type": "integer"}} == items["properties"]
    assert ["path", "line"] == items["required"]


def test_a_function_without_words_or_arguments_is_a_tool_too():
    """Nothing but the turn, no docstring: an empty object."""

    async def bare(turn: Turn) -> ToolResult:
        return ToolResult(turn.id)

    spec = Tool.of(bare, offered=False).spec

    assert ("bare", "", {}) == (spec.name, spec.description, spec.parameters["properties"])
    assert [ToolResult("t1")] == asyncio.run(collect(Tool.of(bare).run(TURN, {})))


async def test_arguments_arrive_typed():
    """Arrays come as tuples, objects as records, the rest as written; what is null was left out."""
    arguments = {"name": "n", "files": ["a", "b"], "share": 2, "kind": "show", "count": None}
    [result] = await collect(TOOL.run(TURN, arguments))

    assert "('t1', 'n', 1, 2, False, 'show', ('a', 'b'), None)" == result.content


async def test_a_list_of_records_arrives_as_records():
    """A tool reads `file.path`, not `file["path"]`."""
    [result] = await collect(TOOL.run(TURN, {"name": "n", "spots": [{"path": "a.tf", "line": 3}]}))

    assert result.content.endswith("(Spot(path='a.tf', line=3),))")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "everything needs 'name'"),
        ({"name": None}, "everything needs 'name'"),
        ({"name": 1}, "everything.name must be a string, not int '1'"),
        ({"name": "n", "size": 1}, "everything has no argument 'size'; it takes name, count, share"),
        ({"name": "n", "count": "1"}, "everything.count must be an integer, not str '1'"),
        ({"name": "n", "count": True}, "everything.count must be an integer, not bool 'True'"),
        ({"name": "n", "count": 1.5}, "everything.count must be an integer, not float"),
        ({"name": "n", "share": "x"}, "everything.share must be a number, not str"),
        ({"name": "n", "share": False}, "everything.share must be a number, not bool"),
        ({"name": "n", "loud": 1}, "everything.loud must be true or false, not int"),
        ({"name": "n", "kind": "drop"}, "everything.kind must be one of list, show, not str 'drop'"),
        ({"name": "n", "files": "a"}, "everything.files must be an array, not str"),
        ({"name": "n", "files": ["a", 2]}, r"everything.files\[1\] must be a string, not int"),
        ({"name": "n", "spots": ["a"]}, r"everything.spots\[0\] must be an object, not str"),
        ({"name": "n", "spots": [{"path": "a"}]}, r"everything.spots\[0\] needs 'line'"),
        ({"name": "n", "spots": [{"path": "a", "line": 1, "x": 2}]}, r"spots\[0\] has no argument 'x'"),
        ({"name": ["x" * 100]}, r"not list \"\['x{38}\"$"),
    ],
)
async def test_wrong_arguments_are_told_exactly(arguments, message):
    """The model reads which argument is wrong, what it should be and what it was."""
    with pytest.raises(Invalid, match=message):
        await collect(TOOL.run(TURN, arguments))


def test_a_tool_without_arguments_takes_none():
    """The message says so, rather than listing nothing."""
    schema = {"type": "object", "properties": {}, "required": []}

    with pytest.raises(Invalid, match="has no argument 'x'; it takes none"):
        check({"x": 1}, schema, "version")


async def test_progress_comes_before_the_result():
    """An async generator tells how far it is."""

    async def slow(turn: Turn):
        yield ToolProgress("", "half")
        yield ToolResult(turn.id)

    assert [ToolProgress("", "half"), ToolResult("t1")] == await collect(Tool.of(slow).run(TURN, {}))


async def test_leaving_early_closes_the_tool():
    """Whoever stops listening ends what the tool was doing, before going on."""
    closed = []

    async def slow(turn: Turn):
        try:
            yield ToolProgress("", turn.id)
            yield ToolProgress("", "never")
        finally:
            closed.append("closed")

    running = Tool.of(slow).run(TURN, {})
    await anext(running)
    await running.aclose()

    assert ["closed"] == closed


async def test_methods_are_tools_as_well():
    """A tool may hang on an object that has what it needs."""

    class Shelf:
        def __init__(self, book):
            self.book = book

        async def read(self, turn: Turn, page: int) -> ToolResult:
            """Read a page."""
            return ToolResult(f"{turn.id} {self.book} {page}")

    assert [ToolResult("t1 atlas 4")] == await collect(Tool.of(Shelf("atlas").read).run(TURN, {"page": 4}))
