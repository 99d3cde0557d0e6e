"""The door: who may come in, how much they may bring, how often, and how they are told."""

import json
import socket
import time
from contextlib import ExitStack, closing

import psutil
import pytest

ROUTES = [
    ("GET", "config"),
    ("POST", "chat"),
    ("GET", "turns/t/events"),
    ("POST", "turns/t/cancel"),
    ("POST", "approvals/a"),
    ("GET", "conversations"),
    ("GET", "conversations/c"),
    ("GET", "workspace"),
    ("POST", "workspace/create"),
    ("GET", "file?path=a"),
    ("PUT", "file"),
    ("GET", "usage"),
    ("GET", "openapi.json"),
    ("GET", "nowhere"),
    ("DELETE", "nowhere"),
]
WRITES = [(method, path) for method, path in ROUTES if method in ("POST", "PUT")]
CAPS = {"chat": 1024**2, "workspace/create": 1024**2, "file": 5 * 1024**2}
OTHER_CAP = 64 * 1024


def is_json_error(answer):
    """Tell whether a failure has the one form that all have."""
    return {"code", "message", "request_id"} == set(answer.error) and answer.headers["x-request-id"]


@pytest.mark.parametrize("token", ["", "wrong"])
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_stranger_is_refused_by_every_route(server, method, path, token):
    """Without a token, or with a wrong one, each is a 403 in JSON."""
    body = {} if method in ("POST", "PUT") else None

    answer = server.request(method, path, body, token=token)

    assert 403 == answer.status
    assert is_json_error(answer)


def test_the_host_finds_every_method_of_every_route_protected(start):
    """Where the host allows no unauthenticated access it lists what is not decorated: nothing of ours is."""
    with start("--ServerApp.allow_unauthenticated_access=False") as server:
        assert 200 == server.get("health", token="").status
        assert 403 == server.get("config", token="").status
        server.stop()

        assert "JupyterServerAuthWarning" not in server.log.read_text()


@pytest.mark.parametrize("header", ["token {}", "Bearer {}", "bearer {}"])
def test_every_form_of_the_token_is_taken(server, header):
    """The host's forms work: `token X` and `Bearer X`."""
    answer = server.get("config", token="", headers={"Authorization": header.format("t0p-s3cret-token")})

    assert 200 == answer.status


def test_a_post_with_neither_token_nor_xsrf_is_refused(server):
    """The host's protection against forged requests holds for us, and from a foreign origin it is not there at all."""
    cookie = server.get(f"{server.base}login?token=t0p-s3cret-token", token="").headers["set-cookie"]
    session = {"Cookie": cookie.partition(";")[0]}

    forged = server.post("chat", {"message": "/version"}, token="", headers=session)
    foreign = server.get("config", token="", headers=session | {"Origin": "http://evil.example"})

    assert (403, 404) == (forged.status, foreign.status)
    assert is_json_error(forged)
    assert is_json_error(foreign)


def test_a_preflight_is_answered(server):
    """OPTIONS is always a 200 that names methods and headers."""
    answer = server.request("OPTIONS", "chat", token="")

    assert 200 == answer.status
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "authorization" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize(("given", "kept"), [("abc-1.2_3", True), ("a b", False), ("x" * 129, False), ("ü", False)])
def test_a_request_keeps_its_id(server, given, kept):
    """A valid id is given back, in header and error; any other is replaced."""
    answer = server.get("nowhere", headers={"X-Request-ID": given.encode()})

    assert kept == (given == answer.headers["x-request-id"])
    assert answer.headers["x-request-id"] == answer.error["request_id"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "nowhere", 404),
        ("PATCH", "nowhere/else", 404),
        ("GET", "", 404),
        ("GET", "chat", 405),
        ("DELETE", "file", 405),
        ("GET", "file", 400),
        ("GET", "conversations?limit=-1", 400),
        ("GET", "conversations?before=soon", 400),
        ("GET", "usage?by=star", 400),
        ("GET", "file?path=%ff", 400),
        ("GET", "conversations/nobody", 404),
    ],
)
def test_every_failure_is_told_in_json(server, method, path, status):
    """There is a code, a sentence and a request id; never a trace or a path of the host."""
    answer = server.request(method, path)

    assert status == answer.status
    assert is_json_error(answer)
    assert str(server.root) not in answer.body.decode()
    assert "Traceback" not in answer.body.decode()


