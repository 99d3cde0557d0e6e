"""Identifiers: UUIDv7 as text, so that they sort by time (RFC 9562, section 5.7)."""

from __future__ import annotations

import secrets
import time
import uuid
from datetime import UTC, datetime


def new_id() -> str:
    """Return a fresh UUIDv7: 60 bits of time, so it sorts, then 62 random bits, so it cannot be guessed."""
    moment, rest = divmod(time.time_ns(), 1_000_000)
    fraction = rest * 4096 // 1_000_000  # of a millisecond, in 12 bits (section 6.2, method 3)
    bits = (moment << 80) | (0x7 << 76) | (fraction << 64) | (0b10 << 62) | secrets.randbits(62)
    return str(uuid.UUID(int=bits))


def utc_now() -> str:
    """Return the time as ISO 8601 in UTC with microseconds, as events carry it."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
