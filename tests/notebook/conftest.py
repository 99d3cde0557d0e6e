"""Real kernels, a real notebook server and a scripted model, each a process, in empty homes."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager
from jupyter_core.utils import ensure_event_loop

TOKEN = "t0ken-of-a-test"  # noqa: S105 - of a server that lives as long as a test
BASE = "/user/a%40b/"
SECONDS = 60


@dataclass
class Cell:
    """What one cell left behind."""

    status: str = ""
    stdout: str = ""
    stderr: str = ""
    pieces: int = 0
    out: dict = field(default_factory=dict)
    errors: list = field(default_factory=list)

    def take(self, message):
        """Take one output into account."""
        content = message["content"]
        match message["msg_type"]:
            case "stream" if content["name"] == "stdout":
                self.stdout += content["text"]
                self.pieces += 1
            case "stream":
                self.stderr += content["text"]
            case "execute_result" | "display_data":
                self.out = content["data"]
            case "error":
                self.errors.append(content)


@dataclass
class Kernel:
    """A kernel that runs cells one after another."""

    client: BlockingKernelClient
    interrupt: Callable[[], None]

    def run(self, code, interrupt_when=""):
        """Run a cell; interrupt the kernel once this has been written to stdout."""
        cell = Cell()

        def hook(message):
            cell.take(message)
            if interrupt_when and interrupt_when in cell.stdout and not interrupted:
                interrupted.append(1)
                threading.Timer(0.2, self.interrupt).start()

        interrupted = []
        reply = self.client.execute_interactive(code, output_hook=hook, timeout=SECONDS)
        cell.status = reply["content"]["status"]
        return cell

    def value(self, expression):
        """Return a JSON value of an expression."""
        return json.loads(self.run(f"import json; print(json.dumps({expression}))").stdout)


@dataclass
class Script:
    """The scripted model: replies are added, what it was asked is read."""

    base_url: str

    def _ask(self, method, path, body=None):
        with closing(HTTPConnection(urlsplit(self.base_url).netloc, timeout=10)) as connection:
            connection.request(method, path, json.dumps(body) if body else None)
            return json.loads(connection.getresponse().read())

    def reply(self, *text, **fields):
        """Add one reply."""
        self._ask("POST", "/replies", {"replies": [{"text": list(text), **fields}]})

    @property
    def state(self):
        """What it counted."""
        return self._ask("GET", "/requests")

    @property
    def prompts(self):
        """The messages of each request, newest last."""
        return [request["body"]["messages"] for request in self.state["requests"]]

    @property
    def environment(self):
        """Variables that make it the model."""
        return {
            "MODEL_PROVIDER": "openai",
            "OPENAI_BASE_URL": self.base_url,
            "OPENAI_API_KEY": "sk-scripted-key-0123456789",
            "OPENAI_MODEL": "scripted",
        }


def clean_environment(home, **more):
    """Make an environment with nothing of this user's in it."""
    names = ("PATH", "PYTHONPATH", "LANG", "LC_ALL")
    kept = {name: value for name, value in os.environ.items() if name in names or name.startswith("COV")}
    folders = {name: home / name.lower() for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR")}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = {name: str(folder) for name, folder in folders.items()}
    return kept | found | {"HOME": str(home), "MODEL_PROVIDER": "offline", "TFAI_SERVER": "off"} | more


@contextmanager
def kernel_in(directory, environment):
    """Start a kernel with our extension loaded; leave no process behind."""
    manager = KernelManager(kernel_name="python3", connection_file=str(Path(environment["HOME"]) / "kernel.json"))
    manager.start_kernel(cwd=str(directory), env=environment, extra_arguments=["--IPKernelApp.log_level=ERROR"])
    client = manager.blocking_client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=SECONDS)
        pid = manager.provisioner.pid
        kernel = Kernel(client, lambda: os.kill(pid, signal.SIGINT))
        assert "ok" == kernel.run("%load_ext tfai_jupyter").status
        yield kernel
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


@contextmanager
def kernel_of(server):
    """Have the notebook server start a kernel, as opening a notebook does."""
    about = server.ask("POST", "api/kernels", {})
    client = BlockingKernelClient(connection_file=str(server.runtime / f"kernel-{about['id']}.json"))
    client.load_connection_file()
    try:
        client.start_channels()
        wait_for(lambda: is_ready(client), "the kernel does not answer")
        kernel = Kernel(client, lambda: server.ask("POST", f"api/kernels/{about['id']}/interrupt"))
        assert "ok" == kernel.run("%load_ext tfai_jupyter").status
        yield kernel
    finally:
        client.stop_channels()
        server.ask("DELETE", f"api/kernels/{about['id']}")


def is_ready(client):
    """Tell whether a kernel answers; a client that did not start it takes a slow start for a death."""
    with suppress(RuntimeError):
        client.wait_for_ready(timeout=SECONDS)
        return True
    return False


