import asyncio
import time
from contextlib import aclosing, asynccontextmanager
from email.utils import formatdate

import pytest

from tfai_jupyter.core.errors import ModelError, ModelRefused, ModelTimeout, ModelUnavailable, RateLimited
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


def error_chunk(**error):
    """Make a chunk that tells of an error in the middle of a stream."""
    return {"error": {"message": "something broke", **error}}


TEXT_CHUNK = {"choices": [{"index": 0, "delta": {"content": "Half"}, "finish_reason": None}]}


@pytest.mark.parametrize("ask", ["stream", "ping"])
async def test_a_refused_key_is_named_by_its_setting(ask):
    """A wrong key is told as the setting and the host, never as the key that the provider repeats."""
    async with scripted(accepted_key="another") as (model, server):
        with pytest.raises(ModelRefused) as raised:
            await (model.ping() if ask == "ping" else anext(model.stream(HELLO)))
    assert f"OPENAI_API_KEY was refused by 127.0.0.1:{server.port}" in str(raised.value)
    assert KEY not in str(raised.value)


async def test_a_missing_key_asks_for_one():
    """Without a key OpenAI is not asked at all, and the sentence says what to set."""
    async with scripted(api_key=" ", base_url="") as (model, _):
        _, error = await outcome_of(model)
    assert (ModelRefused, "OPENAI_API_KEY is not set: set it") == (type(error), str(error))


async def test_another_server_may_need_no_key():
    """A server of one's own is asked without a key; if it wants one, that is told."""
    async with scripted(Reply(text=("hi",)), api_key="") as (model, _):
        assert ("hi", None) == await outcome_of(model)
    async with scripted(accepted_key="another", api_key="") as (model, _):
        _, error = await outcome_of(model)
    assert isinstance(error, ModelRefused)
    assert "OPENAI_API_KEY was refused" in str(error)


async def test_an_unknown_model_is_named_with_its_setting():
    """OpenAI is told the setting, Ollama the command that gets the model."""
    async with scripted(models=("gpt-4o",)) as (model, _):
        _, error = await outcome_of(model)
    assert isinstance(error, ModelUnavailable)
    assert "has no model 'scripted': set OPENAI_MODEL" in str(error)

    async with scripted(models=("llama3:latest",), provider="ollama", model="qwen3") as (model, _):
        _, error = await outcome_of(model)
        with pytest.raises(ModelUnavailable) as raised:
            await model.ping()
    assert str(raised.value) == str(error)
    assert "has no model 'qwen3': run `ollama pull qwen3` or set OLLAMA_MODEL" in str(error)


async def test_too_many_requests_are_tried_again_in_the_asked_time():
    """A 429 is waited out as long as Retry-After says, and the answer then comes."""
    async with scripted(Reply(status=429, headers={"Retry-After": "0.4"}), Reply(text=("ok",))) as (model, server):
        started = time.monotonic()
        assert ("ok", None) == await outcome_of(model)
    assert time.monotonic() - started >= 0.4
    assert 2 == len(server.requests)


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_a_long_wait_is_told_instead_of_waited(form):
    """A Retry-After beyond the cap ends the attempts and travels with the error."""
    header = "120" if form == "seconds" else formatdate(time.time() + 121, usegmt=True)
    async with scripted(Reply(status=429, headers={"Retry-After": header}, times=0)) as (model, server):
        _, error = await outcome_of(model)
    assert (RateLimited, 1) == (type(error), len(server.requests))
    assert 60 < error.retry_after_seconds <= 121


async def test_attempts_are_bounded():
    """After the allowed attempts a 429 is RateLimited and a 500 is ModelUnavailable, with nothing of the body."""
    async with scripted(Reply(status=429, times=0), retries=1) as (model, server):
        _, error = await outcome_of(model)
    assert (RateLimited, None, 2) == (type(error), error.retry_after_seconds, len(server.requests))

    async with scripted(Reply(status=503, text=(f"{KEY} broke",), times=0), retries=2) as (model, server):
        _, error = await outcome_of(model)
    assert (ModelUnavailable, 3) == (type(error), len(server.requests))
    assert "failed with status 503" in str(error)
    assert KEY not in str(error)


