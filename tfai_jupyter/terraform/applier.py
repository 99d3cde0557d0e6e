"""The applier of saved plans: the only place that changes infrastructure, and only with a Consent."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfai_jupyter.core.approvals import Approval, Consent
from tfai_jupyter.core.errors import Conflict, Invalid
from tfai_jupyter.core.events import Event, Notice, ToolProgress
from tfai_jupyter.core.messages import Json, ToolResult
from tfai_jupyter.core.plans import Diagnostic
from tfai_jupyter.core.protocols import Terraform, TerraformRun, Workspace
from tfai_jupyter.core.redaction import Redactor
from tfai_jupyter.core.results import Report
from tfai_jupyter.core.turns import Turn

from . import values
from .diagnostics import data_of, diagnostics_of, error_count, listed, message_of
from .process import is_running
from .saved import SavedPlan, SavedPlans, identity_of
from .session import Session

# Not provisioner output: it is whatever a program printed. It is in the diagnostic when one fails.
TOLD = frozenset(("apply_start", "apply_progress", "apply_complete", "apply_errored", "provision_start"))
FREE_LINES = 60
PACE_SECONDS = 0.25

_ID = re.compile(r" \[id=.*\]$")
_INCOMPLETE = "Terraform was ended before it was done, so the state may be incomplete: run plan and compare"


@dataclass(slots=True)
class Pace:
    """Lets the first lines through, then at most four a second, so that a large apply floods nobody."""

    free: int = FREE_LINES
    last: float = 0.0

    def allows(self) -> bool:
        """Tell whether a line may be told now."""
        now = time.monotonic()
        if self.free > 0 or now - self.last >= PACE_SECONDS:
            self.free -= 1
            self.last = now
            return True
        return False


class Applier:
    """Applies saved plans and says how that ended, also how it ended when nobody was there."""

    def __init__(
        self,
        terraform: Terraform,
        workspace: Workspace,
        redactor: Redactor,
        plans: SavedPlans,
        timeout_seconds: float = 0,
    ) -> None:
        """Take the collaborators; `timeout_seconds` 0 means no deadline."""
        self._terraform = terraform
        self._workspace = workspace
        self._redactor = redactor
        self._plans = plans
        self.timeout_seconds = timeout_seconds

    async def apply(self, turn: Turn, consent: Consent) -> AsyncGenerator[Event | ToolResult, None]:
        """Apply the plan that was approved, byte for byte; raises Conflict when anything it binds changed.

        The plan file is gone afterwards, whatever happened.
        """
        saved = await self._checked(consent.approval)
        session = Session(
            self._terraform, self._redactor, turn, self._workspace.resolve(saved.directory or ".", self._workspace.root)
        )
        path = self._plans.path(saved.id)
        await session.learn_inputs()
        await session.plan_document(path)
        await self._check_state(session, consent.approval.binding)
        run: TerraformRun | None = None
        pace = Pace()
        await asyncio.to_thread(self._plans.mark, saved, "applying")
        try:
            arguments = ("apply", "-input=false", "-no-color", "-json", str(path))
            async with aclosing(session.stream(*arguments, timeout_seconds=self.timeout_seconds)) as items:
                async for item in items:
                    if isinstance(item, TerraformRun):
                        run = item
                    elif (line := _progress(item)) and pace.allows():
                        yield ToolProgress("", line)
        finally:
            self._finish(saved, run, path)
        await session.learn_state()
        yield _result(run)

    async def check(self, approval: Approval, files: Sequence[str]) -> None:  # noqa: ARG002 - a plan has no parts
        """Raise Conflict when plan file or configuration is not what is to be approved; `apply` looks at the state."""
        await self._checked(approval)

    async def endings(self) -> tuple[Notice, ...]:
        """Tell once how applies ended that went on after their process had gone; for the next start.

        One that still runs, here or in another process, is left alone.
        """
        return await asyncio.to_thread(self._endings)

    def _finish(self, saved: SavedPlan, run: TerraformRun | None, path: Path) -> None:
        path.unlink(missing_ok=True)
        if run is None:
            return  # cut off: the log and the status stay, for `endings`
        self._plans.mark(saved, "applied" if run.outcome == "ok" else "failed")
        self._plans.discard(saved.id)

    def _endings(self) -> tuple[Notice, ...]:
        notices: list[Notice] = []
        for saved in (each for each in self._plans.all() if each.status == "applying"):
            log = self._plans.log(saved.id)
            if not log.exists() or is_running(log):
                continue
            summary = _summary(log.read_text("utf-8", "replace"))
            told = f"an apply in {saved.directory or '.'} went on without us. {summary or _INCOMPLETE}"
            notices.append(Notice("info" if summary else "warning", "apply_ended", self._redactor.redact(told)))
            self._plans.mark(saved, "applied" if summary else "failed")
            self._plans.discard(saved.id)
        return tuple(notices)

    async def _checked(self, approval: Approval) -> SavedPlan:
        if approval.kind != "terraform_apply":
            message = f"approval {approval.id} is for a {approval.kind}, not for a plan"
            raise Invalid(message)
        saved = await asyncio.to_thread(self._plans.find, approval.subject_id)
        if saved.binding != approval.binding:
            message = f"plan {saved.id} is not as it was approved; plan again"
            raise Conflict(message)
        await asyncio.to_thread(self._plans.check, saved)
        return saved

    async def _check_state(self, session: Session, binding: dict[str, str]) -> None:
        """Refuse a plan of another state; Terraform would too, but says less and starts locking first."""
        actual = identity_of(await session.raw_state())
        if binding["state"] and actual and binding["state"] != actual:
            message = "the state changed since the plan was made, so the plan is stale; plan again"
            raise Conflict(message)


def _progress(line: str) -> str:
    message = message_of(line)
    return _ID.sub("", message.get("@message", "")) if message.get("type") in TOLD else ""


def _result(run: TerraformRun | None) -> ToolResult:
    if run is None:
        return ToolResult(_INCOMPLETE, "error", "the apply was cut off")
    diagnostics = diagnostics_of(run)
    if run.outcome != "ok":
        return _failure(run, diagnostics)
    summary = _summary(run.stdout) or "Apply complete."
    outputs = _outputs(run.stdout)
    lines = [f"{name} = {values.text_of(value)}" for name, value in outputs.items()]
    text = "\n".join([summary, *(f"warning: {each.summary}" for each in diagnostics), *lines])
    report = Report(text, data={"outputs": dict(outputs)})
    return ToolResult(text, "ok", summary, {"result": "report", **report.to_dict()})


def _failure(run: TerraformRun, diagnostics: tuple[Diagnostic, ...]) -> ToolResult:
    was_killed = run.outcome == "timeout" or run.exit_code < 0
    is_stale = any("stale" in each.summary.lower() for each in diagnostics)
    done = sum(message_of(line).get("type") == "apply_complete" for line in run.stdout.splitlines())
    summary = f"Apply failed: {error_count(diagnostics)}."
    if is_stale:
        summary = "The plan is stale: the state changed since it was made. Nothing was changed; plan again."
    elif was_killed:
        summary = f"Apply ended early: {_INCOMPLETE}."
    partly = f"{done} resources were changed before that; plan again to see what is left." if done else ""
    text = "\n".join(filter(None, (summary, partly, listed(diagnostics))))
    data: dict[str, Json] = {"diagnostics": data_of(diagnostics), "exit_code": run.exit_code}
    report = Report(text, "timeout" if run.outcome == "timeout" else "error", data)
    return ToolResult(text, report.outcome, summary, {"result": "report", **report.to_dict(), **data})


def _summary(output: str) -> str:
    """Return Terraform's own last word on what was applied; empty when it did not come to it."""
    for message in map(message_of, reversed(output.splitlines())):
        if message.get("type") == "change_summary":
            return str(message.get("@message", ""))
    return ""


def _outputs(output: str) -> dict[str, Any]:
    for message in map(message_of, reversed(output.splitlines())):
        if message.get("type") == "outputs":
            shown = message.get("outputs", {}).items()
            return {
                name: values.SENSITIVE if each.get("sensitive") else each.get("value")
                for name, each in shown
                if "value" in each or each.get("sensitive")
            }
    return {}
