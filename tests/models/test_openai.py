import asyncio
import json
import subprocess
import sys
from contextlib import aclosing, asynccontextmanager

import pytest

from tfai_jupyter.core.errors import SettingsError
from tfai_jupyter.core.messages import Message, ModelName, Prompt, ToolCall, ToolSpec, Truncated, Usage
from tfai_jupyter.models.openai import Endpoint, OpenAIModel, ollama_url
from tfai_jupyter.testing_server import Call, Reply, ScriptedOpenAI

HELLO = Prompt((Message("user", "hello"),))


@asynccontextmanager
async def scripted(*replies, **options):
    """Give a model and the server behind it; options are the endpoint's."""
    async with ScriptedOpenAI(*replies) as server:
        given = {"provider": "openai", "model": "scripted", "base_url": server.base_url, "api_key": "sk-test"} | options
        model = OpenAIModel(Endpoint(**given))
        try:
            yield model, server
        finally:
            await model.aclose()


async def pieces_of(model, prompt=HELLO):
    """Collect the pieces of one answer."""
    async with aclosing(model.stream(prompt)) as stream:
        return [piece async for piece in stream]


async def until(condition, seconds=5.0):
    """Wait for a condition that another task brings about."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - counters of a server, not ours to signal
            await asyncio.sleep(0.005)


async def test_text_then_usage():
    """Text comes piece by piece as the model wrote it, then the token counts."""
    usage = {"prompt_tokens": 7, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}}
    async with scripted(Reply(text=("Hé", "llo\n", "☁"), usage=usage)) as (model, _):
        assert ["Hé", "llo\n", "☁", Usage(7, 2, cached_tokens=4)] == await pieces_of(model)


async def test_text_arrives_before_the_model_is_done():
    """The first text is here while the server is still writing, and long before it ends."""
    async with scripted(Reply(text=("one", "two", "three"), delay_seconds=0.2)) as (model, server):
        loop, times = asyncio.get_running_loop(), []
        async with aclosing(model.stream(HELLO)) as stream:
            async for piece in stream:
                times.append(loop.time())
                assert piece != "one" or server.active == 1
        assert times[-1] - times[0] > 0.35


async def test_tool_calls_are_put_together():
    """Two parallel calls, whose arguments come in small pieces by turns, are told whole and in order."""
    write = json.dumps({"files": [{"path": "main.tf", "content": 'a = "${var.b}"\n' * 9}]})
    calls = (Call("read_file", '{"path": "é.tf"}', "call_1"), Call("write_files", write, "call_2"))
    async with scripted(Reply(text=("Looking.",), tool_calls=calls, split=3)) as (model, _):
        text, *told, usage = await pieces_of(model)

    assert "Looking." == text
    assert [ToolCall(call.id, call.name, call.arguments) for call in calls] == told
    assert isinstance(usage, Usage)


async def test_what_is_sent():
    """Messages, tools and options reach the endpoint in its own words."""
    call = ToolCall("call_1", "read_file", '{"path": "a.tf"}')
    messages = (
        Message("system", "Be brief."),
        Message("user", "What is in a.tf?"),
        Message("assistant", "", (call, ToolCall("call_2", "read_file", '{"path": '))),
        Message("tool", "nothing", call_id="call_1"),
        Message("assistant", "It is empty."),
    )
    schema = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
    prompt = Prompt(messages, (ToolSpec("read_file", "Read a file.", schema),))
    async with scripted(max_tokens=99, temperature=0.0) as (model, server):
        await pieces_of(model, prompt)
    body, headers = server.requests[0].body, server.requests[0].headers

    assert "Bearer sk-test" == headers["authorization"]
    assert ("scripted", True, 99, 0.0) == tuple(body[key] for key in ("model", "stream", "max_tokens", "temperature"))
    assert {"include_usage": True} == body["stream_options"]
    assert {"name": "read_file", "description": "Read a file.", "parameters": schema} == body["tools"][0]["function"]
    assert {"role": "system", "content": "Be brief."} == body["messages"][0]
    assert ['{"path": "a.tf"}', "{}"] == [each["function"]["arguments"] for each in body["messages"][2]["tool_calls"]]
    assert body["messages"][2]["content"] is None
    assert {"role": "tool", "tool_call_id": "call_1", "content": "nothing"} == body["messages"][3]


async def test_nothing_is_sent_that_was_not_asked_for():
    """Without tools or limits the request names none."""
    async with scripted(max_tokens=None, temperature=None) as (model, server):
        await pieces_of(model)
    assert {"model", "messages", "stream", "stream_options"} == set(server.requests[0].body)


async def test_an_answer_out_of_room_is_truncated():
    """Where the model ran out of tokens that is said, and no half tool call is told."""
    reply = Reply(text=("cut of",), tool_calls=(Call("write_files", '{"fi'),), finish_reason="length", usage={})
    async with scripted(reply) as (model, _):
        assert ["cut of", Truncated()] == await pieces_of(model)


async def test_an_endless_answer_is_cut_at_the_cap():
    """At 4 MiB the stream is closed, the server notices, and the answer is truncated."""
    async with scripted(Reply(text=("x" * 1024,), repeat=1_000_000)) as (model, server):
        *text, last = await pieces_of(model)
        await until(lambda: server.disconnects == 1)

    assert Truncated() == last
    assert 4 * 1024 * 1024 < sum(map(len, text)) <= 4 * 1024 * 1024 + 1024


async def test_leaving_an_answer_closes_its_connection():
    """A reader that stops in the middle stops the server too, at once."""
    async with scripted(Reply(text=("word ",), repeat=10_000, delay_seconds=0.02)) as (model, server):
        async with aclosing(model.stream(HELLO)) as stream:
            assert "word " == await anext(stream)
        await until(lambda: server.disconnects == 1, seconds=1)
        assert 0 == server.active


@pytest.mark.parametrize("begun", [True, False])
async def test_cancelling_closes_the_connection(begun):
    """A cancelled task ends its call wherever it is: before the first token or after some."""
    reply = Reply(text=("word",), end="stall") if begun else Reply(first_delay_seconds=60)
    async with scripted(reply) as (model, server):
        task = asyncio.create_task(pieces_of(model))
        await until(lambda: server.active == 1)
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: server.disconnects == 1, seconds=1)


async def test_many_answers_at_once():
    """Fifty streams share one model, each getting its own answer."""
    replies = [Reply(when=f"<{n}>", text=(f"this is {n}",), delay_seconds=0.05) for n in range(50)]
    async with scripted(*replies) as (model, server):
        asked = [Prompt((Message("user", f"<{n}>"),)) for n in range(50)]
        answers = await asyncio.gather(*(pieces_of(model, prompt) for prompt in asked))

    assert [f"this is {n}" for n in range(50)] == [answer[0] for answer in answers]
    assert server.peak > 10


async def test_a_closed_model_can_be_used_again():
    """Closing gives connections back; a later call opens new ones."""
    async with scripted(Reply(text=("a",), times=2)) as (model, _):
        await pieces_of(model)
        await model.aclose()
        assert "a" == (await pieces_of(model))[0]


async def test_preparing_loads_and_asks_nothing():
    """Getting ready before a turn costs no request, may be done twice, and keeps its troubles for the call."""
    async with scripted() as (model, server):
        await model.prepare()
        await model.prepare()
        assert ([], 0) == (server.requests, server.pings)
    await OpenAIModel(Endpoint(provider="openai", model="m")).prepare()


async def test_ping_costs_no_tokens():
    """A ping lists models and asks none."""
    async with scripted() as (model, server):
        await model.ping()
        assert (1, 0) == (server.pings, len(server.requests))
        assert ModelName("openai", "scripted") == model.name


async def test_a_proxy_does_not_stand_between_us_and_loopback(monkeypatch):
    """A proxy of the environment is not asked for what is on this machine."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with scripted(Reply(text=("direct",))) as (model, _):
        assert "direct" == (await pieces_of(model))[0]


