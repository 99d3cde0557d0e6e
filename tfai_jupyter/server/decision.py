"""Decision: what somebody answers to an approval, made into the question that carries it out."""

from __future__ import annotations

import asyncio

from tfai_jupyter.core.approvals import Approval
from tfai_jupyter.core.duties import Duties
from tfai_jupyter.core.errors import Conflict, Invalid, NotFound
from tfai_jupyter.core.messages import Json
from tfai_jupyter.core.protocols import Workspace
from tfai_jupyter.core.turns import Question

from .body import Object, field


async def read_decision(approval_id: str, body: Object, duties: Duties) -> Question:
    """Make the question `approve` or `deny`; raises Invalid, NotFound, Expired (used), Conflict (changed).

    A subject that changed is refused before the approval is used up; the applier looks again.
    """
    command = field(body, "decision", str)
    if command not in ("approve", "deny"):
        message = "'decision' must be approve or deny"
        raise Invalid(message)
    options: dict[str, Json] = {"id": approval_id}
    options |= {name: field(body, name, str) for name in ("confirm", "reason") if name in body}
    options |= {"files": field(body, "files", list)} if body.get("files") else {}
    approval = await asyncio.to_thread(_find, approval_id, duties)
    if command == "approve" and approval.kind == "change_set":
        await _check_files(approval, options.get("files"), duties.workspace)
    return Question(
        "",
        command,
        options,
        conversation_id=approval.conversation_id,
        face="server",
        parent_turn_id=approval.turn_id,
    )


def _find(approval_id: str, duties: Duties) -> Approval:
    try:
        return duties.approvals.find(approval_id)
    except NotFound:
        duties.vault.take("approvals", approval_id)  # knows one that was used from one that never was
        raise


async def _check_files(approval: Approval, chosen: Json, workspace: Workspace) -> None:
    change_set = await workspace.load(approval.subject_id)
    for change in change_set.files:
        if isinstance(chosen, list) and change.path not in chosen:
            continue
        try:
            current = (await workspace.read(change.path)).sha256
        except NotFound:
            current = ""
        if current != change.before_sha256:
            message = f"{change.path} changed since it was proposed; nothing was written, propose again"
            raise Conflict(message)
