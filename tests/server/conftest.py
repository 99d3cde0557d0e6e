"""The assembled notebook server as a real process, reached over TCP, with a scripted model as another."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import types
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

REPOSITORY = Path(__file__).parents[2]
TOKEN = "t0p-s3cret-token"  # noqa: S105 - of a server that lives as long as a test
BASE = "/user/a%40b/"
API = f"{BASE}tfai/api/"
START_SECONDS = 60
OTHERS = ("jupyterlab", "jupyter_lsp", "notebook_shim", "jupyter_server_terminals")

FRAME = re.compile(rb"id: (\d+)\nevent: ([a-z_]+)\ndata: ([^\n]+)\n\n")
COMMENT = re.compile(rb": [^\n]*\n\n")


@dataclass
class Answer:
    """A whole response."""

    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def error(self):
        """What went wrong."""
        return self.json["error"]


@dataclass
class Event:
    """One frame: its name, its seq, its data, and when it arrived."""

    name: str
    seq: int
    data: dict
    at: float = field(compare=False)


class Stream:
    """An event stream that is being read; `rest` reads it to its end and checks every byte of it."""

    def __init__(self, connection, response):
        """Take an answer whose body has not been read."""
        self.connection, self.response = connection, response
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.raw = b""
        self.comments = 0
        self.seen = []

    def __iter__(self):
        while block := self._block():
            if COMMENT.fullmatch(block):
                self.comments += 1
                continue
            match = FRAME.fullmatch(block)
            assert match, f"no SSE frame: {block!r}"
            event = Event(match[2].decode(), int(match[1]), json.loads(match[3]), time.monotonic())
            assert event.seq == event.data["seq"]
            self.seen.append(event)
            yield event

    def until(self, name):
        """Read up to an event of this name and return it."""
        return next(event for event in self if event.name == name)

    def rest(self):
        """Read to the end; return all events seen."""
        for _ in self:
            pass
        return self.seen

    def _block(self):
        lines = b""
        while not lines.endswith(b"\n\n"):
            line = self.response.readline()
            if not line:
                assert lines == b"", f"cut inside a frame: {lines!r}"
                return b""
            lines += line
        return lines


@dataclass
class Server:
    """A running `jupyter server` with our extension, its root and its log."""

    process: subprocess.Popen
    port: int
    root: Path
    home: Path
    log: Path
    base = BASE
    headers = types.MappingProxyType({"Authorization": f"token {TOKEN}"})

    def connect(self, timeout=30):
        """Open a connection of one's own."""
        return HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def send(self, connection, method, path, body=None, headers=None, token=TOKEN):
        """Ask on a connection; `path` is below our prefix unless it begins with a slash."""
        given = {"Authorization": f"token {token}"} if token else {}
        content = json.dumps(body) if isinstance(body, dict) else body
        where = path if path.startswith("/") else API + path
        connection.request(method, where, content, given | (headers or {}))
        return connection.getresponse()

    def request(self, method, path, body=None, headers=None, token=TOKEN):
        """Ask and read the whole answer."""
        with closing(self.connect()) as connection:
            response = self.send(connection, method, path, body, headers, token)
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())

    def get(self, path, **options):
        """Ask with GET."""
        return self.request("GET", path, **options)

    def post(self, path, body=None, **options):
        """Ask with POST."""
        return self.request("POST", path, body, **options)

    @contextmanager
    def stream(self, method, path, body=None, headers=None):
        """Ask for a stream and read it as it comes."""
        connection = self.connect()
        try:
            yield Stream(connection, self.send(connection, method, path, body, headers))
        finally:
            connection.close()

    def chat(self, message, **fields):
        """Ask and read the whole stream."""
        with self.stream("POST", "chat", {"message": message, **fields}) as stream:
            assert stream.status == 200, stream.response.read()
            return stream.rest()

    def stop(self, number=signal.SIGTERM, seconds=20):
        """End the process; return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(seconds)


class Script:
    """The scripted model's process: replies are added, requests are read."""

    def __init__(self, base_url, process):
        """Take a running process."""
        self.base_url, self.process = base_url, process

    def _ask(self, method, path, body=None):
        place = urlsplit(self.base_url)
        with closing(HTTPConnection(place.hostname, place.port, timeout=10)) as connection:
            connection.request(method, path, json.dumps(body) if body else None)
            return json.loads(connection.getresponse().read())

    def reply(self, *text, **fields):
        """Add one reply."""
        self._ask("POST", "/replies", {"replies": [{"text": list(text), **fields}]})

    @property
    def state(self):
        """What it was asked so far."""
        return self._ask("GET", "/requests")


