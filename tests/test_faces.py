"""Server, notebook and shell: the same scripted turn leaves the same events, whichever face asked for it."""

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path

import nbformat
import pytest

from tfai_jupyter.core.events import name_of, to_dict
from tfai_jupyter.storage.journal import DuckDBJournal

BIN = Path(sys.executable).parent
SECONDS = 90
TOKEN = "t0ken-of-a-test"  # noqa: S105 - of a server that lives as long as a test
TEXT = "make a data resource, please"
FILES = {"files": [{"path": "made/main.tf", "content": 'resource "terraform_data" "a" {\n  input = "x"\n}\n'}]}
SCRIPT = {
    "models": ["scripted"],
    "replies": [
        {
            "text": ["Let me ", "write it."],
            "tool_calls": [{"name": "write_files", "arguments": json.dumps(FILES), "id": "call-1"}],
        },
        {"text": ["Proposed ", "one ", "file."], "delay_seconds": 0.02},
    ],
}
EXPECTED = [
    "turn_started",
    *["text_delta"] * 2,
    "tool_started",
    "tool_progress",
    "tool_finished",
    *["text_delta"] * 3,
    "change_set_proposed",
    "approval_required",
    "text_delta",
    "turn_finished",
]
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
DIFFERENT = {"at", "expires_at", "duration_ms", "first_token_ms", "face"}


@pytest.fixture
def events_by(tmp_path):
    """Return a function that has a face ask in an empty home, and gives the events in its journal."""

    def events_by(ask):
        place = tmp_path / ask.__name__
        work = place / "work"
        work.mkdir(parents=True)
        with model_in(place) as base_url:
            ask(work, environment_in(place, base_url))
        return asyncio.run(journalled(place / "tfai"))

    return events_by


@contextmanager
def model_in(place):
    """Run the scripted model, a process of its own."""
    script = place / "script.json"
    script.write_text(json.dumps(SCRIPT))
    command = [sys.executable, "-m", "tfai_jupyter.testing_server", "--script", str(script)]
    model = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    yield model.stdout.readline().strip()
    model.terminate()
    model.wait(10)
    model.stdout.close()


def environment_in(place, base_url):
    """Make an environment with an empty home and the scripted model."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH") or name[:3] == "COV"}
    return kept | {
        "HOME": str(place),
        "TFAI_HOME": str(place / "tfai"),
        "TFAI_SERVER": "off",
        "MODEL_PROVIDER": "openai",
        "OPENAI_BASE_URL": base_url,
        "OPENAI_API_KEY": "sk-scripted-key-0123456789",
        "OPENAI_MODEL": "scripted",
    }


def by_shell(work, environment):
    """Ask in a shell."""
    command = [BIN / "tfai", "generate", *TEXT.split()]
    assert 3 == subprocess.run(command, cwd=work, env=environment, timeout=SECONDS, check=False).returncode


def by_notebook(work, environment):
    """Ask in a notebook that runs headless, in a kernel of its own."""
    cells = [nbformat.v4.new_code_cell(code) for code in ("%load_ext tfai_jupyter", f"%tfai generate {TEXT}")]
    path = work / "asking.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    subprocess.run([BIN / "jupyter", "execute", path], cwd=work, env=environment, timeout=SECONDS, check=True)
    path.unlink()


def by_server(work, environment):
    """Ask over HTTP."""
    with server_in(work, environment) as port, closing(HTTPConnection("127.0.0.1", port, timeout=SECONDS)) as wire:
        body = json.dumps({"message": f"/generate {TEXT}"})
        wire.request("POST", "/tfai/api/chat", body, {"Authorization": f"token {TOKEN}"})
        response = wire.getresponse()

        assert (200, b"turn_finished") == (response.status, response.read().rpartition(b"event: ")[2].split()[0])


@contextmanager
def server_in(work, environment):
    """Run a notebook server with our extension in a directory."""
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    others = ("jupyterlab", "jupyter_lsp", "notebook_shim", "jupyter_server_terminals")
    config = Path(environment["HOME"]) / ".jupyter" / "jupyter_server_config.json"
    config.parent.mkdir()
    extensions = {**dict.fromkeys(others, False), "tfai_jupyter": True}
    config.write_text(json.dumps({"ServerApp": {"jpserver_extensions": extensions}}))
    command = [BIN / "jupyter", "server", "--allow-root", "--no-browser", f"--ServerApp.port={port}"]
    command += [f"--ServerApp.root_dir={work}", f"--IdentityProvider.token={TOKEN}"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + SECONDS
        while not is_up(port):
            assert None is process.poll()
            assert deadline > time.monotonic()
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(SECONDS)


def is_up(port):
    """Tell whether the server answers."""
    with suppress(OSError), closing(HTTPConnection("127.0.0.1", port, timeout=5)) as wire:
        wire.request("GET", "/tfai/api/health")
        return wire.getresponse().status == 200
    return False


async def journalled(home):
    """Return the events of the one turn in a journal, as they were emitted."""
    journal = DuckDBJournal(home / "history.duckdb")
    try:
        turns = await journal.query("select turn_id from turns")
        assert 1 == len(turns.rows)
        return await journal.events(turns.rows[0][0])
    finally:
        await journal.aclose()


def comparable(event):
    """Leave out what no two turns share: ids, times, which face it was."""
    kept = {name: value for name, value in to_dict(event).items() if name not in DIFFERENT}
    return name_of(event), ID.sub("<id>", json.dumps(kept, sort_keys=True))


@pytest.mark.parametrize(("ask", "face"), [(by_notebook, "notebook"), (by_server, "server")])
def test_every_face_leaves_the_same_events(ask, face, events_by):
    """Types, order, numbers and contents are those of the shell; only ids, times and the face's name differ."""
    shell, other = events_by(by_shell), events_by(ask)

    assert EXPECTED == [name_of(event) for event in shell]
    assert list(range(1, len(EXPECTED) + 1)) == [event.seq for event in shell]
    assert ("cli", face) == (shell[0].face, other[0].face)
    assert [comparable(event) for event in shell] == [comparable(event) for event in other]
