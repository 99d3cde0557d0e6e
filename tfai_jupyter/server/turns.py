"""Running turns: each in a task of its own, so that readers come and go without ending or slowing it.

    start -> [task: assistant.ask] -> frames in memory -> any number of readers, from any seq

A turn whose last reader left goes on for a while; what somebody approved goes on to its end.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from itertools import islice

from tfai_jupyter.core.approvals import APPLIER_NAMES
from tfai_jupyter.core.assistant import Assistant
from tfai_jupyter.core.errors import Conflict, NotFound, Unavailable
from tfai_jupyter.core.events import Event, TurnFailed, TurnFinished, TurnStarted
from tfai_jupyter.core.messages import ModelName
from tfai_jupyter.core.turns import Question

from .frames import Frame, frame
from .limits import Places
from .metrics import Metrics

log = logging.getLogger(__name__)

GRACE_SECONDS = 60.0
"""How long a finished turn can still be read from memory; later it is read from the journal."""

KEPT_TURNS = 16
KEPT_BYTES = 4 * 1024 * 1024
"""Frames kept of one turn; a reader that falls further behind is served from the journal."""

_COMMITTED = frozenset({"apply", "approve"})


class RunningTurn:
    """A turn's frames, in memory, with what readers need to follow it."""

    def __init__(self, question: Question) -> None:
        """Begin with no event; `begun` is done once there is one, or holds why there is none."""
        self.question = question
        self.id = ""
        self.model = ModelName("", "")
        self.began = time.monotonic()
        self.is_over = False
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.readers = 0
        self.farewell: asyncio.TimerHandle | None = None
        self._frames: deque[Frame] = deque()
        self._bytes = 0
        self._changed = asyncio.Event()

    @property
    def is_committed(self) -> bool:
        """Whether it changes something, so that only a person or a shutdown may stop it."""
        return self.question.command in _COMMITTED

    def add(self, event: Event) -> None:
        """Keep an event and wake the readers."""
        encoded = frame(event)
        self._frames.append(encoded)
        self._bytes += len(encoded.data)
        while self._bytes > KEPT_BYTES and len(self._frames) > 1:
            self._bytes -= len(self._frames.popleft().data)
        self.wake()

    def keeps(self, seq: int) -> bool:
        """Tell whether all frames that follow `seq` are still here."""
        return seq + 1 >= self._first

    def after(self, seq: int) -> tuple[Frame, ...]:
        """Return the frames that follow `seq`, of those that are kept."""
        missed = self._frames[-1].seq - seq if self._frames else 0
        return tuple(islice(reversed(self._frames), max(0, missed)))[::-1]

    async def over(self) -> None:
        """Return when the turn is over."""
        while not self.is_over:
            await self._changed.wait()

    async def wait(self, seconds: float) -> bool:
        """Wait for something to happen; False when nothing did."""
        changed = self._changed
        try:
            async with asyncio.timeout(seconds):
                await changed.wait()
        except TimeoutError:
            return False
        return True

    def wake(self) -> None:
        """Wake every reader."""
        self._changed.set()
        self._changed = asyncio.Event()

    @property
    def _first(self) -> int:
        return self._frames[0].seq if self._frames else 1


