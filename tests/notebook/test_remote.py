"""A kernel or shell as the client of a real notebook server, over TCP."""

import asyncio
import contextlib
import json
import socket
import threading
from contextlib import aclosing, closing

import pytest

from tfai_jupyter.core.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from tfai_jupyter.core.events import name_of
from tfai_jupyter.core.turns import Question
from tfai_jupyter.notebook.address import Address
from tfai_jupyter.notebook.remote import RemoteAssistant, Unreachable

TOKEN = "t0ken-of-a-test"  # noqa: S105 - of a server that lives as long as a test


STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


@contextlib.asynccontextmanager
async def client_of(url, token=TOKEN):
    """Give a client that is closed again."""
    assistant = RemoteAssistant(Address(url, token))
    try:
        yield assistant
    finally:
        await assistant.aclose()


async def events_of(assistant, question):
    """Read a turn to its end."""
    async with aclosing(assistant.ask(question)) as events:
        return [event async for event in events]


async def test_a_turn_over_http_is_a_turn(server, script):
    """The same events in the same order as in the process, numbered without a gap."""
    script.reply("One ", "two.", delay_seconds=0.05)
    async with client_of(server.url) as assistant:
        await assistant.check()
        events = await events_of(assistant, Question("count", face="notebook"))

    assert ["turn_started", "text_delta", "text_delta", "turn_finished"] == [name_of(event) for event in events]
    assert [1, 2, 3, 4] == [event.seq for event in events]
    assert ("notebook", "count") == (events[0].face, events[0].question)


async def test_a_command_with_options_is_carried_out(server):
    """Options, directory and conversation arrive."""
    question = Question("", "plan", {"destroy": True}, f"{server.root}/infra", "c-1", env={"TF_VAR_x": "1"})
    async with client_of(server.url) as assistant:
        events = await events_of(assistant, question)

    assert ("plan", "infra", "c-1") == (events[0].command, events[0].workspace, events[0].conversation_id)
    assert {"destroy": True} == next(event.arguments for event in events if name_of(event) == "tool_started")


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        (Question(""), Invalid),
        (Question("", "approve", {"id": "0190"}), NotFound),
        (Question("", "plan", directory="/"), Forbidden),
        (Question("", "plan", directory="../.."), Forbidden),
    ],
)
async def test_what_the_server_refuses_is_raised_as_here(server, question, kind):
    """A refusal at the door is the same error as in the process, with the server's sentence."""
    async with client_of(server.url) as assistant:
        with pytest.raises(kind) as raised:
            await events_of(assistant, question)

    assert "{" not in str(raised.value)


async def test_a_busy_conversation_is_a_conflict(server, script):
    """One turn at a time in a conversation."""
    script.reply("Slow", *("." for _ in range(100)), delay_seconds=0.1)
    async with client_of(server.url) as assistant, aclosing(assistant.ask(Question("a", conversation_id="b"))) as turn:
        while name_of(await anext(turn)) != "text_delta":
            pass
        with pytest.raises(Conflict):
            await events_of(assistant, Question("b", conversation_id="b"))


async def test_cancelling_delivers_the_rest(server, script):
    """After cancel the stream still ends with its last event, and the model's connection is closed."""
    before = script.state["disconnects"]
    script.reply("Half", *("." for _ in range(600)), delay_seconds=0.1)
    async with client_of(server.url) as assistant, aclosing(assistant.ask(Question("all"))) as events:
        seen = []
        async for event in events:
            seen.append(event)
            if name_of(event) == "text_delta" and event.text == "Half":
                assert assistant.cancel(event.turn_id)

    assert "cancelled" == seen[-1].stop_reason
    assert before < script.state["disconnects"]


async def test_a_reader_that_leaves_cancels_its_turn(server, script, eventually):
    """Closing the stream stops the turn on the server."""
    before = script.state["disconnects"]
    script.reply("Half", *("." for _ in range(600)), delay_seconds=0.1)
    async with client_of(server.url) as assistant, aclosing(assistant.ask(Question("all"))) as events:
        async for event in events:
            if name_of(event) == "text_delta":
                break

    await asyncio.to_thread(eventually, lambda: script.state["disconnects"] > before)