async def test_a_proxy_is_used_for_other_hosts(monkeypatch):
    """Other hosts are reached through the environment's proxy."""
    async with ScriptedOpenAI(Reply(text=("by proxy",))) as server:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{server.port}")
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        url = "http://model.invalid/v1"
        model = OpenAIModel(Endpoint(provider="openai", model="m", base_url=url, api_key="key"))
        assert "by proxy" == (await pieces_of(model))[0]
        await model.aclose()
        assert "http://model.invalid/v1/chat/completions" == server.requests[0].path


async def test_ollama_speaks_the_same_wire():
    """Ollama is asked below /v1 and needs no key."""
    async with ScriptedOpenAI(Reply(text=("hi",)), models=("llama3:latest",)) as server:
        url = ollama_url(f"127.0.0.1:{server.port}")
        model = OpenAIModel(Endpoint(provider="ollama", model="llama3:latest", base_url=url))
        assert "hi" == (await pieces_of(model))[0]
        await model.ping()
        await model.aclose()


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("http://localhost:11434", "http://localhost:11434/v1"),
        ("http://localhost:11434/", "http://localhost:11434/v1"),
        ("https://gpu.example/v1", "https://gpu.example/v1"),
        ("0.0.0.0", "http://127.0.0.1:11434/v1"),  # noqa: S104 - what people set for the server
        (":8080", "http://127.0.0.1:8080/v1"),
        ("gpu", "http://gpu:11434/v1"),
        ("[::1]", "http://[::1]:11434/v1"),
        ("", "http://127.0.0.1:11434/v1"),
    ],
)
def test_ollama_host_may_be_short(host, url):
    """OLLAMA_HOST is understood in all the forms that Ollama itself takes."""
    assert url == ollama_url(host)


