"""The configuration that a plan was made of: its files, their hash, its local modules. Reads only."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

CODE = (".tf", ".tf.json", ".tofu", ".tofu.json")
ENDINGS = (*CODE, ".tfvars", ".tfvars.json")
LARGEST_BYTES = 2 * 1024 * 1024
LOCK = ".terraform.lock.hcl"
MOST_DIRECTORIES = 500

_LOCAL_SOURCE = re.compile(r"""\bsource"?\s*[:=]\s*"(\.{1,2}/[^"\n]*)\"""")


def configuration_sha256(directory: Path) -> str:
    """Hash the files of a configuration and of its local modules, by path relative to the directory.

    What a registry or git module holds is not in it; the plan file binds that.
    """
    digest = hashlib.sha256()
    for folder in module_directories(directory):
        for path in files_of(folder):
            name = os.path.relpath(path, directory).replace(os.sep, "/")
            content = path.read_bytes()
            digest.update(f"{name}\0{len(content)}\0".encode())
            digest.update(content)
    return f"sha256:{digest.hexdigest()}"


def module_directories(directory: Path) -> tuple[Path, ...]:
    """Return a directory and those of the local modules it calls, directly or not, in a fixed order."""
    found, waiting = {directory}, [directory]
    while waiting and len(found) < MOST_DIRECTORIES:
        below = set(_called_from(waiting.pop())) - found
        found |= below
        waiting += sorted(below)
    return (directory, *sorted(found - {directory}, key=lambda each: os.path.relpath(each, directory)))


def files_of(directory: Path) -> tuple[Path, ...]:
    """Return the configuration files right in a directory, sorted by name."""
    try:
        names = sorted(path.name for path in directory.iterdir())
    except OSError:
        return ()
    chosen = (directory / name for name in names if name.endswith(ENDINGS) or name == LOCK)
    return tuple(path for path in chosen if path.is_file())


def text_of(path: Path) -> str:
    """Read a file's text; empty for one that cannot be read or is too large for a person to have written it."""
    try:
        is_read = path.is_file() and path.stat().st_size <= LARGEST_BYTES
        return path.read_text("utf-8", "replace") if is_read else ""
    except OSError:
        return ""


def local_sources(text: str) -> list[str]:
    """Return the paths of local modules that a configuration text calls."""
    return _LOCAL_SOURCE.findall(text)


def _called_from(directory: Path) -> Iterator[Path]:
    for path in files_of(directory):
        if path.name.endswith(CODE):
            for source in local_sources(text_of(path)):
                called = Path(os.path.normpath(directory / source))
                if called.is_dir():
                    yield called
