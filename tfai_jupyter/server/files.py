"""Files: what the panel's editor reads and writes, and the modules it begins. A person's own acts."""

from __future__ import annotations

import shlex
from contextlib import aclosing

from tfai_jupyter.core.changes import sha256_of
from tfai_jupyter.core.duties import Duties
from tfai_jupyter.core.errors import Conflict, Invalid
from tfai_jupyter.core.ids import new_id
from tfai_jupyter.core.messages import Json, ToolResult
from tfai_jupyter.core.protocols import Workspace
from tfai_jupyter.core.turns import Question, Turn

from .body import Object


async def listing(workspace: Workspace, directory: str) -> Object:
    """List a directory; raises Forbidden, NotFound."""
    found = await workspace.list(workspace.resolve(directory or "."))
    return {
        "dir": found.dir,
        "files": [{"path": each.path, "size": each.size} for each in found.files],
        "dirs": [*found.dirs],
        "initialized": found.initialized,
        "hasState": found.has_state,
        "hasLockfile": found.has_lockfile,
        "truncated": found.truncated,
    }


async def text(workspace: Workspace, path: str) -> Object:
    """Read a file; raises Forbidden, NotFound, TooLarge, Binary."""
    file = await workspace.read(path)
    return {"path": file.path, "content": file.content, "sha256": file.sha256, "size": file.size}


async def save(workspace: Workspace, path: str, content: str, expected: str | None) -> Object:
    """Write a file that is still as `expected` says (None: whatever it is); raises Conflict, Forbidden."""
    change_set = await workspace.propose({path: content}, summary=f"saved {path} in the editor")
    after = sha256_of(content.encode())
    before = change_set.files[0].before_sha256 if change_set.files else after
    if expected is not None and expected.removeprefix("sha256:") != before.removeprefix("sha256:"):
        message = f"{path} changed since it was read; read it again"
        raise Conflict(message)
    if change_set.files:
        await workspace.apply(change_set)
    return {"path": path, "sha256": after}


async def create(duties: Duties, directory: str, description: str) -> tuple[str, ...]:
    """Write a starter module as `scaffold` proposes it; raises Conflict when a file of it exists."""
    turn = Turn(new_id(), Question(description, "scaffold", face="server"), duties.workspace.resolve("."))
    arguments: dict[str, Json] = {"dir": directory, "description": description}
    result = ToolResult("")
    async with aclosing(duties.tools["scaffold"].run(turn, arguments)) as items:
        async for item in items:
            result = item if isinstance(item, ToolResult) else result
    if result.outcome != "ok":
        raise Invalid(result.summary or result.content)
    change_set = await duties.workspace.propose(turn.draft, summary=turn.summary)
    if len(change_set.files) < len(turn.draft) or any(change.action != "create" for change in change_set.files):
        message = f"{directory} already has files of a starter module; nothing was written"
        raise Conflict(message)
    return await duties.workspace.apply(change_set)


def next_prompt(directory: str, description: str) -> Object:
    """Suggest what to ask next about a module that has a description."""
    return {"prompt": f"/generate -d {shlex.quote(directory)} {description}"} if description else {}