@pytest.mark.parametrize(
    "url", ["localhost:1", "ftp://host/v1", "http://", "http://h:99999/v1", "http://u:pw@[x/v1", "http://a..b/v1"]
)
def test_an_address_that_is_none_is_named(url):
    """A bad address is told by its setting, never by itself: it may hold a password."""
    with pytest.raises(SettingsError, match=r"^OPENAI_BASE_URL is no http or https address") as raised:
        OpenAIModel(Endpoint(provider="openai", model="m", base_url=url, api_key="k"))
    assert "pw" not in str(raised.value)


def test_an_endpoint_does_not_show_its_secrets():
    """Neither key nor address are in an endpoint's repr."""
    shown = repr(Endpoint(provider="openai", model="m", base_url="http://u:pw@host/v1", api_key="sk-secret"))
    assert ("pw" in shown, "sk-secret" in shown) == (False, False)


PROGRAM = """
import asyncio, sys
from tfai_jupyter.core.messages import Message, Prompt
from tfai_jupyter.models.openai import Endpoint, OpenAIModel
from tfai_jupyter.testing_server import ScriptedOpenAI, Reply

async def main():
    ticks = 0
    async def tick():
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1
    async with ScriptedOpenAI() as server:
        model = OpenAIModel(Endpoint(provider="openai", model="m", base_url=server.base_url, api_key="k"))
        assert "openai" not in sys.modules, "the SDK is imported before it is needed"
        ticking = asyncio.create_task(tick())
        async for _ in model.stream(Prompt((Message("user", "hi"),))):
            pass
        ticking.cancel()
        await model.aclose()
    assert "openai" in sys.modules
    print(ticks)

asyncio.run(main())
"""


def test_the_sdk_is_imported_late_and_beside_the_event_loop():
    """Making a model imports nothing; the first call imports the SDK while the event loop goes on turning."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=False)
    assert (0, "") == (done.returncode, done.stderr)
    assert int(done.stdout) >= 5
