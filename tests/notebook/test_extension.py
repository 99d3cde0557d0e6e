"""Loading and unloading: light, and without a trace."""

import json
import subprocess
import sys

LOADED = """
import json, os, sys, threading, time
from pathlib import Path
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
def state():
    displays = shell.display_formatter.ipython_display_formatter
    return [
        sorted(shell.magics_manager.magics["line"]), sorted(shell.magics_manager.magics["cell"]),
        sorted(set(shell.magics_manager.registry) - {"ExtensionMagics"}), len(shell.input_transformers_cleanup),
        len(shell.Completer.custom_matchers), len(displays.type_printers) + len(displays.deferred_printers),
        sorted(thread.name for thread in threading.enumerate()),
    ]

before, files, modules = state(), sorted(Path.home().rglob("*")), set(sys.modules)
started = time.perf_counter()
shell.run_line_magic("load_ext", "tfai_jupyter")
milliseconds = (time.perf_counter() - started) * 1000
imported = {name.partition(".")[0] for name in set(sys.modules) - modules}
sockets = [name for name in os.listdir("/proc/self/fd") if "socket" in os.path.realpath(f"/proc/self/fd/{name}")]
written = [str(path) for path in sorted(Path.home().rglob("*")) if path not in files]
CODE
shell.run_line_magic("unload_ext", "tfai_jupyter")
shell.run_line_magic("load_ext", "tfai_jupyter")
shell.run_line_magic("unload_ext", "tfai_jupyter")
print(json.dumps({
    "milliseconds": milliseconds, "imported": sorted(imported), "sockets": sockets, "written": written,
    "same": before == state(), "before": before, "after": state(),
}))
"""


def loaded(environment, directory, code=""):
    """Load and unload the extension in a process of its own; return what it saw."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED.replace("CODE", code)],
        env=environment,
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_loading_is_light(environment, tmp_path):
    """It costs at most 60 ms and brings in nothing heavy; nothing is written, no connection is made."""
    seen = min((loaded(environment(), tmp_path) for _ in range(3)), key=lambda each: each["milliseconds"])

    assert 60 >= seen["milliseconds"]
    assert set() == set(seen["imported"]) - {"tfai_jupyter", "IPython"}
    assert ([], []) == (seen["sockets"], seen["written"])


def test_unloading_takes_everything_away(environment, tmp_path):
    """Magics, transforms, completion, display and threads are as before, also after a question and a reload."""
    seen = loaded(environment(), tmp_path, "shell.run_cell('%tfai ask hello')")

    assert seen["before"] == seen["after"]


def test_a_terminal_says_that_the_answer_stands_above(environment, tmp_path):
    """IPython in a terminal has begun its Out line before it asks what to show."""
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--ext=tfai_jupyter", "--simple-prompt", "--colors=nocolor"],
        input="%tfai ask hello\n",
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert "Out[1]: (as above)" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