@dataclass
class Server:
    """A running notebook server."""

    process: subprocess.Popen
    port: int
    root: Path
    home: Path
    runtime: Path

    @property
    def url(self):
        """Its address."""
        return f"http://127.0.0.1:{self.port}{BASE}"

    def ask(self, method, path, body=None):
        """Send a request and return the JSON answer."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            content = None if body is None else json.dumps(body)
            connection.request(method, f"{BASE}{path}", content, {"Authorization": f"token {TOKEN}"})
            text = connection.getresponse().read()
        return json.loads(text) if text else None


def free_port():
    """Find a port that nobody listens on."""
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextmanager
def server_in(directory, environment, *, enabled=True):
    """Start `jupyter server` with our extension and nothing else; stop it and its kernels."""
    root, port = directory / "root", free_port()
    root.mkdir()
    others = ("jupyterlab", "jupyter_lsp", "notebook_shim", "jupyter_server_terminals")
    extensions = {**dict.fromkeys(others, False), "tfai_jupyter": enabled}
    config = Path(environment["JUPYTER_CONFIG_DIR"]) / "jupyter_server_config.json"
    config.write_text(json.dumps({"ServerApp": {"jpserver_extensions": extensions}}))
    options = [f"port={port}", "port_retries=0", f"base_url={BASE}", f"root_dir={root}"]
    command = [sys.executable, "-m", "jupyter", "server", "--allow-root", "--no-browser"]
    command += [f"--ServerApp.{option}" for option in options] + [f"--IdentityProvider.token={TOKEN}"]
    with (directory / "log").open("ab") as log:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=directory
        )
    home, runtime = Path(environment["HOME"]), Path(environment["JUPYTER_RUNTIME_DIR"])
    server = Server(process, port, root, home, runtime)
    try:
        wait_for(lambda: is_up(server), f"no server: {(directory / 'log').read_text()}")
        yield server
    finally:
        end(process)


def is_up(server):
    """Tell whether a server answers."""
    assert None is server.process.poll()
    with suppress(OSError):
        return "version" in server.ask("GET", "api")
    return False


def wait_for(condition, message="it did not happen"):
    """Wait until a condition holds."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert deadline > time.monotonic(), message
        time.sleep(0.05)


def end(process):
    """End a process that a test started, and all its children."""
    if process.poll() is not None:
        return
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)
    for child in children:
        with suppress(psutil.NoSuchProcess):
            child.kill()


@pytest.fixture(scope="session", autouse=True)
def client_loop():
    """Close the event loop that jupyter_client leaves behind."""
    loop = ensure_event_loop()
    yield
    loop.close()


@pytest.fixture(scope="session")
def script(tmp_path_factory):
    """Serve a scripted model that every test shares."""
    path = tmp_path_factory.mktemp("script") / "script.json"
    path.write_text('{"models": ["scripted"]}')
    command = [sys.executable, "-m", "tfai_jupyter.testing_server", "--script", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    yield Script(process.stdout.readline().strip())
    process.terminate()
    process.wait(10)
    process.stdout.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Give a module's kernel a directory with a little Terraform in it."""
    directory = tmp_path_factory.mktemp("work")
    (directory / "infra").mkdir()
    (directory / "infra" / "main.tf").write_text('resource "terraform_data" "one" {\n  input = "<b>${1 + 1}</b>"\n}\n')
    return directory


@pytest.fixture(scope="module")
def kernel(tmp_path_factory, place, script):
    """Start a kernel for a module's tests, with no server and the scripted model."""
    environment = clean_environment(tmp_path_factory.mktemp("home"), **script.environment)
    with kernel_in(place, environment) as started:
        yield started


@pytest.fixture(scope="session")
def server(tmp_path_factory, script):
    """Start a notebook server with the scripted model, which tests share."""
    home = tmp_path_factory.mktemp("home")
    environment = clean_environment(home, **script.environment, TFAI_SERVER="auto", TFAI_RATE_BURST="1000")
    with server_in(tmp_path_factory.mktemp("server"), environment) as started:
        (started.root / "infra").mkdir()
        (started.root / "infra" / "main.tf").write_text('resource "terraform_data" "one" {\n  input = "x"\n}\n')
        yield started


@pytest.fixture
def environment(tmp_path):
    """Return a function that makes an environment with an empty home."""
    return lambda **more: clean_environment(tmp_path / "home", **more)


@pytest.fixture
def start_kernel():
    """Return what starts a kernel of one's own in a directory and an environment, for a `with` statement."""
    return kernel_in


@pytest.fixture
def start_kernel_of():
    """Return what has a notebook server start a kernel, for a `with` statement."""
    return kernel_of


@pytest.fixture
def start_server():
    """Return what starts a notebook server of one's own in a directory and an environment."""
    return server_in


@pytest.fixture
def eventually():
    """Wait until a condition holds: `eventually(lambda: ...)`."""
    return wait_for


@pytest.fixture
def slow_terraform(tmp_path):
    """Make a Terraform whose plan starts a child and lasts five minutes."""
    path = tmp_path / "terraform-slow"
    path.write_text('#!/bin/sh\nif [ "$1" = plan ]; then sleep 300 & wait; fi\nexec terraform "$@"\n')
    path.chmod(0o755)
    return path


@pytest.fixture
def free_address():
    """Give an address where nobody answers."""
    return f"http://127.0.0.1:{free_port()}/"
