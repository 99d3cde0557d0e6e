r"""A scripted OpenAI-compatible server on loopback: real HTTP and SSE, no model, no network.

    async with ScriptedOpenAI(Reply(text=("Hel", "lo"))) as server:
        model = OpenAIModel(Endpoint("openai", "scripted", server.base_url, "key"))

As a process, `python -m tfai_jupyter.testing_server --script FILE.json` prints its base URL first:

    {"models": ["scripted"], "replies": [
      {"text": ["Let me ", "look."], "tool_calls": [{"name": "read_file", "arguments": "{\"path\": \"main.tf\"}"}]},
      {"when": "bucket", "times": 0, "text": ["It is private."], "delay_seconds": 0.05},
      {"status": 429, "headers": {"Retry-After": "1"}},
      {"text": ["Half an ans"], "end": "cut"}]}
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, fields, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal, Self, get_args
from urllib.parse import urlsplit

from .core.messages import Json
from .core.wire import from_json, to_json

End = Literal["done", "cut", "stall", "garbage", "silent"]
LAST_WORDS = "(the script has ended)"
_MAX_BODY_BYTES = 64 * 1024 * 1024
_REFUSALS = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}


class _Gone(Exception):
    """The client closed its connection before the reply was over."""


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call of a reply; `arguments` is JSON text and an empty `id` is left out, as some servers do."""

    name: str
    arguments: str = "{}"
    id: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer to a chat request; the first reply left whose `when` is in the last message is taken.

    times: how many requests it answers, 0 for all; then the next reply has its turn
    text: pieces, one chunk each, sent `repeat` times over; tool calls follow them, their arguments
    cut into pieces of `split` characters (0: whole) and interleaved, as parallel calls are
    chunks: JSON objects sent as they are before all that, for what other servers do differently
    first_delay_seconds, delay_seconds: the pause before the first, and before each later, chunk
    end: done, or cut (connection closed), stall (nothing more comes), garbage (a chunk that is no
    JSON), silent (stream ended without finish_reason)
    usage: {} leaves the usage chunk out, None invents one
    status, headers, body: an answer that is no stream, e.g. 429 or a page of HTML
    """

    text: tuple[str, ...] = ()
    tool_calls: tuple[Call, ...] = ()
    when: str = ""
    times: int = 1
    repeat: int = 1
    split: int = 8
    chunks: tuple[Json, ...] = ()
    first_delay_seconds: float = 0.0
    delay_seconds: float = 0.0
    end: End = "done"
    finish_reason: str = ""
    usage: dict[str, Json] | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent; header names are lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Json]


def read_replies(script: Any) -> tuple[Reply, ...]:  # noqa: ANN401 - JSON
    """Read the `replies` of a JSON script; raises ValueError for a key or an end that does not exist."""
    for number, reply in enumerate(script.get("replies", ()), 1):
        unknown = set(reply) - {each.name for each in fields(Reply)}
        if unknown:
            message = f"reply {number} of the script has the unknown keys {', '.join(sorted(unknown))}"
            raise ValueError(message)
        if reply.get("end", "done") not in get_args(End):
            message = f"reply {number} of the script ends {reply['end']!r}; it can be {', '.join(get_args(End))}"
            raise ValueError(message)
    return tuple(from_json(Reply, reply) for reply in script.get("replies", ()))


class ScriptedOpenAI:
    """An async context manager that serves scripted replies at `base_url` and records what it is asked.

    `requests` holds the chat requests in order, `pings` counts `GET models`, `disconnects` the clients
    that left in the middle, `active` and `peak` the streams open now and at most at once. `key` refuses
    any other key with 401, `models` any other model with 404. Past its script it says so. A program
    reads the same at `GET /requests`, and adds replies with `POST /replies` (a JSON script).
    """

    def __init__(self, *replies: Reply, models: Iterable[str] = (), key: str = "", port: int = 0) -> None:
        """Keep the script; port 0 takes a free one."""
        self.replies = list(replies)
        self.models = tuple(models)
        self.key = key
        self.port = port
        self.requests: list[Request] = []
        self.pings = 0
        self.disconnects = 0
        self.active = 0
        self.peak = 0
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @property
    def base_url(self) -> str:
        """What OPENAI_BASE_URL would be; OLLAMA_HOST is the same without `/v1`."""
        return f"http://127.0.0.1:{self.port}/v1"

    async def __aenter__(self) -> Self:
        """Listen on loopback."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening and end every connection."""
        if self._server is None:
            return
        self._server.close()
        open_now = dict(self._connections)
        for task in open_now:
            task.cancel()
        await asyncio.gather(*open_now, return_exceptions=True)
        for writer in open_now.values():
            writer.transport.abort()  # a client that does not read would keep us waiting
            with suppress(ConnectionError):
                await writer.wait_closed()
        await self._server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until it is closed."""
        task = asyncio.current_task()
        if task is not None:
            self._connections[task] = writer
            task.add_done_callback(lambda done: self._connections.pop(done).close())
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while (request := await _read_request(reader)) and await self._answer(request, reader, writer):
                pass

    async def _answer(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; tell whether the connection may be used again."""
        match request.method, urlsplit(request.path).path:  # a client that takes us for its proxy sends a whole URL
            case "POST", "/v1/chat/completions":
                return await self._chat(request, reader, writer)
            case "GET", "/v1/models":
                self.pings += 1
                listed = [{"id": name, "object": "model", "created": 0, "owned_by": "script"} for name in self.models]
                answer = self._refusal(request) or _json(200, {"object": "list", "data": listed})
            case "GET", "/requests":
                counts = {name: getattr(self, name) for name in ("pings", "disconnects", "active", "peak")}
                answer = _json(200, {"requests": to_json(tuple(self.requests)), **counts})
            case "POST", "/replies":
                self.replies.extend(read_replies(request.body))
                answer = _json(200, {"replies": len(self.replies)})
            case _:
                answer = _response(404, {"Content-Type": "text/plain"}, b"404 page not found")
        writer.write(answer)
        await writer.drain()
        return True

    async def _chat(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        self.requests.append(request)
        reply = self._next(request)
        if refusal := self._refusal(request) or _refused(reply):
            await _pause(reader, reply.first_delay_seconds)
            writer.write(refusal)
            await writer.drain()
            return True
        self.active += 1
        self.peak = max(self.peak, self.active)
        try:
            await self._stream(reply, request, reader, writer)
        except (_Gone, ConnectionError):
            self.disconnects += 1
            return False
        finally:
            self.active -= 1
        return reply.end != "cut"

    async def _stream(
        self, reply: Reply, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Send the reply's chunks, noticing at each that the client has left."""
        writer.write(_head(200, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"} | reply.headers))
        async with aclosing(_paced(reply, str(request.body.get("model", "")), reader)) as frames:
            async for frame in frames:
                writer.write(b"%x\r\n%b\r\n" % (len(frame), frame))
                await writer.drain()
        if reply.end == "stall":
            await _pause(reader, None)
        if reply.end != "cut":
            writer.write(b"0\r\n\r\n")
            await writer.drain()

    def _next(self, request: Request) -> Reply:
        """Take the reply for a request off the script."""
        messages = request.body.get("messages")
        message = messages[-1] if isinstance(messages, list) and messages else {}
        last = str(message.get("content")) if isinstance(message, dict) else ""
        for index, reply in enumerate(self.replies):
            if reply.when not in last:
                continue
            if reply.times == 1:
                del self.replies[index]
            elif reply.times > 1:
                self.replies[index] = replace(reply, times=reply.times - 1)
            return reply
        return Reply(text=(LAST_WORDS,))

    def _refusal(self, request: Request) -> bytes:
        """Refuse a wrong key or an unknown model as OpenAI does: it repeats the key."""
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self.key and key != self.key:
            return _error(401, f"Incorrect API key provided: {key}.")
        model = request.body.get("model")
        if model and self.models and model not in self.models:
            return _error(404, f"The model `{model}` does not exist or you do not have access to it.")
        return b""


async def _paced(reply: Reply, model: str, reader: asyncio.StreamReader) -> AsyncGenerator[bytes, None]:
    """Yield the frames of a reply in their time; raises _Gone once the client has left."""
    pause = reply.first_delay_seconds
    for number, frame in enumerate(_frames(reply, model)):
        if pause or reader.at_eof() or not number % 64:  # the others get their turn, and a departure is noticed
            await _pause(reader, pause)
        yield frame
        pause = reply.delay_seconds


def _frames(reply: Reply, model: str) -> Iterable[bytes]:
    """Make the SSE frames of a reply."""
    yield from map(_frame, reply.chunks)
    prefix, suffix = _frame(_chunk(model, {"content": "@"})).split(b'"@"')  # text is by far the most frequent
    if not reply.chunks:
        yield _frame(_chunk(model, {"role": "assistant", "content": ""}))
    for _ in range(reply.repeat):
        yield from (prefix + json.dumps(piece).encode() + suffix for piece in reply.text)
    yield from (_frame(_chunk(model, delta)) for delta in _call_deltas(reply))
    if reply.end == "garbage":
        yield b'data: {"choices": [{"delta"\n\n'
    if reply.end != "done":
        return
    if reply.text or reply.tool_calls or not reply.chunks:
        yield _frame(_chunk(model, {}, reply.finish_reason or ("tool_calls" if reply.tool_calls else "stop")))
    usage = reply.usage if reply.usage is not None else _counted(reply)
    if usage:
        yield _frame(_chunk(model, None) | {"usage": usage})
    yield b"data: [DONE]\n\n"


def _call_deltas(reply: Reply) -> Iterable[dict[str, Json]]:
    """Stream tool calls as OpenAI does: name and id first, then the arguments of all of them in turns."""
    for index, call in enumerate(reply.tool_calls):
        named: dict[str, Json] = {"index": index, "function": {"name": call.name, "arguments": ""}, "type": "function"}
        yield {"tool_calls": [named | ({"id": call.id} if call.id else {})]}
    size = reply.split or max((len(call.arguments) for call in reply.tool_calls), default=1)
    longest = max((len(call.arguments) for call in reply.tool_calls), default=0)
    for start in range(0, longest, size):
        for index, call in enumerate(reply.tool_calls):
            if piece := call.arguments[start : start + size]:
                yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _counted(reply: Reply) -> dict[str, Json]:
    spoken = len(reply.text) * reply.repeat + len(reply.tool_calls)
    return {"prompt_tokens": 10, "completion_tokens": spoken, "total_tokens": 10 + spoken}


def _chunk(model: str, delta: dict[str, Json] | None, finish_reason: str | None = None) -> dict[str, Json]:
    """Make a chunk; without a delta it has no choices, as the usage chunk has none."""
    choices: list[Json] = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish_reason}]
    identity: dict[str, Json] = {"id": "chatcmpl-script", "object": "chat.completion.chunk", "created": 0}
    return identity | {"model": model, "choices": choices}


def _frame(chunk: Json) -> bytes:
    return b"data: %b\n\n" % json.dumps(chunk).encode()


async def _pause(reader: asyncio.StreamReader, seconds: float | None) -> None:
    """Wait (None: for ever); raises _Gone as soon as the client closes. No client sends before its answer is over."""
    if seconds == 0 and not reader.at_eof():
        await asyncio.sleep(0)
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await reader.read(1)
            raise _Gone


def _refused(reply: Reply) -> bytes:
    """Make the answer of a reply that is no stream; empty for a stream."""
    if reply.body:
        return _response(reply.status, {"Content-Type": "text/html"} | reply.headers, reply.body.encode())
    if reply.status != HTTPStatus.OK:
        return _error(reply.status, " ".join(reply.text) or HTTPStatus(reply.status).phrase, reply.headers)
    return b""


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> bytes:
    error = {"message": message, "type": "scripted_error", "param": None, "code": _REFUSALS.get(status)}
    return _json(status, {"error": error}, headers or {})


def _json(status: int, document: Any, headers: dict[str, str] | None = None) -> bytes:  # noqa: ANN401 - JSON
    return _response(status, {"Content-Type": "application/json"} | (headers or {}), json.dumps(document).encode())


def _response(status: int, headers: dict[str, str], body: bytes) -> bytes:
    return _head(status, headers | {"Content-Length": str(len(body))}) + body


def _head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


async def _read_request(reader: asyncio.StreamReader) -> Request | None:
    """Read one request; None at the end of the connection or for a body that is too large."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return None
    first, *lines = head.decode("latin-1").strip().split("\r\n")
    method, path, _ = first.split(" ", 2)
    named = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in named}
    size = int(headers.get("content-length", "0"))
    if size > _MAX_BODY_BYTES:
        return None
    body = json.loads(await reader.readexactly(size)) if size else {}
    return Request(method, path, headers, body)


async def _serve(script: dict[str, Any], port: int) -> None:
    """Serve until the process is told to stop."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    options = {"models": script.get("models", ()), "key": script.get("key", "")}
    async with ScriptedOpenAI(*read_replies(script), **options, port=port) as server:
        sys.stdout.write(server.base_url + "\n")
        sys.stdout.flush()
        await stopped.wait()


def main() -> None:
    """Serve the script of a JSON file; the first line of output is the base URL."""
    parser = argparse.ArgumentParser(description="Serve a scripted OpenAI-compatible API on loopback.")
    parser.add_argument("--script", type=Path, required=True, help="a JSON file; see the module's docstring")
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes a free one")
    arguments = parser.parse_args()
    asyncio.run(_serve(json.loads(arguments.script.read_text(encoding="utf-8")), arguments.port))


if __name__ == "__main__":
    main()
