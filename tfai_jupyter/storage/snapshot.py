"""What is in a directory: a listing for people, a snapshot of the configuration for a model.

Walks never follow links, never enter hidden directories, and end after a number of entries or
seconds, so a home directory full of data costs no more than a module. Functions here block.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tfai_jupyter.core.changes import sha256_of
from tfai_jupyter.core.errors import Binary, NotFound, TfaiError, TooLarge
from tfai_jupyter.core.protocols import FileSize, FileText, Listing, Snapshot

from .paths import Root, is_hidden, is_secret

MAX_ENTRIES = 20_000
MAX_SECONDS = 2.0
MAX_READ_BYTES = 2 * 1024 * 1024

_SNAPSHOT_FILES = 50
_SNAPSHOT_FILE_BYTES = 100 * 1024
_SNAPSHOT_BYTES = 1024 * 1024
_FIRST = {name: place for place, name in enumerate(("main.tf", "variables.tf", "outputs.tf", "versions.tf"))}
_SKIPPED = frozenset({"node_modules", "__pycache__", "terraform.tfstate.d"})


@dataclass(slots=True)
class Walk:
    """Files and directories below a directory, relative to it; `truncated` when a cap ended it."""

    entries_left: int = MAX_ENTRIES
    seconds: float = MAX_SECONDS
    files: list[tuple[str, int]] = field(default_factory=list)
    dirs: list[str] = field(default_factory=list)
    truncated: bool = False

    def run(self, directory: Path) -> Walk:
        """Walk breadth first, so that what is near the top is found before a cap is reached."""
        deadline = time.monotonic() + self.seconds
        waiting = [""]
        for below in waiting:
            if self.entries_left <= 0 or time.monotonic() > deadline:
                self.truncated = True
                break
            waiting.extend(self._enter(directory, below))
        return self

    def _enter(self, directory: Path, below: str) -> Iterator[str]:
        for entry in _scan(directory / below):
            self.entries_left -= 1
            if self.entries_left < 0:
                self.truncated = True
                return
            path = f"{below}/{entry.name}" if below else entry.name
            if is_hidden(entry.name) or is_secret(entry.name) or entry.name in _SKIPPED:
                continue
            if entry.is_dir(follow_symlinks=False):
                self.dirs.append(path)
                yield path
            elif entry.is_file(follow_symlinks=False):
                self.files.append((path, entry.stat(follow_symlinks=False).st_size))


def read_text(root: Root, path: Path, max_bytes: int = MAX_READ_BYTES) -> FileText:
    """Read a resolved path as UTF-8 text; raises NotFound, TooLarge, Binary."""
    shown = root.relative(path)
    with root.open(path) as handle:
        # Asked before reading: a sparse file of 10 GB must not be read to find that out.
        if os.fstat(handle).st_size > max_bytes:
            message = f"{shown} is larger than {max_bytes:,} bytes; open it in an editor"
            raise TooLarge(message)
        with os.fdopen(os.dup(handle), "rb") as file:
            content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        message = f"{shown} grew over {max_bytes:,} bytes while it was read"
        raise TooLarge(message)
    return FileText(shown, _decoded(content, shown), sha256_of(content), len(content))


def list_directory(root: Root, directory: Path) -> Listing:
    """List a directory and what is below it; raises NotFound."""
    if not directory.is_dir():
        message = f"there is no directory {root.relative(directory)} in the workspace"
        raise NotFound(message)
    walk = Walk().run(directory)
    return Listing(
        dir=root.relative(directory),
        files=tuple(FileSize(path, size) for path, size in sorted(walk.files)),
        dirs=tuple(sorted(walk.dirs)),
        initialized=(directory / ".terraform").is_dir(),
        has_state=(directory / "terraform.tfstate").exists() or (directory / "terraform.tfstate.d").is_dir(),
        has_lockfile=(directory / ".terraform.lock.hcl").is_file(),
        truncated=walk.truncated,
    )


def take_snapshot(root: Root, directory: Path) -> Snapshot:
    """Collect `.tf` and `.tf.json` texts below a directory, the most telling first."""
    walk = Walk().run(directory)
    found = sorted((each for each in walk.files if each[0].endswith((".tf", ".tf.json"))), key=_relevance)
    files: list[FileText] = []
    omitted = (
        [f"{root.relative(directory) or '.'}: too many entries, the rest was not visited"] if walk.truncated else []
    )
    room = _SNAPSHOT_BYTES
    for path, size in found:
        if reason := _unfit(size, room, len(files)):
            omitted.append(f"{path}: {reason}")
            continue
        try:
            files.append(read_text(root, directory / path, _SNAPSHOT_FILE_BYTES))
        except TfaiError as error:
            omitted.append(f"{path}: {error}")
            continue
        room -= files[-1].size
    return Snapshot(tuple(files), tuple(omitted))


def _unfit(size: int, room: int, count: int) -> str:
    if count >= _SNAPSHOT_FILES:
        return f"more than {_SNAPSHOT_FILES} files"
    if size > _SNAPSHOT_FILE_BYTES:
        return f"larger than {_SNAPSHOT_FILE_BYTES // 1024} KiB"
    return f"over {_SNAPSHOT_BYTES // 1024} KiB in all" if size > room else ""


def _relevance(found: tuple[str, int]) -> tuple[int, int, str]:
    path = PurePosixPath(found[0])
    return len(path.parts), _FIRST.get(path.name, len(_FIRST)), found[0]


def _decoded(content: bytes, shown: str) -> str:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        message = f"{shown} is not UTF-8 text"
        raise Binary(message)
    return text


def _scan(directory: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            # Ends early in a directory of a million files; the walk's own cap then says so.
            return sorted((entry for entry, _ in zip(entries, range(MAX_ENTRIES + 1), strict=False)), key=_name)
    except OSError:
        return []  # removed meanwhile, or not ours to read


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name
