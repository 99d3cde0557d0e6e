"""Mistakes that are not in the development set, made real: Terraform prints, the rules read."""

import subprocess
from pathlib import Path

import pytest

from tfai_jupyter.terraform.diagnose import diagnose

MODULE = 'variable "x" {\n  nullable = false\n}\noutput "id" {\n  value = var.x\n}\n'
_, *PARTS = Path(__file__).with_name("mistakes.hcl").read_text().split("\n=== ")
MISTAKES = [(name, text) for name, _, text in (part.partition("\n") for part in PARTS)]


def run(directory, *arguments):
    """Run Terraform, return what it printed."""
    done = subprocess.run(["terraform", *arguments], cwd=directory, capture_output=True, text=True, check=False)
    return f"{done.stdout}\n\n{done.stderr}"


@pytest.mark.parametrize(("error_class", "text"), MISTAKES, ids=range(len(MISTAKES)))
def test_mistake_is_recognised(error_class, text, tmp_path):
    """A real mistake is classified, and its place is a line of the file."""
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "main.tf").write_text(MODULE)
    (tmp_path / "main.tf").write_text(text)
    if "source" in text:
        run(tmp_path, "init", "-input=false")
    printed = run(tmp_path, "plan", "-input=false")
    found = diagnose(printed, {"main.tf": text, "m/main.tf": MODULE})

    assert error_class == found.error_class
    assert "main.tf" == found.file
    assert 1 <= found.line <= len(text.splitlines())
