"""SSE frames: an event as the bytes that every reader of its turn gets."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tfai_jupyter.core.events import Event, name_of, to_dict

HEARTBEAT = b": still here\n\n"
"""A comment, which readers skip and proxies count as traffic."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One event, encoded once."""

    seq: int
    data: bytes


def frame(event: Event) -> Frame:
    """Encode an event; JSON has no line breaks outside strings, so one data line is enough."""
    data = json.dumps(to_dict(event), separators=(",", ":"))
    return Frame(event.seq, f"id: {event.seq}\nevent: {name_of(event)}\ndata: {data}\n\n".encode())