class RunningTurns:
    """Starts, finds and stops turns."""

    def __init__(
        self,
        assistant: Assistant,
        places: Places,
        metrics: Metrics,
        *,
        reconnect_seconds: float,
        active: Callable[[], None],
    ) -> None:
        """Take an assistant and its limits; `active` is told whenever a turn moves on."""
        self._assistant = assistant
        self._places = places
        self._metrics = metrics
        self._reconnect_seconds = reconnect_seconds
        self._active = active
        self._turns: dict[str, RunningTurn] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._readers = 0
        self._is_closing = False
        self._known_tools = frozenset(assistant.duties.tools) | frozenset(APPLIER_NAMES.values())

    async def start(self, question: Question) -> RunningTurn:
        """Begin a turn and return it once it has its first event; raises what refuses it at the door."""
        if self._is_closing:
            raise _closing()
        turn = RunningTurn(question)
        task = asyncio.create_task(self._run(turn), name=f"tfai {question.command}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda done: self._ended(turn, done))
        await turn.begun
        return turn

    def find(self, turn_id: str) -> RunningTurn | None:
        """Return a turn that runs or has just ended."""
        return self._turns.get(turn_id)

    async def past(self, turn_id: str, seq: int) -> tuple[Frame, ...]:
        """Return what follows `seq` from the journal, for readers that come late; raises NotFound."""
        journal = self._assistant.duties.journal
        frames = tuple(map(frame, await journal.events(turn_id, seq)))
        if not frames and (turn_id in self._turns or not await journal.events(turn_id)):
            raise _unknown(turn_id)
        return frames

    async def cancel(self, turn_id: str) -> None:
        """Stop a running turn; raises NotFound, or Conflict when it is already over."""
        turn = self._turns.get(turn_id)
        if turn is None and not await self._assistant.duties.journal.events(turn_id):
            raise _unknown(turn_id)
        if turn is None or turn.is_over:
            message = f"turn {turn_id} is already over"
            raise Conflict(message)
        self._assistant.cancel(turn_id)

    @contextmanager
    def reading(self, turn: RunningTurn) -> Iterator[None]:
        """Count a reader; when the last one leaves, the turn has `reconnect_seconds` to get another."""
        turn.readers += 1
        self._readers += 1
        if turn.farewell:
            turn.farewell.cancel()
        try:
            yield
        finally:
            turn.readers -= 1
            self._readers -= 1
            if not (turn.readers or turn.is_over or turn.is_committed):
                loop = asyncio.get_running_loop()
                turn.farewell = loop.call_later(self._reconnect_seconds, self._abandon, turn)

    async def aclose(self, end: Callable[[], Awaitable[None]]) -> None:
        """Refuse new turns, `end` those that run, and return when all readers have their last event."""
        self._is_closing = True
        await end()
        while self._tasks or self._readers:  # noqa: ASYNC110 - once in a life
            await asyncio.sleep(0.01)

    async def _run(self, turn: RunningTurn) -> None:
        async with self._places.taken():
            if self._is_closing:
                raise _closing()
            with self._metrics.streams.track_inprogress():
                async with aclosing(self._assistant.ask(turn.question)) as events:
                    async for event in events:
                        self._publish(turn, event)

    def _publish(self, turn: RunningTurn, event: Event) -> None:
        self._active()
        self._metrics.happened(event, self._known_tools)
        match event:
            case TurnStarted():
                turn.id, turn.model = event.turn_id, event.model
                self._turns[turn.id] = turn
            case TurnFinished() | TurnFailed():
                turn.is_over = True
                self._metrics.ended(event, time.monotonic() - turn.began, turn.model)
            case _:
                pass
        turn.add(event)
        if not turn.begun.done():
            turn.begun.set_result(None)

    def _ended(self, turn: RunningTurn, task: asyncio.Task[None]) -> None:
        """Let go of a turn, whatever became of its task."""
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if not turn.begun.done():
            self._metrics.refused(error)
            turn.begun.set_exception(error or RuntimeError("a turn without events"))
        elif error:
            log.error("a turn broke off", exc_info=error, extra={"turn_id": turn.id})
        turn.is_over = True
        turn.wake()
        if not turn.id:
            return
        asyncio.get_running_loop().call_later(GRACE_SECONDS, self._turns.pop, turn.id, None)
        finished = [each.id for each in self._turns.values() if each.is_over]
        for turn_id in finished[:-KEPT_TURNS]:
            self._turns.pop(turn_id, None)

    def _abandon(self, turn: RunningTurn) -> None:
        if not turn.readers and not turn.is_over:
            log.info("nobody reads this turn any more; it is cancelled", extra={"turn_id": turn.id})
            self._assistant.cancel(turn.id)


def _unknown(turn_id: str) -> NotFound:
    return NotFound(f"there is no turn {turn_id[:64]}")


def _closing() -> Unavailable:
    return Unavailable("the server is shutting down; ask again when it is back")
