"""The offline expert: no network and no model, only rules; it drives the same tools through the same loop.

It says what it is, takes starter patterns for `generate`, and explains what tools and analyzers
found. A tool is called at most once a turn, so that it always comes to an end.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from tfai_jupyter.core.ids import new_id
from tfai_jupyter.core.instructions import REMINDER
from tfai_jupyter.core.messages import Message, ModelName, Piece, Prompt, ToolCall
from tfai_jupyter.core.results import Diagnosis

from . import explanations, patterns

WHAT_I_AM = """\
No model is configured, so the offline expert answers: rules and starter patterns, nothing that understands free text.
It can
- generate from a starter pattern: `generate an S3 bucket with versioning`
- plan, validate, show state, outputs and drift, and explain what Terraform answers
- outline the configuration that is here
- find the root cause of an error you paste, or of a directory that fails (`diagnose`)
For answers beyond that set MODEL_PROVIDER=ollama (with OLLAMA_MODEL), or MODEL_PROVIDER=openai with OPENAI_API_KEY.
"""


@dataclass(frozen=True, slots=True)
class Intent:
    """A tool and the words by which somebody asks for it; `arguments` go with the call."""

    tool: str
    words: re.Pattern[str]
    arguments: tuple[tuple[str, str], ...] = ()


def _words(*choices: str) -> re.Pattern[str]:
    return re.compile("|".join(choices), re.IGNORECASE)


INTENTS = (
    Intent("terraform_plan", _words(r"\bplan\b", r"what (would|will|is going to) (change|happen)", r"would .* change")),
    Intent("terraform_validate", _words(r"\bvalid(ate|ity)?\b", r"is (it|this|that) (ok|correct|right)")),
    Intent("terraform_output", _words(r"\boutputs?\b")),
    Intent(
        "terraform_state",
        _words(r"\bstate\b", r"what (exists|is deployed|is running|did we deploy)"),
        (("subcommand", "list"),),
    ),
)
_OUTLINE = _words(r"\b(files?|configuration|explain|outline|describe|resources?|what is (here|this))\b")


class OfflineModel:
    """Answers by rule; `diagnose` finds the root cause in what Terraform printed."""

    def __init__(self, diagnose: Callable[[str], Diagnosis | None]) -> None:
        """Take the analyzers."""
        self.name = ModelName("offline", "rules")
        self._diagnose = diagnose

    async def prepare(self) -> None:
        """Be ready, always."""

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Yield text and at most one tool call."""
        question, answered = _split(prompt.messages)
        if answered:
            yield explanations.of_tool(*answered)
            return
        offered = {tool.name for tool in prompt.tools}
        match prompt.task:
            case "generate":
                pieces = self._generate(question)
            case "diagnose":
                pieces = [explanations.of_finding(question)]
            case _:
                pieces = self._answer(question, prompt.messages, offered)
        for piece in pieces:
            yield piece

    async def ping(self) -> None:
        """Work, always."""

    async def aclose(self) -> None:
        """Hold nothing."""

    def _generate(self, question: str) -> list[Piece]:
        if REMINDER in question:
            return []
        pattern = patterns.choose(question)
        if pattern is None:
            known = "\n".join(f"- {each.title}" for each in patterns.PATTERNS)
            return [f"No starter pattern fits, and the offline expert cannot write from scratch. There are\n{known}\n"]
        written = patterns.files(pattern, question)
        files = [{"path": path, "content": content} for path, content in written.items()]
        told = (
            f"Offline: this is the starter pattern “{pattern.title}”, filled in from your words; no model was asked.\n"
        )
        return [told, _call("write_files", {"files": files, "summary": pattern.summary})]

    def _answer(self, question: str, messages: tuple[Message, ...], offered: set[str]) -> list[Piece]:
        found = self._diagnose(question)
        if found:
            return [f"{found}\nFound by rule, offline; `diagnose` looks at the directory as well.\n"]
        for intent in INTENTS:
            if intent.tool in offered and intent.words.search(question):
                return [_call(intent.tool, dict(intent.arguments))]
        if _OUTLINE.search(question):
            return [explanations.of_configuration(messages)]
        return [WHAT_I_AM]


def _split(messages: tuple[Message, ...]) -> tuple[str, tuple[str, str] | None]:
    """Return the question, and the name and answer of the tool called last for it."""
    start = max(index for index, message in enumerate(messages) if message.role == "user")
    names = {call.id: call.name for message in messages[start:] for call in message.tool_calls}
    answers = [(names.get(each.call_id, ""), each.content) for each in messages[start:] if each.role == "tool"]
    return messages[start].content, answers[-1] if answers else None


def _call(tool: str, arguments: dict[str, object]) -> ToolCall:
    return ToolCall(new_id(), tool, json.dumps(arguments))
