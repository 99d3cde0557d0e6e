"""What a turn gives back in Python: answers, state, diagnoses, rows, outcomes of commands."""

from __future__ import annotations

from dataclasses import dataclass, field

from .messages import Json, Outcome, Usage
from .page import Code, Note, Page, Prose, Shown, Table, counted
from .plans import Diagnostic


@dataclass(frozen=True, slots=True)
class Passage:
    """A retrieved piece of documentation with its source; a higher score is a better match."""

    id: str
    title: str
    source: str
    score: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class Answer(Shown):
    """A model's answer with the passages it was given and the tokens it took."""

    text: str
    passages: tuple[Passage, ...] = ()
    usage: Usage = field(default_factory=Usage)

    def page(self) -> Page:
        """Show the answer, then its sources."""
        sources = tuple((f"[{number}]", each.title, each.source) for number, each in enumerate(self.passages, 1))
        return Page(Prose(self.text), Table(("", "title", "source"), sources))


@dataclass(frozen=True, slots=True)
class StateResource:
    """One resource instance in the state; attribute values are text, secrets masked."""

    address: str
    type: str
    provider: str = ""
    tainted: bool = False
    attributes: dict[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class State(Shown):
    """What Terraform knows to exist; `serial` and `lineage` say which state it was."""

    resources: tuple[StateResource, ...]
    outputs: dict[str, Json] | None = None
    serial: int | None = None
    lineage: str = ""

    def to_df(self) -> object:
        """Return a pandas DataFrame: address, type, provider."""
        return self._table().to_df()

    def page(self) -> Page:
        """Show addresses, and the attributes where they were asked for."""
        shown = (each for each in self.resources if each.attributes)
        listings = (Code(_listing(each), "hcl") for each in shown)
        return Page(Note(f"{counted(len(self.resources), 'resource')} in the state"), self._table(), *listings)

    def _table(self) -> Table:
        rows = tuple((each.address, each.type, each.provider) for each in self.resources)
        return Table(("address", "type", "provider"), rows)


@dataclass(frozen=True, slots=True)
class Diagnosis(Shown):
    """The root cause of a failure and how to mend it, found by rule; `error_class` names the rule."""

    error_class: str
    address: str = ""
    file: str = ""
    line: int | None = None
    cause: str = ""
    fix: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()

    def page(self) -> Page:
        """Show place and cause, then what to do, then Terraform's own words."""
        place = f"{self.file}:{self.line}" if self.file and self.line else self.file
        where = " at ".join(filter(None, (self.address, place)))
        return Page(
            Note(f"{self.error_class}: {where}" if where else self.error_class),
            Note(self.cause),
            Note(f"Fix: {self.fix}"),
            *(Note(str(diagnostic)) for diagnostic in self.diagnostics),
        )


@dataclass(frozen=True, slots=True)
class Rows(Shown):
    """The answer to a query: column names and rows of JSON values.

    `truncated`: there were more; `empty` is what to say where there are none.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Json, ...], ...]
    truncated: bool = False
    empty: str = "nothing yet"

    @property
    def relation(self) -> object:
        """The rows as a DuckDB relation in memory, to carry on with in SQL; needs pandas."""
        import duckdb  # noqa: PLC0415 - heavy, and only for those who ask

        return duckdb.from_df(self.to_df())

    def to_df(self) -> object:
        """Return a pandas DataFrame."""
        return Table(self.columns, self.rows).to_df()

    def page(self) -> Page:
        """Show a table, or that there is nothing."""
        if not self.rows:
            return Page(Note(self.empty))
        cut = (Note(f"the first {len(self.rows):,} rows; there are more"),) if self.truncated else ()
        return Page(Table(self.columns, self.rows), *cut)


@dataclass(frozen=True, slots=True)
class Report(Shown):
    """What a command did: a sentence, its outcome, and lines of detail."""

    text: str
    outcome: Outcome = "ok"
    data: dict[str, Json] | None = None

    def page(self) -> Page:
        """Show the text as it is."""
        return Page(Prose(self.text))


def _listing(resource: StateResource) -> str:
    lines = (f"{name} = {value}" for name, value in (resource.attributes or {}).items())
    return "\n".join((f"# {resource.address}", *lines))
