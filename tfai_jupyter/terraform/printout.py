"""Read the diagnostics in what Terraform printed: text with or without boxes, `-json` lines, `validate -json`.

Pure, and tolerant of anything: what cannot be read gives no diagnostics. The form is that of
Terraform's command/format package; OpenTofu prints the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Literal

from tfai_jupyter.core.plans import Diagnostic

MOST_READ = 3000
MOST_DIAGNOSTICS = 60
"""Kept, of those read: a loop over instances repeats itself."""
MOST_LINES = 200
"""Of one diagnostic; a provisioner copies all that its command printed."""

_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_BARE_COLOUR = re.compile(r"\[(?:[014]|[39]\d)(?:;\d{1,2})*m(?![\w\]])|\[(?:0|1|3[0-7])m")
"""What is left of a colour where a log dropped the escape character."""
_STAMP = re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]{8,}(?:Z|[+-]\d\d:\d\d) ", re.MULTILINE)
_HEREDOC = re.compile(r"<<[-~]?(EO[TF])$", re.MULTILINE)
_HEADER = re.compile(r"(?:\A|(?<=\n\n))(?:##\[error\])?(?=(?:Error|Warning): )")
_LOOSE_HEADER = re.compile(r"^(?:##\[error\])?(?=(?:Error|Warning): )", re.MULTILINE)
_TITLE = re.compile(r"(?:##\[error\])?(Error|Warning): ?(.*)")
_WITH = re.compile(r"  with (?P<address>\S.*?),?$")
_ON = re.compile(r"  on (?P<file>.+?) line (?P<line>\d{1,9})(?:, in (?P<context>.+?))?(?::| \(source.*)?$")
_CODE = re.compile(r"\s*\d+: ?(.*)$")
_VALUE = re.compile(r"    [├│] ?(.*)$")
_ADDRESSED = {"variable": "var", "output": "output", "module": "module", "provider": "provider", "check": "check"}
_PREAMBLE = re.compile(r"encountered problems during initiali[sz]ation")


def read_printout(text: str) -> tuple[Diagnostic, ...]:
    """Return the diagnostics in the order in which Terraform printed them, each once."""
    found = (each for each in islice(_read(text), MOST_READ) if not _PREAMBLE.search(each.summary))
    return tuple(islice(dict.fromkeys(found), MOST_DIAGNOSTICS))


def plain(text: str) -> str:
    """Return text without colours and carriage returns."""
    text = text.replace("\r\n", "\n")
    if "\x1b" in text:
        return _COLOUR.sub("", text)
    return _BARE_COLOUR.sub("", text) if "[0m" in text else text


def address_of(header: str, snippet: str = "") -> str:
    """Return the address of the block that `header` opens, e.g. `data "a" "b"`; empty when it has none."""
    match = re.match(r'\s*(\w+)((?:\s+"[^"]*")*)', header)
    kind, labels = (match[1], re.findall(r'"([^"]*)"', match[2])) if match else ("", [])
    if kind == "resource" and len(labels) == 2:
        return ".".join(labels)
    if kind in ("data", "ephemeral") and len(labels) == 2:
        return ".".join((kind, *labels))
    if kind in _ADDRESSED and labels:
        return f"{_ADDRESSED[kind]}.{labels[0]}"
    if kind in ("moved", "import", "removed"):
        target = re.search(r"^\s*(?:to|from)\s*=\s*([\w.-]+)", snippet, re.MULTILINE)
        return target[1] if target else ""
    if kind == "locals":
        # Deeper than two columns is inside a value, so its local cannot be told from here.
        local = re.match(r" {0,2}\t?([\w-]+)\s*=", snippet)
        return f"local.{local[1]}" if local else ""
    return "terraform" if kind == "terraform" else ""


def _read(text: str) -> Iterator[Diagnostic]:
    text = plain(text)
    if text.lstrip().startswith("{"):
        yield from _from_json(text)
        return
    boxes, rest = _boxes(text)
    yield from (_section(lines) for lines in boxes if lines and _TITLE.match(lines[0]))
    # Warnings about the CLI's own settings come in boxes even where -no-color leaves the rest without.
    yield from _from_text(rest, strict=bool(boxes))
    if '"diagnostic"' in text:
        yield from _from_json(text)


def _boxes(text: str) -> tuple[list[list[str]], str]:
    """Return the lines of each box, whatever a log shipper wrote before its left edge, and the rest."""
    boxes: list[list[str]] = []
    rest: list[str] = []
    done, start = 0, text.find("╷")
    while start >= 0:
        rest.append(text[done:start])
        lines: list[str] = []
        done = _line_end(text, start)
        while done < len(text):
            end = _line_end(text, done)
            before, edge, line = text[done:end].partition("│")
            if not edge or "╵" in before:
                done = end if "╵" in before else done
                break
            done = end
            if len(lines) < MOST_LINES:
                lines.append(line.removeprefix(" ").rstrip())
        boxes.append(lines)
        start = text.find("╷", done)
    return boxes, "\n\n".join([*rest, text[done:]])


def _line_end(text: str, position: int) -> int:
    """Return where the next line begins."""
    return text.find("\n", position) + 1 or len(text)


def _from_text(text: str, *, strict: bool) -> Iterator[Diagnostic]:
    text = re.sub(r"^[│╵] ?", "", _STAMP.sub("", text), flags=re.MULTILINE)
    text = (_without_heredocs(text) if "<<" in text else text).lstrip()
    starts = [match.end() for match in _HEADER.finditer(text)]
    if not starts and not strict:
        starts = [match.end() for match in _LOOSE_HEADER.finditer(text)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=False):
        yield _section([line.rstrip() for line in text[start : min(end, start + 20_000)].split("\n")[:MOST_LINES]])


def _without_heredocs(text: str) -> str:
    """Leave out values of several lines: an output may hold what looks like an error."""
    kept: list[str] = []
    done = 0
    while match := _HEREDOC.search(text, done):
        end = text.find(f"\n{match[1]}", match.end() - 1)
        if end < 0:
            break
        kept.append(text[done : match.start()])
        done = end + 1 + len(match[1])
    return "".join([*kept, text[done:]])


def _section(lines: list[str]) -> Diagnostic:
    """Read one diagnostic: title until an empty line, then place and code, then the detail."""
    title = _TITLE.match(lines[0])
    head = [title[2] if title else lines[0]]
    rest = iter(lines[1:])
    for line in rest:
        if not line.strip():
            break
        head.append(line)
    address, place = "", None
    code: list[str] = []
    detail: list[str] = []
    for line in rest:
        if not detail and (match := _WITH.match(line)):
            address = match["address"]
        elif not detail and (match := _ON.match(line)):
            place = match
        elif place and not detail and (match := _CODE.match(line) or _VALUE.match(line)):
            code.append(("│ " if "│" in line[:6] else "") + match[1] if "├" not in line[:6] else "")
        elif line.strip() or detail:
            detail.append(line)
    snippet = "\n".join(filter(None, code))
    severity: Literal["error", "warning"] = "warning" if title and title[1] == "Warning" else "error"
    return Diagnostic(
        severity,
        " ".join(head).strip(),
        _paragraphs(detail),
        place["file"] if place else "",
        int(place["line"]) if place else None,
        address or address_of((place["context"] if place else "") or snippet, snippet),
        snippet,
    )


def _paragraphs(lines: Iterable[str]) -> str:
    """Undo the wrapping: a line goes on the one before it, unless it is indented or a list item."""
    text = ""
    for line in lines:
        joins = text and not text.endswith("\n") and line[:1] not in ("", " ", "-", "[", "{", "}", "]")
        text += f" {line}" if joins else f"\n{line}" if text else line
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _from_json(text: str) -> Iterator[Diagnostic]:
    document = _parsed(text)
    if document:
        listed = document.get("diagnostics")
        yield from (_record(item) for item in (listed if isinstance(listed, list) else []) if isinstance(item, dict))
    lines = (text,) if document else (line for line in text.split("\n") if '"type":"' in line.replace(" ", "", 40))
    for line in lines:
        record = document or _parsed(line)
        if isinstance(found := record.get("diagnostic"), dict):
            yield _record(found)
        elif isinstance(change := record.get("change"), dict) and change.get("reason") == "tainted":
            address = _text(_object(change.get("resource")).get("addr"))
            yield Diagnostic("warning", "Resource is tainted", address=address)


def _record(record: dict[str, Any]) -> Diagnostic:
    place, snippet = _object(record.get("range")), _object(record.get("snippet"))
    line = _object(place.get("start")).get("line")
    code = "\n".join(filter(None, (_text(snippet.get("code")), *_values(snippet))))
    return Diagnostic(
        "warning" if record.get("severity") == "warning" else "error",
        _text(record.get("summary")),
        _text(record.get("detail")),
        _text(place.get("filename")),
        line if isinstance(line, int) else None,
        _text(record.get("address")) or address_of(_text(snippet.get("context")) or code, code),
        code,
    )


def _values(snippet: dict[str, Any]) -> Iterator[str]:
    values = snippet.get("values")
    for value in values if isinstance(values, list) else []:
        yield f"│ {_text(_object(value).get('traversal'))} {_text(_object(value).get('statement'))}"


def _parsed(text: str) -> dict[str, Any]:
    try:
        return _object(json.loads(text))
    except (ValueError, RecursionError):  # a log may hold anything, also brackets nested without end
        return {}


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
