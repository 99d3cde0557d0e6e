"""What the Terraform tools answer: text for a model, a line for a person, data for a program. Pure."""

from __future__ import annotations

from tfai_jupyter.core.events import PlanReady
from tfai_jupyter.core.messages import Json, ToolResult
from tfai_jupyter.core.page import counted
from tfai_jupyter.core.plans import ACTION_SIGNS, Plan, ResourceChange
from tfai_jupyter.core.results import Report, Rows, State

SHOWN_CHANGES = 60
SHOWN_VALUE = 120
SHOWN_CHARACTERS = 20_000


def report(summary: str, text: str = "", data: dict[str, Json] | None = None, *, is_ok: bool = True) -> ToolResult:
    """Answer with a line and what follows it."""
    content = "\n".join(filter(None, (summary, text)))
    made = Report(content, "ok" if is_ok else "error", data)
    cut = content if len(content) <= SHOWN_CHARACTERS else f"{content[:SHOWN_CHARACTERS]}\n(cut)"
    return ToolResult(cut, made.outcome, summary, {"result": "report", **made.to_dict(), **(data or {})})


def plan_event(plan: Plan) -> PlanReady:
    """Announce a saved plan."""
    return PlanReady(
        plan.id, plan.workspace, plan.summary, plan.risk, plan.changes, plan.sha256, plan.digest, plan.outputs
    )


def plan_result(plan: Plan, summary: str) -> ToolResult:
    """Answer with a plan: for a model its reasons of risk and its changes, briefly."""
    shown = [change for change in plan.changes if change.action != "no-op" or change.previous_address]
    lines = [
        summary,
        *(f"risk {reason.rule}: {reason.address}: {reason.why}" for reason in plan.risk.reasons[:SHOWN_CHANGES]),
        *map(_brief, shown[:SHOWN_CHANGES]),
        *([f"and {len(shown) - SHOWN_CHANGES} more"] if len(shown) > SHOWN_CHANGES else []),
        f"plan_id: {plan.id}",
    ]
    content = "\n".join(lines)[:SHOWN_CHARACTERS]
    return ToolResult(content, "ok", summary, {"result": "plan", **plan.to_dict()})


def drift_result(plan: Plan) -> ToolResult:
    """Answer with what changed outside Terraform: a row for each attribute."""
    drifted = [change for change in plan.changes if change.drift]
    rows = tuple(
        (change.address, change.action, attribute.name, attribute.before, attribute.after)
        for change in drifted
        for attribute in change.attributes
    )
    summary = f"{counted(len(drifted), 'resource')} changed outside Terraform." if drifted else "No drift."
    made = Rows(("address", "action", "attribute", "before", "after"), rows, empty=summary)
    content = "\n".join([summary, *map(_brief, drifted[:SHOWN_CHANGES])])
    return ToolResult(content, "ok", summary, {"result": "rows", **made.to_dict()})


def state_result(state: State) -> ToolResult:
    """Answer with a state: addresses, or the attributes that were asked for."""
    summary = f"{counted(len(state.resources), 'resource')} in the state."
    lines = [summary]
    for resource in state.resources:
        lines.append(resource.address + (" (tainted)" if resource.tainted else ""))
        lines += [f"  {name} = {value}" for name, value in (resource.attributes or {}).items()]
    return ToolResult("\n".join(lines)[:SHOWN_CHARACTERS], "ok", summary, {"result": "state", **state.to_dict()})


def rows_result(rows: Rows, summary: str) -> ToolResult:
    """Answer with rows of two columns: names and values."""
    content = "\n".join([summary, *(f"{name} = {value}" for name, value in rows.rows)])
    return ToolResult(content[:SHOWN_CHARACTERS], "ok", summary, {"result": "rows", **rows.to_dict()})


def _brief(change: ResourceChange) -> str:
    moved = f" (was {change.previous_address})" if change.previous_address else ""
    reason = f" ({change.reason.replace('_', ' ')})" if change.reason else ""
    head = f"{ACTION_SIGNS[change.action]} {change.address}{moved}{reason}{' [drift]' if change.drift else ''}".strip()
    if change.action not in ("update", "replace"):
        return head
    told = (f"    {each.name}: {_short(each.before)} -> {_short(each.after)}" for each in change.attributes[:20])
    return "\n".join([head, *told])


def _short(text: str | None) -> str:
    if text is None:
        return "(none)"
    return text if len(text) <= SHOWN_VALUE else f"{text[:SHOWN_VALUE]}…"
