"""The blocks of a configuration, read by line: good enough for finding places, also in broken files.

No parser: a file that HCL refuses is just what a person needs help with. Pure.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .printout import address_of

Place = tuple[str, int]
"""A file and a line in it, error_count from 1."""

_TOP = re.compile(
    r"\s*(?P<kind>resource|data|ephemeral|variable|output|module|provider|check|locals|terraform|moved|import|removed)"
    r'(?P<labels>(?:\s+"[^"]*")*)\s*\{'
)
_LABELS = {"resource": 2, "data": 2, "ephemeral": 2, "locals": 0, "terraform": 0, "moved": 0, "import": 0, "removed": 0}


@dataclass(frozen=True, slots=True)
class Block:
    """A top-level block: its kind and labels, and where its lines begin."""

    kind: str
    labels: tuple[str, ...]
    file: str
    line: int
    lines: tuple[str, ...]

    @property
    def address(self) -> str:
        """The address by which others refer to it."""
        return address_of(self.lines[0], "\n".join(self.lines))

    @property
    def place(self) -> Place:
        """Where it begins."""
        return self.file, self.line

    def line_of(self, pattern: str) -> Place | None:
        """Find the first line that matches, e.g. an argument's name."""
        numbers = (number for number, line in enumerate(self.lines, self.line) if re.search(pattern, line))
        number = next(numbers, None)
        return None if number is None else (self.file, number)

    def argument(self, name: str) -> str:
        """Return the text to the right of an argument's `=`; empty when it is not set."""
        pattern = re.compile(rf"\s*{re.escape(name)}\s*=\s*(.+)")
        return next((match[1].strip() for line in self.lines if (match := pattern.match(line))), "")


class Configuration:
    """The blocks of all files; paths are relative to the directory in which Terraform runs."""

    def __init__(self, files: Mapping[str, str]) -> None:
        """Keep the texts; they are read at the first question."""
        self.files = files
        self._blocks: tuple[Block, ...] | None = None

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All top-level blocks, the root's first."""
        if self._blocks is None:
            names = sorted(self.files, key=lambda name: (name.count("/"), name))
            self._blocks = tuple(block for name in names if name.endswith(".tf") for block in self._scan(name))
        return self._blocks

    def find(self, address: str) -> Block | None:
        """Return the block of an address, instance keys left out; the root's when several have it."""
        address = without_keys(address)
        module = re.fullmatch(r"(module\.[\w-]+)\.(?!$)(.+)", address)
        if module:
            inside = self.below(self.module_directory(module[1]))
            return inside.find(module[2]) if inside.files else None
        if address.startswith("local."):
            return self._local(address.removeprefix("local."))
        return next((block for block in self.blocks if block.address == address), None)

    def at(self, file: str, line: int | None) -> Block | None:
        """Return the block that holds a line."""
        held = (b for b in self.blocks if b.file == file and b.line <= (line or 0) < b.line + len(b.lines))
        return next(held, None)

    def of_kind(self, *kinds: str, directory: str | None = None) -> Iterator[Block]:
        """Yield the blocks of these kinds; only of one directory where it is given."""
        for block in self.blocks:
            if block.kind in kinds and directory in (None, posixpath.dirname(block.file)):
                yield block

    def module_directory(self, address: str) -> str:
        """Return where a local module's files are, relative to the root; `/` when it is not local."""
        block = next((block for block in self.of_kind("module") if block.address == address), None)
        source = block.argument("source").strip('"') if block else ""
        if not block or not source.startswith((".",)):
            return "/"
        return posixpath.normpath(posixpath.join(posixpath.dirname(block.file), source))

    def below(self, directory: str) -> Configuration:
        """Return the configuration of one directory; its files keep their paths."""
        return Configuration({n: text for n, text in self.files.items() if posixpath.dirname(n) == directory})

    def local_at(self, file: str, line: int | None) -> str:
        """Return the address of the local value that a line belongs to."""
        block = self.at(file, line)
        if not block or block.kind != "locals" or line is None:
            return ""
        above = block.lines[1 : line - block.line + 1]
        depth = min((len(text) - len(text.lstrip()) for text in block.lines[1:-1] if text.strip()), default=2)
        names = [match[1] for text in above if (match := re.match(rf"\s{{{depth}}}([\w-]+)\s*=", text))]
        return f"local.{names[-1]}" if names else ""

    def _local(self, name: str) -> Block | None:
        pattern = rf"^\s*{re.escape(name)}\s*="
        for block in self.of_kind("locals"):
            if place := block.line_of(pattern):
                offset = place[1] - block.line
                return Block("locals", (name,), block.file, place[1], block.lines[offset:])
        return None

    def _scan(self, name: str) -> Iterator[Block]:
        lines = self.files[name].splitlines()
        heads = [(number, match) for number, line in enumerate(lines) if (match := _TOP.match(line)) and _is_top(match)]
        ends = [number for number, _ in heads[1:]] + [len(lines)]
        for (start, match), end in zip(heads, ends, strict=False):
            labels = tuple(re.findall(r'"([^"]*)"', match["labels"]))
            yield Block(match["kind"], labels, name, start + 1, tuple(_own(lines[start:end])))


def without_keys(address: str) -> str:
    """Return an address without instance keys: the configuration's, not an instance's."""
    return re.sub(r'\[(?:"[^"]*"|[^\]"]*)\]', "", address)


def _is_top(match: re.Match[str]) -> bool:
    return match["labels"].count('"') == 2 * _LABELS.get(match["kind"], 1)


def _own(lines: list[str]) -> list[str]:
    """Drop what follows the closing brace: empty lines and the comments of the next block."""
    for number in range(len(lines) - 1, -1, -1):
        if lines[number].startswith("}") or number == 0:
            return lines[: number + 1] if number else lines
    return lines
