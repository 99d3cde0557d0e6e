"""The tools that run Terraform: for models those that only look or ask, for commands a few more.

None applies or writes into the workspace but `init`, which makes `.terraform/` and the lock file.
"""
# ruff: noqa: A002 - the contract names the argument `dir`

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any, Literal

from tfai_jupyter.core.approvals import Approvals
from tfai_jupyter.core.errors import Invalid, NotFound, Unavailable
from tfai_jupyter.core.events import Event, ToolProgress
from tfai_jupyter.core.messages import ToolResult
from tfai_jupyter.core.page import counted
from tfai_jupyter.core.protocols import Terraform, TerraformRun, Vault, Workspace
from tfai_jupyter.core.redaction import Redactor
from tfai_jupyter.core.results import Rows
from tfai_jupyter.core.tools import Tool
from tfai_jupyter.core.turns import Turn

from .applier import Applier
from .diagnostics import data_of, diagnostics_of, error_count, errors_of, listed, message_of
from .formatting import FORMATTED, format_files
from .planner import Planned, Planner, PlanOptions, failed
from .reports import drift_result, plan_event, plan_result, report, rows_result, state_result
from .saved import SavedPlan, SavedPlans, identity_of
from .session import Session, no_option, open_session
from .state import outputs_of, read_state


