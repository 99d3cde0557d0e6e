"""One grammar for panel, cell and shell."""

import pytest

from tfai_jupyter.core.commands import BY_NAME, COMMANDS, parse, split
from tfai_jupyter.core.errors import UsageError
from tfai_jupyter.core.turns import Question


@pytest.mark.parametrize(
    ("line", "command", "options", "text"),
    [
        ("ask what is a module?", "ask", {}, "what is a module?"),
        ("ask what's a module", "ask", {}, "what's a module"),
        ("ask -d infra why?", "ask", {"directory": "infra"}, "why?"),
        ("ask why? -d infra", "ask", {"directory": "infra"}, "why?"),
        ("ask --dir='my infra' why?", "ask", {"directory": "my infra"}, "why?"),
        ('ask -d "my infra" why "so"?', "ask", {"directory": "my infra"}, 'why "so"?'),
        ('ask "what is -d here?"', "ask", {}, "what is -d here?"),
        ("ask -c talk7 --file a.tf --file=b.tf x", "ask", {"conversation": "talk7", "files": ["a.tf", "b.tf"]}, "x"),
        ("ask --no-docs x", "ask", {"no_docs": True}, "x"),
        ("ask -- -d is what?", "ask", {}, "-d is what?"),
        ("ask why does --weird fail", "ask", {}, "why does --weird fail"),
        ("ask what does plan --help say", "ask", {}, "what does plan --help say"),
        ("generate -o infra a vpc", "generate", {"directory": "infra"}, "a vpc"),
        ("generate a vpc with ${var.cidr}", "generate", {}, "a vpc with ${var.cidr}"),
        ("plan", "plan", {}, ""),
        ("plan -d infra --destroy", "plan", {"directory": "infra", "destroy": True}, ""),
        ("plan --var-file a.tfvars --var-file=b.tfvars", "plan", {"var_files": ["a.tfvars", "b.tfvars"]}, ""),
        ("plan --json --quiet --plain", "plan", {"json": True, "quiet": True, "plain": True}, ""),
        ("plan -d=infra", "plan", {"directory": "infra"}, ""),
        ("plan -d a -d b", "plan", {"directory": "b"}, ""),
        ("apply", "apply", {}, ""),
        ("apply plan7 -d infra", "apply", {"id": "plan7", "directory": "infra"}, ""),
        ("state", "state", {}, ""),
        ("state show 'aws_vpc.a[\"x\"]'", "state", {"subcommand": "show", "address": 'aws_vpc.a["x"]'}, ""),
        ("state list -- -odd", "state", {"subcommand": "list", "address": "-odd"}, ""),
        ("approve a7 --confirm 'destroy infra'", "approve", {"id": "a7", "confirm": "destroy infra"}, ""),
        ("approve a7 --confirm don't", "approve", {"id": "a7", "confirm": "don't"}, ""),
        ("deny a7 --reason=late", "deny", {"id": "a7", "reason": "late"}, ""),
        ("history -n 5", "history", {"limit": 5}, ""),
        ("usage --by model", "usage", {"by": "model"}, ""),
        ("sql SELECT * FROM turns WHERE outcome = 'ok'", "sql", {}, "SELECT * FROM turns WHERE outcome = 'ok'"),
        ("help", "help", {}, ""),
        ("help plan", "help", {}, "plan"),
        ("plan --help", "help", {}, "plan"),
        ("ask -h", "help", {}, "ask"),
        ("--help", "help", {}, ""),
        ("", "help", {}, ""),
        ("   ", "help", {}, ""),
    ],
)
def test_lines_are_read(line, command, options, text):
    """Options may stand anywhere; free text keeps its words and quotes."""
    invocation = parse(split(line))

    assert (command, options, text) == (invocation.command.name, invocation.options, invocation.text)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("plna", "unknown command 'plna', did you mean 'plan'?; `help` lists them all"),
        ("xyzzy", "unknown command 'xyzzy'; `help`"),
        ("plan --destory", "plan has no option '--destory', did you mean '--destroy'?; usage: plan "),
        ("plan --destroy=false", "--destroy takes no value"),
        ("plan --zzz", "plan has no option '--zzz'; usage"),
        ("plan infra", "plan does not take 'infra'; usage: plan"),
        ("plan -d", "-d needs a value: directory with the configuration"),
        ("state drop", "state must be one of list, show, not 'drop'"),
        ("state shwo", "did you mean 'show'?"),
        ("state show a b", "state does not take 'b'"),
        ("usage --by hour", "--by must be one of day, model, tool, user, not 'hour'"),
        ("history -n many", "-n must be a number, not 'many'"),
        ("history -n=-1", "-n must be a number, not '-1'"),
    ],
)
def test_what_makes_no_sense_is_said_with_a_suggestion(line, message):
    """A person reads what was wrong, what was meant and how it is used."""
    with pytest.raises(UsageError) as caught:
        parse(split(line))

    assert message in str(caught.value)


