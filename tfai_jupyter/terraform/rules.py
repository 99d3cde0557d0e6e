"""What a rule is: a pattern over a diagnostic's words, and what to say when it holds.

Templates name facts in braces: the pattern's groups, `where`, `address`, `at`, `code`, `values`,
`summary`, `detail`, and what a clue adds. A part in [[double brackets]] is dropped when one of its
facts is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tfai_jupyter.core.plans import Diagnostic

from .blocks import Configuration, without_keys

NOWHERE = "-"
"""As a rule's address: the failure is no single block's."""


@dataclass(frozen=True, slots=True)
class Case:
    """One diagnostic with what surrounds it, as clues see it."""

    diagnostic: Diagnostic
    facts: Mapping[str, str]
    configuration: Configuration
    log: str


Clue = Callable[[Case], dict[str, str]]
"""Looks into configuration or log and returns more facts, or better ones."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A class of failures that one pattern recognises in `summary`, newline, `detail`.

    `address` is a template, the diagnostic's own when empty; `on` must match that address.
    """

    error_class: str
    pattern: str
    cause: str
    fix: str
    address: str = ""
    clue: Clue | None = None
    on: str = ""
    severities: tuple[str, ...] = field(default=("error",))

    def match(self, diagnostic: Diagnostic, words: str) -> dict[str, str] | None:
        """Return the pattern's groups when the rule holds for a diagnostic."""
        if diagnostic.severity not in self.severities or (self.on and not re.search(self.on, diagnostic.address)):
            return None
        match = re.search(self.pattern, words, re.IGNORECASE | re.DOTALL)
        return {name: text for name, text in match.groupdict().items() if text} if match else None


def render(template: str, facts: Mapping[str, str]) -> str:
    """Fill a template; the facts' own braces and brackets stay as they are."""
    kept = re.sub(r"\[\[(.*?)\]\]", lambda part: part[1] if _known(part[1], facts) else "", template)
    return re.sub(r"\{(\w+)\}", lambda name: facts.get(name[1], ""), kept).strip()


def words_of(diagnostic: Diagnostic) -> str:
    """Return what patterns see: summary, newline, detail on one line, in Terraform's vocabulary."""
    words = f"{' '.join(diagnostic.summary[:3000].split())}\n{' '.join(diagnostic.detail[:3000].split())}"
    return words.replace("OpenTofu", "Terraform").replace("tofu ", "terraform ")


def facts_of(diagnostic: Diagnostic, configuration: Configuration) -> dict[str, str]:
    """Return the facts that every rule has."""
    code = [line.strip() for line in diagnostic.snippet.splitlines() if line.strip() and not line.startswith("│")]
    values = [line[2:] for line in diagnostic.snippet.splitlines() if line.startswith("│ ") and " is " in line]
    address = diagnostic.address
    if not address and diagnostic.file:
        block = configuration.at(diagnostic.file, diagnostic.line)
        address = configuration.local_at(diagnostic.file, diagnostic.line) or (block.address if block else "")
    facts = {
        "address": address,
        "base": without_keys(address),
        "file": diagnostic.file,
        "line": str(diagnostic.line or ""),
        "summary": diagnostic.summary.rstrip("."),
        "detail": " ".join(diagnostic.detail.split()),
        "sentence": _sentence(diagnostic),
        "code": code[0] if code else "",
        "values": "; ".join(values),
    }
    return facts | placed(facts)


def placed(facts: Mapping[str, str]) -> dict[str, str]:
    """Return the phrases that say where: `at` is file and line, `where` names the address first."""
    file, line, address = (facts.get(key, "") for key in ("file", "line", "address"))
    at = f"{file}:{line}" if file and line else file
    where = f"{address} ({at})" if address and at else address or at or "the configuration"
    return {"at": at, "where": where}


def _known(part: str, facts: Mapping[str, str]) -> bool:
    return all(facts.get(name) for name in re.findall(r"\{(\w+)\}", part))


def _sentence(diagnostic: Diagnostic) -> str:
    """Return the first sentence of the detail, else the summary, without its full stop."""
    text = " ".join((diagnostic.detail.partition("\n\n")[0] or diagnostic.summary).split())
    end = re.search(r"\.(?= [A-Z]|$)", text)
    return (text[: end.start()] if end else text)[:500]
