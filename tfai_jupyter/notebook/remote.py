"""RemoteAssistant: the assistant of a Jupyter server, asked over HTTP: the same events, the same errors.

A stream that is cut is taken up again where it stopped; one that cannot be is ended by a last event.
A reader that leaves early cancels its turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, aclosing, suppress
from functools import cached_property
from http import HTTPStatus
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tfai_jupyter.core.errors import Busy, NotFound, TfaiError, Unavailable
from tfai_jupyter.core.events import EVENTS, Event, TurnFailed, TurnFinished, TurnStarted, from_dict
from tfai_jupyter.core.turns import Question

from .address import Address

if TYPE_CHECKING:
    import httpx2

RETRIES = 5
"""Attempts in a row to take up a cut stream without getting anything of it."""

_SILENCE_SECONDS = 50.0  # the server sends a heartbeat every 15 s
_EVENT_BYTES = 64 * 1024 * 1024


class Unreachable(Unavailable):
    """No connection to the server could be made, so nothing was asked of it."""


class RemoteAssistant:
    """Has `ask`, `cancel` and `aclose` as the Assistant has them."""

    def __init__(self, address: Address) -> None:
        """Keep the address; the first use connects."""
        self.address = address
        self._tasks: set[asyncio.Task[None]] = set()

    async def check(self) -> None:
        """Return when the server answers for us; raises Unavailable, NotFound (no extension), Forbidden."""
        await self._get("config")

    async def covers(self, directory: str) -> bool:
        """Tell whether a directory of this machine lies in the server's workspace."""
        try:
            await self._get("workspace", dir=directory)
        except TfaiError as error:
            if error.status in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
                return False
            raise
        return True

    async def ask(self, question: Question) -> AsyncGenerator[Event, None]:
        """Yield the events of one turn; raises before the first event what the server refused it with."""
        place = _Place()
        request = self._client.stream("POST", "chat", json=_body(question))
        failures = 0
        try:
            while True:
                known = place.seq
                try:
                    async with aclosing(self._read(request, place)) as events:
                        async for event in events:
                            yield event
                    place.check()
                except (self._library.TransportError, ValueError, LookupError, TfaiError) as error:
                    if not place.turn_id:
                        raise self._translated(error) from None
                if place.is_over:
                    return
                failures = 0 if place.seq > known else failures + 1
                if failures > RETRIES:
                    yield place.lost(self.address)
                    return
                await asyncio.sleep(min(0.1 * 2**failures, 2))
                headers = {"Last-Event-ID": str(place.seq)}
                request = self._client.stream("GET", f"turns/{place.turn_id}/events", headers=headers)
        finally:
            if place.turn_id and not place.is_over:
                self.cancel(place.turn_id)

    def cancel(self, turn_id: str, reason: str = "cancelled") -> bool:  # noqa: ARG002 - the server has its own reasons
        """Ask the server to stop a turn; its stream still gets its last event."""
        task = asyncio.create_task(self._cancel(turn_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def aclose(self) -> None:
        """Send what is still to be sent, and close the connections."""
        await asyncio.gather(*self._tasks)
        if "_client" in self.__dict__:
            await self._client.aclose()

    async def _cancel(self, turn_id: str) -> None:
        with suppress(self._library.TransportError):
            await self._client.post(f"turns/{turn_id}/cancel")

    async def _get(self, path: str, **query: str) -> None:
        try:
            async with self._client.stream("GET", path, params=query) as response:
                await _refuse(response)
        except self._library.TransportError as error:
            raise self._translated(error) from None

    async def _read(
        self, request: AbstractAsyncContextManager[httpx2.Response], place: _Place
    ) -> AsyncGenerator[Event, None]:
        async with request as response:
            await _refuse(response)
            async for frame in self._library.EventSource(response, _EVENT_BYTES):
                seq = int(frame.id)
                if not place.expects(seq):
                    continue
                event = from_dict(frame.event, frame.json()) if frame.event in EVENTS else None
                place.take(seq, event)
                if event:
                    yield event
                if place.is_over:
                    return

    def _translated(self, error: Exception) -> Exception:
        where = f"the Jupyter server at {self.address.url}"
        if isinstance(error, self._library.ConnectError | self._library.ConnectTimeout):
            return Unreachable(f"{where} does not answer")
        if isinstance(error, TfaiError):
            return error
        return Unavailable(f"{where} broke the connection off before the turn began; ask again")

    @cached_property
    def _library(self) -> ModuleType:
        import httpx2  # noqa: PLC0415 - 0.2 s that only kernels with a server spend

        return httpx2

    @cached_property
    def _client(self) -> httpx2.AsyncClient:
        client: httpx2.AsyncClient = self._library.AsyncClient(
            base_url=f"{self.address.url}tfai/api/",
            headers={"Authorization": f"token {self.address.token}"},
            timeout=self._library.Timeout(10, read=_SILENCE_SECONDS),
            trust_env=not self.address.is_local,
        )
        return client


class _Place:
    """How far a stream was read."""

    def __init__(self) -> None:
        self.turn_id = ""
        self.seq = 0
        self.is_over = False

    def expects(self, seq: int) -> bool:
        """Tell whether an event is the next; False for one seen before, ValueError when one is missing."""
        if seq > self.seq + 1:
            message = f"event {self.seq + 1} is missing"
            raise ValueError(message)
        return seq > self.seq

    def take(self, seq: int, event: Event | None) -> None:
        """Move on; what a newer server calls an event is counted and left out."""
        self.seq = seq
        if isinstance(event, TurnStarted):
            self.turn_id = event.turn_id
        self.is_over = isinstance(event, TurnFinished | TurnFailed)

    def check(self) -> None:
        """Raise ValueError when a stream ended before it said which turn it was."""
        if not self.turn_id:
            message = "no turn began"
            raise ValueError(message)

    def lost(self, address: Address) -> TurnFailed:
        self.is_over = True
        message = f"the Jupyter server at {address.url} was lost in the middle of the turn; `history` knows what it did"
        return TurnFailed("interrupted", message, retryable=True, turn_id=self.turn_id, seq=self.seq + 1)


def _body(question: Question) -> dict[str, Any]:
    """Write a question as `POST chat` takes it."""
    return {
        "message": question.text,
        "conversation_id": question.conversation_id,
        "workspace": question.directory,
        "env": dict(question.env),
        "options": {"command": question.command, "arguments": dict(question.options), "face": question.face},
    }


async def _refuse(response: httpx2.Response) -> None:
    """Raise what the server answered instead of a stream."""
    if response.status_code == HTTPStatus.OK:
        return
    await response.aread()
    try:
        answer = response.json()
    except ValueError:
        answer = {}
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        raise _strange(response, answer)
    kind, message = _kind(str(error.get("code")), response.status_code), str(error.get("message"))
    if issubclass(kind, Busy):
        after = response.headers.get("Retry-After", "1")
        raise kind(message, float(after) if after.replace(".", "", 1).isdecimal() else 1.0)
    raise kind(message)


def _strange(response: httpx2.Response, answer: object) -> TfaiError:
    """Explain an answer that is the host's or a proxy's, not ours."""
    where = f"the Jupyter server at {response.request.url.copy_with(path='/', query=None)}"
    if response.status_code == HTTPStatus.NOT_FOUND:
        return NotFound(f"{where} has no tfai_jupyter extension; install it where the server runs and restart it")
    said = answer.get("message") if isinstance(answer, dict) else ""
    kind = _kind("", response.status_code)
    return kind(f"{where} answered {response.status_code}{f' ({said})' if said else ''}")


def _kind(code: str, status: int) -> type[TfaiError]:
    """Find the error class of a code, else of a status."""
    known = list(_tree(TfaiError))
    by_code = [kind for kind in known if kind.code == code]
    by_status = [kind for kind in known if kind.status == status]
    return (by_code or by_status or [TfaiError])[0]


def _tree(kind: type[TfaiError]) -> list[type[TfaiError]]:
    return [kind, *(below for child in kind.__subclasses__() for below in _tree(child))]