def test_a_cells_body_is_its_text():
    """Nothing in it is interpreted; alone it is a question, for a command without text an error."""
    body = '\nresource "x" "y" {\n  a = \'${b}\' # {{c}}\n}\n'

    assert body.strip("\n") == parse(["generate"], body).text
    assert "a vpc\n" + body.strip("\n") == parse(["generate", "a", "vpc"], body).text
    assert ("ask", body.strip("\n")) == (parse([], body).command.name, parse([], body).text)
    assert ("help", "plan") == (parse([], " \n").command.name, parse(["plan"], "\n \n").command.name)
    with pytest.raises(UsageError, match="plan takes no text; usage: plan"):
        parse(["plan"], "please")


def test_a_shells_words_are_taken_as_they_are():
    """What the shell has unquoted is not split or unquoted again."""
    assert "SELECT 'a  b'" == parse(["sql", "SELECT 'a  b'"]).text


@pytest.mark.parametrize(
    ("line", "standing", "expected"),
    [
        ("plan", "", ""),
        ("plan", "infra", "infra"),
        ("plan -d network", "infra", "infra/network"),
        ("plan -d ../other", "infra", "other"),
        ("plan -d ../../etc", "infra", "../etc"),
        ("plan -d /srv/infra", "infra", "/srv/infra"),
        ("plan -d .", "", "."),
    ],
)
def test_a_directory_is_relative_to_where_one_stands(line, standing, expected):
    """A cell stands beside its notebook; the workspace still judges where the path leads."""
    assert expected == parse(split(line)).question(standing).directory


def test_a_question_has_what_the_turn_needs():
    """Directory and conversation are the turn's; how to show the result is the face's; the rest is the tool's."""
    question = parse(split("plan -d infra --destroy --json")).question("", "talk7", "notebook")

    assert Question("", "plan", {"destroy": True}, "infra", "talk7", face="notebook") == question
    assert "talk8" == parse(split("ask -c talk8 x")).question("", "talk7").conversation_id


def test_every_command_is_found_and_explains_itself():
    """Names are unique, each has a summary and a synopsis that begins with its name."""
    assert len(COMMANDS) == len(BY_NAME)
    for name, command in BY_NAME.items():
        assert command.summary
        assert name == command.usage.split()[0]


def test_a_synopsis_shows_text_choices_and_values():
    """Flags stand alone, values in capitals, choices with bars."""
    assert "state [list|show] [ADDRESS] [-d DIRECTORY]" == BY_NAME["state"].usage
    assert BY_NAME["ask"].usage.startswith("ask TEXT [-d DIRECTORY]")
    assert "[--destroy]" in BY_NAME["plan"].usage
    assert "[--by day|model|tool|user]" in BY_NAME["usage"].usage


def test_a_tool_is_given_its_own_options_only():
    """Directory and conversation belong to the turn; how to show the result belongs to the face."""
    assert {"destroy", "var_files", "refresh_only", "no_init"} == BY_NAME["plan"].arguments
    assert frozenset() == BY_NAME["output"].arguments


def test_a_line_of_a_mebibyte_is_split_at_once():
    """Quotes are not read in a line that no person wrote, so that it cannot hold the loop."""
    words = split("ask " + 'it"s ' * 200_000)

    assert 200_001 == len(words)
