import copy
import json
from contextlib import aclosing, suppress

import pytest

from tfai_jupyter.core.errors import ModelError
from tfai_jupyter.core.messages import Message, Prompt, ToolCall, Usage
from tfai_jupyter.models.openai import Endpoint, OpenAIModel
from tfai_jupyter.models.openai_wire import StreamedReply
from tfai_jupyter.testing_server import Reply, ScriptedOpenAI


def delta(finish_reason=None, **parts):
    """Make a chunk with one choice."""
    return {"id": "x", "choices": [{"index": 0, "delta": parts, "finish_reason": finish_reason}]}


def part(index=None, call_id=None, name=None, arguments=None):
    """Make a chunk with a part of a tool call; what is None is left out."""
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    call = {key: value for key, value in (("index", index), ("id", call_id)) if value is not None}
    return delta(tool_calls=[call | {"function": function}])


STOP = delta("stop")


async def pieces_of(*chunks, usage=None):
    """Return what a model streams for the chunks of a server."""
    async with ScriptedOpenAI(Reply(chunks=chunks, usage=usage or {})) as server:
        endpoint = Endpoint(provider="openai", model="m", base_url=server.base_url, api_key="k", idle_seconds=0.5)
        model = OpenAIModel(endpoint)
        async with aclosing(model.stream(Prompt((Message("user", "hi"),)))) as stream:
            pieces = [piece async for piece in stream]
        await model.aclose()
    return pieces


async def calls_of(*chunks):
    """Return the tool calls that a model streams for the chunks of a server, without ids."""
    return [(piece.name, piece.arguments) for piece in await pieces_of(*chunks, STOP) if isinstance(piece, ToolCall)]


@pytest.mark.parametrize(
    "odd",
    [
        {"choices": []},
        {"choices": None},
        {"id": "x"},
        {},
        delta(role="assistant"),
        delta(content=None),
        delta(content=""),
        delta(content=None, tool_calls=None),
        delta(content=None, reasoning_content="Hmm."),
        {"choices": [{"delta": {"content": ""}}]},
    ],
)
async def test_chunks_without_text_are_passed_over(odd):
    """Empty choices, role-only deltas, null contents and reasoning are no text and no error."""
    assert ["a", "b"] == await pieces_of(delta(content="a"), odd, delta(content="b"), STOP)


async def test_the_last_chunk_may_lack_its_delta():
    """A chunk that only says why the answer ended is enough."""
    assert ["a"] == await pieces_of(delta(content="a"), {"choices": [{"index": 0, "finish_reason": "stop"}]})


async def test_an_answer_may_lack_its_counts():
    """An answer that said it was done is whole, even where the counts never come and the stream stays open."""
    async with ScriptedOpenAI(Reply(chunks=(delta(content="a"), STOP), end="stall")) as server:
        model = OpenAIModel(Endpoint(provider="openai", model="m", base_url=server.base_url, api_key="k"))
        async with aclosing(model.stream(Prompt((Message("user", "hi"),)))) as stream:
            assert ["a"] == [piece async for piece in stream]
        await model.aclose()


async def test_text_may_come_with_the_end():
    """Text in the chunk that ends the answer is kept."""
    assert ["a", "b"] == await pieces_of(delta(content="a"), delta("stop", content="b"))


async def test_usage_may_be_in_every_chunk():
    """Counts that come again and again are told once, the last of them."""
    first, last = ({"prompt_tokens": 5, "completion_tokens": n, "total_tokens": 5 + n} for n in (1, 2))
    chunks = (delta(content="a") | {"usage": first}, delta("stop") | {"usage": last})
    assert ["a", Usage(5, 2)] == await pieces_of(*chunks)


@pytest.mark.parametrize("usage", [{"prompt_tokens": None}, {"prompt_tokens_details": None}, {"total_tokens": 3}])
async def test_usage_may_be_incomplete(usage):
    """Counts that a server does not tell are zero, or unknown for the cache."""
    assert ["a", Usage(0, 0)] == await pieces_of(delta(content="a"), STOP, usage=usage)


