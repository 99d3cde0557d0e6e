"""Files inside a model's text."""

import json
import time

import pytest

from tfai_jupyter.core.envelope import Envelope, find_envelope

FILES = {"files": [{"path": "main.tf", "content": 'a = "${b}"\n'}, {"path": "o.tf", "content": ""}], "summary": "net"}
EXPECTED = Envelope({"main.tf": 'a = "${b}"\n', "o.tf": ""}, "net")
TEXT = json.dumps(FILES)


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        json.dumps(FILES, indent=2),
        f"```json\n{TEXT}\n```",
        f"Here you are:\n\n```\n{TEXT}\n```\nThat encrypts everything {{really}}.",
        f'Use {{braces}} and a {{"json": 1}} first. {TEXT} Done.',
        f'{{"answer": {TEXT}}}',
        f'{{"files": "later"}} {TEXT}',
        TEXT + TEXT.replace("main.tf", "other.tf"),
    ],
)
def test_files_are_found_wherever_they_stand(text):
    """Alone, fenced, between prose, after other JSON or inside it; the first complete ones count."""
    assert EXPECTED == find_envelope(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no files here",
        TEXT[:-1],
        TEXT[:40],
        '{"files": []}',
        '{"files": {"path": "a", "content": "b"}}',
        '{"files": [{"path": "a"}]}',
        '{"files": [{"path": "a", "content": 1}]}',
        '{"files": [{"path": "a", "content": "x"}, {"path": "a", "content": "y"}]}',
        '{"files": ["a"]}',
        "[1, 2]",
    ],
)
def test_what_is_not_whole_is_no_envelope(text):
    """Cut JSON, a path that comes twice or a file without text proposes nothing at all."""
    assert find_envelope(text) is None


@pytest.mark.parametrize("summary", ["", ', "summary": null'])
def test_a_missing_summary_is_empty(summary):
    """A summary is a courtesy."""
    assert Envelope({"a": "x"}) == find_envelope(f'{{"files": [{{"path": "a", "content": "x"}}]{summary}}}')


@pytest.mark.parametrize("text", ["{" * 8_000, '{"a":' * 5_000, "[" * 100_000 + "{" + "[" * 100_000])
def test_hostile_nesting_ends_soon(text):
    """Depth without end is no envelope, and costs less than a second."""
    began = time.monotonic()

    assert find_envelope(text) is None
    assert 2 > time.monotonic() - began
