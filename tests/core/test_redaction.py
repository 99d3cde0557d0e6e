"""Secrets are masked wherever and however they stand, also in a text that comes in pieces."""

import base64
import itertools
import json
import random
import time
from urllib.parse import quote

import pytest

from tfai_jupyter.core.events import ApprovalResolved, Notice, ToolFinished, ToolStarted, TurnStarted, name_of, to_dict
from tfai_jupyter.core.messages import Message, ModelName, ToolCall
from tfai_jupyter.core.redaction import Redactor, TextStream

VALUE = 'hunter2/+"<&é'


def knowing(*values, **named):
    """Make a redactor that knows values, or values by name."""
    redactor = Redactor(b"salt")
    redactor.learn(values)
    for name, value in named.items():
        redactor.learn([value], name)
    return redactor


def dice(seed):
    """Return the same throws every time."""
    return random.Random(seed)  # noqa: S311 - test data


def in_go(text):
    """Write JSON as Go does, and so Terraform."""
    written = json.dumps(text, ensure_ascii=False)[1:-1]
    return written.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")


@pytest.mark.parametrize(
    "form",
    [
        VALUE,
        json.dumps(VALUE)[1:-1],
        json.dumps(VALUE, ensure_ascii=False)[1:-1],
        in_go(VALUE),
        quote(VALUE),
        quote(VALUE, safe=""),
        VALUE.encode().hex(),
        base64.b64encode(VALUE.encode()).decode(),
        base64.urlsafe_b64encode(VALUE.encode()).decode(),
    ],
)
def test_a_secret_is_masked_in_every_spelling(form):
    """As it is, in JSON, in a URL, in hex, in base64: none of it stays."""
    shown = knowing(VALUE).redact(f"key = {form}, end")

    assert form.rstrip("=") not in shown
    assert shown.startswith("key = [REDACTED:value#")
    assert shown.endswith(", end")


def test_the_placeholder_names_the_secret_and_lets_equal_ones_be_recognised():
    """The same value has the same four digits in every spelling; another installation's differ."""
    redactor = knowing(DB="correct horse", OTHER="battery staple")
    plain, encoded, other = (
        redactor.redact(text) for text in ("correct horse", b"correct horse".hex(), "battery staple")
    )
    elsewhere = Redactor(b"pepper")
    elsewhere.learn(["correct horse"], "DB")

    assert plain == encoded
    assert plain.startswith("[REDACTED:DB#")
    assert plain != other.replace("OTHER", "DB")
    assert plain != elsewhere.redact("correct horse")


@pytest.mark.parametrize("value", ["", "abc", "12345", "  ab  ", "password", "SECRET", "default", "localhost"])
def test_short_and_common_values_stay(value):
    """They would blot out ordinary text; where a mark sits, the adapter masks them."""
    assert f"a {value} b" == knowing(value).redact(f"a {value} b")


def test_the_longest_secret_wins_where_two_begin():
    """A value that continues another is masked whole."""
    shown = knowing("prefix", "prefix-and-more").redact("prefix-and-more prefix-and prefix")

    assert 3 == shown.count("[REDACTED:")
    assert "more" not in shown
    assert 1 == shown.count("-and")


def test_a_value_is_known_without_the_space_around_it():
    """A token read with its line feed is the same token."""
    assert "s3cr3t-token" not in knowing("s3cr3t-token\n").redact("Bearer s3cr3t-token, s3cr3t-token\n")


def test_the_lines_of_a_key_are_secrets_too():
    """A private key that is shown indented, line by line, is still the key."""
    body = [base64.b64encode(dice(line).randbytes(48)).decode() for line in range(3)]
    key = "\n".join(("-----BEGIN KEY-----", *body, "-----END KEY-----\n"))
    shown = knowing(key).redact("\n".join(f"  + {line}" for line in key.splitlines()))

    assert not [line for line in body if line in shown]
    assert "BEGIN KEY" in shown


def test_words_of_a_long_text_are_no_secrets():
    """A list of names in a variable does not mask each of them."""
    assert "vpc-main subnet" == knowing('[\n  "vpc-main",\n  "subnet",\n]').redact("vpc-main subnet")


def test_a_forwarded_environment_is_secret_but_for_where_and_who():
    """Regions, profiles and workspaces name no secret, in whatever case."""
    redactor = Redactor()
    redactor.learn_environment(
        {
            "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI",
            "TF_VAR_db_password": "correct horse",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "TF_VAR_region": "eu-central-2",
            "TF_WORKSPACE": "staging",
            "TF_VAR_broken": "not-utf8-\udcff",
        }
    )
    text = "wJalrXUtnFEMI correct horse eu-central-1 eu-central-2 staging not-utf8-\udcff"
    shown = redactor.redact(text)

    assert "eu-central-1 eu-central-2 staging" in shown
    assert {"AWS_SECRET_ACCESS_KEY", "TF_VAR_db_password", "TF_VAR_broken"} == {
        part.partition("#")[0] for part in shown.split("[REDACTED:")[1:]
    }


