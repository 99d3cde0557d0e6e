"""What an assistant does in a turn: answer, generate, diagnose, run a command, carry out an approval.

Each duty is an async generator of events that ends with TurnFinished, or TurnFailed where a person
must act. None of them writes a file or changes infrastructure: only `carry_out` calls an applier,
and only with a Consent.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

from .agent import run_tool, run_turn
from .approvals import APPLIER_NAMES, Approval, Approvals, Consent
from .commands import BY_NAME
from .context import compose
from .envelope import find_envelope
from .errors import ModelError
from .events import (
    ApprovalRequired,
    ApprovalResolved,
    ChangeSetProposed,
    Event,
    Notice,
    PassagesFound,
    TextDelta,
    TurnFailed,
    TurnFinished,
)
from .ids import new_id
from .instructions import REMINDER
from .messages import Json, Prompt, ToolCall, ToolResult, ToolSpec
from .page import counted
from .protocols import ChatModel, Journal, Vault, Workspace
from .recall import Recall
from .tools import Tool, Yield
from .turns import Question, Turn

Events: TypeAlias = AsyncGenerator[Event, None]


class Applier(Protocol):
    """Carries out one kind of approval; the only thing that changes files or infrastructure."""

    async def check(self, approval: Approval, files: Sequence[str]) -> None:
        """Raise Conflict when the subject (of a ChangeSet, or only `files`) is not what it was."""

    def apply(self, turn: Turn, consent: Consent) -> AsyncGenerator[Yield, None]:
        """Check again and do it, yielding events and a ToolResult last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duties:
    """The collaborators of a turn; `appliers` are keyed by the kind of approval they carry out."""

    model: ChatModel
    tools: Mapping[str, Tool]
    appliers: Mapping[str, Applier]
    workspace: Workspace
    vault: Vault
    journal: Journal
    recall: Recall
    approvals: Approvals
    max_steps: int = 12
    context_tokens: int = 24_000

    def answer(self, turn: Turn) -> Events:
        """Answer with what is known, letting the model use tools; propose what they drafted."""
        return self._answered(turn, turn.question.text)

    async def generate(self, turn: Turn) -> Events:
        """Have files proposed; ask once more when there were none, then say that there are none."""
        last = TurnFinished("end")
        for reminder in ("", f"\n\n{REMINDER}"):
            texts: list[str] = []
            async with aclosing(self._modelled(turn, turn.question.text + reminder)) as events:
                async for event in events:
                    if isinstance(event, TurnFinished):
                        last = replace(event, usage=last.usage + event.usage)
                    elif not (reminder and isinstance(event, PassagesFound | Notice)):  # those were told before
                        texts += [event.text] if isinstance(event, TextDelta) else []
                        yield event
            async with aclosing(self._unpacked(turn, "".join(texts))) as events:
                async for event in events:
                    yield event
            if turn.draft or last.stop_reason != "end":
                break
        async for event in self._proposed(turn):
            yield event
        proposed = turn.draft or last.stop_reason != "end"
        yield last if proposed else TurnFailed("model_error", "no files were proposed; say more exactly what you want")

    async def diagnose(self, turn: Turn) -> Events:
        """Find the root cause by rule, then have it explained; the finding stands without a model."""
        finding = ToolResult("")
        async with aclosing(self._called(turn, "diagnose", await self._to_diagnose(turn))) as items:
            async for item in items:
                if isinstance(item, ToolResult):
                    finding = item
                else:
                    yield item
        if finding.outcome != "ok":
            yield TurnFinished("end")
            return
        explain = f"{turn.question.text}\n\nFinding:\n{finding.content}".strip()
        try:
            async with aclosing(self._answered(turn, explain)) as events:
                async for event in events:
                    yield event
        except ModelError as error:
            yield Notice("warning", error.code, f"not explained further: {error}")
            yield TurnFinished("end")

    async def command(self, turn: Turn) -> Events:
        """Run the tool behind a command, then propose what it drafted."""
        command = BY_NAME[turn.question.command]
        arguments = {name: value for name, value in turn.question.options.items() if name in command.arguments}
        if command.text and turn.question.text:
            arguments[command.text.strip("[]").lower()] = turn.question.text
        async with aclosing(self._shown(self._called(turn, command.tool, arguments))) as events:
            async for event in events:
                yield event
        async for event in self._proposed(turn):
            yield event
        yield TurnFinished("end")

    async def apply(self, turn: Turn) -> Events:
        """Ask for approval of a saved plan or a change set; go on at once where a policy grants it."""
        required: list[ApprovalRequired] = []
        async with aclosing(self._requested(turn, str(turn.question.options.get("id", "")))) as events:
            async for event in events:
                required += [event] if isinstance(event, ApprovalRequired) else []
                yield event
        for approval in [self.approvals.find(each.approval_id) for each in required]:
            by = self.approvals.granted_by(approval.digest)
            if by:
                consent = self.approvals.resolve(approval.id, "approve", by=by, confirm=approval.confirm_phrase)
                async with aclosing(self.carry_out(turn, consent)) as events:
                    async for event in events:
                        yield event
                return
        yield TurnFinished("end")

    async def carry_out(self, turn: Turn, consent: Consent) -> Events:
        """Use a consent: the only way to an applier."""
        kind = consent.approval.kind
        yield ApprovalResolved(consent.approval.id, "approve", consent.by)

        def applied(turn: Turn) -> AsyncGenerator[Yield, None]:
            return self.appliers[kind].apply(turn, consent)

        spec = ToolSpec(APPLIER_NAMES[kind], "", {"type": "object", "properties": {}, "required": []})
        items = run_tool(ToolCall(new_id(), spec.name, ""), {spec.name: Tool(spec, applied)}, turn)
        async with aclosing(self._shown(items)) as events:
            async for event in events:
                yield event
        yield TurnFinished("end")

    async def check(self, question: Question) -> None:
        """Refuse an approval whose subject has changed, before it is used up; raises as `Applier.check`."""
        approval = self.approvals.find(str(question.options.get("id", "")))
        files = question.options.get("files")
        applier = self.appliers.get(approval.kind)
        if applier:
            await applier.check(approval, [str(each) for each in files] if isinstance(files, list) else [])

    async def deny(self, turn: Turn, consent: Consent) -> Events:
        """Say that an approval was refused, and why."""
        reason = str(turn.question.options.get("reason", ""))
        yield ApprovalResolved(consent.approval.id, "deny", consent.by, reason)
        yield TextDelta(f"Denied: {consent.approval.kind} {consent.approval.subject_id}.\n")
        yield TurnFinished("end")

    async def _answered(self, turn: Turn, question: str) -> Events:
        last = TurnFinished("end")
        async with aclosing(self._modelled(turn, question)) as events:
            async for event in events:
                if isinstance(event, TurnFinished):
                    last = event
                else:
                    yield event
        async for event in self._proposed(turn):
            yield event
        yield last

    async def _modelled(self, turn: Turn, question: str) -> Events:
        """Compose the prompt, say what was left out, run the loop."""
        material, notices = await self.recall.gather(turn, question)
        for notice in notices:
            yield notice
        if material.passages:
            yield PassagesFound(material.passages)
        composition = compose(material, self.context_tokens)
        if composition.omitted:
            yield Notice("info", "context_trimmed", f"not shown to the model: {'; '.join(composition.omitted)}")
        offered = {name: tool for name, tool in self.tools.items() if tool.offered}
        specs = tuple(tool.spec for tool in offered.values())
        prompt = Prompt(composition.messages, specs, turn.question.command)
        async with aclosing(run_turn(self.model, prompt, offered, turn, self.max_steps)) as events:
            async for event in events:
                yield event

    async def _unpacked(self, turn: Turn, text: str) -> Events:
        """Draft the files of a model that wrote them into its text instead of calling the tool."""
        envelope = None if turn.draft else find_envelope(text)
        if envelope is None:
            return
        files: list[Json] = [{"path": path, "content": content} for path, content in envelope.files.items()]
        called = self._called(turn, "write_files", {"files": files, "summary": envelope.summary})
        async with aclosing(self._shown(called)) as events:
            async for event in events:
                yield event

    async def _proposed(self, turn: Turn) -> Events:
        """Propose what the turn drafted, as one ChangeSet with its approval."""
        if not turn.draft:
            return
        drafted = await self.workspace.propose(turn.draft, summary=turn.summary, validation=turn.validation)
        if not drafted.files:
            yield Notice("info", "nothing_changes", "the files are already as proposed")
            return
        async for event in self._change_set_requested(turn, drafted.id):
            yield event

    async def _change_set_requested(self, turn: Turn, change_set_id: str) -> Events:
        change_set = await self.workspace.load(change_set_id)
        yield ChangeSetProposed(
            change_set.id, change_set.files, change_set.validation, change_set.digest, change_set.summary
        )
        approval = self.approvals.request(
            turn, "change_set", change_set.id, digest=change_set.digest, binding={"change_set": change_set.digest}
        )
        yield approval.required()
        if turn.question.command != "apply" or not self.approvals.granted_by(change_set.digest):
            told = f"{counted(len(change_set.files), 'file')} proposed. Write with: approve {approval.id}\n"
            yield TextDelta(told)

    async def _requested(self, turn: Turn, subject: str) -> Events:
        if subject in self.vault.names("change_sets"):
            async for event in self._change_set_requested(turn, subject):
                yield event
            return
        called = self._called(turn, "terraform_apply_request", {"plan_id": subject})
        async with aclosing(self._shown(called)) as events:
            async for event in events:
                yield event

    async def _to_diagnose(self, turn: Turn) -> dict[str, Json]:
        path = turn.question.options.get("plan")
        text = (await self.workspace.read(str(path), turn.directory)).content if path else turn.question.text
        attached = [each.text for each in await self.recall.attachments(turn)]
        return {"text": "\n".join(filter(None, (*attached, text)))}

    async def _called(self, turn: Turn, name: str, arguments: Mapping[str, Json]) -> AsyncGenerator[Yield, None]:
        call = ToolCall(new_id(), name, json.dumps(arguments))
        async with aclosing(run_tool(call, self.tools, turn)) as items:
            async for item in items:
                yield item

    async def _shown(self, items: AsyncGenerator[Yield, None]) -> Events:
        """Pass on what a person sees of a tool; what it tells the model is not asked for."""
        async with aclosing(items):
            async for item in items:
                if not isinstance(item, ToolResult):
                    yield item