async def test_nobody_at_the_address(free_address):
    """A port where nothing listens is told apart, since then nothing was asked."""
    async with client_of(free_address) as assistant:
        with pytest.raises(Unreachable, match="does not answer"):
            await assistant.check()
        with pytest.raises(Unreachable, match="does not answer"):
            await events_of(assistant, Question("a"))


async def test_a_wrong_token_is_forbidden(server):
    """The message says so and does not repeat the token."""
    async with client_of(server.url, "wrong-token") as assistant:
        with pytest.raises(Forbidden) as raised:
            await assistant.check()

    assert "wrong-token" not in str(raised.value)


async def test_a_server_covers_what_is_below_its_root(server, tmp_path):
    """Directories of this machine are asked about by their absolute path."""
    async with client_of(server.url) as assistant:
        covered = [await assistant.covers(str(path)) for path in (server.root, server.root / "infra", tmp_path)]

    assert [True, True, False] == covered


class Cutter:
    """A TCP relay that closes each connection once it has passed on so many bytes of an answer."""

    def __init__(self, port, *, budget):
        """Listen, and pass on to a port."""
        self.target, self.budget, self.cuts = port, budget, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        """Relay one connection after another."""
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                threading.Thread(target=self.relay, args=(near,), daemon=True).start()

    def relay(self, near):
        """Pass bytes both ways until the budget is used up."""
        with closing(near), closing(socket.create_connection(("127.0.0.1", self.target))) as far:
            threading.Thread(target=self.upload, args=(near, far), daemon=True).start()
            passed = 0
            with contextlib.suppress(OSError):
                while passed < self.budget and (piece := far.recv(min(4096, self.budget - passed))):
                    near.sendall(piece)
                    passed += len(piece)
                self.cuts += passed >= self.budget
                far.shutdown(socket.SHUT_RDWR)
                near.shutdown(socket.SHUT_RDWR)

    def upload(self, near, far):
        """Pass requests on."""
        with contextlib.suppress(OSError):
            while piece := near.recv(4096):
                far.sendall(piece)


@pytest.fixture
def cutter(server):
    """Give a relay to the server that cuts streams after 1,500 bytes."""
    relay = Cutter(server.port, budget=1500)
    yield relay
    relay.listener.close()


async def test_a_cut_stream_is_taken_up_where_it_stopped(server, script, cutter):
    """However often the connection breaks, each event arrives once and in order."""
    script.reply(*(f"{number} " for number in range(40)), delay_seconds=0.02)
    url = server.url.replace(str(server.port), str(cutter.port))
    async with client_of(url) as assistant:
        events = await events_of(assistant, Question("count to forty"))

    assert 1 < cutter.cuts
    assert list(range(1, len(events) + 1)) == [event.seq for event in events]
    assert "".join(f"{number} " for number in range(40)) == "".join(getattr(event, "text", "") for event in events)
    assert "end" == events[-1].stop_reason


async def test_a_stream_that_cannot_be_taken_up_ends_with_a_failure(script, tmp_path, environment, start_server):
    """When the server is killed in mid-stream, the last event says so; nothing waits for ever."""
    settings = environment(**script.environment, TFAI_SERVER="auto")
    with start_server(tmp_path, settings) as own:
        script.reply("Half", *("." for _ in range(600)), delay_seconds=0.1)
        async with client_of(own.url) as assistant, aclosing(assistant.ask(Question("all"))) as events:
            seen = []
            async for event in events:
                seen.append(event)
                if name_of(event) == "text_delta" and event.text == "Half":
                    own.process.kill()

    assert ("turn_failed", "interrupted", True) == (name_of(seen[-1]), seen[-1].code, seen[-1].retryable)
    assert seen[-1].seq == seen[-2].seq + 1


