"""Whatever a body or an address says, the answer is ours: never a 5xx, never a traceback."""

import random
from urllib.parse import quote

import pytest

FIELDS = {
    "chat": ("message", "workspace", "conversation_id", "context", "env", "options"),
    "workspace/create": ("dir", "description"),
    "approvals/x": ("decision", "confirm", "reason", "files"),
    "turns/x/cancel": ("anything",),
}
VALUES = (
    *(None, True, 0, -1, 1e308, 10**30, "", " ", "x", "/", "/plan", "/ask", "/state show", "//", "/ -d", "/plan -d .."),
    *("..", ".", "~", "a/b", "\u2028", "\U0001f600", "e\u0301", "%00", "\x00", "\n", "x" * 3000, "approve", "deny"),
    *([], [None], ["a"], [{}], [[]], {}, {"kind": "file"}, {"a": 1}, [{"kind": "file", "path": ".."}]),
    *([{"kind": "cell", "text": "x", "name": 3}], {"command": "plan"}, {"command": "apply", "arguments": []}),
    *({"command": "approve", "arguments": {"id": [], "confirm": 3}}, {"command": "state", "arguments": {"dir": 3}}),
    *({"command": "sql", "arguments": {"query": "drop table turns"}}, {"command": "files", "arguments": {"dir": {}}}),
    *({"command": "usage", "arguments": {"by": "star"}}, {"command": "history", "arguments": {"limit": 10**30}}),
)
HOSTILE = ("", ".", "..", "%00", "%ff", "a b", "../../x", "\u202e", "x" * 5000, "'; drop table turns; --", "1e9", "-1")


@pytest.mark.parametrize("path", FIELDS)
def test_no_body_breaks_a_route(server, path):
    """Any value in any field is answered, with less than 500."""
    chance = random.Random(f"{path} 1")  # noqa: S311 - a repeatable walk, no secret
    for _ in range(60):
        body = {name: chance.choice(VALUES) for name in FIELDS[path] if chance.random() < 0.7}

        answer = server.post(path, body)

        assert answer.status < 500, (body, answer.body)


def test_no_saved_file_breaks_the_route(server):
    """Saving is refused or done, whatever is asked."""
    chance = random.Random(2)  # noqa: S311 - as above
    for _ in range(60):
        body = {name: chance.choice(VALUES) for name in ("path", "content", "expected_sha256")}

        answer = server.request("PUT", "file", body)

        assert answer.status < 500, (body, answer.body)


@pytest.mark.parametrize(
    "address",
    [
        "file?path={}",
        "workspace?dir={}",
        "conversations?limit={}",
        "conversations?before={}",
        "conversations/{}",
        "usage?since={}",
        "usage?until={}",
        "usage?by={}",
        "turns/{}/events",
        "turns/x/events?after={}",
        "{}",
    ],
)
def test_no_address_breaks_a_route(server, address):
    """Any parameter is answered, with less than 500."""
    for value in HOSTILE:
        written = value if value.startswith("%") else quote(value, safe="")

        answer = server.get(address.format(written))

        assert answer.status < 500, (value, answer.body)
