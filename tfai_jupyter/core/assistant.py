"""Assistant: one turn from question to journal. The façade that all faces use.

    admit -> turn_started -> work (model, tools, approvals) -> propose -> last event

What is refused at the door raises before the first event; after it, every end is a last event.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias, cast, get_args

from .approvals import Consent
from .commands import BY_NAME
from .duties import Duties
from .errors import Conflict, Invalid, ModelError, TfaiError, UsageError
from .events import Decision, Event, FailureCode, Notice, TurnFailed, TurnFinished, TurnStarted
from .ids import new_id
from .pipe import Pipe
from .recorder import Recorder
from .redaction import Redactor
from .shielded import ShieldedModel
from .turns import Question, Turn

log = logging.getLogger(__name__)

LookBack: TypeAlias = Callable[[], Awaitable[tuple[Notice, ...]]]
SecretsOf: TypeAlias = Callable[[Path], Awaitable[Iterable[str]]]

_MODELLED = ("ask", "generate", "diagnose")
_FLUSH_SECONDS = 2.0


class Assistant:
    """Answers questions and carries out commands as streams of events."""

    def __init__(
        self,
        duties: Duties,
        redactor: Redactor,
        *,
        turn_seconds: float = 300,
        look_back: LookBack | None = None,
        secrets_of: SecretsOf | None = None,
    ) -> None:
        """Take what a turn needs; a model's part of a turn may last `turn_seconds`.

        `look_back` is called before the first turn, to tell how work ended that outlived its process;
        `secrets_of` before every turn, to find the values that the directory's files call sensitive.
        """
        self.duties = replace(duties, model=ShieldedModel(duties.model, redactor))
        self._redactor = redactor
        self._turn_seconds = turn_seconds
        self._pipes: dict[str, Pipe[Event]] = {}
        self._busy: dict[str, str] = {}  # conversation to the turn that has it
        self._told = ""
        self._look_back = look_back
        self._secrets_of = secrets_of
        self._news: list[Notice] = []
        self._closing = False

    @property
    def running(self) -> tuple[str, ...]:
        """The ids of the turns that run now."""
        return tuple(self._pipes)

    async def ask(self, question: Question) -> AsyncGenerator[Event, None]:
        """Yield the events of one turn.

        Raises, before the first event: Invalid (empty), Forbidden (outside the root), Conflict (the
        conversation is busy), and for `approve` NotFound, Expired, WrongPhrase, Conflict (the subject changed).
        """
        if question.command == "approve" and question.options.get("id"):
            await self.duties.check(question)
        turn = self._admit(question)
        try:
            await self.duties.model.prepare()
            await self._catch_up()
            if self._secrets_of:
                self._redactor.learn(await self._secrets_of(turn.directory))
            async with aclosing(self._recorded(turn, self._work(turn))) as events:
                async for event in events:
                    yield event
        finally:
            self._free(turn)

    async def _recorded(self, turn: Turn, work: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
        """Run a turn's work and record it, from the first event to the last, however it ends."""
        recorder = Recorder(turn.id, self.duties.journal, self._redactor)
        opening = [shown for event in self._opening(turn) for shown in recorder.record(event)]
        pipe = self._pipes[turn.id] = Pipe(work, name=f"turn {turn.id}")
        if self._closing:
            pipe.stop("server_shutdown")
        last: TurnFinished | TurnFailed | None = None
        try:
            for shown in opening:
                yield shown
            with _deadline(pipe, self._turn_seconds if turn.question.command in _MODELLED else 0):
                async for event in pipe:
                    if isinstance(event, TurnFinished | TurnFailed):
                        last = event
                        continue
                    for shown in recorder.record(event):
                        yield shown
        except Exception as error:  # noqa: BLE001 - the border of a turn: whatever breaks in it becomes its last event
            last = self._failed(error)
        finally:
            try:
                await pipe.aclose()
            finally:  # also when cancelled once more while waiting
                self._pipes.pop(turn.id)
                self._free(turn)
                ending = list(recorder.close(self._addressed(last or self._stopped(pipe.reason), turn)))
        with suppress(TimeoutError):
            await asyncio.wait_for(self.duties.journal.flush(), _FLUSH_SECONDS)
        for event in ending:
            yield event

    def cancel(self, turn_id: str, reason: str = "cancelled") -> bool:
        """Stop a running turn; its stream still gets its last event. False when it is not running."""
        pipe = self._pipes.get(turn_id)
        return pipe is not None and pipe.stop(reason)

    async def aclose(self, seconds: float = 5) -> None:
        """End every turn with `server_shutdown`, waiting at most `seconds`; close model and journal."""
        self._closing = True
        for turn_id in self.running:
            self.cancel(turn_id, "server_shutdown")
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._busy:  # noqa: ASYNC110 - once in a life
                    await asyncio.sleep(0.01)
        await self.duties.model.aclose()
        await self.duties.journal.aclose()

    def _admit(self, question: Question) -> Turn:
        if question.command not in BY_NAME:
            message = f"unknown command {question.command!r}; `help` lists them all"
            raise UsageError(message)
        if question.command in ("ask", "generate") and not question.text.strip():
            message = f"{question.command} needs a text: what do you want to know or to have?"
            raise Invalid(message)
        directory = self.duties.workspace.resolve(question.directory or ".")
        conversation = question.conversation_id or new_id()
        if conversation in self._busy:
            message = f"conversation {conversation} is busy with another turn; wait for it or cancel it"
            raise Conflict(message)
        self._redactor.learn_environment(question.env)
        begins = not question.conversation_id
        turn = Turn(new_id(), replace(question, conversation_id=conversation), directory, begins=begins)
        self._busy[conversation] = turn.id
        return turn

    async def _catch_up(self) -> None:
        look_back, self._look_back = self._look_back, None
        if look_back:
            self._news += await look_back()

    def _free(self, turn: Turn) -> None:
        """Let a conversation go on; another turn may already have it."""
        if self._busy.get(turn.question.conversation_id) == turn.id:
            del self._busy[turn.question.conversation_id]

    def _work(self, turn: Turn) -> AsyncGenerator[Event, None]:
        question, duties = turn.question, self.duties
        match question.command:
            case "ask":
                return duties.answer(turn)
            case "generate":
                return duties.generate(turn)
            case "diagnose":
                return duties.diagnose(turn)
            case "apply":
                return duties.apply(turn)
            case "approve":
                return duties.carry_out(turn, self._resolved(question, "approve"))
            case "deny":
                return duties.deny(turn, self._resolved(question, "deny"))
            case _:
                return duties.command(turn)

    def _resolved(self, question: Question, decision: Decision) -> Consent:
        approval_id, confirm = (str(question.options.get(name, "")) for name in ("id", "confirm"))
        if not approval_id:
            message = f"{question.command} needs the id of an approval; `status` lists what waits"
            raise Invalid(message)
        return self.duties.approvals.resolve(approval_id, decision, by=question.user or "you", confirm=confirm)

    def _opening(self, turn: Turn) -> Iterator[Event]:
        """Begin a turn; tell once when history is not kept."""
        yield self._started(turn)
        while self._news:
            yield self._news.pop(0)
        notice = self.duties.journal.notice
        if notice and notice != self._told:
            self._told = notice
            yield Notice("warning", "history", notice)

    def _started(self, turn: Turn) -> TurnStarted:
        question = turn.question
        return TurnStarted(
            conversation_id=question.conversation_id,
            request_id=question.request_id or turn.id,
            model=self.duties.model.name,
            workspace=self.duties.workspace.relative(turn.directory),
            command=question.command,
            question=question.text,
            user=question.user,
            face=question.face,
            parent_turn_id=question.parent_turn_id,
        )

    def _stopped(self, reason: str) -> TurnFinished | TurnFailed:
        match reason:
            case "timeout":
                message = f"the turn took longer than {self._turn_seconds:g} s (TFAI_CHAT_TIMEOUT_SECONDS)"
                return TurnFailed("timeout", message, retryable=True)
            case "server_shutdown":
                return TurnFailed("server_shutdown", "the server is shutting down; ask again", retryable=True)
            case _:
                return TurnFinished("cancelled")

    def _failed(self, error: Exception) -> TurnFailed:
        if isinstance(error, ModelError):
            code = error.code if error.code in get_args(FailureCode) else "model_error"
            return TurnFailed(cast("FailureCode", code), str(error), retryable=error.retryable)
        if isinstance(error, TfaiError):
            return TurnFailed("internal", str(error))
        log.error("turn failed", exc_info=error)
        return TurnFailed("internal", f"something broke ({type(error).__name__}); the log has the details")

    def _addressed(self, last: TurnFinished | TurnFailed, turn: Turn) -> TurnFinished | TurnFailed:
        if isinstance(last, TurnFailed):
            return replace(last, request_id=turn.question.request_id or turn.id)
        return last


@contextmanager
def _deadline(pipe: Pipe[Event], seconds: float) -> Iterator[None]:
    """Stop a pipe when its time is up; 0 means that it has all the time it needs."""
    timer = asyncio.get_running_loop().call_later(seconds, pipe.stop, "timeout") if seconds else None
    try:
        yield
    finally:
        if timer:
            timer.cancel()