def free_port():
    """Find a port that nobody listens at."""
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextmanager
def running(directory, *arguments, environment=None, root=None):
    """Start a server with an empty home below a directory; stop it and everything it started."""
    folders = {name: directory / name for name in ("home", "runtime", "data", "config", "root")}
    for folder in folders.values():
        folder.mkdir(exist_ok=True, mode=0o700)
    enabled = {**dict.fromkeys(OTHERS, False), "tfai_jupyter": True}
    config = {"ServerApp": {"jpserver_extensions": enabled}}
    (folders["config"] / "jupyter_server_config.json").write_text(json.dumps(config))
    port, log = free_port(), directory / "log"
    settings = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(folders["home"]),
        "JUPYTER_RUNTIME_DIR": str(folders["runtime"]),
        "JUPYTER_DATA_DIR": str(folders["data"]),
        "JUPYTER_CONFIG_DIR": str(folders["config"]),
        "MODEL_PROVIDER": "offline",
        **{name: value for name, value in os.environ.items() if name.startswith("COV")},
    } | (environment or {})
    command = [sys.executable, "-m", "jupyter", "server", "--allow-root", "--no-browser"]
    command += [f"--ServerApp.{each}" for each in (f"port={port}", "port_retries=0")]
    command += [f"--IdentityProvider.token={TOKEN}"]
    command += [f"--ServerApp.base_url={BASE}", f"--ServerApp.root_dir={root or folders['root']}", *arguments]
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=folders["root"], env=settings, stdout=output, stderr=output, stdin=subprocess.DEVNULL
        )
    server = Server(process, port, root or folders["root"], folders["home"], log)
    try:
        wait_for_server(server)
        yield server
    finally:
        end(process)


def wait_for_server(server):
    """Return once it answers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert server.process.poll() is None, server.log.read_text()
        with suppress(OSError):
            if server.get(f"{BASE}api", token="").status < 500:
                return
        time.sleep(0.05)
    raise AssertionError(server.log.read_text())


def end(process):
    """Stop a process and whatever it leaves behind."""
    if process.poll() is None:
        children = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()


@contextmanager
def scripted(directory):
    """Start the scripted model without a reply."""
    script = directory / "script.json"
    script.write_text(json.dumps({"models": ["scripted"]}))
    command = [sys.executable, "-m", "tfai_jupyter.testing_server", "--script", str(script)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield Script(process.stdout.readline().strip(), process)
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def environment_of(script):
    """Point a server at a scripted model; the limits are out of the way."""
    return {
        "MODEL_PROVIDER": "openai",
        "OPENAI_BASE_URL": script.base_url,
        "OPENAI_API_KEY": "sk-scripted-key-0123456789",
        "OPENAI_MODEL": "scripted",
        "TFAI_RATE_PER_SECOND": "1000",
        "TFAI_RATE_BURST": "1000",
    }


@pytest.fixture(scope="session")
def script(tmp_path_factory):
    """Start the scripted model of the shared server."""
    with scripted(tmp_path_factory.mktemp("script")) as process:
        yield process


@pytest.fixture(scope="session")
def server(tmp_path_factory, script):
    """Start the server that most tests share, with the scripted model, a heartbeat of 0.3 s and short patience."""
    directory = tmp_path_factory.mktemp("server")
    environment = environment_of(script) | {"TFAI_RECONNECT_SECONDS": "0.5"}
    with running(directory, "--TfaiExtension.heartbeat_seconds=0.3", environment=environment) as started:
        (started.root / "infra").mkdir()
        (started.root / "infra" / "main.tf").write_text('resource "terraform_data" "a" {\n  input = "x"\n}\n')
        yield started
        assert "Traceback" not in started.log.read_text()
        assert "never retrieved" not in started.log.read_text()


@pytest.fixture
def start(tmp_path):
    """Give what starts a server of one's own, to be used in a `with` statement."""

    def begin(*arguments, name="own", **options):
        directory = tmp_path / name
        directory.mkdir(exist_ok=True)
        return running(directory, *arguments, **options)

    return begin


@pytest.fixture
def own_script(tmp_path):
    """Start a scripted model of one's own."""
    with scripted(tmp_path) as process:
        yield process


@pytest.fixture
def model_environment():
    """Give the environment that points a server at a scripted model."""
    return environment_of
