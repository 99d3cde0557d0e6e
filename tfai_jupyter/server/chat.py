"""Chat: the routes that stream a turn's events, and the one that stops it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import replace

from tornado import web
from tornado.iostream import StreamClosedError

from tfai_jupyter.core.errors import Invalid

from .body import check_paths, read_question
from .decision import read_decision
from .endpoint import RESOURCE, Endpoint, authorized
from .frames import HEARTBEAT
from .limits import CHAT_BYTES
from .turns import RunningTurn, RunningTurns

EVENT_STREAM = "text/event-stream"
_WRITE_BYTES = 64 * 1024


class Stream(Endpoint):
    """A response that follows a turn."""

    _has_left = False
    _turn: RunningTurn | None = None

    def on_connection_close(self) -> None:
        """Stop to follow as soon as the reader has left."""
        self._has_left = True
        if self._turn:
            self._turn.wake()
        super().on_connection_close()

    async def follow(self, turns: RunningTurns, turn: RunningTurn, seq: int = 0) -> None:
        """Send what follows `seq`, until the turn is over or the reader has left."""
        self._turn = turn
        # Nagle's algorithm would hold back each small frame until the reader has acknowledged the last: 40 ms.
        getattr(self.request.connection, "stream").set_nodelay(True)  # noqa: B009 - HTTP1Connection's, not the interface's
        if not turn.after(seq):
            await self.send(())  # the head at once, though there is nothing to tell yet
        with turns.reading(turn):
            while not self._has_left:
                frames = turn.after(seq) if turn.keeps(seq) else await turns.past(turn.id, seq)
                if frames:
                    await self.send(each.data for each in frames)
                    seq = frames[-1].seq
                elif turn.is_over:
                    break
                elif not await turn.wait(self.desk.heartbeat_seconds):
                    await self.send((HEARTBEAT,))

    async def send(self, pieces: Iterable[bytes]) -> None:
        """Write pieces, no more at once than the socket takes; the head goes out with the first."""
        self.set_header("Content-Type", EVENT_STREAM)
        self.set_header("Cache-Control", "no-cache")
        self.set_header("X-Accel-Buffering", "no")
        waiting = 0
        for piece in pieces:
            self.write(piece)
            waiting += len(piece)
            if waiting > _WRITE_BYTES:
                await self._flush()
                waiting = 0
        await self._flush()

    async def _flush(self) -> None:
        if self._has_left:
            return
        try:
            async with asyncio.timeout(self.desk.stall_seconds):
                await self.flush()
        except StreamClosedError:
            self._has_left = True
        except TimeoutError:
            self._has_left = True
            self.detach().close()


class Chat(Stream):
    """`POST chat`: a question or command, answered as a stream."""

    cap = CHAT_BYTES

    @web.authenticated
    @authorized(action="execute", resource=RESOURCE)
    async def post(self) -> None:
        """Begin a turn and follow it."""
        question = replace(read_question(self.body()), user=self.user, request_id=self.request_id)
        opened = await self.desk.open()
        check_paths(question, opened.workspace)
        await self.follow(opened.turns, await opened.turns.start(question))


class Events(Stream):
    """`GET turns/{turn_id}/events`: the same stream from any event on, live or from the journal."""

    @web.authenticated
    @authorized(action="read", resource=RESOURCE)
    async def get(self, turn_id: str) -> None:
        """Follow a turn from `Last-Event-ID` or `?after` on."""
        seq = _seq(self.request.headers.get("Last-Event-ID") or self.query("after", "0"))
        opened = await self.desk.open()
        turn = opened.turns.find(turn_id)
        if turn:
            await self.follow(opened.turns, turn, seq)
        else:
            await self.send(each.data for each in await opened.turns.past(turn_id, seq))


class Cancel(Endpoint):
    """`POST turns/{turn_id}/cancel`."""

    @web.authenticated
    @authorized(action="execute", resource=RESOURCE)
    async def post(self, turn_id: str) -> None:
        """Stop a turn; its stream still gets its last event."""
        opened = await self.desk.open()
        await opened.turns.cancel(turn_id)
        self.set_status(202)
        self.finish(json.dumps({"turn_id": turn_id}))


class Decide(Stream):
    """`POST approvals/{approval_id}`: carried out as a turn of its own."""

    @web.authenticated
    @authorized(action="execute", resource=RESOURCE)
    async def post(self, approval_id: str) -> None:
        """Approve, and follow what is done; or deny."""
        opened = await self.desk.open()
        question = await read_decision(approval_id, self.body(), opened.assembly.assistant.duties)
        turn = await opened.turns.start(replace(question, user=self.user, request_id=self.request_id))
        if question.command == "approve":
            await self.follow(opened.turns, turn)
            return
        await turn.over()
        self.finish(json.dumps({"approval_id": approval_id, "decision": "deny", "turn_id": turn.id}))


def _seq(text: str) -> int:
    if not text.isdecimal():
        message = "the place to resume from must be the number of an event"
        raise Invalid(message)
    return int(text[:9])
