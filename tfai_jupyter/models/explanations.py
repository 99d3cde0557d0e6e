"""Plain words for what tools answered, for the offline expert. Pure: the same text gives the same words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from tfai_jupyter.core.messages import Message
from tfai_jupyter.core.page import counted

_BLOCK = re.compile(r'^\s*(resource|data|module|variable|output|provider)\s+"([^"]+)"(?:\s+"([^"]+)")?', re.MULTILINE)
_FILES = "Files of the workspace."
_SUMMARY = re.compile(r"Plan: (?P<counts>.*?)\. Risk: (?P<risk>\w+)")
_SIGNS = {"+": "create", "~": "update in place", "-": "destroy", "-/+": "replace (destroy, then create)", "#": "forget"}


def of_tool(tool: str, content: str) -> str:
    """Explain what a tool answered."""
    match tool:
        case "write_files":
            return _of_draft(content)
        case "terraform_plan":
            return explain_plan(content)
        case "terraform_validate":
            return f"Terraform checked the configuration.\n{content}\n"
        case "terraform_state":
            return f"This is what Terraform knows to exist; secrets are masked.\n{content}\n"
        case _:
            return f"{content}\n"


def explain_plan(content: str) -> str:
    """Explain the text of a plan: what happens to what, why that is risky, and what to do next."""
    summary = _SUMMARY.search(content)
    if summary is None:
        return f"There is no plan: Terraform said\n{content}\n`diagnose` finds the root cause.\n"
    if summary["risk"] == "none":
        return "The plan is empty: what exists is what the configuration says.\n"
    lines = [f"The plan: {summary['counts']}."]
    lines += _actions(content.splitlines())
    risks = re.findall(r"^risk ([\w.-]+): (.*)$", content, re.MULTILINE)
    lines += [f"Risk {summary['risk']}, because:", *(f"- {why} ({rule})" for rule, why in risks)] if risks else []
    lines.append("Nothing has changed yet. `apply` asks for approval of exactly this plan.")
    return "\n".join(lines) + "\n"


def of_finding(question: str) -> str:
    """Explain a finding of the analyzers; it comes after `Finding:` in the question."""
    finding = question.partition("Finding:\n")[2].strip()
    if not finding or finding.startswith("Nothing"):
        return f"{finding or 'There is nothing to explain.'}\n"
    return "Found by rule, offline; no model was asked. After the change run `validate`, then `plan`.\n"


def of_configuration(messages: Iterable[Message]) -> str:
    """Outline the configuration that the prompt shows."""
    shown = [each.content for each in messages if each.role == "system" and each.content.startswith(_FILES)]
    blocks = [block for text in shown for block in _BLOCK.findall(text)]
    if not blocks:
        return "There is no Terraform configuration here yet. `generate` or `scaffold` begins one.\n"
    counts = Counter(kind for kind, _, _ in blocks)
    head = ", ".join(counted(number, "data source" if kind == "data" else kind) for kind, number in counts.items())
    lines = (f"- {kind} {'.'.join(filter(None, (first, second)))}" for kind, first, second in blocks)
    return f"The configuration here has {head}:\n" + "\n".join(lines) + "\n"


def _of_draft(content: str) -> str:
    status = re.search(r"^Validation: (\w+)(?:: (.*))?", content, re.MULTILINE)
    match status and status[1]:
        case "valid":
            return "It validates. Read the diff, then approve it; nothing is written before.\n"
        case "skipped":
            return f"It could not be validated here ({status[2] if status else ''}); check it where it can.\n"
        case _:
            return f"It does not validate with what is here, and the offline expert cannot repair it:\n{content}\n"


def _actions(lines: Iterable[str]) -> list[str]:
    by_action: dict[str, list[str]] = {}
    for line in lines:
        sign, _, address = line.partition(" ")
        if sign in _SIGNS and address:
            by_action.setdefault(_SIGNS[sign], []).append(address)
    return [f"- {action}: {', '.join(addresses)}" for action, addresses in by_action.items()]
