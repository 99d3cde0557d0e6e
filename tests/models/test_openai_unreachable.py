import asyncio
import socket
import time
from contextlib import aclosing, asynccontextmanager

import pytest

from tfai_jupyter.core.errors import ModelError, ModelTimeout, ModelUnavailable
from tfai_jupyter.core.messages import Message, Prompt
from tfai_jupyter.models.openai import Endpoint, OpenAIModel
from tfai_jupyter.testing_server import Reply, ScriptedOpenAI

HELLO = Prompt((Message("user", "hello"),))
KEY = "sk-canary-0123456789"


@asynccontextmanager
async def scripted(*replies, models=(), accepted_key="", **options):
    """Give a model and the server behind it; options are the endpoint's."""
    async with ScriptedOpenAI(*replies, models=models, key=accepted_key) as server:
        given = {"provider": "openai", "model": "scripted", "base_url": server.base_url, "api_key": KEY} | options
        model = OpenAIModel(Endpoint(**given))
        try:
            yield model, server
        finally:
            await model.aclose()


async def outcome_of(model):
    """Return the text that came, and the error after it."""
    text = ""
    try:
        async with aclosing(model.stream(HELLO)) as stream:
            async for piece in stream:
                text += piece if isinstance(piece, str) else ""
    except ModelError as error:
        return text, error
    return text, None


async def test_a_restarted_server_is_not_seen():
    """A connection that was kept from the last answer may be dead; the next answer comes on a new one."""
    async with ScriptedOpenAI(Reply(text=("before",))) as server:
        model = OpenAIModel(Endpoint(provider="openai", model="m", base_url=server.base_url, api_key=KEY))
        assert ("before", None) == await outcome_of(model)
    async with ScriptedOpenAI(Reply(text=("after",)), port=server.port):
        assert ("after", None) == await outcome_of(model)
        await model.aclose()


async def test_a_server_that_hangs_up():
    """A connection that is closed without an answer is tried again, then told."""
    hung_up = 0

    async def hang_up(reader, writer):
        nonlocal hung_up
        hung_up += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with scripted(base_url=f"http://localhost:{port}/v1", retries=1) as (model, _):
            _, error = await outcome_of(model)
    assert (ModelUnavailable, 2) == (type(error), hung_up)
    assert f"cannot reach localhost:{port}" in str(error)


async def test_a_server_without_tls():
    """An https address of a server that speaks http is told as that."""

    async def plain(reader, writer):
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with scripted(base_url=f"https://127.0.0.1:{port}/v1") as (model, _):
            _, error = await outcome_of(model)
    assert "no TLS connection" in str(error)


@pytest.mark.parametrize("answer", ["<html>hello</html>", '{"models": []}', '"hello"'])
async def test_ping_of_what_is_no_api(answer):
    """A ping believes a list of models only."""

    async def web_page(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(answer))
        writer.write(answer.encode())
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(web_page, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with scripted(base_url=f"http://127.0.0.1:{port}/v1") as (model, _):
            with pytest.raises(ModelError, match="did not answer as a model's API does: set OPENAI_BASE_URL"):
                await model.ping()


@pytest.mark.parametrize("port", ["closed", "unresolved"])
async def test_nobody_there(port):
    """A connection that cannot be made is told at once, with host, port and setting."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    host = "127.0.0.1" if port == "closed" else "no-such-host.invalid"
    async with scripted(base_url=f"http://user:{KEY}@{host}:{number}/v1") as (model, _):
        _, error = await outcome_of(model)
        with pytest.raises(ModelUnavailable, match=f"cannot reach {host}:{number}"):
            await model.ping()
    assert isinstance(error, ModelUnavailable)
    assert "OPENAI_BASE_URL" in str(error)
    assert KEY not in str(error)
    assert port == "unresolved" or "connection refused" in str(error)


async def test_ollama_that_is_not_running():
    """A missing Ollama is told how to start one."""
    async with scripted(provider="ollama", base_url="http://127.0.0.1:9/v1") as (model, _):
        with pytest.raises(ModelUnavailable, match=r"connection refused: start Ollama .* or set OLLAMA_HOST"):
            await model.ping()


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(body="<!doctype html><title>Sign in</title>"), ModelError),
        (Reply(body='{"hello": "world"}', headers={"Content-Type": "application/json"}), ModelError),
        (Reply(body="<html>not found</html>", status=404), ModelUnavailable),
    ],
)
async def test_an_endpoint_that_is_no_api(reply, kind):
    """A web page instead of an API points at the setting of the address."""
    async with scripted(reply) as (model, _):
        _, error = await outcome_of(model)
    assert kind is type(error)
    assert "OPENAI_BASE_URL" in str(error)
    assert "<" not in str(error)


async def test_ping_has_a_deadline_of_its_own():
    """A server that accepts and says nothing fails a ping after five seconds."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        async with scripted(base_url=f"http://127.0.0.1:{port}/v1") as (model, _):
            started = time.monotonic()
            with pytest.raises(ModelTimeout, match="did not list its models within 5 s"):
                await model.ping()
    assert 4.5 < time.monotonic() - started < 15
