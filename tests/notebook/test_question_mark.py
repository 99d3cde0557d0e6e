"""A line that ends with a question mark reaches the magic, unless it asks IPython for help."""

import pytest

from tfai_jupyter.notebook.question_mark import keep_question_mark


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("%tfai ask what is a module?\n", "get_ipython().run_line_magic('tfai', 'ask what is a module?')\n"),
        ("a = %tfai ask why?", "a = get_ipython().run_line_magic('tfai', 'ask why?')\n"),
        ("    %tfai ask why ${x}?  \n", "    get_ipython().run_line_magic('tfai', 'ask why ${x}?')\n"),
        ("%tfai ask what's {this}??\n", "get_ipython().run_line_magic('tfai', \"ask what's {this}??\")\n"),
        ("%tfai plan?\n", "get_ipython().run_line_magic('tfai', 'help plan')\n"),
        ("%tfai ?\n", "get_ipython().run_line_magic('tfai', 'help')\n"),
    ],
)
def test_a_question_becomes_the_call_that_it_means(line, call):
    """The question mark stays, and so do braces and quotes; a lone command asks for its help."""
    assert [call] == keep_question_mark([line])


@pytest.mark.parametrize(
    "line", ["%tfai?\n", "%%tfai?\n", "?%tfai\n", "%tfai plan\n", "%timeit f?\n", "x = 1\n", "# %tfai a?\n"]
)
def test_everything_else_is_left_alone(line):
    """Help for the magic itself, other magics and other code stay as they are."""
    assert [line] == keep_question_mark([line])


def test_a_line_inside_a_string_is_no_question():
    """Text in triple quotes is not rewritten; a line after it is."""
    cell = ['text = """\n', "%tfai ask why?\n", '"""\n', "%tfai ask why?\n"]

    assert [*cell[:3], "get_ipython().run_line_magic('tfai', 'ask why?')\n"] == keep_question_mark(cell)
