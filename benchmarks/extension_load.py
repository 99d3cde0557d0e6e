"""What our extension adds to the start of a Jupyter server: milliseconds and resident memory.

Goals: at most 150 ms and 15 MB over a bare server before the first turn. Servers with and without
the extension are started in turn; time is from exec until `/api/status` answers, memory is the
process's RSS then. The load itself is also timed inside one process, which is less noisy.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

RUNS = 7
INSIDE = """
import json, os, resource, sys, time
from jupyter_server.serverapp import ServerApp
def rss():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
app = ServerApp(token="x", open_browser=False, allow_root=True, port=0)
app.initialize(argv=[], find_extensions=False)
before, begun = rss(), time.perf_counter()
app.extension_manager.add_extension("tfai_jupyter", enabled=True)
app.extension_manager.link_extension("tfai_jupyter")
app.extension_manager.load_extension("tfai_jupyter")
print(json.dumps({"ms": (time.perf_counter() - begun) * 1000, "mb": rss() - before}), flush=True)
os._exit(0)
"""


def environment(home: str) -> dict[str, str]:
    """Return an environment with an empty home."""
    keep = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return keep | {"HOME": home} | {f"JUPYTER_{part}_DIR": f"{home}/{part}" for part in ("CONFIG", "DATA", "RUNTIME")}


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(*, enabled: bool) -> tuple[float, float]:
    """Start a server; return milliseconds until it answers and its RSS in MB."""
    port = free_port()
    with tempfile.TemporaryDirectory() as home:
        extensions = {"tfai_jupyter": enabled, "jupyterlab": False, "notebook_shim": False}
        config = Path(home, "CONFIG", "jupyter_server_config.json")
        config.parent.mkdir()
        config.write_text(json.dumps({"ServerApp": {"jpserver_extensions": extensions}}))
        options = [f"--ServerApp.port={port}", "--ServerApp.token=x", "--no-browser", "--allow-root"]
        command = [sys.executable, "-m", "jupyter", "server", *options]
        begun = time.perf_counter()
        server = subprocess.Popen(
            command, env=environment(home), cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            wait(port)
            elapsed = (time.perf_counter() - begun) * 1000
            pages = int(Path(f"/proc/{server.pid}/statm").read_text().split()[1])
            return elapsed, pages * os.sysconf("SC_PAGE_SIZE") / 1e6
        finally:
            server.kill()
            server.wait()


def wait(port: int) -> None:
    """Return when the server answers."""
    for _ in range(3000):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/status?token=x", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.01)
    raise TimeoutError


def inside() -> dict[str, float]:
    """Time the load of our extension alone, in a server that is set up."""
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-c", INSIDE]
        done = subprocess.run(command, env=environment(home), cwd=home, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def medians(runs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the median milliseconds and megabytes."""
    return statistics.median(run[0] for run in runs), statistics.median(run[1] for run in runs)


def main() -> None:
    """Print medians, differences and ratios."""
    pairs = [(start(enabled=False), start(enabled=True)) for _ in range(RUNS)]
    bare, ours = zip(*pairs, strict=True)
    (bare_ms, bare_mb), (our_ms, our_mb) = map(medians, (bare, ours))
    loads = [inside() for _ in range(RUNS)]
    print(f"bare server: {bare_ms:.0f} ms, {bare_mb:.1f} MB; with us: {our_ms:.0f} ms, {our_mb:.1f} MB")
    ratio = our_ms / bare_ms
    print(f"over bare: {our_ms - bare_ms:.0f} ms (goal 150), {our_mb - bare_mb:.1f} MB (goal 15); ratio {ratio:.2f}")
    load_ms, load_mb = (statistics.median(load[key] for load in loads) for key in ("ms", "mb"))
    print(f"the load alone, inside one process: {load_ms:.0f} ms, {load_mb:.1f} MB")


if __name__ == "__main__":
    main()