def test_events_are_masked_everywhere_but_keep_their_closed_words():
    """Keys, nested values, names of people; yet `warning` stays a level though somebody's variable says so."""
    redactor = knowing(VALUE, "warning", "cancelled")
    started = redactor.masked(ToolStarted("c", "t", {VALUE: {"deep": [VALUE, 1, None, (VALUE,)]}}))
    finished = redactor.masked(ToolFinished("c", "t", "cancelled", VALUE, 3, {"x": VALUE}))

    assert VALUE not in repr(started)
    assert 3 == repr(started).count("[REDACTED:")
    assert ("cancelled", 3) == (finished.outcome, finished.duration_ms)
    assert VALUE not in repr(finished)
    assert "warning" == redactor.masked(Notice("warning", "code", "x")).level
    assert VALUE not in redactor.masked(ApprovalResolved("a", "approve", VALUE, VALUE)).by
    assert VALUE not in repr(redactor.masked(TurnStarted("c", "r", ModelName("p", VALUE), VALUE, "ask", VALUE)))


def test_messages_are_masked_with_their_tool_calls():
    """A secret inside the arguments a model wrote does not go back to it."""
    message = Message("assistant", VALUE, (ToolCall("c", "write", json.dumps({"a": VALUE})),))

    assert "assistant" == knowing(VALUE, "assistant").masked(message).role
    assert "hunter2" not in repr(knowing(VALUE).masked(message))


def test_a_redactor_without_secrets_leaves_everything_alone():
    """Nothing is copied or changed."""
    event = Notice("info", "c", "text")

    assert event is Redactor().masked(event)
    assert "text" == Redactor().redact("text")
    assert "notice" == name_of(event)
    assert {"level", "code", "message", "turn_id", "seq", "at"} == to_dict(event).keys()


@pytest.mark.parametrize("form", [VALUE, json.dumps(VALUE)[1:-1], VALUE.encode().hex()])
def test_a_secret_split_at_any_place_is_masked(form):
    """Wherever a stream is cut, no part of the secret leaves, and no other text is lost."""
    redactor, text = knowing(VALUE), f"a {form} b"
    for cut in range(len(text) + 1):
        stream = TextStream(redactor)
        shown = [stream.feed(text[:cut]), stream.feed(text[cut:]), stream.close()]

        assert redactor.redact(text) == "".join(shown)
        assert not any(form[:size] in shown[0] for size in range(2, len(form)))


def test_a_secret_that_comes_letter_by_letter_is_masked():
    """Even the smallest pieces show nothing of it."""
    redactor = knowing("swordfish", "swordfish-and-chips")
    stream = TextStream(redactor)
    shown = "".join([*map(stream.feed, "a swordfish-and-cheese swordfish-and-chips swordfis"), stream.close()])

    assert redactor.redact("a swordfish-and-cheese swordfish-and-chips swordfis") == shown


def test_text_that_begins_no_secret_leaves_at_once():
    """A reader sees each word when it was written; only a possible beginning waits for the next."""
    stream = TextStream(knowing("swordfish"))

    assert "hello " == stream.feed("hello ")
    assert "my " == stream.feed("my swo")
    assert "sworn " == stream.feed("rn ")
    assert "" == stream.close()


def test_without_secrets_nothing_is_held():
    """The common case costs nothing."""
    stream = TextStream(Redactor())

    assert ("abc", "") == (stream.feed("abc"), stream.close())


def test_streaming_shows_what_masking_the_whole_would():
    """Over thousands of small texts, secrets that overlap and every way to cut: pieces equal the whole."""
    letters = dice(7)
    for _ in range(400):
        secrets = ["".join(letters.choices("ab", k=letters.randint(6, 9))) for _ in range(letters.randint(1, 3))]
        redactor = knowing(*secrets)
        text = "".join(letters.choices("ab", k=14)) + letters.choice(secrets) + "".join(letters.choices("ab", k=4))
        whole = redactor.redact(text)
        for first, second in itertools.combinations(range(0, len(text), 3), 2):
            stream = TextStream(redactor)
            pieces = (text[:first], text[first:second], text[second:])

            assert whole == "".join([*map(stream.feed, pieces), stream.close()]), (secrets, text, first, second)


def test_hundreds_of_secrets_cost_no_time_that_a_reader_would_notice():
    """A hundred thousand letters with nine hundred forms to look for take well under half a second."""
    numbers = dice(1)
    redactor = knowing(*(base64.b85encode(numbers.randbytes(30)).decode() for _ in range(100)), "x" * 1600)
    text = "".join(numbers.choices("abcdefgh ijk_=\n", k=100_000))
    began = time.monotonic()
    redactor.redact(text)
    TextStream(redactor).feed(text[:5000])

    assert 0.5 > time.monotonic() - began
