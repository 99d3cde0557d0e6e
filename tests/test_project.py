"""The repository itself: versions, lock, scripts, pages, and the shape of the code."""

import ast
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import tfai_jupyter

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = (ROOT / "requirements.lock").read_text()
TRACKED = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True).strip("\0").split("\0")
MODULES = sorted((ROOT / "tfai_jupyter").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
SCRIPTS = [".ci/run", ".ci/venv", "binder/postBuild", "binder/start"]

# In pieces, so that this file does not name them.
REGISTRIES = ["pypi" + ".org", "pypi" + ".python", "python" + "hosted", "registry." + "npmjs", "registry." + "yarnpkg"]
REGISTRIES += ["deb." + "debian", "proxy." + "golang", "crates" + ".io", "conda" + ".anaconda"]


def relative(path):
    """Name a file from the top of the repository."""
    return path.relative_to(ROOT).as_posix()


def functions(path):
    """Parse a file and return its functions."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def length(node):
    """Count the lines of a function."""
    return node.end_lineno - node.lineno + 1


def test_versions_agree():
    """The package, its metadata and the changelog tell the same version."""
    assert PROJECT["project"]["version"] == tfai_jupyter.__version__
    assert f"\n## [{tfai_jupyter.__version__}]" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("name", TRACKED)
def test_no_file_names_a_package_registry(name):
    """Whoever installs us uses the registry that they are set up with."""
    path = ROOT / name
    text = path.read_bytes().decode(errors="replace") if path.is_file() else ""

    assert [] == [host for host in REGISTRIES if host in text]


def test_the_lock_pins_everything_by_hash():
    """The lock has every dependency with hashes, no address, and the DuckDB whose extensions are packages."""
    pins = re.findall(r"(?m)^([a-z0-9.\-]+)==\S+(?: ; [^\\\n]*)? \\\n    --hash=sha256:[0-9a-f]{64}", LOCK)
    extras = PROJECT["project"]["optional-dependencies"].values()
    wanted = [*PROJECT["project"]["dependencies"], *(each for extra in extras for each in extra)]
    names = {re.split(r"[\[<>=~!;]", each)[0].strip().lower().replace("_", "-") for each in wanted}

    assert set() == names - set(pins)
    assert len(pins) == len(re.findall(r"(?m)^\S+==", LOCK)) == len(re.findall(r"(?m)^[a-z]", LOCK))
    assert "://" not in LOCK
    assert "\nduckdb==1.5.5 " in LOCK


def test_the_core_lock_has_only_what_pytest_needs():
    """The tests of the core run with pytest, its own dependencies, and nothing else."""
    pins = set(re.findall(r"(?m)^([a-z0-9\-]+==\S+)", (ROOT / ".ci" / "core.lock").read_text()))

    assert pins <= set(re.findall(r"(?m)^([a-z0-9\-]+==\S+)", LOCK))
    assert {"colorama", "iniconfig", "packaging", "pluggy", "pygments", "pytest"} == {
        pin.split("==")[0] for pin in pins
    }


def test_every_dependency_has_a_reason():
    """Each dependency in pyproject.toml has a comment beside it."""
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    dependencies = [line for line in lines if re.match(r'\s*(\w+ = \[)?"[\w.\-]+[<>=]=', line)]

    assert len(dependencies) > len(PROJECT["project"]["dependencies"])
    assert [] == [line for line in dependencies if "#" not in line]


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_can_be_run(name):
    """Each script parses, and is executable."""
    shell = (ROOT / name).read_text().splitlines()[0].rpartition("/")[2].split()[-1]

    assert 0 == subprocess.run([shell, "-n", name], cwd=ROOT, check=False).returncode
    assert os.access(ROOT / name, os.X_OK)


def test_ci_runs_what_a_developer_runs():
    """The workflow calls .ci/run, which calls the two commands that the README and CONTRIBUTING name."""
    assert "run: bash .ci/run\n" in (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    assert "\nmake test\nmake test-all\n" in (ROOT / ".ci" / "run").read_text()
    assert "make test " in (ROOT / "README.md").read_text()
    assert "`make test-all`" in (ROOT / "CONTRIBUTING.md").read_text()


def test_actions_are_pinned():
    """Every action in a workflow is pinned by its hash, with the version beside it."""
    uses = re.findall(r"uses: (.*)", (ROOT / ".github" / "workflows" / "ci.yml").read_text())

    assert uses
    assert [] == [each for each in uses if not re.fullmatch(r"[\w\-/]+@[0-9a-f]{40} # v[\d.]+", each)]


def test_the_readme_is_short_and_begins_with_an_example():
    """The README fits three screens, and shows something to run at once."""
    lines = (ROOT / "README.md").read_text().splitlines()

    assert 80 <= len(lines) <= 150
    assert any(line.startswith("```") for line in lines[:25])


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_modules_keep_the_shape(path):
    """A module tells what it is for; it and its functions end before they cannot be read at once."""
    text = path.read_text()

    assert ast.get_docstring(ast.parse(text)), "a module needs a docstring"
    assert len(text.splitlines()) <= 400
    assert [] == [node.name for node in functions(path) if length(node) > 60]
    assert [] == [node.name for node in functions(path) if len(node.args.args + node.args.kwonlyargs) > 9]


@pytest.mark.parametrize("path", TESTS, ids=relative)
def test_tests_say_what_they_show(path):
    """Each test has a docstring that states the behaviour, fits a screen, and patches nothing."""
    tests = [node for node in functions(path) if node.name.startswith("test_")]

    assert [] == [node.name for node in tests if not ast.get_docstring(node)]
    assert [] == [node.name for node in tests if length(node) > 40]
    assert not re.search(r"unittest\.mock" + r"|Magic" + r"Mock|monkeypatch\.set" + r"attr", path.read_text())
