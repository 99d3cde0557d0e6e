"""Decision: what somebody answers to an approval, made into the question that carries it out."""

from __future__ import annotations

import asyncio

from tfai_jupyter.core.duties import Duties
from tfai_jupyter.core.errors import Invalid
from tfai_jupyter.core.messages import Json
from tfai_jupyter.core.turns import Question

from .body import Object, field


async def read_decision(approval_id: str, body: Object, duties: Duties) -> Question:
    """Make the question `approve` or `deny`; raises Invalid, NotFound, Expired (used)."""
    command = field(body, "decision", str)
    if command not in ("approve", "deny"):
        message = "'decision' must be approve or deny"
        raise Invalid(message)
    options: dict[str, Json] = {"id": approval_id}
    options |= {name: field(body, name, str) for name in ("confirm", "reason") if name in body}
    options |= {"files": field(body, "files", list)} if body.get("files") else {}
    approval = await asyncio.to_thread(duties.approvals.find, approval_id)
    return Question(
        "",
        command,
        options,
        conversation_id=approval.conversation_id,
        face="server",
        parent_turn_id=approval.turn_id,
    )
