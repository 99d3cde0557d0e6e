"""Run the quickstart notebook as a stranger would have it: empty home, own Jupyter directories, no model."""

import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLACE = ROOT / "build" / "demo"
CELL_SECONDS = 300


def main() -> int:
    """Execute a copy of the quickstart in build/demo, leave it there with its HTML page, say where."""
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir(parents=True)
    for source in (ROOT / "notebooks").glob("quickstart*"):
        (shutil.copytree if source.is_dir() else shutil.copy)(source, PLACE / source.name)
    use_empty_home()
    failure = execute(PLACE / "quickstart.ipynb")
    say(f"executed notebook: {PLACE / 'quickstart.ipynb'}")
    say(f"as a page:         {PLACE / 'quickstart.html'}")
    say("to try it yourself: make lab")
    if failure:
        say(f"\nThe quickstart failed:\n{failure}")
    return 1 if failure else 0


def use_empty_home() -> None:
    """Take away what this user has configured; Jupyter reads its directories at import."""
    for name in [name for name in os.environ if name.startswith(("TFAI_", "GENERATE_", "EMBEDDING_", "QDRANT_"))]:
        del os.environ[name]
    for name in ("TFAI_HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        directory = PLACE / "home" / name.lower()
        directory.mkdir(parents=True, mode=0o700)
        os.environ[name] = str(directory)
    os.environ["MODEL_PROVIDER"] = "offline"
    os.environ["TFAI_SERVER"] = "off"


def execute(path: Path) -> str:
    """Run a notebook in place and write its page; return what went wrong, empty when nothing did."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError
    from nbconvert import HTMLExporter

    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=CELL_SECONDS, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    )
    client.extra_arguments = ["--IPKernelApp.log_level=ERROR"]  # it warns of TCP on loopback at each start
    failure = ""
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError) as error:
        failure = str(error)
    nbformat.write(notebook, path)
    page, _ = HTMLExporter().from_notebook_node(notebook)
    path.with_suffix(".html").write_text(page, encoding="utf-8")
    return failure


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
