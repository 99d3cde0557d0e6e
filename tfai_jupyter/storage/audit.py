"""Audit: who approved and who wrote what, as digests in a chain of hashes. Pure: no database here.

A row's hash covers the row and the hash before it, so that a row that was changed, removed or put in
between is found by whoever computes the chain again. Texts can be forgotten; the chain stays whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from tfai_jupyter.core.changes import sha256_of
from tfai_jupyter.core.events import ApprovalResolved, Event, ToolFinished, to_dict

from .rows import dump, moment

_APPLIERS = ("terraform_apply", "run_command")


@dataclass(frozen=True, slots=True)
class Link:
    """One row of the audit table."""

    seq: int
    created_at: str
    user: str
    action: str
    subject: str
    detail: str
    previous_hash: str
    hash: str = ""

    def digest(self) -> str:
        """Return the hash that the row must have."""
        content = {key: value for key, value in asdict(self).items() if key != "hash"}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class AuditCheck:
    """What a look at the whole chain found: how many rows, and the first that does not fit (None: whole)."""

    rows: int
    broken_at: int | None = None


def links(events: Iterable[tuple[Event, str]], last: Link | None) -> Iterator[Link]:
    """Yield the rows for events with their users, each chained to the one before, the first to `last`."""
    seq, previous = (last.seq, last.hash) if last else (0, "")
    for event, user in events:
        for action, subject, detail in _audited(event):
            seq += 1
            draft = Link(seq, moment(event.at), user, action, subject, dump(detail), previous)
            previous = draft.digest()
            yield Link(draft.seq, draft.created_at, user, action, subject, draft.detail, draft.previous_hash, previous)


def check(chain: Iterable[Link]) -> AuditCheck:
    """Compute the chain again."""
    seq, previous = 0, ""
    for link in chain:
        seq += 1
        if (link.seq, link.previous_hash, link.hash) != (seq, previous, link.digest()):
            return AuditCheck(seq, seq)
        previous = link.hash
    return AuditCheck(seq)


def is_audited(event: Event) -> bool:
    """Tell whether an event leaves a row in the chain."""
    return any(True for _ in _audited(event))


def _audited(event: Event) -> Iterator[tuple[str, str, dict[str, Any]]]:
    if isinstance(event, ApprovalResolved):
        yield event.decision, event.approval_id, {"by": event.by, "event": _digest(event)}
    if not isinstance(event, ToolFinished):
        return
    data = event.data or {}
    if data.get("done") in ("applied", "undone") and isinstance(files := data.get("files"), list):
        action = "write_file" if data["done"] == "applied" else "undo_file"
        for file in (each for each in files if isinstance(each, dict)):
            detail = {"change_set_id": data.get("change_set_id"), "action": file.get("action")}
            yield action, str(file.get("path")), detail | {"sha256": file.get("sha256")}
    elif event.tool in _APPLIERS:
        subject = str(data.get("plan_id") or event.call_id)
        yield event.tool, subject, {"outcome": event.outcome, "event": _digest(event)}


def _digest(event: Event) -> str:
    return sha256_of(dump(to_dict(event)).encode())