def answer_once(text):
    """Serve one canned HTTP answer to every connection; return the address and a way to stop."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                with closing(near):
                    near.recv(65536)
                    near.sendall(text)

    threading.Thread(target=serve, daemon=True).start()
    return listener, f"http://127.0.0.1:{listener.getsockname()[1]}/"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nhtml", NotFound),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\n\r\n{}", Exception),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Type: text/html\r\n\r\nhtml", Unavailable),
        (STREAM + b"id: x\nevent: text_delta\ndata: {}\n\n", Unavailable),
        (STREAM + b"id: 1\nevent: text_delta\ndata: {\n\n", Unavailable),
        (STREAM + b"id: 2\nevent: text_delta\ndata: {}\n\n", Unavailable),
        (STREAM, Unavailable),
        (b"", Unavailable),
    ],
)
async def test_an_answer_that_is_not_ours_is_one_sentence(answer, kind):
    """A proxy, another program, or a half answer never becomes a traceback of a library."""
    listener, url = answer_once(answer)
    with closing(listener):
        async with client_of(url) as assistant:
            with pytest.raises(kind) as raised:
                await events_of(assistant, Question("a"))

    assert raised.type.__module__.startswith("tfai_jupyter")


def test_a_kernel_of_the_server_asks_the_server(server, script, start_kernel_of):
    """Its turns are in the server's history, it opens no journal of its own, and results are the same objects."""
    script.reply("From the server.")
    with start_kernel_of(server) as kernel:
        cell = kernel.run(f"%cd -q {server.root}/infra\nanswer = %tfai ask who are you?")
        plan = kernel.run("plan = %tfai plan\nplan.page().plain()")
        opened = kernel.value("'duckdb' in __import__('sys').modules")

    assert ("ok", "From the server.\n") == (cell.status, cell.stdout)
    assert "terraform_data.one" in plan.out["text/plain"]
    assert not opened
    titles = [each["title"] for each in server.ask("GET", "tfai/api/conversations")["conversations"]]
    assert "who are you?" in json.dumps(titles)


def test_interrupting_such_a_kernel_cancels_the_turn_on_the_server(server, script, start_kernel_of, eventually):
    """The text so far is kept, and the server has closed the model's connection."""
    before = script.state["disconnects"]
    script.reply("Half", *("." for _ in range(600)), delay_seconds=0.1)
    with start_kernel_of(server) as kernel:
        cell = kernel.run("%tfai ask tell me everything", interrupt_when="Half")

        assert "UsageError: cancelled; what was said until then is kept\n" == cell.stderr
        eventually(lambda: script.state["disconnects"] > before)


def test_outside_the_servers_root_the_kernel_answers_itself(server, start_kernel_of, tmp_path):
    """One notice says why, once."""
    with start_kernel_of(server) as kernel:
        kernel.run(f"%cd -q {tmp_path}")
        first, second = (kernel.run("%tfai files").stdout for _ in range(2))

    assert "lies outside the workspace of the Jupyter server; answered here instead\n" in first
    assert "outside" not in second


def test_without_the_extension_the_kernel_answers_itself(tmp_path, environment, start_server, start_kernel_of):
    """A server that does not know us is named in one notice."""
    settings = environment(TFAI_SERVER="auto")
    with start_server(tmp_path, settings, enabled=False) as own, start_kernel_of(own) as kernel:
        cell = kernel.run("%tfai files")

    assert "has no tfai_jupyter extension" in cell.stdout
    assert "ok" == cell.status


def test_a_named_server_that_does_not_answer_is_told(kernel, free_address):
    """TFAI_SERVER names a server that is not there: one notice, and the kernel answers itself."""
    kernel.run(f"import os; os.environ['TFAI_SERVER'] = '{free_address}'")
    cell = kernel.run("%tfai files")
    kernel.run("os.environ['TFAI_SERVER'] = 'off'")

    assert f"the Jupyter server at {free_address} does not answer (TFAI_SERVER); answered here instead" in cell.stdout
    assert "ok" == cell.status
