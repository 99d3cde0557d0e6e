import asyncio
import json
import subprocess
import sys
import time
import urllib.request
from contextlib import aclosing, suppress

import pytest

from tfai_jupyter.core.messages import Message, Prompt, ToolCall
from tfai_jupyter.models.openai import Endpoint, OpenAIModel
from tfai_jupyter.testing_server import LAST_WORDS, Reply, ScriptedOpenAI, read_replies

SCRIPT = {
    "models": ["scripted"],
    "replies": [
        {"text": ["Let me ", "look."], "tool_calls": [{"name": "read_file", "arguments": '{"path": "main.tf"}'}]},
        {"when": "bucket", "times": 0, "text": ["It is private."], "delay_seconds": 0.01},
        {"chunks": [{"choices": [{"delta": {"content": "raw"}, "finish_reason": "stop"}]}]},
    ],
}


async def ask(base_url, text="hello"):
    """Return the pieces of one answer, without its token counts."""
    model = OpenAIModel(Endpoint(provider="openai", model="scripted", base_url=base_url, api_key="key"))
    try:
        async with aclosing(model.stream(Prompt((Message("user", text),)))) as stream:
            return [piece async for piece in stream if isinstance(piece, str | ToolCall)]
    finally:
        await model.aclose()


def call(url, document=None):
    """GET, or POST a JSON document, and return the JSON answer."""
    body = None if document is None else json.dumps(document).encode()
    with urllib.request.urlopen(urllib.request.Request(url, body), timeout=10) as response:  # noqa: S310 - loopback
        return json.load(response)


async def test_a_script_is_played_in_order():
    """Each request takes the first reply left that fits it; past the script it says so."""
    async with ScriptedOpenAI(*read_replies(SCRIPT)) as server:
        text, more, tool_call = await ask(server.base_url, "my bucket")
        assert ("Let me look.", "read_file") == (text + more, tool_call.name)
        assert ["It is private."] == await ask(server.base_url, "my bucket")
        assert ["raw"] == await ask(server.base_url, "something else")
        assert ["It is private."] == await ask(server.base_url, "the bucket again")
        assert [LAST_WORDS] == await ask(server.base_url)


@pytest.mark.parametrize("reply", [{"txt": ["typo"]}, {"end": "never"}])
def test_a_wrong_script_is_refused(reply):
    """A key or an end that does not exist is an error, not a silent default."""
    with pytest.raises(ValueError, match="reply 1 of the script"):
        read_replies({"replies": [reply]})


async def test_it_is_faster_than_any_model():
    """Twenty streams of a thousand tokens take little of a processor: no test waits for this server."""

    async def drain(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
        body = b'{"model": "m", "stream": true, "messages": []}'
        head = b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body)
        writer.write(head + body)
        answer = await reader.readuntil(b"[DONE]")
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        return answer.count(b'"content": "word "')

    async with ScriptedOpenAI(Reply(text=("word ",), repeat=1000, times=0)) as server:
        started = time.process_time()
        counts = await asyncio.gather(*(drain(server.port) for _ in range(20)))
        seconds = time.process_time() - started

    assert [1000] * 20 == counts
    assert 20 * 1000 / seconds > 2_000  # a quiet machine serves 100,000; tracing and neighbours slow it down


def test_it_serves_as_a_process(tmp_path):
    """The command prints its base URL first, serves the script, tells what it was asked, and ends when told."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps(SCRIPT), encoding="utf-8")
    command = [sys.executable, "-m", "tfai_jupyter.testing_server", "--script", str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            base_url = process.stdout.readline().strip()
            assert "Let me " == asyncio.run(ask(base_url))[0]
            assert ["scripted"] == [each["id"] for each in call(f"{base_url}/models")["data"]]
            call(base_url.replace("/v1", "/replies"), {"replies": [{"when": "extra", "text": ["added"]}]})
            assert ["raw"] == asyncio.run(ask(base_url))
            assert ["added"] == asyncio.run(ask(base_url, "extra"))
            told = call(base_url.replace("/v1", "/requests"))
        finally:
            process.terminate()
        assert 0 == process.wait(timeout=10)
    assert ["hello", "hello", "extra"] == [each["body"]["messages"][-1]["content"] for each in told["requests"]]
    assert (1, 0, 0, 1) == tuple(told[name] for name in ("pings", "disconnects", "active", "peak"))
