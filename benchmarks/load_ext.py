"""What `%load_ext tfai_jupyter` costs over a bare IPython: milliseconds, modules, files, sockets.

Goal: at most 60 ms, no network, no file written. Each run is a fresh process with an empty home;
the baseline is an extension that IPython ships, in turn, so that a busy machine hits both.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from typing import Any

RUNS = 9
PROGRAM = """
import json, os, sys, time
sys.dont_write_bytecode = True
opened, sockets = [], []
def hook(name, arguments):
    if name == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        opened.append(str(arguments[0]))
    if name == "socket.connect":
        sockets.append(str(arguments[1]))
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
known = set(sys.modules)
sys.addaudithook(hook)
started = time.perf_counter()
shell.run_line_magic("load_ext", sys.argv[1])
milliseconds = (time.perf_counter() - started) * 1000
loaded = sorted(set(sys.modules) - known)
print(json.dumps({"ms": milliseconds, "modules": len(loaded), "written": opened, "connected": sockets}), flush=True)
os._exit(0)
"""


def run(extension: str) -> dict[str, Any]:
    """Load an extension in a fresh IPython and tell what it took."""
    with tempfile.TemporaryDirectory() as home:
        environment = {"HOME": home, "PATH": "/usr/bin:/bin", "IPYTHONDIR": home}
        command = [sys.executable, "-c", PROGRAM, extension]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def main() -> None:
    """Print the median of each, their difference and ratio."""
    pairs = [(run("storemagic"), run("tfai_jupyter")) for _ in range(RUNS)]
    baseline = statistics.median(bare["ms"] for bare, _ in pairs)
    ours = statistics.median(own["ms"] for _, own in pairs)
    last = pairs[-1][1]
    print(f"%load_ext tfai_jupyter over a bare IPython: {ours:.1f} ms (goal 60), {last['modules']} modules")
    print(f"%load_ext storemagic, IPython's own, in the same run: {baseline:.1f} ms; ratio {ours / baseline:.1f}")
    print(f"files written: {last['written'] or 'none'}; connections: {last['connected'] or 'none'}")


if __name__ == "__main__":
    main()
