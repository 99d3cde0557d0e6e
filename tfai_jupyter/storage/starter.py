"""Starter: the files a new module begins with. Pure."""

from __future__ import annotations

_FILES = {
    "versions.tf": 'terraform {\n  required_version = ">= 1.5"\n}\n',
    "main.tf": "# Resources and modules.\n",
    "variables.tf": "# Inputs: each with a description and a type.\n",
    "outputs.tf": "# Outputs: each with a description.\n",
}


def starter(description: str = "") -> dict[str, str]:
    """Return name and text of each file, formatted as `terraform fmt` does."""
    lines = "".join(f"# {line}".rstrip() + "\n" for line in description.strip().splitlines())
    return _FILES | {"main.tf": f"{lines}\n{_FILES['main.tf']}" if lines else _FILES["main.tf"]}
