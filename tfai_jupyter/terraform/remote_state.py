"""What other states call sensitive, where a configuration reads them: Terraform drops that flag on the way.

Only states in local files can be looked into. Of others every output whose name speaks of a secret
counts as one. Reads only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from . import values
from .state import resources_of

MAX_STATE_BYTES = 64 * 1024 * 1024

_SECRET_NAME = re.compile(
    r"passw|secret|token|credential|private|api_?key|access_?key|connection_?string|dsn", re.IGNORECASE
)


def remote_state_secrets(document: Mapping[str, Any], directory: Path) -> frozenset[str]:
    """Return the secrets among what `terraform_remote_state` data sources read into a state document."""
    sources = (each for each in resources_of(document) if each["type"] == "terraform_remote_state")
    return frozenset(text for source in sources for text in _secrets(source.get("values") or {}, directory) if text)


def _secrets(source: Mapping[str, Any], directory: Path) -> Iterator[str]:
    for name, value in (source.get("outputs") or {}).items():
        if _SECRET_NAME.search(name):
            yield from values.texts(value)
    path = (source.get("config") or {}).get("path")
    if source.get("backend") == "local" and isinstance(path, str):
        yield from _flagged(directory / path)


def _flagged(path: Path) -> Iterator[str]:
    try:
        if path.stat().st_size > MAX_STATE_BYTES:
            return
        outputs = json.loads(path.read_bytes())["outputs"].values()
        flagged = [output["value"] for output in outputs if output.get("sensitive")]
    except (OSError, ValueError, KeyError, AttributeError):
        return
    for value in flagged:
        yield from values.texts(value)
