"""What the model sees, within a budget."""

import pytest

from tfai_jupyter.core.context import Material, compose, estimate, estimate_message, trim
from tfai_jupyter.core.messages import Message, ToolCall
from tfai_jupyter.core.protocols import FileText, Snapshot
from tfai_jupyter.core.results import Passage
from tfai_jupyter.core.turns import Attachment


def file(path, size):
    """Make a file of `size` estimated tokens."""
    return FileText(path, "x" * size * 4, "", size * 4)


def talk(*turns):
    """Make a history of questions with their answers."""
    return tuple(Message(role, text) for turn in turns for role, text in zip(("user", "assistant"), turn, strict=False))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", 0), ("a", 1), ("abcd", 1), ("abcde", 1), ("abcdefgh", 2), ("x" * 400, 100), ("é" * 4, 2)],
)
def test_tokens_are_a_quarter_of_the_bytes(text, expected):
    """TT-6e: nothing costs nothing, anything at least one."""
    assert expected == estimate(text)


def test_two_short_messages_cost_fourteen():
    """TT-6e: 4 for the frame, 1 for the role, 2 for `hello world`, each."""
    assert 14 == sum(map(estimate_message, (Message("user", "hello world"), Message("user", "hello world"))))


def test_tool_calls_cost_their_arguments():
    """A message that only calls tools is not free."""
    call = ToolCall("c", "read_file", '{"path": "main.tf"}')

    assert 4 + 2 + 7 == estimate_message(Message("assistant", "", (call,)))


def test_text_that_is_no_unicode_still_has_a_length():
    """Half a pair from a broken stream does not end the turn."""
    assert 1 == estimate("ab\ud83d")


@pytest.mark.parametrize(
    ("history", "budget", "kept"),
    [
        (talk(["abcd"], ["efgh"]), 12, ["abcd", "efgh"]),
        (talk(["abcd"], ["efgh"]), 7, ["efgh"]),
        (talk(["abcd"], ["efgh"]), 5, []),
        ((), 100, []),
        (talk(["abcd"]), -5, []),
    ],
)
def test_history_keeps_the_newest_that_fits(history, budget, kept):
    """TT-6f: fits, half fits, nothing fits, empty, no room at all."""
    assert kept == [message.content for message in trim(history, budget)]


def test_turns_are_kept_whole():
    """An answer never stands without its question, nor a tool's result without its call."""
    long, short = talk(["q1", "a" * 400]), talk(["q2", "a2"])
    tools = (Message("user", "q3"), Message("assistant", "", (ToolCall("c", "t", "{}"),)), Message("tool", "r"))

    assert ("q2", "a2", "q3", "", "r") == tuple(message.content for message in trim((*long, *short, *tools), 60))
    assert ("q3", "", "r") == tuple(message.content for message in trim((*short, *long, *tools), 60))


def test_a_history_may_begin_in_the_middle_of_a_turn():
    """A limit on messages may cut the oldest turn; what is left of it counts as one."""
    history = (Message("assistant", "a0"), *talk(["q1", "a1"]))

    assert history == trim(history, 100)
    assert history[1:] == trim(history, 14)


def test_the_order_is_instructions_history_passages_files_question():
    """The question stands last, where a model looks."""
    material = Material(
        "rules",
        "why?",
        talk(["q1", "a1"]),
        (Passage("p", "VPC", "https://example.com", 0.5, "text of it"),),
        Snapshot((FileText("main.tf", "a = 1", "", 5),)),
        (Attachment("cell", "cell 3", "x = 1"), Attachment("file", path="empty.tf")),
    )
    messages = compose(material, 10_000).messages

    assert ["system", "user", "assistant", "system", "system", "user"] == [message.role for message in messages]
    assert "[1] VPC (https://example.com)\ntext of it" in messages[3].content
    assert "main.tf\n```hcl\na = 1\n```" in messages[4].content
    assert "[cell cell 3]\nx = 1\n\nwhy?" == messages[5].content
    assert all("data" in messages[index].content for index in (3, 4))


def test_nothing_to_show_is_not_shown():
    """Without passages and files there are no empty headings."""
    composition = compose(Material("rules", "why?"), 1000)

    assert [Message("system", "rules"), Message("user", "why?")] == list(composition.messages)
    assert () == composition.omitted


def test_history_gives_way_before_files():
    """Files have their share first; what they leave is for the newest turns."""
    material = Material("r", "q", talk(["x" * 200, "y" * 200], ["old", "er"]), snapshot=Snapshot((file("a.tf", 100),)))
    composition = compose(material, 200)

    assert ("2 older messages of this conversation",) == composition.omitted
    assert ["system", "user", "assistant", "system", "user"] == [message.role for message in composition.messages]


def test_a_file_that_does_not_fit_leaves_room_for_others():
    """One huge file does not hide the small ones after it, and the model and the person learn of it."""
    snapshot = Snapshot((file("huge.tf", 5000), file("small.tf", 10)), ("secret.tf (hidden)",))
    composition = compose(Material("r", "q", snapshot=snapshot), 1000)
    listed = composition.messages[1].content

    assert ("secret.tf (hidden)", "huge.tf (over the token budget)") == composition.omitted
    assert "small.tf\n```hcl" in listed
    assert "huge.tf\n```hcl" not in listed
    assert "Left out: secret.tf (hidden); huge.tf (over the token budget)." in listed


def test_instructions_and_question_never_give_way():
    """TT-6f: a fixed part over the budget leaves nothing else, and says so."""
    material = Material("r" * 28_000, "q", talk(["q1", "a1"]), snapshot=Snapshot((file("a.tf", 1),)))
    composition = compose(material, 6000)

    assert ["system", "system", "user"] == [message.role for message in composition.messages]
    assert "over the budget of 6000 tokens" in composition.omitted[0]
    assert "2 older messages of this conversation" == composition.omitted[1]
