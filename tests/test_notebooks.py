"""Every notebook runs headless with an empty home; outputs are compared where they are deterministic."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
SECONDS = 240  # hard: a kernel that hangs must not hang the tests


def environment(home):
    """Return an environment with an empty home, no server and no model."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG") or name[:3] == "COV"}
    places = {name: str(home / name.lower()) for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")}
    mine = {"HOME": str(home), "TFAI_HOME": str(home / "tfai"), "MODEL_PROVIDER": "offline", "TFAI_SERVER": "off"}
    return kept | places | mine


def execute(place, home, name):
    """Run a notebook in a copy of its directory and compare its outputs; return pytest's report."""
    for source in NOTEBOOKS.glob(f"{name}*"):
        shutil.copy(source, place / source.name)
    home.mkdir()
    quiet = ["-p", "no:cacheprovider", "-c", os.devnull, f"--rootdir={place}"]
    options = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=120", *quiet]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, f"{name}.ipynb"],
        cwd=place,
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.mark.parametrize("name", sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")))
def test_a_notebook_runs_and_shows_what_it_showed_before(name, tmp_path):
    """Each cell succeeds, and what does not depend on time or chance is the same as in the committed notebook."""
    place, home = tmp_path / "place", tmp_path / "home"
    place.mkdir()

    report = execute(place, home, name)

    assert 0 == report.returncode, report.stdout[-4000:]


def test_the_quickstart_applies_what_its_policy_names(tmp_path):
    """Infrastructure exists afterwards, and an edited policy would have stopped at the question."""
    place, home = tmp_path / "place", tmp_path / "home"
    place.mkdir()

    report = execute(place, home, "quickstart")

    assert 0 == report.returncode, report.stdout[-4000:]
    assert (place / "quickstart" / "terraform.tfstate").exists()
    assert 1 == len(list((home / "tfai").rglob("*.tfplan")))  # the last, empty one: what was applied is gone


def test_no_notebook_carries_a_path_of_the_machine_it_ran_on():
    """Outputs that are committed name no home and no temporary directory."""
    for path in NOTEBOOKS.glob("*.ipynb"):
        outputs = [cell.get("outputs") for cell in nbformat.read(path, as_version=4).cells]
        assert not [word for word in ("/tmp/", "/root/", "/home/", "/usr/") if word in str(outputs)]  # noqa: S108
