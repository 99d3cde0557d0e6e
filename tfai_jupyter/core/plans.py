"""What Terraform would do: resource changes, their summary, the risk, and diagnostics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from .messages import Json
from .page import Code, Note, Page, Shown, Table

ACTION_SIGNS = {"create": "+", "update": "~", "delete": "-", "replace": "-/+", "read": "<=", "no-op": "", "forget": "#"}

Action = Literal["create", "update", "delete", "replace", "read", "no-op", "forget"]
RiskLevel = Literal["none", "low", "medium", "high"]


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """How many resources a plan touches, by what happens to them; a replacement counts once."""

    add: int = 0
    change: int = 0
    destroy: int = 0
    replace: int = 0
    imported: int = field(default=0, metadata={"key": "import"})
    move: int = 0
    forget: int = 0

    def __str__(self) -> str:
        """Say it as Terraform does, with what is rarer only when there is any."""
        counts = [f"{self.add} to add", f"{self.change} to change", f"{self.destroy} to destroy"]
        rare = {"replace": self.replace, "import": self.imported, "move": self.move, "forget": self.forget}
        return ", ".join(counts + [f"{count} to {verb}" for verb, count in rare.items() if count])


@dataclass(frozen=True, slots=True)
class AttributeChange:
    """One attribute before and after, as text for a person; secrets are already masked."""

    name: str
    before: str | None = None
    after: str | None = None
    forces_replacement: bool = False


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """What happens to one resource. `reason` is Terraform's `action_reason`; `drift` tells that it changed outside."""

    address: str
    type: str
    action: Action
    reason: str = ""
    attributes: tuple[AttributeChange, ...] = ()
    previous_address: str = ""
    drift: bool = False


@dataclass(frozen=True, slots=True)
class RiskReason:
    """A rule that holds for a plan, the address it holds for, and why that is dangerous."""

    rule: str
    address: str
    why: str


@dataclass(frozen=True, slots=True)
class Risk:
    """How dangerous a plan is: the level of its worst reason."""

    level: RiskLevel = "none"
    reasons: tuple[RiskReason, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """An error or warning in Terraform's own words, with the place it names."""

    severity: Literal["error", "warning"]
    summary: str
    detail: str = ""
    file: str = ""
    line: int | None = None
    address: str = ""
    snippet: str = ""

    def __str__(self) -> str:
        """Say it in one line, place first."""
        place = f"{self.file}:{self.line}: " if self.file else ""
        return f"{place}{self.severity}: {self.summary}" + (f" ({self.detail})" if self.detail else "")


@dataclass(frozen=True, slots=True)
class Plan(Shown):
    """A saved plan: what would change, how dangerous that is, and the hashes an approval binds.

    `sha256` is of the plan file's bytes; `digest` is the canonical hash of resource changes and
    configuration that a policy file names. `apply()` only asks for approval.
    """

    id: str
    workspace: str
    summary: PlanSummary
    risk: Risk
    changes: tuple[ResourceChange, ...]
    sha256: str = ""
    digest: str = ""
    outputs: dict[str, Json] | None = None
    run: Callable[[str], object] | None = field(default=None, repr=False, compare=False, metadata={"wire": False})

    def apply(self) -> object:
        """Ask for approval of exactly this plan; it runs only once somebody approves."""
        return _bound(self.run)(f"apply {self.id}")

    def to_df(self) -> object:
        """Return the changes as a pandas DataFrame: address, type, action, reason."""
        return self._table().to_df()

    def page(self) -> Page:
        """Show summary, risk with reasons, and each change with its attributes."""
        reasons = tuple(Note(f"{reason.rule}: {reason.address}: {reason.why}") for reason in self.risk.reasons)
        drifted = any(change.drift for change in self.changes)
        return Page(
            Note(
                f"Plan: {self.summary}. Risk: {self.risk.level}." + (" Changed outside Terraform." if drifted else "")
            ),
            *reasons,
            self._table(),
            *(Code(text, "diff") for text in filter(None, map(_attributes, self.changes))),
            Note(f"plan {self.id}, digest {self.digest}"),
        )

    def _table(self) -> Table:
        rows = tuple(
            (ACTION_SIGNS[change.action], change.address, change.action, change.reason.replace("_", " "))
            for change in self.changes
            if change.action != "no-op" or change.previous_address or change.reason == "import"
        )
        return Table(("", "address", "action", "reason"), rows)


def _attributes(change: ResourceChange) -> str:
    lines = [f"{ACTION_SIGNS[change.action]} {change.address}".strip()]
    for attribute in change.attributes:
        mark = "  # forces replacement" if attribute.forces_replacement else ""
        lines += [f"-   {attribute.name} = {attribute.before}{mark}"] if attribute.before is not None else []
        lines += [f"+   {attribute.name} = {attribute.after}{mark}"] if attribute.after is not None else []
    return "\n".join(lines) if change.attributes else ""


def _bound(run: Callable[[str], object] | None) -> Callable[[str], object]:
    if run is None:
        message = "this result was not made in a notebook or shell, so it cannot run commands"
        raise RuntimeError(message)
    return run
