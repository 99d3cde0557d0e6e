"""Conversations and usage over HTTP, as the journal has them."""

import pytest


@pytest.fixture(scope="module")
def talk(server, script):
    """Hold a conversation of two turns."""
    script.reply("A module is ", "a directory.")
    first = server.chat("what is a module?\nplease", conversation_id="talk-1")
    server.chat("/version", conversation_id="talk-1")
    return first


@pytest.mark.usefixtures("talk")
def test_conversations_are_listed_newest_first(server):
    """Each has a title, its turns, and when something last happened, in UTC."""
    server.chat("/version", conversation_id="talk-2")

    listed = server.get("conversations").json["conversations"]
    found = {each["conversation_id"]: each for each in listed}

    assert ("what is a module?", 2) == (found["talk-1"]["title"], found["talk-1"]["turns"])
    assert [each["updated_at"] for each in listed] == sorted((each["updated_at"] for each in listed), reverse=True)
    assert listed[0]["updated_at"].endswith("Z")


def test_conversations_come_in_pages(server):
    """`next` is the `before` of the page that follows; no conversation comes twice."""
    for number in range(3):
        server.chat("/version", conversation_id=f"page-{number}")
    seen, before = [], ""
    for _ in range(3):
        page = server.get(f"conversations?limit=1{before}").json
        seen += [each["conversation_id"] for each in page["conversations"]]
        before = f"&before={page['next']}"

    assert ["page-2", "page-1", "page-0"] == seen


def test_a_conversation_has_its_messages_and_turns(server, talk):
    """What was asked and answered comes in order; commands are messages too."""
    found = server.get("conversations/talk-1").json

    assert "what is a module?" == found["title"]
    assert ["user", "assistant"] == [message["role"] for message in found["messages"]][:2]
    assert "A module is a directory." == found["messages"][1]["content"]
    assert ["ask", "version"] == [turn["command"] for turn in found["turns"]]
    assert talk[0].data["turn_id"] == found["messages"][0]["turn_id"]


@pytest.mark.usefixtures("talk")
@pytest.mark.parametrize("by", ["day", "model", "tool", "user"])
def test_usage_is_summed(server, by):
    """Rows by day, model, tool or user, and the sum of all turns."""
    answer = server.get(f"usage?by={by}").json

    assert by in answer["rows"][0]
    assert answer["totals"]["turns"] >= 2
    assert answer["totals"]["input_tokens"] >= 10


def test_usage_has_a_span(server):
    """Before the first day there is nothing."""
    answer = server.get("usage?since=2001-01-01&until=2001-12-31").json

    assert ([], 0) == (answer["rows"], answer["totals"]["turns"])
