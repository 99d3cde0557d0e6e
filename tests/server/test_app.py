"""The extension's options and its place in the package, without a server."""

import subprocess
import sys

import tfai_jupyter
from tfai_jupyter.server.app import Tfai, TfaiExtension
from tfai_jupyter.settings import OPTIONS


def test_every_setting_is_a_trait_with_help():
    """`--help-all` shows each with its environment name; none has a value of its own."""
    told = " ".join(Tfai.class_get_help().split())

    for option in OPTIONS:
        assert f"--Tfai.{option.name}=" in told
        assert option.env in told
        assert Tfai.class_own_traits()[option.name].default_value is None


def test_the_host_finds_the_extension():
    """There is one point, and it is an application with a name."""
    (point,) = tfai_jupyter._jupyter_server_extension_points()  # noqa: SLF001 - the host's name for it

    assert TfaiExtension is point["app"]
    assert "tfai_jupyter" == TfaiExtension.name


def test_importing_the_face_loads_nothing_heavy():
    """The adapters and their libraries wait for the first request."""
    heavy = ("duckdb", "openai", "httpx2", "qdrant_client", "pandas", "tfai_jupyter.bootstrap", "IPython")
    code = f"import sys, tfai_jupyter.server.app; print([name for name in {heavy} if name in sys.modules])"

    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert "[]" == shown.stdout.strip()
