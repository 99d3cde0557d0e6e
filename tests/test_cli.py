"""The console script as a process: output, exit codes, signals, pipes, an empty home."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

SCRIPT = Path(sys.executable).parent / "tfai"
SECONDS = 60
HCL = 'resource "terraform_data" "one" {\n  input = "x"\n}\n'
SLOW = """#!/bin/sh
if [ "$1" = plan ]; then sleep 300 & wait; fi
exec terraform "$@"
"""


@pytest.fixture
def shell(tmp_path):
    """Return a function that runs `tfai` in a workspace, with an empty home and the offline model."""
    (tmp_path / "work" / "infra").mkdir(parents=True)
    (tmp_path / "work" / "infra" / "main.tf").write_text(HCL)
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH") or name[:3] == "COV"}
    environment = kept | {"HOME": str(tmp_path / "home"), "MODEL_PROVIDER": "offline", "LANG": "C.UTF-8"}

    def run(*words, stdin="", **variables):
        options = {"input": stdin} if stdin else {"stdin": subprocess.DEVNULL}
        return subprocess.run(
            [SCRIPT, *words],
            cwd=tmp_path / "work",
            env=environment | variables,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
            **options,
        )

    run.environment, run.directory = environment, tmp_path / "work"
    return run


def approval_in(done):
    """Find the approval that a command asked for."""
    return done.stderr.partition("tfai approve ")[2].split()[0]


def test_help_needs_nothing(shell):
    """No command and --help list the commands, also where a setting is broken."""
    bare, asked = shell(), shell("--help", MODEL_PROVIDER="nonsense")

    assert (0, 0) == (bare.returncode, asked.returncode)
    assert bare.stdout == asked.stdout
    assert "doctor" in bare.stdout
    assert "--destroy" in shell("plan", "--help").stdout


def test_version_needs_nothing(shell):
    """--version tells versions, also where a setting is broken."""
    done = shell("--version", MODEL_PROVIDER="nonsense")

    assert (0, "tfai-jupyter") == (done.returncode, done.stdout.split()[0])


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["plam"], 2, "did you mean 'plan'?"),
        (["plan", "--destory"], 2, "did you mean '--destroy'?"),
        (["state", "lst"], 2, "must be one of list, show"),
        (["ask"], 2, "needs a text"),
        (["approve"], 2, "needs the id"),
        (["approve", "0190"], 1, "0190"),
        (["plan", "-d", "../.."], 1, "outside the workspace"),
        (["sql", "drop table events"], 1, ""),
    ],
)
def test_a_mistake_is_one_line_on_stderr(shell, words, code, said):
    """What cannot be done is said in a line, stdout stays empty, the exit code tells which kind it was."""
    done = shell(*words)

    assert code == done.returncode
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_broken_setting_is_one_line(shell):
    """A setting that cannot be used is named."""
    done = shell("plan", MODEL_PROVIDER="nonsense")

    assert (1, "") == (done.returncode, done.stdout)
    assert "MODEL_PROVIDER" in done.stderr


def test_from_plan_to_state(shell):
    """Plan shows, apply asks with exit code 3, approve applies once, state has it."""
    planned, asked = shell("plan", "-d", "infra"), shell("apply", "-d", "infra")
    assert (0, 3) == (planned.returncode, asked.returncode)
    assert "1 to add" in planned.stdout

    applied, again = (shell("approve", approval_in(asked)) for _ in range(2))
    assert (0, 1) == (applied.returncode, again.returncode)
    state = json.loads(shell("state", "-d", "infra", "--json").stdout)
    assert ["terraform_data.one"] == [each["address"] for each in state["resources"]]


def test_a_denied_approval_is_used_up(shell):
    """Deny ends with 3, and nothing can be applied with it afterwards."""
    approval = approval_in(shell("apply", "-d", "infra"))

    assert (3, 1) == (shell("deny", approval).returncode, shell("approve", approval).returncode)


def test_plain_output_is_the_same_every_time(shell):
    """--plain has no ids and no times on stdout, and nothing on stderr."""
    first, second = (shell("plan", "-d", "infra", "--plain") for _ in range(2))

    assert first.stdout == second.stdout != ""
    assert "" == first.stderr


def test_quiet_says_only_what_went_wrong(shell):
    """--quiet is silent on success, and one line where a command failed."""
    done = shell("plan", "-d", "infra", "--quiet")
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)

    (shell.directory / "infra" / "main.tf").write_text('resource "terraform_data" "one" {')
    failed = shell("plan", "-d", "infra", "--quiet")
    assert (1, "") == (failed.returncode, failed.stdout)
    assert failed.stderr


def test_text_can_be_piped(shell):
    """A command that takes text takes it from a pipe; one that does not ignores it."""
    assert "b\n2\n" == shell("sql", "--plain", stdin="select 2 as b").stdout
    assert 0 == shell("plan", "-d", "infra", stdin="ignored").returncode


def test_an_idle_pipe_does_not_hold_up_a_command_without_text(shell):
    """A shell without a terminal, as in CI, gets help and plans at once."""
    for words in ([], ["plan", "-d", "infra"]):
        process = subprocess.Popen(
            [SCRIPT, *words],
            cwd=shell.directory,
            env=shell.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert 0 == process.wait(SECONDS)
        process.stdin.close()


def test_a_reader_that_leaves_ends_it_quietly(shell):
    """`tfai help | head -1` leaves no traceback."""
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {SCRIPT} config | head -1"],
        cwd=shell.directory,
        env=shell.environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )

    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_terraform_and_keeps_the_record(shell, number):
    """Ctrl-C, or being told to end, stops Terraform with its children; the turn is recorded as cancelled."""
    binary = shell.directory.parent / "terraform-slow"
    binary.write_text(SLOW)
    binary.chmod(0o755)
    process = subprocess.Popen(
        [SCRIPT, "plan", "-d", "infra"],
        cwd=shell.directory,
        env=shell.environment | {"TFAI_TERRAFORM_BINARY": str(binary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    children = sleepers(process)
    process.send_signal(number)
    _, told = process.communicate(timeout=SECONDS)

    assert 130 == process.returncode
    assert "tfai: cancelled" in told
    assert [] == [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    recorded = shell("sql", "--plain", "select outcome from turns where command = 'plan'")
    assert "outcome\ncancelled\n" == recorded.stdout


def sleepers(process):
    """Wait until the slow Terraform sleeps; return all processes below ours."""
    deadline = time.monotonic() + SECONDS
    while deadline > time.monotonic():
        children = psutil.Process(process.pid).children(recursive=True)
        if any(child.name() == "sleep" for child in children):
            return children
        time.sleep(0.05)
    raise AssertionError(process.stderr.read())


def test_a_home_that_cannot_be_used_is_one_line(shell, tmp_path):
    """Where the home is no directory, one line names it."""
    (tmp_path / "home").write_text("a file, not a directory")
    done = shell("validate", "-d", "infra")

    assert "Traceback" not in done.stderr
    assert done.returncode == 0 or str(tmp_path / "home") in done.stderr
