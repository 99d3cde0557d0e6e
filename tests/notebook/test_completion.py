"""Completion offers what can stand next in a line."""

import pytest

from tfai_jupyter.notebook.completion import complete

IDS = {"approval": ["0198-a"], "change_set": ["0198-c"], "plan": ["0198-p"]}


@pytest.mark.parametrize(
    ("line", "token", "offered"),
    [
        ("%tfai pl", "pl", ["plan"]),
        ("%%tfai gen", "gen", ["generate"]),
        ("plan = %tfai va", "va", ["validate"]),
        ("%tfai help sta", "sta", ["state", "status"]),
        ("%tfai plan --de", "--de", ["--destroy"]),
        ("%tfai plan --destroy --js", "--js", ["--json"]),
        ("%tfai state ", "", ["list", "show"]),
        ("%tfai state list ", "", []),
        ("%tfai usage --by m", "m", ["model"]),
        ("%tfai approve ", "", ["0198-a"]),
        ("%tfai undo 01", "01", ["0198-c"]),
        ("%tfai apply ", "", ["0198-c", "0198-p"]),
        ("%tfai apply 0198-p ", "", []),
        ("%tfai plan -d in", "in", ["infra/"]),
        ("%tfai plan --var-file infra/", "infra/", ["infra/prod.tfvars"]),
        ("%tfai files ", "", ["infra/"]),
        ("%tfai plan -d nowhere/", "nowhere/", []),
        ("%tfai nonsense ", "", []),
        ("%tfai ask wh", "wh", []),
    ],
)
def test_what_can_stand_next_is_offered(line, token, offered, tmp_path):
    """Commands, options, choices, ids this kernel saw, and paths; hidden files only when asked for."""
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "prod.tfvars").touch()
    (tmp_path / ".terraform").mkdir()

    assert (token, offered) == complete(line, IDS, tmp_path)


@pytest.mark.parametrize("line", ["%tfai", "%timeit pl", "tfai pl", "x%tfai pl"])
def test_other_lines_are_not_ours(line, tmp_path):
    """Nothing is said about lines that are not ours."""
    assert None is complete(line, IDS, tmp_path)
