"""Find the root cause of a failure in what Terraform printed, by rule. Pure; never raises on any text.

An error is held against the tables in their order, the first rule that holds wins. Of several errors
the one of the lowest rank is the root: what comes later is often a consequence. Equals: first printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from tfai_jupyter.core.plans import Diagnostic
from tfai_jupyter.core.results import Diagnosis

from .blocks import Configuration, without_keys
from .printout import plain, read_printout
from .rules import NOWHERE, Case, Rule, facts_of, placed, render, words_of
from .rules_run import AFTERMATH, CLOUD, CONDITIONS, CREDENTIALS, FILES, INTERRUPTS, PROVISIONERS
from .rules_setup import LOCKS, SETUP, STATE, STATE_WRITES
from .rules_structure import MODULES, STRUCTURE
from .rules_syntax import NAMES, SYNTAX
from .rules_values import VALUES

NO_FILES: Mapping[str, str] = MappingProxyType({})

TABLES: tuple[tuple[int, tuple[Rule, ...]], ...] = (
    (0, SYNTAX),
    (1, SETUP),
    (1, MODULES),
    (2, NAMES),
    (2, STRUCTURE),
    (2, VALUES),
    (2, CONDITIONS),
    (3, STATE),
    (8, STATE_WRITES),
    (6, INTERRUPTS),
    (7, PROVISIONERS),
    (4, CREDENTIALS),
    (5, FILES),
    (5, CLOUD),
    (5, LOCKS),
    (9, AFTERMATH),
)
"""In the order in which one error is held against them, each with its rank among several errors."""

UNKNOWN = Rule(
    "unclassified",
    "",
    "{summary} at {where}.[[ {detail}]]",
    "Read Terraform's own words below; no rule knows this failure.",
)

STATEMENTS: tuple[tuple[str, str], ...] = (
    (r"^(?P<words>Interrupt received)\.", "Interrupt received"),
    (r'^(?P<words>Workspace "[^"\n]+" doesn\'t exist)', ""),
    (r"^ *# (?P<address>\S+) is tainted, so must be replaced$", "Resource is tainted"),
)
"""What Terraform says outside diagnostics, and the summary it gets; a tainted resource is no error."""

HEALTHY = re.compile(
    r"^(?:Plan: \d+ to|No changes\.|Apply complete!|Destroy complete!|Success! The config)"
    r"|has been successfully initialized|\"@level\":\"info\".*\"type\":\"change_summary\"|^ *\"valid\": true",
    re.MULTILINE,
)
_CODE = re.compile(
    r"\b(?i:error|exception|failed)\b"
    r"|[a-z](?:Exists?|OwnedByYou|Denied|Access|Exceeded|Expired|ExpiredToken|NotFound|Violation|Exception)\b"
)
TAIL = 60_000
"""How much of a text without diagnostics is searched for a cloud's error codes."""


@dataclass(frozen=True, slots=True)
class _Match:
    rank: int
    rule: Rule
    diagnostic: Diagnostic
    groups: Mapping[str, str]


def diagnose(text: str, files: Mapping[str, str] = NO_FILES) -> Diagnosis | None:
    """Return the root cause of what failed, None when nothing did.

    `files` are the configuration's texts, by path relative to where Terraform ran; with them places
    are exact and misspelt names get a suggestion.
    """
    text = plain(text)
    diagnostics = read_printout(text)
    errors = [each for each in (*_statements(text), *diagnostics) if each.severity == "error"]
    warnings = [each for each in (*diagnostics, *_statements(text)) if each.severity == "warning"]
    suspects = errors or warnings or ([] if HEALTHY.search(text) else list(_fragments(text)))
    matches = [match for each in suspects if (match := _match(each))]
    if not matches:
        return None
    root = min(matches, key=lambda match: match.rank)
    related = [match for match in matches if match.rule.error_class == root.rule.error_class]
    return replace(_explain([root, *related], Configuration(files), text), diagnostics=diagnostics)


def _match(diagnostic: Diagnostic) -> _Match | None:
    words = words_of(diagnostic)
    for rank, rules in TABLES:
        for rule in rules:
            groups = rule.match(diagnostic, words)
            if groups is not None:
                return _Match(rank, rule, diagnostic, groups)
    return _Match(7, UNKNOWN, diagnostic, {}) if diagnostic.severity == "error" else None


def _explain(matches: list[_Match], configuration: Configuration, log: str) -> Diagnosis:
    root, facts = matches[0], dict[str, str]()
    for match in matches:
        facts = {**_facts(match, configuration), **{name: text for name, text in facts.items() if text}}
        if not facts["address"] and not facts["file"]:
            continue  # another diagnostic of the same failure may know the place that the first does not
        break
    if root.rule.clue:
        facts |= root.rule.clue(Case(root.diagnostic, facts, configuration, log))
        facts["base"] = without_keys(facts.get("address", ""))
    if not facts.get("file") and (block := configuration.find(facts.get("base", ""))):
        facts |= {"file": block.file, "line": str(block.line)}
    facts |= placed(facts)
    return Diagnosis(
        root.rule.error_class,
        "" if root.rule.address == NOWHERE else facts.get("base", ""),
        facts.get("file", ""),
        int(facts["line"]) if facts.get("line", "").isdecimal() and facts["line"] != "0" else None,
        _tidy(render(root.rule.cause, facts)),
        _tidy(render(root.rule.fix, facts)),
    )


def _facts(match: _Match, configuration: Configuration) -> dict[str, str]:
    facts = {**facts_of(match.diagnostic, configuration), **match.groups}
    if match.rule.address and match.rule.address != NOWHERE:
        address = render(match.rule.address, facts)
        facts["address"] = facts["address"] if address.endswith(".") or not address else address
        facts["base"] = without_keys(facts["address"])
    return facts


def _statements(text: str) -> Iterator[Diagnostic]:
    for pattern, summary in STATEMENTS:
        match = re.search(pattern, text, re.MULTILINE)
        if match:
            groups = match.groupdict()
            yield Diagnostic(
                "warning" if "address" in groups else "error",
                summary or groups["words"],
                address=groups.get("address", ""),
            )


def _fragments(text: str) -> Iterator[Diagnostic]:
    """Yield lines of a text without diagnostics that hold a cloud's error code: a pasted fragment."""
    for line in text[-TAIL:].splitlines():
        if _CODE.search(line[:3000]):
            fragment = Diagnostic("error", line.strip()[:3000])
            words = words_of(fragment)
            if any(rule.match(fragment, words) is not None for rule in (*CREDENTIALS, *CLOUD, *LOCKS, *STATE)):
                yield fragment


def _tidy(text: str) -> str:
    """Close the gaps that empty facts leave."""
    return re.sub(r"\s+", " ", text).strip()
