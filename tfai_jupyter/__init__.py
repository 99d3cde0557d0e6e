"""A Terraform assistant native to Jupyter."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__version__ = "0.1.0"


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    from .server.app import TfaiExtension  # noqa: PLC0415 - a kernel needs no server

    return [{"module": "tfai_jupyter.server.app", "app": TfaiExtension}]


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Bring `%tfai` and `%%tfai` into a shell: `%load_ext tfai_jupyter`."""
    from .notebook.magics import load  # noqa: PLC0415 - a server needs no IPython

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take them away again: `%unload_ext tfai_jupyter`."""
    from .notebook.magics import unload  # noqa: PLC0415 - as above

    unload(shell)
