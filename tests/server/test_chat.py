"""Chat over TCP: streaming, resuming, leaving, stopping, and what is refused at the door."""

import json
import socket
import time
from contextlib import closing, suppress

import pytest


def names(events):
    """Return what the events are called."""
    return [event.name for event in events]


def text(events):
    """Return the answer as it was streamed."""
    return "".join(event.data["text"] for event in events if event.name == "text_delta")


def wait_until(holds, seconds=10):
    """Wait for something that must come about."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def test_text_is_streamed_as_the_model_writes_it(server, script):
    """The first words are read long before the last ones are written."""
    script.reply("One, ", "two, ", "three.", delay_seconds=0.4)

    events = server.chat("count")

    deltas = [event for event in events if event.name == "text_delta"]
    assert "One, two, three." == text(events)
    assert ("turn_started", "turn_finished") == (events[0].name, events[-1].name)
    assert deltas[-1].at - deltas[0].at > 0.5
    assert list(range(1, len(events) + 1)) == [event.seq for event in events]


def test_a_stream_has_the_headers_of_one(server):
    """Proxies neither cache nor buffer it, and the request keeps its id, also in the first event."""
    with server.stream("POST", "chat", {"message": "/version"}, {"X-Request-ID": "mine-1"}) as stream:
        started = stream.until("turn_started")
        stream.rest()

    assert "text/event-stream" == stream.headers["content-type"]
    assert "no-cache" == stream.headers["cache-control"]
    assert "no" == stream.headers["x-accel-buffering"]
    assert "mine-1" == stream.headers["x-request-id"] == started.data["request_id"]


def test_a_silent_stream_has_a_heartbeat(server, script):
    """Comments keep the connection alive while the model thinks."""
    script.reply("At last.", first_delay_seconds=1.2)

    with server.stream("POST", "chat", {"message": "think"}) as stream:
        stream.rest()

    assert stream.comments >= 2


def test_a_message_that_begins_with_a_slash_is_a_command(server, script):
    """A command needs no model: none is asked."""
    before = len(script.state["requests"])

    events = server.chat("/validate -d infra")

    assert "validate" == events[0].data["command"]
    assert "ok" == next(event.data["outcome"] for event in events if event.name == "tool_finished")
    assert before == len(script.state["requests"])


def test_a_client_may_name_a_command_with_its_arguments(server):
    """A kernel's client has parsed the line already; what it sends is the same command."""
    options = {"command": "files", "arguments": {"dir": "infra"}, "face": "notebook"}

    events = server.chat("", workspace="", options=options)

    assert ("files", "notebook") == (events[0].data["command"], events[0].data["face"])
    assert "ok" == next(event.data["outcome"] for event in events if event.name == "tool_finished")


def test_a_conversation_goes_on_where_it_was(server, script):
    """The model is shown what was said before in the same conversation."""
    script.reply("It is a canary.")
    conversation = server.chat("what is a bird in a mine?")[0].data["conversation_id"]
    script.reply("Yellow.")

    server.chat("which colour?", conversation_id=conversation)

    shown = json.dumps(script.state["requests"][-1]["body"]["messages"])
    assert "It is a canary." in shown


def test_a_reader_resumes_in_the_middle_on_another_connection(server, script):
    """What was missed comes first, then the rest of the live turn; nothing twice, nothing lost."""
    script.reply(*(f"{number} " for number in range(8)), delay_seconds=0.15)
    with server.stream("POST", "chat", {"message": "count to eight"}) as stream:
        first = [stream.until("turn_started"), stream.until("text_delta"), stream.until("text_delta")]
    turn_id = first[0].data["turn_id"]

    with server.stream("GET", f"turns/{turn_id}/events", headers={"Last-Event-ID": str(first[-1].seq)}) as stream:
        rest = stream.rest()

    assert list(range(1, len(first) + len(rest) + 1)) == [event.seq for event in first + rest]
    assert "0 1 2 3 4 5 6 7 " == text(first + rest)
    assert "turn_finished" == rest[-1].name


