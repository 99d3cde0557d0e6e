"""Pages and their plain, Markdown and HTML forms."""

import sys
from html.parser import HTMLParser
from importlib.util import find_spec

import pytest

from tfai_jupyter.core.page import Code, Note, Page, Prose, Shown, Table, counted

EVIL = "<script>alert('x')</script> & \"y\""
TABLE = Table(("name", "n"), (("a|b", 1), ("long\nname\\", None), ("c", True)))


class Tags(HTMLParser):
    """Collects tags, attributes and the text between them."""

    def __init__(self, page):
        """Read a page's HTML."""
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(page.html())

    def handle_starttag(self, tag, attrs):
        """Keep the tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        """Keep the text."""
        self.text += data


@pytest.mark.parametrize(
    "block",
    [Note(EVIL), Prose(EVIL), Code(EVIL), Code("+" + EVIL, "diff"), Code(EVIL, "diff"), Table((EVIL,), ((EVIL,),))],
)
def test_html_escapes_every_value(block):
    """Whatever stands in a value is text, never markup."""
    read = Tags(Page(block))

    assert "script" not in {tag for tag, _ in read.tags}
    assert EVIL in read.text


def test_a_diff_has_colours_in_html():
    """Added and removed lines differ, the rest has no colour."""
    html = Page(Code("+new\n-old\n same\n@@ -1 @@", "diff")).html()

    assert 1 == html.count('<span style="color: #1a7f37">+new</span>')
    assert 1 == html.count('<span style="color: #b35900">-old</span>')
    assert 2 == html.count("<span")


def test_tables_align_in_a_terminal():
    """Columns are as wide as their widest cell; no line ends in spaces."""
    table = Table(("address", "action"), (("a", "create"), ("much.longer", "no-op"), (None, 3)))

    assert ["address      action", "a            create", "much.longer  no-op", "             3"] == (
        Page(table).plain().splitlines()
    )


def test_markdown_cells_stay_in_their_cell():
    """A pipe, a back-slash before one or a line break does not start another cell or row."""
    rows = Page(TABLE).markdown().splitlines()

    assert [r"| name | n |", "| --- | --- |", r"| a\|b | 1 |", r"| long name\\ |  |", "| c | true |"] == rows


@pytest.mark.parametrize(
    ("text", "fence"), [("x", "```"), ("a\n```\nb", "````"), ("`````", "``````"), ("``` hcl", "````")]
)
def test_a_markdown_listing_cannot_end_early(text, fence):
    """A fence is longer than any inside the text."""
    assert f"{fence}hcl\n{text}\n{fence}" == Page(Code(text, "hcl")).markdown()


def test_numbers_of_things_are_said_as_a_person_would():
    """One is one, everything else is many."""
    assert ["0 files", "1 file", "2 files"] == [counted(number, "file") for number in range(3)]


def test_blocks_stand_apart_and_empty_tables_vanish():
    """A table without rows says nothing, so it is not there."""
    page = Page(Note("one"), Table(("x",), ()), Prose("two"))

    assert "one\ntwo" == page.plain()
    assert "one\n\ntwo" == page.markdown()
    assert '<div class="tfai"><p>one</p><div style="white-space: pre-wrap">two</div></div>' == page.html()


def test_tables_are_tables_in_html():
    """Column names are heads, cells are cells."""
    assert (
        '<div class="tfai"><table><thead><tr><th style="text-align: left">n</th></tr></thead>'
        '<tbody><tr><td style="text-align: left">[1]</td></tr></tbody></table></div>'
        == Page(Table(("n",), (([1],),))).html()
    )


def test_a_notebook_gets_three_forms():
    """Jupyter picks the richest it can show."""
    page = Page(Note("hi"))

    class Result(Shown):
        def page(self):
            return page

    assert {"text/plain": "hi", "text/markdown": "hi", "text/html": page.html()} == Result()._repr_mimebundle_()
    assert "hi" == str(Result())


def test_a_result_has_to_say_what_a_person_sees():
    """A class that forgets it fails at once, not with an empty cell."""
    with pytest.raises(NotImplementedError):
        str(Shown())


@pytest.mark.skipif(not find_spec("pandas"), reason="pandas is not installed")
def test_a_table_becomes_a_data_frame():
    """Rows and names are kept."""
    frame = TABLE.to_df()

    assert (["name", "n"], ["a|b", "long\nname\\", "c"]) == (list(frame.columns), list(frame["name"]))


def test_without_pandas_a_table_names_the_extra(monkeypatch):
    """A person reads what to install."""
    monkeypatch.setitem(sys.modules, "pandas", None)  # as Python marks a module that cannot be imported

    with pytest.raises(ImportError, match=r"pip install 'tfai-jupyter\[pandas\]'"):
        TABLE.to_df()
