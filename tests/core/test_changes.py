"""Proposed files: diff, hashes, digest."""

import hashlib
from dataclasses import replace

import pytest

from tfai_jupyter.core.changes import digest_of, file_change, propose, sha256_of


def hashed(text):
    """Hash a text as events carry it."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("before", "after", "action", "diff"),
    [
        (None, "a\n", "create", "--- /dev/null\n+++ b/x.tf\n@@ -0,0 +1 @@\n+a\n"),
        ("a\n", None, "delete", "--- a/x.tf\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n"),
        ("a\nb\n", "a\nc\n", "update", "--- a/x.tf\n+++ b/x.tf\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"),
        ("a", "a\n", "update", "--- a/x.tf\n+++ b/x.tf\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"),
        (None, "", "create", ""),
        ("a\r\n", "b\r\n", "update", "--- a/x.tf\n+++ b/x.tf\n@@ -1 +1 @@\n-a\r\n+b\r\n"),
    ],
)
def test_a_change_says_what_happens_and_shows_it(before, after, action, diff):
    """Creating, deleting and updating each have their unified diff, as `git` and `patch` write it."""
    change = file_change("x.tf", before, after)

    assert (action, diff) == (change.action, change.diff)
    assert ("" if before is None else hashed(before)) == change.before_sha256
    assert ("" if after is None else hashed(after)) == change.after_sha256


def test_only_line_feeds_end_a_line():
    """A form feed or a Unicode separator inside a line does not make the diff lie about the file."""
    change = file_change("x.tf", None, "a\x0cb\u2028c\rd\n")

    assert "--- /dev/null\n+++ b/x.tf\n@@ -0,0 +1 @@\n+a\x0cb\u2028c\rd\n" == change.diff


def test_what_does_not_differ_is_no_change():
    """The same text on both sides, or no file on both sides, proposes nothing."""
    assert file_change("x.tf", "a", "a") is None
    assert file_change("x.tf", None, None) is None


def test_a_proposal_holds_only_what_differs_in_the_order_of_paths():
    """Equal files fall out, with their contents."""
    change_set = propose("cs", {"b.tf": "same", "c.tf": "old"}, {"c.tf": None, "b.tf": "same", "a.tf": "new"})

    assert ["a.tf", "c.tf"] == [change.path for change in change_set.files]
    assert {"a.tf": "new", "c.tf": None} == change_set.contents
    assert change_set.files[0].diff + change_set.files[1].diff == change_set.diff


def test_the_digest_names_the_subject_not_the_occasion():
    """Id, summary and order leave it alone; a path, an action or a byte does not."""
    one = propose("first", {}, {"a.tf": "x", "b.tf": "y"}, "why")
    two = propose("second", {}, {"b.tf": "y", "a.tf": "x"})
    others = ({"a.tf": "x", "b.tf": "z"}, {"a.tf": "x", "c.tf": "y"}, {"a.tf": "x"})

    assert one.digest == two.digest == digest_of(reversed(one.files))
    assert one.digest not in {propose("third", {}, each).digest for each in others}
    assert one.digest != propose("fourth", {"a.tf": "before"}, {"a.tf": "x", "b.tf": "y"}).digest


def test_a_change_set_shows_files_diff_and_how_to_approve_it():
    """A person reads what would be written and which command writes it."""
    change_set = propose("cs7", {}, {"a.tf": "new\n"}, "a network", "valid")
    waiting = replace(change_set, summary="", approval_id="a9")

    for expected in ("a network", "create  a.tf", "+new", "validation: valid", f"digest {change_set.digest}"):
        assert expected in str(change_set)
    assert "1 file proposed" in str(waiting)
    assert "`approve a9` writes it" in str(waiting)


def test_applying_only_asks_in_the_same_conversation():
    """`apply()` and `undo()` run commands; a result without a conversation says that it cannot."""
    alone, commands = propose("cs7", {}, {"a.tf": "new"}), []
    bound = replace(alone, run=commands.append)
    bound.apply()
    bound.undo()

    assert ["apply cs7", "undo cs7"] == commands
    with pytest.raises(RuntimeError, match="not made in a notebook or shell"):
        alone.apply()
    with pytest.raises(RuntimeError, match="not made in a notebook or shell"):
        alone.undo()


def test_contents_never_travel():
    """The JSON form has hashes and diff, not the texts that an applier writes."""
    data = propose("cs7", {}, {"a.tf": "new"}).to_dict()

    assert {"id", "files", "digest", "summary", "validation", "approval_id"} == data.keys()


def test_hashes_have_one_form():
    """Everybody writes `sha256:` and the hex digits."""
    assert hashed("x") == sha256_of(b"x")