def test_a_finished_turn_can_be_read_again(server, script):
    """The whole turn comes again, exactly as it was."""
    script.reply("Only ", "once.")
    events = server.chat("say it")

    with server.stream("GET", f"turns/{events[0].data['turn_id']}/events?after=0") as stream:
        again = stream.rest()

    assert events == again


def test_a_turn_can_be_stopped(server, script):
    """Its stream gets a last event that says so, and the model is no longer listened to."""
    script.reply("Never ", "ending", end="stall")
    left = script.state["disconnects"]
    with server.stream("POST", "chat", {"message": "go on"}) as stream:
        turn_id = stream.until("text_delta").data["turn_id"]
        answer = server.post(f"turns/{turn_id}/cancel")
        events = stream.rest()

    assert 202 == answer.status
    assert ("turn_finished", "cancelled") == (events[-1].name, events[-1].data["stop_reason"])
    wait_until(lambda: script.state["disconnects"] == left + 1)
    assert 409 == server.post(f"turns/{turn_id}/cancel").status


def test_a_turn_that_nobody_reads_is_stopped_after_a_while(server, script):
    """The model is let go half a second (as set here) after the only reader has left."""
    script.reply("Hello? ", end="stall")
    left = script.state["disconnects"]
    with server.stream("POST", "chat", {"message": "are you there?"}) as stream:
        turn_id = stream.until("text_delta").data["turn_id"]

    wait_until(lambda: script.state["disconnects"] == left + 1)
    with server.stream("GET", f"turns/{turn_id}/events") as stream:
        assert "cancelled" == stream.rest()[-1].data["stop_reason"]


def test_a_turn_goes_on_when_its_reader_comes_back_in_time(server, script):
    """Leaving and coming back does not stop it, however often."""
    script.reply(*"abcdefgh", delay_seconds=0.25)
    with server.stream("POST", "chat", {"message": "slowly"}) as stream:
        seen = [stream.until("text_delta")]
    for _ in range(2):
        time.sleep(0.3)
        with server.stream("GET", f"turns/{seen[0].data['turn_id']}/events?after={seen[-1].seq}") as stream:
            seen.append(stream.until("text_delta"))

    with server.stream("GET", f"turns/{seen[0].data['turn_id']}/events?after={seen[-1].seq}") as stream:
        assert "end" == stream.rest()[-1].data["stop_reason"]


def test_a_busy_conversation_is_refused(server, script):
    """A second question in the same conversation waits for the first; one elsewhere does not."""
    script.reply("Let me think ", "about it", delay_seconds=0.8)
    with server.stream("POST", "chat", {"message": "think", "conversation_id": "busy-1"}) as stream:
        stream.until("turn_started")
        answer = server.post("chat", {"message": "/version", "conversation_id": "busy-1"})
        elsewhere = server.chat("/version")
        stream.rest()

    assert (409, "conflict") == (answer.status, answer.error["code"])
    assert "turn_finished" == elsewhere[-1].name


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"\xff\xfe",
        b"[]",
        b'{"message": NaN}',
        b"[" * 100_000,
        b'{"message": "\\ud800"}',
        b"{}",
        b'{"message": "  "}',
        b'{"message": 3}',
        b'{"message": "x", "context": "main.tf"}',
        b'{"message": "x", "context": [{"kind": "film"}]}',
        b'{"message": "x", "env": []}',
        b'{"message": "/frobnicate"}',
        b'{"message": "/plan --nonsense"}',
        b'{"message": "", "options": {"command": "frobnicate"}}',
        b'{"message": "/approve"}',
    ],
)
def test_what_makes_no_sense_is_refused(server, script, body):
    """A body that is no question is a 400 in JSON, and no model is asked."""
    before = len(script.state["requests"])

    answer = server.post("chat", body)

    assert 400 == answer.status
    assert answer.headers["x-request-id"] == answer.error["request_id"]
    assert before == len(script.state["requests"])


