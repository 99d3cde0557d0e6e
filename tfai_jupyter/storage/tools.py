"""The tools that read the workspace and the journal, and the one applier that writes files.

Models are offered `read_file` and `list_files`; the rest are a person's commands. What a file holds
goes to the model alone, never into an event: `summary` and `data` name files by path and hash.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

from tfai_jupyter.core.approvals import Approval, Approvals, Consent
from tfai_jupyter.core.changes import ChangeSet, FileChange
from tfai_jupyter.core.errors import Conflict, Forbidden, Invalid, NotFound
from tfai_jupyter.core.events import Event
from tfai_jupyter.core.messages import Json, ToolResult
from tfai_jupyter.core.protocols import FileText, Journal
from tfai_jupyter.core.results import Report, Rows
from tfai_jupyter.core.tools import Tool
from tfai_jupyter.core.turns import Turn

from . import usage as queries
from .starter import starter
from .variables import is_variables_file, masked
from .workspace import DiskWorkspace

_MOST_LISTED = 500


class StorageTools:
    """Makes the tools, and applies the change sets that were approved."""

    def __init__(
        self,
        workspace: DiskWorkspace,
        journal: Journal,
        approvals: Approvals,
        *,
        read_only: bool = False,
    ) -> None:
        """Take the collaborators; `read_only` refuses `undo`, the one command that writes."""
        self._workspace = workspace
        self._journal = journal
        self._approvals = approvals
        self._read_only = read_only

    def tools(self) -> tuple[Tool, ...]:
        """Return the tools, those for commands only not offered to models."""
        offered: tuple[Callable[..., Any], ...] = (self.read_file, self.list_files)
        commands: tuple[Callable[..., Any], ...] = (
            *(self.files, self.scaffold, self.changes, self.undo),
            *(self.history, self.usage, self.sql),
        )
        return (*map(Tool.of, offered), *(Tool.of(each, offered=False) for each in commands))

    async def read_file(self, turn: Turn, path: str) -> ToolResult:
        """Read a text file of the workspace.

        path: relative to the workspace
        """
        file = await self._found(turn, path)
        text = masked(file.content) if is_variables_file(file.path) else file.content
        return ToolResult(
            text, "ok", f"read {file.path}, {file.size:,} bytes", {"path": file.path, "sha256": file.sha256}
        )

    async def list_files(self, turn: Turn, dir: str = ".") -> ToolResult:  # noqa: A002 - the contract's name
        """List the files below a directory of the workspace.

        dir: relative to the workspace
        """
        return await self.files(turn, dir)

    async def files(self, turn: Turn, dir: str = ".") -> ToolResult:  # noqa: A002 - the contract's name
        """List the files below a directory.

        dir: relative to the workspace
        """
        listing = await self._workspace.list(self._workspace.resolve(dir or ".", turn.directory))
        flags = {"initialized": listing.initialized, "has state": listing.has_state, "locked": listing.has_lockfile}
        said = [word for word, holds in flags.items() if holds] + ["cut short"] * listing.truncated
        summary = f"{len(listing.files)} files in {listing.dir or '.'}" + (f" ({', '.join(said)})" if said else "")
        rows = Rows(("path", "size"), tuple((file.path, file.size) for file in listing.files[:_MOST_LISTED]))
        return _rows(rows, summary, "\n".join(file.path for file in listing.files[:_MOST_LISTED]))

    async def scaffold(self, turn: Turn, dir: str = ".", description: str = "") -> ToolResult:  # noqa: A002 - as above
        """Propose the files a new module begins with; raises Conflict when one of them exists.

        dir: the module's directory, relative to the workspace
        description: what the module is for; becomes a comment
        """
        directory = self._workspace.resolve(dir or ".", turn.directory)
        where = self._workspace.relative(directory)
        drafted: dict[str, str | None] = {}
        for name, text in starter(description).items():
            if (directory / name).exists():
                message = f"{where or '.'} already has a {name}; nothing was proposed"
                raise Conflict(message)
            drafted[f"{where}/{name}" if where else name] = text
        turn.draft.update(drafted)
        turn.summary = turn.summary or f"starter module in {where or '.'}"
        return _report(f"a starter module in {where or '.'}: {', '.join(starter())}", {"dir": where})

    async def changes(self, turn: Turn) -> ToolResult:  # noqa: ARG002 - what every tool is given
        """Show the change sets that wait for approval, and those that `undo` can put back."""
        waiting = {each.subject_id: each.id for each in self._approvals.pending() if each.kind == "change_set"}
        pending = [each for each in await self._workspace.pending() if each.id in waiting]
        applied = await self._workspace.applied()
        rows = [("pending", each, waiting[each.id]) for each in pending] + [("applied", each, "") for each in applied]
        columns = ("state", "change set", "files", "summary", "approval")
        found = Rows(
            columns, tuple((state, each.id, _paths(each), each.summary, approval) for state, each, approval in rows)
        )
        return _rows(found, f"{len(pending)} change sets wait for approval, {len(applied)} are applied")

    async def undo(self, turn: Turn, change_set_id: str = "") -> ToolResult:  # noqa: ARG002 - what every tool is given
        """Put back what a change set replaced; raises Conflict when a file has changed since.

        change_set_id: the last applied one if left out
        """
        if self._read_only:
            message = "TFAI_READ_ONLY is set: nothing is written here"
            raise Forbidden(message)
        change_set = await self._workspace.load(change_set_id or await self._workspace.last_applied())
        paths = await self._workspace.undo(change_set.id)
        undone = [change for change in change_set.files if change.path in paths]
        files: list[Json] = [
            {"path": each.path, "action": each.action, "sha256": each.before_sha256} for each in undone
        ]
        data: dict[str, Json] = {"change_set_id": change_set.id, "done": "undone", "files": files}
        gone = tuple(each.path for each in undone if each.action == "create")
        back = tuple(path for path in paths if path not in gone)
        told = [f"put back {_count(back)}: {', '.join(back)}"] if back else []
        told += [f"removed {_count(gone)}: {', '.join(gone)}"] if gone else []
        return _report(f"{'; '.join(told)}. Undo is about files: what was applied still exists.", data)

    async def history(self, turn: Turn, limit: int = 20) -> ToolResult:  # noqa: ARG002 - what every tool is given
        """Show past turns, the newest first.

        limit: how many
        """
        rows = await queries.history(self._journal, limit)
        return _rows(rows, f"the last {len(rows.rows)} turns")

    async def usage(self, turn: Turn, by: queries.By = "day") -> ToolResult:  # noqa: ARG002 - what every tool is given
        """Show turns and tokens.

        by: day, model, tool or user
        """
        return _rows(await queries.usage(self._journal, by), f"usage by {by}")

    async def sql(self, turn: Turn, query: str) -> ToolResult:  # noqa: ARG002 - what every tool is given
        """Run a read-only query over the journal.

        query: one SELECT; tables are events, turns, messages, tool_runs, approvals, changes, usage_daily, audit
        """
        rows = await self._journal.query(query)
        return _rows(rows, f"{len(rows.rows)} rows" + (", and there are more" if rows.truncated else ""))

    async def check(self, approval: Approval, files: Sequence[str]) -> None:
        """Raise Conflict when the proposal, or a file of it that `files` names (none: all), has changed since."""
        change_set = await self._proposal(approval)
        unknown = sorted(set(files) - {change.path for change in change_set.files})
        if unknown:
            message = f"{', '.join(unknown)} is not in change set {change_set.id}; it has {_paths(change_set)}"
            raise Invalid(message)
        for change in change_set.files:
            if files and change.path not in files:
                continue
            try:
                current = (await self._workspace.read(change.path)).sha256
            except NotFound:
                current = ""
            if current != change.before_sha256:
                message = f"{change.path} changed since it was proposed; nothing was written, propose again"
                raise Conflict(message)

    async def apply(self, turn: Turn, consent: Consent) -> AsyncGenerator[Event | ToolResult, None]:
        """Write exactly the files that were approved, or of them those in `options["files"]`.

        Raises Conflict when the proposal, or a file it would replace, is not what was approved.
        """
        change_set = await self._proposal(consent.approval)
        wanted = turn.question.options.get("files")
        chosen = [str(path) for path in wanted] if isinstance(wanted, list | tuple) else []
        written = await self._workspace.apply(change_set, chosen)
        changes = [change for change in change_set.files if change.path in written]
        data: dict[str, Json] = {"change_set_id": change_set.id, "done": "applied", "files": [*map(_written, changes)]}
        yield _report(f"wrote {_count(written)}: {', '.join(written)}", data)

    async def _proposal(self, approval: Approval) -> ChangeSet:
        change_set = await self._workspace.load(approval.subject_id)
        if approval.kind != "change_set" or approval.binding.get("change_set") != change_set.digest:
            message = f"change set {change_set.id} is not the one that was approved; propose again"
            raise Conflict(message)
        return change_set

    async def _found(self, turn: Turn, path: str) -> FileText:
        """Read a path relative to the turn's directory, or as listings of the whole workspace name it."""
        try:
            return await self._workspace.read(path, turn.directory)
        except NotFound:
            if turn.directory == self._workspace.root:
                raise
            return await self._workspace.read(path)


def _written(change: FileChange) -> Json:
    return {"path": change.path, "action": change.action, "sha256": change.after_sha256}


def _paths(change_set: ChangeSet) -> str:
    return ", ".join(change.path for change in change_set.files)


def _count(paths: tuple[str, ...]) -> str:
    return "1 file" if len(paths) == 1 else f"{len(paths)} files"


def _report(summary: str, data: dict[str, Json]) -> ToolResult:
    report = Report(summary, "ok", data)
    return ToolResult(summary, "ok", summary, {"result": "report", **report.to_dict(), **data})


def _rows(rows: Rows, summary: str, content: str = "") -> ToolResult:
    return ToolResult(content or str(rows), "ok", summary, {"result": "rows", **rows.to_dict()})