def head(server, method, path, *lines):
    """Write the head of a request by hand."""
    first = f"{method} {server.base}tfai/api/{path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
    return "".join([first, "Authorization: token t0p-s3cret-token\r\n", *(f"{line}\r\n" for line in lines), "\r\n"])


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_body_over_the_cap_is_refused_before_it_is_sent(server, method, path):
    """Its length alone is enough: 413 in JSON within a second, on every route that takes a body."""
    cap = CAPS.get(path, OTHER_CAP)
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(head(server, method, path, f"Content-Length: {cap + 1}").encode())
        received = connection.makefile("rb").read()
    status, _, rest = received.partition(b"\r\n")

    assert b"413" in status
    assert "too_large" == json.loads(rest.partition(b"\r\n\r\n")[2])["error"]["code"]
    assert time.monotonic() - started < 1


def test_a_body_just_under_the_cap_is_taken(server):
    """A long text that is sent along is fine."""
    context = [{"kind": "text", "text": "x" * (CAPS["chat"] - 100)}]

    answer = server.post("chat", {"message": "/version", "context": context})

    assert 200 == answer.status


def test_a_command_line_of_a_megabyte_is_refused_at_once(server):
    """Splitting it would hold up everybody else; long text belongs below the line."""
    started = time.monotonic()

    refused = server.post("chat", {"message": "/help " + "x" * 500_000})

    assert (400, "usage") == (refused.status, refused.error["code"])
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_chunked_body_over_the_cap_ends_the_connection(server, method, path):
    """What does not tell its length is cut off at the cap, and no handler sees it; memory stays flat."""
    process = psutil.Process(server.process.pid)
    before = process.memory_info().rss
    chunk = b"%x\r\n%b\r\n" % (65536, b"x" * 65536)
    sent = 0
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(head(server, method, path, "Transfer-Encoding: chunked").encode())
        try:
            while sent < 64 * 1024**2:
                connection.sendall(chunk)
                sent += 65536
            status = connection.makefile("rb").readline()
        except OSError:
            status = b""

    assert status == b"" or b"400" in status
    assert process.memory_info().rss - before < 16 * 1024**2


def test_too_many_requests_are_told_when_to_come_back(start):
    """A burst passes, the rest is a 429 with Retry-After, and all tokens of a person share one bucket."""
    with start(environment={"TFAI_RATE_BURST": "5", "TFAI_RATE_PER_SECOND": "0.05"}) as server:
        deadline = time.monotonic() + 30
        while server.get("ready").json["status"] == "starting":  # it is not counted
            assert time.monotonic() < deadline

        answers = [server.get("config") for _ in range(8)]
        refused = next(answer for answer in answers if answer.status == 429)

        assert [200] * 5 + [429] * 3 == [answer.status for answer in answers]
        assert 15 < int(refused.headers["retry-after"]) <= 20
        assert "busy" == refused.error["code"]
        assert 200 == server.get("health", token="").status


def test_only_so_many_turns_run_at_once(start, own_script, model_environment):
    """Two run, one waits for a place and then runs, the fourth is told to come back."""
    environment = model_environment(own_script) | {"TFAI_MAX_STREAMS": "2", "TFAI_QUEUE_LENGTH": "1"}
    own_script.reply("Slowly ", "done.", times=3, delay_seconds=0.4)
    with start(environment=environment) as server, ExitStack() as opened:
        server.chat("/version")
        connections = [opened.enter_context(closing(server.connect())) for _ in range(3)]
        for connection in connections:
            connection.request("POST", f"{server.base}tfai/api/chat", '{"message": "go"}', server.headers)
            time.sleep(0.1)

        refused = server.post("chat", {"message": "go"})
        endings = [connection.getresponse().read()[-500:] for connection in connections]

        assert 429 == refused.status
        assert int(refused.headers["retry-after"]) > 0
        assert [True] * 3 == [b"turn_finished" in ending for ending in endings]
        assert 2 == own_script.state["peak"]