class TerraformTools:
    """Makes the tools, and applies what was approved."""

    def __init__(
        self,
        terraform: Terraform,
        workspace: Workspace,
        vault: Vault,
        approvals: Approvals,
        redactor: Redactor,
        *,
        apply_timeout_seconds: float = 0,
    ) -> None:
        """Take the collaborators; an apply may last `apply_timeout_seconds`, 0 for as long as it needs."""
        self._terraform = terraform
        self._workspace = workspace
        self._approvals = approvals
        self._redactor = redactor
        self._plans = SavedPlans(vault, workspace.root)
        self._planner = Planner(self._plans, workspace.root)
        self.applier = Applier(terraform, workspace, redactor, self._plans, apply_timeout_seconds)

    def tools(self) -> tuple[Tool, ...]:
        """Return the tools, those for commands only not offered to models."""
        offered: tuple[Callable[..., Any], ...] = (
            self.terraform_validate,
            self.terraform_plan,
            self.terraform_state,
            self.terraform_output,
            self.terraform_graph,
            self.request_apply,
        )
        commands: tuple[Callable[..., Any], ...] = (
            self.terraform_init,
            self.terraform_fmt,
            self.terraform_drift,
            self.terraform_apply_request,
        )
        hidden = (Tool.of(each, offered=False) for each in commands)
        return (*map(Tool.of, offered), *hidden)

    async def terraform_validate(
        self, turn: Turn, dir: str = ".", *, no_init: bool = False
    ) -> AsyncGenerator[Event | ToolResult, None]:
        """Check a configuration for errors without touching any infrastructure.

        dir: relative to the workspace
        no_init: fail rather than run init
        """
        session = self._open(turn, dir)
        await session.learn_inputs()
        run: TerraformRun | None = None
        arguments = ("validate", "-json", "-no-color")
        async for item in session.with_init(*arguments, init=("-backend=false",), allowed=not no_init):
            if isinstance(item, ToolProgress):
                yield item
            else:
                run = item
        diagnostics = diagnostics_of(run) if run else ()
        is_valid = run is not None and run.outcome == "ok"
        if run is not None and is_valid and "valid" not in message_of(run.stdout):
            message = "validate printed no result; is TFAI_TERRAFORM_BINARY a Terraform?"
            raise Unavailable(message)
        summary = (
            "The configuration is valid." if is_valid else f"The configuration is invalid: {error_count(diagnostics)}."
        )
        yield report(summary, listed(diagnostics), {"diagnostics": data_of(diagnostics)}, is_ok=is_valid)

    async def terraform_plan(
        self,
        turn: Turn,
        dir: str = ".",
        var_files: tuple[str, ...] = (),
        *,
        destroy: bool = False,
        refresh_only: bool = False,
        no_init: bool = False,
    ) -> AsyncGenerator[Event | ToolResult, None]:
        """Show what Terraform would change, and save that plan so that it can be approved and applied.

        dir: relative to the workspace
        var_files: variable files, relative to dir
        destroy: plan to destroy everything that is managed
        refresh_only: only bring the state up to date
        no_init: fail rather than run init
        """
        session = self._open(turn, dir)
        paths = tuple(self._workspace.resolve(no_option(each, "a var file"), session.directory) for each in var_files)
        options = PlanOptions(paths, destroy, refresh_only, not no_init)
        async for item in self._planner.plan(session, options):
            if isinstance(item, Planned):
                yield plan_event(item.plan)
                yield plan_result(item.plan, item.saved.summary)
            else:
                yield item

    async def terraform_state(
        self, turn: Turn, dir: str = ".", subcommand: Literal["list", "show"] = "list", address: str = ""
    ) -> ToolResult:
        """List what Terraform manages, or show one resource; secrets are masked.

        dir: relative to the workspace
        address: the resource to show
        """
        session = self._open(turn, dir)
        if subcommand == "show" and not no_option(address, "address"):
            message = "state show needs an address; state list tells them"
            raise Invalid(message)
        document = await session.state_document()
        lineage, _, serial = identity_of(await session.raw_state()).rpartition(":")
        shown = address if subcommand == "show" else ""
        state = read_state(document, address=shown, serial=int(serial) if serial.isdecimal() else None, lineage=lineage)
        if shown and not state.resources:
            message = f"there is no {shown} in the state; state list tells what there is"
            raise NotFound(message)
        return state_result(state)

    async def terraform_output(self, turn: Turn, dir: str = ".") -> ToolResult:
        """Show the output values of the last apply; sensitive ones are masked.

        dir: relative to the workspace
        """
        session = self._open(turn, dir)
        outputs = outputs_of(await session.state_document()) or {}
        rows = Rows(("name", "value"), tuple((name, value) for name, value in outputs.items()), empty="No outputs.")
        return rows_result(rows, f"{counted(len(outputs), 'output')}.")

    async def terraform_graph(self, turn: Turn, dir: str = ".") -> ToolResult:
        """Show how resources depend on each other, in DOT.

        dir: relative to the workspace
        """
        session = self._open(turn, dir)
        await session.learn_inputs()
        run = await session.run("graph")
        if run.outcome != "ok":
            return await failed(session, run)
        return report(counted(run.stdout.count("->"), "dependency", "dependencies"), run.stdout.strip())

    async def request_apply(self, turn: Turn, plan_id: str) -> AsyncGenerator[Event | ToolResult, None]:
        """Ask a person to approve a saved plan. Nothing is applied before they do.

        plan_id: the id that terraform_plan gave
        """
        saved = await asyncio.to_thread(self._plans.find, plan_id)
        async for item in self._request(turn, saved):
            yield item

    async def terraform_apply_request(
        self, turn: Turn, plan_id: str = "", dir: str = "."
    ) -> AsyncGenerator[Event | ToolResult, None]:
        """Ask for approval of a saved plan: the named one, else the newest of the directory, else a new one."""
        session = self._open(turn, dir)
        directory = self._workspace.relative(session.directory)
        conversation = turn.question.conversation_id
        saved = (
            await asyncio.to_thread(self._plans.find, plan_id)
            if plan_id
            else await asyncio.to_thread(self._plans.newest, directory, conversation)
        )
        if saved is None:
            async for item in self._planner.plan(session, PlanOptions()):
                if isinstance(item, Planned):
                    saved = item.saved
                    yield plan_event(item.plan)
                else:
                    yield item
        if saved is not None:
            async for request in self._request(turn, saved):
                yield request

    async def terraform_init(self, turn: Turn, dir: str = ".") -> AsyncGenerator[Event | ToolResult, None]:
        """Prepare a directory: backend, modules, providers."""
        session = self._open(turn, dir)
        await session.learn_inputs()
        run: TerraformRun | None = None
        async for item in session.stream("init", "-input=false", "-no-color"):
            if isinstance(item, TerraformRun):
                run = item
            elif item.startswith(("- ", "Initializing")):
                yield ToolProgress("", item)
        if run is None or run.outcome != "ok":
            yield await failed(session, run)
            return
        yield report("Terraform is initialized here.", "")

    async def terraform_fmt(self, turn: Turn, dir: str = ".") -> ToolResult:
        """Draft the files that are not formatted as `terraform fmt` would write them."""
        directory = self._open(turn, dir).directory
        listing = await self._workspace.list(directory)
        paths = [each.path for each in listing.files if each.path.endswith(FORMATTED)]
        files = [await self._workspace.read(path, directory) for path in paths]
        before = {file.path: file.content for file in files}
        after, diagnostics = await format_files(self._terraform, before, turn.question.env)
        if broken := errors_of(diagnostics):
            text = f"fmt failed: {error_count(broken)}"
            return report(text, listed(broken), {"diagnostics": data_of(broken)}, is_ok=False)
        changed = {path: text for path, text in after.items() if text != before[path]}
        if not changed:
            return report(f"{counted(len(before), 'file')} checked, all formatted.", "")
        turn.draft.update(changed)
        turn.summary = turn.summary or f"format {counted(len(changed), 'file')}"
        turn.validation = "skipped: only the format changes"
        return report(f"{counted(len(changed), 'file')} of {len(before)} to format.", "\n".join(sorted(changed)))

    async def terraform_drift(
        self, turn: Turn, dir: str = ".", *, no_init: bool = False
    ) -> AsyncGenerator[Event | ToolResult, None]:
        """Show what changed outside Terraform since the last apply."""
        session = self._open(turn, dir)
        async for item in self._planner.plan(session, PlanOptions(refresh_only=True, init=not no_init)):
            if isinstance(item, Planned):
                self._plans.forget(item.saved)
                yield drift_result(item.plan)
            else:
                yield item

    async def _request(self, turn: Turn, saved: SavedPlan) -> AsyncGenerator[Event | ToolResult, None]:
        """Raise the approval of a saved plan that can still be applied."""
        if saved.empty:
            yield report("Nothing to apply: the plan has no changes.", "")
            return
        await asyncio.to_thread(self._plans.check, saved)
        approval = self._approvals.request(
            turn,
            "terraform_apply",
            saved.id,
            digest=saved.digest,
            binding=saved.binding,
            risk=saved.risk,
            confirm_phrase=saved.confirm_phrase,
            workspace=saved.directory,
        )
        yield approval.required()
        phrase = f' --confirm "{saved.confirm_phrase}"' if saved.confirm_phrase else ""
        told = f"{saved.summary} Apply it with: approve {approval.id}{phrase}"
        yield ToolResult(
            told, "ok", told, {"approval_id": approval.id, "plan_id": saved.id, "plan_digest": saved.digest}
        )

    def _open(self, turn: Turn, dir: str) -> Session:
        return open_session(self._terraform, self._workspace, self._redactor, turn, dir)