async def test_a_wait_that_cannot_be_read_is_ours_to_choose():
    """A Retry-After that is neither seconds nor a date is as good as none."""
    headers = {"Retry-After": "soon", "Retry-After-Ms": "later"}
    async with scripted(Reply(status=429, headers=headers), Reply(text=("ok",))) as (model, _):
        assert ("ok", None) == await outcome_of(model)

    async with scripted(Reply(status=429, headers={"Retry-After-Ms": "50000"})) as (model, _):
        _, error = await outcome_of(model)
    assert 50.0 == error.retry_after_seconds


async def test_a_key_that_can_be_none():
    """A key with a line break, as from a careless paste, is told before it is sent."""
    async with scripted(api_key="sk-one\nsk-two") as (model, server):
        _, error = await outcome_of(model)
    assert (ModelRefused, []) == (type(error), server.requests)
    assert "holds characters that no key has" in str(error)
    assert "sk-" not in str(error)


async def test_an_ollama_behind_a_guard():
    """Where Ollama itself asks for no key, a refusal points at its address."""
    async with scripted(accepted_key="another", provider="ollama") as (model, _):
        _, error = await outcome_of(model)
    assert isinstance(error, ModelRefused)
    assert "check OLLAMA_HOST" in str(error)


async def test_a_forbidden_request_quotes_the_provider():
    """A valid key that may not do this is told with the provider's reason."""
    async with scripted(Reply(status=403, text=("country not supported",))) as (model, _):
        _, error = await outcome_of(model)
    assert str(error).endswith("(status 403): country not supported")


async def test_a_server_error_that_passes_is_not_seen():
    """One 500 before the answer goes unnoticed."""
    async with scripted(Reply(status=500), Reply(text=("ok",))) as (model, _):
        assert ("ok", None) == await outcome_of(model)


async def test_no_quota_is_not_tried_again():
    """An account without money is told at once: waiting does not help."""
    chunk = '{"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}'
    headers = {"Content-Type": "application/json"}
    async with scripted(Reply(status=429, body=chunk, headers=headers)) as (model, server):
        _, error = await outcome_of(model)
    assert (ModelRefused, 1) == (type(error), len(server.requests))


@pytest.mark.parametrize(
    "reply", [Reply(first_delay_seconds=30), Reply(end="stall"), Reply(status=500, first_delay_seconds=30)]
)
async def test_a_first_token_too_late(reply):
    """No first token in time is a timeout and closes the connection, whether or not a stream had begun."""
    async with scripted(reply, first_token_seconds=0.3) as (model, _):
        started = time.monotonic()
        text, error = await outcome_of(model)
    assert ("", ModelTimeout) == (text, type(error))
    assert "did not begin to answer within 0.3 s" in str(error)
    assert 0.25 < time.monotonic() - started < 5


async def test_a_stall_between_tokens():
    """Silence in the middle is a timeout; the text so far is kept and the server is let go."""
    async with scripted(Reply(text=("Half",), end="stall"), idle_seconds=0.3) as (model, server):
        text, error = await outcome_of(model)
        async with asyncio.timeout(2):
            while not server.disconnects:  # noqa: ASYNC110 - a counter of the server
                await asyncio.sleep(0.01)
    assert ("Half", ModelTimeout) == (text, type(error))
    assert "stopped in the middle of its answer for 0.3 s" in str(error)


async def test_slow_but_steady_is_no_stall():
    """An answer may take longer than every deadline as long as it goes on."""
    reply = Reply(text=("a", "b", "c", "d"), delay_seconds=0.4)
    async with scripted(reply, idle_seconds=1.2, first_token_seconds=1.2) as (model, _):
        assert ("abcd", None) == await outcome_of(model)


@pytest.mark.parametrize("end", ["cut", "silent"])
async def test_a_cut_answer(end):
    """A stream without its end, or a lost connection, is an error after the text that came; nothing is repeated."""
    async with scripted(Reply(text=("Half",), end=end), Reply(text=("again",))) as (model, server):
        text, error = await outcome_of(model)
    assert ("Half", ModelError, 1) == (text, type(error), len(server.requests))
    assert "the answer of" in str(error)
    assert "was cut off" in str(error)


