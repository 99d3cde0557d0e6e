"""Doctor: what works, what does not, and what to do about it; behind `status`, `doctor` and readiness."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from .core.approvals import Approvals
from .core.commands import BY_NAME, COMMANDS, SHARED, Command
from .core.errors import TfaiError, UsageError
from .core.messages import Json, ToolResult
from .core.page import counted
from .core.protocols import ChatModel, Journal, Retriever, Terraform, Workspace
from .core.results import Report, Rows
from .core.tools import Tool
from .core.turns import Turn
from .settings import Settings

Status = Literal["ok", "degraded", "down", "disabled"]

CHECK_SECONDS = 5.0
_PACKAGES = ("tfai-jupyter", "jupyterlab", "jupyter-server", "ipykernel", "openai", "duckdb")


@dataclass(frozen=True, slots=True)
class Check:
    """How one part is: `detail` for a person who may see paths and names, `advice` says what to do."""

    name: str
    status: Status
    required: bool = False
    detail: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doctor:
    """Asks each collaborator how it is, all at once, each within 5 s and without spending tokens."""

    settings: Settings
    model: ChatModel
    terraform: Terraform
    journal: Journal
    retriever: Retriever
    approvals: Approvals
    workspace: Workspace

    def tools(self) -> tuple[Tool, ...]:
        """Return the tools behind the commands that look at the assistant itself."""
        commands = (self.status, self.config, self.doctor, self.help, self.version)
        return tuple(Tool.of(each, offered=False) for each in commands)

    async def checks(self) -> tuple[Check, ...]:
        """Check model, terraform, journal and settings."""
        return tuple(await asyncio.gather(self._model(), self._terraform(), self._journal(), self._settings()))

    async def status(self, turn: Turn) -> ToolResult:  # noqa: ARG002 - every tool takes its turn
        """Say in a few lines what works and what waits for a person."""
        rows = [(each.name, each.status, each.detail) for each in await self.checks()]
        waiting = [("approval", each.kind, f"approve {each.id}") for each in self.approvals.pending()]
        return _rows(Rows(("part", "status", "detail"), (*rows, *waiting)), "status")

    async def doctor(self, turn: Turn) -> ToolResult:
        """Check everything and say what to do."""
        rows = [(each.name, each.status, each.detail, each.advice) for each in await self.checks()]
        listing = await self.workspace.list(turn.directory)
        found = sum(file.path.endswith((".tf", ".tf.json")) for file in listing.files)
        advice = "" if found else "`generate` or `scaffold` begins a configuration"
        rows.append(("workspace", "ok", f"{listing.dir or '.'}: {counted(found, 'Terraform file')}", advice))
        problems = [("setting", "degraded", problem, "") for problem in self.settings.problems]
        return _rows(Rows(("part", "status", "detail", "what to do"), (*rows, *problems)), "everything checked")

    async def config(self, turn: Turn) -> ToolResult:  # noqa: ARG002 - as above
        """Show every setting, secrets as set or unset, and where each comes from."""
        return _rows(Rows(("setting", "value", "source"), self.settings.table()), f"settings {self.settings.hash[:12]}")

    async def help(self, turn: Turn, command: str = "") -> ToolResult:  # noqa: ARG002 - as above
        """List the commands, or explain one."""
        if command and command not in BY_NAME:
            message = f"unknown command {command!r}; `help` lists them all"
            raise UsageError(message)
        return _report(explain(BY_NAME[command]) if command else overview())

    async def version(self, turn: Turn) -> ToolResult:  # noqa: ARG002 - as above
        """Say which versions run here."""
        lines = [*(f"{name} {_installed(name)}" for name in _PACKAGES), f"python {platform.python_version()}"]
        terraform = await self._terraform()
        return _report("\n".join((*lines, f"terraform: {terraform.detail}")))

    async def _model(self) -> Check:
        await self.model.prepare()
        name = self.model.name
        advice = "set MODEL_PROVIDER to ollama or openai for answers beyond rules" if name.provider == "offline" else ""
        return await _check("model", self.model.ping, f"{name.provider} {name.name}", advice)

    async def _terraform(self) -> Check:
        try:
            found = await asyncio.wait_for(self.terraform.version(), CHECK_SECONDS)
        except (TfaiError, TimeoutError) as error:
            return Check("terraform", "down", detail=str(error) or "no answer", advice="install terraform or tofu")
        return Check("terraform", "ok", detail=f"{found.product} {found.version} ({found.source}) {found.path}".strip())

    async def _journal(self) -> Check:
        if self.settings.history_path is None:
            return Check("journal", "disabled", detail="TFAI_HISTORY_DB=disabled")
        path = str(self.settings.history_path)
        if self.journal.notice:
            return Check("journal", "degraded", detail=self.journal.notice)
        return await _check("journal", self.journal.ping, path, "")

    async def _settings(self) -> Check:
        problems = self.settings.problems
        return Check("settings", "degraded" if problems else "ok", detail="; ".join(problems))


def overview() -> str:
    """Return one line a command."""
    width = max(len(command.name) for command in COMMANDS)
    lines = (f"  {command.name:<{width}}  {command.summary}" for command in COMMANDS)
    return "\n".join(("%tfai COMMAND in a cell, /COMMAND in the panel, tfai COMMAND in a shell", *lines))


def explain(command: Command) -> str:
    """Return a command's synopsis and options."""
    options = [*(option for option in command.options), *SHARED]
    names = [", ".join(option.flags) or option.name for option in options]
    width = max(map(len, names))
    lines = (f"  {name:<{width}}  {option.help}" for name, option in zip(names, options, strict=True))
    return "\n".join((f"{command.usage}\n  {command.summary}\n", *lines))


async def _check(name: str, ping: Callable[[], Awaitable[None]], detail: str, advice: str) -> Check:
    try:
        await asyncio.wait_for(ping(), CHECK_SECONDS)
    except TimeoutError:
        return Check(name, "down", detail=f"{detail}: no answer within {CHECK_SECONDS:g} s", advice=advice)
    except TfaiError as error:
        return Check(name, "down", detail=f"{detail}: {error}", advice=advice)
    return Check(name, "ok", detail=detail, advice=advice)


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"


def _rows(rows: Rows, summary: str) -> ToolResult:
    return ToolResult(str(rows), summary=summary, data=_data("rows", rows.to_dict()))


def _report(text: str) -> ToolResult:
    return ToolResult(text, summary=text.partition("\n")[0], data=_data("report", Report(text).to_dict()))


def _data(kind: str, fields: Mapping[str, Json]) -> dict[str, Json]:
    return {"result": kind, **fields}
