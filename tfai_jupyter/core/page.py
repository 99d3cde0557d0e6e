"""How results look: a page of blocks, and its plain, Markdown and HTML forms.

Blocks hold text that is already redacted. HTML is escaped here and nowhere else.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar, TypeAlias, assert_never

from .messages import Json
from .wire import to_json


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence or two."""

    text: str


@dataclass(frozen=True, slots=True)
class Prose:
    """Markdown text, e.g. a model's answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """A listing; `language` is hcl, diff, json, sql or empty."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under column names; cells are shown as text."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def to_df(self) -> object:
        """Return a pandas DataFrame; raises ImportError naming the extra when pandas is missing."""
        try:
            pandas = import_module("pandas")
        except ImportError as error:
            message = "to_df() needs pandas: pip install 'tfai-jupyter[pandas]'"
            raise ImportError(message) from error
        return pandas.DataFrame(list(self.rows), columns=list(self.columns))


_PRE = '<pre style="font-family: monospace">'  # nbconvert's pages would take the font of prose
_NEWLINE = "\n"

Block: TypeAlias = Note | Prose | Code | Table


class Page:
    """Blocks in order, and the three forms in which a person reads them."""

    def __init__(self, *blocks: Block) -> None:
        """Keep the blocks; a table without rows is dropped."""
        self.blocks = tuple(block for block in blocks if not isinstance(block, Table) or block.rows)

    def plain(self) -> str:
        """Return text without markup, aligned for a terminal."""
        return "\n".join(map(_plain, self.blocks))

    def markdown(self) -> str:
        """Return GitHub-flavoured Markdown."""
        return "\n\n".join(map(_markdown, self.blocks))

    def html(self) -> str:
        """Return HTML that carries no script and escapes every value."""
        return '<div class="tfai">' + "".join(map(_html, self.blocks)) + "</div>"


class Shown:
    """A result that notebooks, terminals and programs can each read in their own form."""

    __slots__ = ()
    mime_type: ClassVar[str] = ""

    def page(self) -> Page:
        """Return what a person sees."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Json]:
        """Return the JSON form."""
        data: dict[str, Json] = to_json(self)
        return data

    def __str__(self) -> str:
        """Return the plain form."""
        return self.page().plain()

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        page = self.page()
        return {"text/plain": page.plain(), "text/markdown": page.markdown(), "text/html": page.html()}


def counted(number: int, noun: str, plural: str = "") -> str:
    """Say how many there are: `1 file`, `2 files`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _plain(block: Block) -> str:
    match block:
        case Note(text) | Prose(text) | Code(text):
            return text
        case Table(columns, rows):
            texts = [columns, *(tuple(map(_cell, row)) for row in rows)]
            widths = [max(len(row[index]) for row in texts) for index in range(len(columns))]
            return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in texts)
        case _:
            assert_never(block)


def _markdown(block: Block) -> str:
    match block:
        case Note(text) | Prose(text):
            return text
        case Code(text, language):
            fence = "`" * max(3, _longest_run(text) + 1)
            return f"{fence}{language}\n{text}\n{fence}"
        case Table(columns, rows):
            texts = [columns, ("---",) * len(columns), *(tuple(map(_cell, row)) for row in rows)]
            return "\n".join(map(_markdown_row, texts))
        case _:
            assert_never(block)


def _html(block: Block) -> str:
    match block:
        case Note(text):
            return f"<p>{html.escape(text)}</p>"
        case Prose(text):
            return f'<div style="white-space: pre-wrap">{html.escape(text)}</div>'
        case Code(text, "diff"):
            return f"{_PRE}{_NEWLINE.join(_diff_lines(text))}</pre>"
        case Code(text):
            return f"{_PRE}{html.escape(text)}</pre>"
        case Table(columns, rows):
            head, body = _html_row("th", columns), "".join(_html_row("td", row) for row in rows)
            return f"<table><thead>{head}</thead><tbody>{body}</tbody></table>"
        case _:
            assert_never(block)


def _markdown_row(cells: tuple[str, ...]) -> str:
    lines = (" ".join(cell.splitlines()) for cell in cells)
    return "| " + " | ".join(line.replace("\\", r"\\").replace("|", r"\|") for line in lines) + " |"


def _html_row(tag: str, cells: tuple[Any, ...]) -> str:
    return (
        "<tr>"
        + "".join(f'<{tag} style="text-align: left">{html.escape(_cell(cell))}</{tag}>' for cell in cells)
        + "</tr>"
    )


def _diff_lines(text: str) -> Iterator[str]:
    colours = {"+": "#1a7f37", "-": "#b35900"}
    for line in text.splitlines():
        colour = colours.get(line[:1])
        escaped = html.escape(line)
        yield f'<span style="color: {colour}">{escaped}</span>' if colour else escaped


def _longest_run(text: str) -> int:
    return max((len(run) for run in text.replace("\n", " ").split() if set(run) == {"`"}), default=0)