@pytest.mark.parametrize("text", [("Half",), ()])
async def test_a_garbage_chunk(text):
    """What is no JSON ends the answer in one sentence."""
    async with scripted(Reply(text=text, end="garbage")) as (model, _):
        came, error = await outcome_of(model)
    assert ("".join(text), ModelError) == (came, type(error))
    assert "is no JSON" in str(error)


@pytest.mark.parametrize("chunk", [17, ["a"], {"choices": "none"}, {"choices": [{"index": 0}]}, {"choices": [17]}])
async def test_json_that_is_no_chunk(chunk):
    """JSON of another shape ends the answer in one sentence."""
    async with scripted(Reply(chunks=(chunk,))) as (model, _):
        _, error = await outcome_of(model)
    assert "is no chat completion chunk" in str(error)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": "rate_limit_exceeded"}, RateLimited),
        ({"code": 502}, ModelUnavailable),
        ({"type": "server_error"}, ModelUnavailable),
        ({"message": f"bad {KEY}\nthing", "code": "odd"}, ModelError),
    ],
)
async def test_an_error_inside_the_stream(error, kind):
    """An error after the first text is told in kind and not tried again."""
    async with scripted(Reply(chunks=(TEXT_CHUNK, error_chunk(**error)))) as (model, server):
        text, failure = await outcome_of(model)
    assert ("Half", kind, 1) == (text, type(failure), len(server.requests))
    assert KEY not in str(failure)
    assert "\n" not in str(failure)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500])
async def test_no_error_holds_the_key(status):
    """A provider that repeats the key in its error does not make us repeat it."""
    async with scripted(Reply(status=status, text=(f"your key {KEY} is bad",), times=0), retries=0) as (model, _):
        _, error = await outcome_of(model)
    assert isinstance(error, ModelError)
    assert KEY not in f"{error!r} {error.__cause__}"
    assert error.__suppress_context__


async def test_a_refused_request_quotes_the_provider():
    """What the provider says about a bad request is passed on, short."""
    async with scripted(Reply(status=400, text=("the prompt is too long: " + "x" * 2000,))) as (model, _):
        _, error = await outcome_of(model)
    assert "refused the request with status 400: the prompt is too long" in str(error)
    assert len(str(error)) < 400


async def test_a_limit_that_is_too_high_is_not_lifted():
    """Only an option that is unknown to a model is left out, not one whose value it refuses."""
    body = '{"error": {"message": "max_tokens is too large", "param": "max_tokens", "code": "invalid_value"}}'
    async with scripted(Reply(status=400, body=body, headers={"Content-Type": "application/json"})) as (model, server):
        _, error = await outcome_of(model)
    assert str(error).endswith("max_tokens is too large")
    assert 1 == len(server.requests)


async def test_options_a_model_refuses_are_left_out():
    """A model that takes no max_tokens or temperature is asked again in its own words, and so from then on."""

    def refused(option):
        body = f'{{"error": {{"message": "no {option}", "param": "{option}", "code": "unsupported_parameter"}}}}'
        return Reply(status=400, body=body, headers={"Content-Type": "application/json"})

    replies = (refused("max_tokens"), refused("temperature"), Reply(text=("ok",), times=2))
    async with scripted(*replies, retries=0, max_tokens=77) as (model, server):
        assert ("ok", None) == await outcome_of(model)
        assert ("ok", None) == await outcome_of(model)
    sent = [set(request.body) & {"max_tokens", "max_completion_tokens", "temperature"} for request in server.requests]
    assert [{"max_completion_tokens"}] * 2 == sent[2:]
    assert 77 == server.requests[-1].body["max_completion_tokens"]


async def test_the_content_filter_is_named():
    """An answer that a filter stopped is an error, not an end."""
    async with scripted(Reply(text=("Well, ",), finish_reason="content_filter")) as (model, _):
        text, error = await outcome_of(model)
    assert "Well, " == text
    assert "content filter" in str(error)
