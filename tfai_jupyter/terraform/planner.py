"""Makes saved plans: runs the plan, learns its secrets, keeps it for an approval."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tfai_jupyter.core.events import ToolProgress
from tfai_jupyter.core.ids import new_id
from tfai_jupyter.core.messages import Outcome, ToolResult
from tfai_jupyter.core.plans import Plan
from tfai_jupyter.core.protocols import TerraformRun
from tfai_jupyter.core.wire import to_json

from .configuration import configuration_sha256
from .diagnostics import data_of, diagnostics_of, error_count, listed
from .plan import is_empty, read_plan
from .reports import report
from .saved import SavedPlan, SavedPlans, file_sha256, state_of_plan
from .session import Session

_ADVICE = "`diagnose` finds the root cause."


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """How to plan; `var_files` are resolved paths, `init` allows running it where it is needed."""

    var_files: tuple[Path, ...] = ()
    destroy: bool = False
    refresh_only: bool = False
    init: bool = True

    def arguments(self, out: Path) -> tuple[str, ...]:
        """Return the command line."""
        return (
            *("plan", "-input=false", "-no-color", "-json", "-detailed-exitcode", f"-out={out}"),
            *(("-destroy",) if self.destroy else ()),
            *(("-refresh-only",) if self.refresh_only else ()),
            *(f"-var-file={path}" for path in self.var_files),
        )


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan as its maker knows it; `document` is in clear and must not be handed on."""

    plan: Plan
    saved: SavedPlan
    document: dict[str, Any]


class Planner:
    """Plans in a session and keeps what came of it."""

    def __init__(self, plans: SavedPlans, root: Path) -> None:
        """Take where saved plans are kept, and the root that directories are relative to."""
        self._plans = plans
        self._root = root

    async def plan(
        self, session: Session, options: PlanOptions
    ) -> AsyncGenerator[ToolProgress | Planned | ToolResult, None]:
        """Yield progress, then the plan, or the ToolResult of a plan with errors. Nothing lasts of the latter."""
        plan_id, kept = new_id(), False
        path = await asyncio.to_thread(self._prepare, plan_id)
        try:
            await session.learn_inputs(options.var_files)
            yield ToolProgress("", "planning")
            run: TerraformRun | None = None
            async for item in session.with_init(*options.arguments(path), allowed=options.init):
                if isinstance(item, ToolProgress):
                    yield item
                else:
                    run = item
            if run is None or run.outcome != "ok" or not path.exists():
                yield await failed(session, run)
                return
            document = await session.plan_document(path)
            planned = await asyncio.to_thread(self._read, session, plan_id, document)
            await asyncio.to_thread(self._keep, session, planned)
            kept = True
            yield planned
        finally:
            if not kept:
                self._plans.discard(plan_id)

    def _prepare(self, plan_id: str) -> Path:
        self._plans.discard_old()
        return self._plans.path(plan_id)

    def _read(self, session: Session, plan_id: str, document: dict[str, Any]) -> Planned:
        path = self._plans.path(plan_id)
        path.chmod(0o600)
        where = session.directory.relative_to(self._root).as_posix()
        directory = "" if where == "." else where
        plan = read_plan(
            document,
            plan_id=plan_id,
            workspace=directory,
            sha256=file_sha256(path),
            configuration_sha256=configuration_sha256(session.directory),
        )
        acting = [change for change in plan.changes if not change.drift and change.action not in ("no-op", "read")]
        saved = SavedPlan(
            id=plan_id,
            root=str(self._root),
            directory=directory,
            conversation_id=session.turn.question.conversation_id,
            sha256=plan.sha256,
            digest=plan.digest,
            configuration_sha256=configuration_sha256(session.directory),
            risk=plan.risk.level,
            summary=said(plan, document),
            state=state_of_plan(path),
            losses=sum(change.action in ("delete", "replace") for change in acting),
            changes=len(acting),
            empty=is_empty(document),
            made_at=time.time(),
        )
        return Planned(plan, saved, document)

    def _keep(self, session: Session, planned: Planned) -> None:
        # The vault is private, yet what people list from it must be as masked as what they saw.
        self._plans.keep(planned.saved, session.redactor.masked(to_json(planned.plan)))


async def failed(session: Session, run: TerraformRun | None) -> ToolResult:
    """Return the result of a run that failed, in Terraform's words.

    An error may quote what only the state marks, so its secrets are learned first.
    """
    if run is None:
        return ToolResult("Terraform gave no result", "error")
    await session.learn_state()
    diagnostics = diagnostics_of(run)
    command = run.arguments[0]
    outcome: Outcome = "timeout" if run.outcome == "timeout" else "error"
    summary = f"{command} timed out" if outcome == "timeout" else f"{command} failed: {error_count(diagnostics)}"
    told = report(summary, f"{listed(diagnostics)}\n{_ADVICE}", {"diagnostics": data_of(diagnostics)}, is_ok=False)
    return replace(told, outcome=outcome)


def said(plan: Plan, document: dict[str, Any]) -> str:
    """Say a plan in one line."""
    if is_empty(document):
        return "No changes. The infrastructure matches the configuration."
    outputs = " Only outputs change." if not plan.changes and plan.outputs else ""
    return f"Plan: {plan.summary}. Risk: {plan.risk.level}.{outputs}"
