"""Files inside a model's text: the answer of models that do not call tools, found tolerantly.

The form is `{"files": [{"path", "content"}], "summary"}`, alone, in a fence, or between prose.
"""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Envelope:
    """Files by path, in the order given, and a summary."""

    files: dict[str, str]
    summary: str = ""


def find_envelope(text: str) -> Envelope | None:
    """Return the first complete envelope in a text; None where there is none or a path comes twice."""
    decoder = json.JSONDecoder()
    start = text.find("{")
    while start >= 0:
        try:
            value, _ = decoder.raw_decode(text, start)
        except ValueError:
            value = None
        except RecursionError:  # so deep is no envelope, and trying at every brace would take seconds
            return None
        envelope = _read(value)
        if envelope:
            return envelope
        start = text.find("{", start + 1)
    return None


def _read(value: object) -> Envelope | None:
    files = value.get("files") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(files, list) or not files:
        return None
    pairs = [(each.get("path"), each.get("content")) for each in files if isinstance(each, dict)]
    texts = {path: content for path, content in pairs if isinstance(path, str) and isinstance(content, str)}
    return Envelope(texts, str(value.get("summary") or "")) if len(texts) == len(files) else None