async def test_a_refusal_is_text():
    """What the model says instead of an answer is shown as one."""
    assert ["I will not."] == await pieces_of(delta(refusal="I will not."), STOP)


async def test_half_a_surrogate_pair_is_replaced():
    """Text that no file or socket could hold is made sound."""
    text, *_ = await pieces_of(delta(content="a\ud83d"), STOP)
    assert "a\ufffd" == text


async def test_a_call_in_one_chunk_without_id():
    """A whole call in one chunk gets an id of its own, so that its result can name it."""
    chunk = delta(tool_calls=[{"index": n, "function": {"name": "f", "arguments": "{}"}} for n in range(2)])
    first, second = await pieces_of(chunk, STOP)
    assert (ToolCall(first.id, "f", "{}"), ToolCall(second.id, "f", "{}")) == (first, second)
    assert first.id
    assert second.id not in ("", first.id)


@pytest.mark.parametrize(
    "chunks",
    [
        (part(0, "1", "f", '{"a"'), part(0, None, None, ": 1}"), part(1, "2", "g", "{}")),
        (part(0, "1", "f", '{"a"'), part(1, "2", "g", ""), part(0, None, None, ": 1}"), part(1, None, None, "{}")),
        (part(0, "1", "f", '{"a": 1}'), part(0, "2", "g", "{}")),
        (part(0, None, "f", '{"a"'), part(0, None, "f", ": 1}"), part(0, None, "g", "{}")),
        (part(None, "1", "f", '{"a"'), part(None, "1", "f", ": 1}"), part(None, "2", "g", "{}")),
        (part(None, None, "f", '{"a": 1}'), part(None, None, "g", "")),
        (part(0, "", "f", ""), part(0, "1", None, '{"a": 1}'), part(1, "", "g", None)),
        (part(0, "1", "f", {"a": 1}), part(1, "2", "g", {})),
    ],
    ids=["usual", "by turns", "one index", "no ids", "no index", "neither", "late id", "objects"],
)
async def test_calls_are_told_apart_however_they_come(chunks):
    """Parallel calls come out whole and in order whichever of index and id a server leaves out."""
    assert [("f", '{"a": 1}'), ("g", "{}")] == await calls_of(*chunks)


async def test_the_same_tool_twice_without_index_or_id():
    """A name after complete arguments begins another call of the same tool."""
    assert [("f", "{}"), ("f", '{"b": 2}')] == await calls_of(part(0, None, "f", "{}"), part(0, None, "f", '{"b": 2}'))


WHOLE = {
    "choices": [
        {
            "delta": {
                "content": "text",
                "tool_calls": [{"index": 0, "id": "1", "function": {"name": "f", "arguments": "{}"}}],
            },
            "finish_reason": "tool_calls",
        }
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 3}},
}


def paths(value, path=()):
    """Yield the path of every value inside a JSON value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths(item, (*path, key))


def with_value(path, value):
    """Return the whole chunk with one of its values replaced."""
    chunk = {"root": copy.deepcopy(WHOLE)}
    *parents, last = ("root", *path)
    place = chunk
    for key in parents:
        place = place[key]
    place[last] = value
    return chunk["root"]


@pytest.mark.parametrize("value", [None, True, 7, -0.5, "", "odd", [], ["odd"], [[]], {}, {"odd": 1}], ids=json.dumps)
def test_no_chunk_breaks_the_reader(value):
    """Whatever JSON stands anywhere in a chunk, the reader tells pieces of the right types or a ModelError."""
    for path in paths(WHOLE):
        reply, text, pieces = StreamedReply(), "", []
        with suppress(ModelError):
            text = reply.feed(with_value(path, value))
            pieces = list(reply.rest())
        assert isinstance(text, str)
        for piece in pieces:
            kinds = (str, str, str) if isinstance(piece, ToolCall) else (int, int, int | None)
            assert all(
                isinstance(getattr(piece, name), kind) for name, kind in zip(piece.__slots__, kinds, strict=False)
            )