@pytest.mark.parametrize("workspace", ["..", "/etc", "infra/../..", "~", ".ssh", "infra\\..", "a\0b", "x" * 5000])
def test_a_workspace_outside_the_root_is_refused(server, script, workspace):
    """It is a 403 before a model hears of it; what lies there is not told."""
    before = len(script.state["requests"])

    answer = server.post("chat", {"message": "look here", "workspace": workspace})

    assert (403, "forbidden") == (answer.status, answer.error["code"])
    assert before == len(script.state["requests"])


@pytest.mark.parametrize(
    "fields",
    [
        {"message": "read it", "context": [{"kind": "file", "path": "../secret.tf"}]},
        {"message": "/ask --file /etc/passwd what is this"},
        {"message": "/diagnose --plan ../plan.txt"},
    ],
)
def test_a_file_outside_the_root_is_refused(server, fields):
    """What is sent along by its path obeys the same rule."""
    assert 403 == server.post("chat", fields).status


def test_a_slow_reader_holds_nobody_up(server, script):
    """A turn of megabytes ends although one reader reads none of it; another reads it all."""
    script.reply("x" * 20_000, repeat=195)
    with server.stream("POST", "chat", {"message": "flood"}) as idle:
        turn_id = idle.until("turn_started").data["turn_id"]
        with server.stream("GET", f"turns/{turn_id}/events") as stream:
            events = stream.rest()

    assert "turn_finished" == events[-1].name
    assert 3_900_000 == len(text(events))
    assert list(range(1, len(events) + 1)) == [event.seq for event in events]


def test_a_reader_that_takes_nothing_is_cut_off(start, own_script, model_environment):
    """Its connection is closed, its turn ends soon after, and nothing breaks over it."""
    own_script.reply("x" * 20_000, repeat=190)
    environment = model_environment(own_script) | {"TFAI_RECONNECT_SECONDS": "0.2"}
    with start("--TfaiExtension.stall_seconds=0.5", environment=environment) as server:
        with closing(socket.socket()) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", server.port))
            body = b'{"message": "flood"}'
            head = f"POST {server.base}tfai/api/chat HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
            connection.sendall(f"{head}Authorization: {server.headers['Authorization']}\r\n\r\n".encode() + body)
            wait_until(lambda: "tfai_chat_active_streams 0.0" in metrics_of(server, "tfai_chat_requests_total{"), 30)
            time.sleep(1.5)

            received = drained(connection)

        assert b"turn_started" in received
        assert b"turn_finished" not in received
        assert "Traceback" not in server.log.read_text()


def metrics_of(server, needed):
    """Scrape the host; empty until there is a certain sample."""
    text = server.get(f"{server.base}metrics").body.decode()
    return text if needed in text else ""


def drained(connection):
    """Read what is left on a connection that the other side has closed."""
    connection.settimeout(10)
    received = b""
    with suppress(ConnectionError):
        while piece := connection.recv(65536):
            received += piece
    return received


def test_a_turn_that_does_not_exist_is_not_found(server):
    """It can be neither read nor stopped, and a place in it must be a number."""
    assert 404 == server.get("turns/0198c0de-0000-7000-8000-000000000000/events").status
    assert 404 == server.post("turns/0198c0de-0000-7000-8000-000000000000/cancel").status
    assert 400 == server.get("turns/any/events?after=soon").status


def test_a_notebooks_environment_reaches_terraform_but_only_what_is_allowed(server):
    """TF_VAR_ names are passed on; what is on no list is not."""
    root = server.root / "env"
    root.mkdir(exist_ok=True)
    (root / "main.tf").write_text('variable "colour" {\n  type = string\n}\noutput "c" {\n  value = var.colour\n}\n')

    asked = {"workspace": "env", "env": {"TF_VAR_colour": "region-blue", "TF_LOG": "TRACE", "PATH": "/nowhere"}}
    events = server.chat("/plan", **asked)

    assert "plan_ready" in names(events), [event.data for event in events]
