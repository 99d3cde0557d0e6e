"""Vault: private JSON documents that outlive a process, e.g. what an approval binds.

One file per document, `ROOT/KIND/NAME.json`, written whole and renamed into place. A document is
taken by renaming it to `NAME.taken`, which the file system lets exactly one process do.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from pathlib import Path
from typing import Any

from tfai_jupyter.core.errors import Expired, Invalid, NotFound

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class Vault:
    """A Vault in a directory that only its user can enter."""

    def __init__(self, root: Path) -> None:
        """Take the directory; it is made at the first write."""
        self._root = root

    def write(self, kind: str, name: str, document: dict[str, Any]) -> None:
        """Store a JSON document under kind and name, atomically and durably."""
        path = self._path(kind, name, ".json")
        _make_private(self._root)
        _make_private(path.parent)
        replace_file(path, json.dumps(document).encode())

    def read(self, kind: str, name: str) -> dict[str, Any]:
        """Return a document; raises NotFound."""
        return self._read(self._path(kind, name, ".json"), kind, name)

    def take(self, kind: str, name: str) -> dict[str, Any]:
        """Return a document to exactly one caller, ever; raises NotFound, or Expired when it was taken."""
        path, taken = self._path(kind, name, ".json"), self._path(kind, name, ".taken")
        try:
            path.rename(taken)
        except FileNotFoundError:
            if not taken.exists():
                raise _missing(kind, name) from None
            message = f"{_words(kind)} {name} was used already; ask for a new one"
            raise Expired(message) from None
        return self._read(taken, kind, name)

    def names(self, kind: str) -> tuple[str, ...]:
        """Return the names of the documents not yet taken, oldest first."""
        _check(kind)
        found: list[tuple[int, str]] = []
        for path in (self._root / kind).glob("*.json"):
            try:
                found.append((path.stat().st_mtime_ns, path.stem))
            except FileNotFoundError:
                continue  # taken meanwhile
        return tuple(name for _, name in sorted(found))

    def directory(self, kind: str, name: str) -> Path:
        """Return a private directory for files that belong to a document; made when missing."""
        path = self._path(kind, name, "")
        for each in (self._root, path.parent, path):
            _make_private(each)
        return path

    def _path(self, kind: str, name: str, suffix: str) -> Path:
        _check(kind)
        _check(name)
        return self._root / kind / f"{name}{suffix}"

    def _read(self, path: Path, kind: str, name: str) -> dict[str, Any]:
        try:
            document: dict[str, Any] = json.loads(path.read_bytes())
        except FileNotFoundError:
            raise _missing(kind, name) from None
        except ValueError:
            message = f"the record of {_words(kind)} {name} is damaged; ask for a new one"
            raise NotFound(message) from None
        return document


def replace_file(path: Path, content: bytes) -> None:
    """Write a private file so that a reader, or a crash, sees the old content or the new, never less."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _make_private(path: Path) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_mode & 0o077:
        path.chmod(0o700)


def _check(name: str) -> None:
    if not _NAME.fullmatch(name):
        message = f"{name[:40]!r} is no identifier; it is made of letters, digits, '.', '_' and '-'"
        raise Invalid(message)


def _missing(kind: str, name: str) -> NotFound:
    return NotFound(f"there is no {_words(kind)} {name}")


def _words(kind: str) -> str:
    return kind.removesuffix("s").replace("_", " ")
