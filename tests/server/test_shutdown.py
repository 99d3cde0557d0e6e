"""How turns end when their server does, and what the journal has of them afterwards."""

import signal
import time

import pytest


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stream_is_told_that_its_server_stops(start, own_script, model_environment, number):
    """It gets its last event before the connection is closed; the process ends soon and cleanly."""
    own_script.reply("Half an ", "answer", end="stall")
    with start(environment=model_environment(own_script)) as server:
        with server.stream("POST", "chat", {"message": "talk"}) as stream:
            started = stream.until("text_delta")
            server.process.send_signal(number)
            sent = time.monotonic()
            last = stream.rest()[-1]
        code = server.process.wait(20)
        took = time.monotonic() - sent

    assert ("turn_failed", "server_shutdown") == (last.name, last.data["code"])
    assert last.data["retryable"] is True
    assert started.data["turn_id"] == last.data["turn_id"]
    assert 0 == code
    assert took < 15  # the host itself takes a second or two, more on a busy machine


def test_an_idle_server_stops_at_once(start):
    """There is nothing to wait for, and nothing to complain of."""
    with start() as server:
        server.get("ready")
        sent = time.monotonic()

        assert 0 == server.stop()
        assert time.monotonic() - sent < 15
        assert "Traceback" not in server.log.read_text()


def test_a_killed_server_loses_at_most_the_last_second(start, own_script, model_environment):
    """After a restart the journal has the turn: nearly all of its text, and that it was interrupted."""
    environment = model_environment(own_script)
    own_script.reply(*(f"{number} " for number in range(40)), delay_seconds=0.1)
    with start(environment=environment) as server, server.stream("POST", "chat", {"message": "count"}) as stream:
        turn_id = stream.until("text_delta").data["turn_id"]
        seen = next(event for event in stream if event.seq == 30)
        server.process.kill()
        server.process.wait()

    with start(environment=environment) as server:
        with server.stream("GET", f"turns/{turn_id}/events") as stream:
            events = stream.rest()
        conversation = server.get(f"conversations/{events[0].data['conversation_id']}").json

    assert ("turn_failed", "interrupted") == (events[-1].name, events[-1].data["code"])
    assert events[-2].seq >= seen.seq - 11
    assert "0 1 2 3 " in conversation["messages"][-1]["content"]


def test_a_turn_can_be_read_after_a_restart(start, own_script, model_environment):
    """A finished turn comes from the journal exactly as it was streamed, from any event on."""
    environment = model_environment(own_script)
    own_script.reply("Kept ", "for ", "good.")
    with start(environment=environment) as server:
        events = server.chat("keep this")
        server.stop()

    with start(environment=environment) as server:
        turn_id = events[0].data["turn_id"]
        with server.stream("GET", f"turns/{turn_id}/events") as stream:
            again = stream.rest()
        with server.stream("GET", f"turns/{turn_id}/events", headers={"Last-Event-ID": "2"}) as stream:
            rest = stream.rest()

    assert events == again
    assert events[2:] == rest
