"""Formats file texts with `terraform fmt` in a private directory, so that nothing of the workspace is touched."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from tfai_jupyter.core.plans import Diagnostic
from tfai_jupyter.core.protocols import Terraform, TerraformRun

from .diagnostics import diagnostics_of

FORMATTED = (".tf", ".tfvars", ".tftest.hcl", ".tofu")


async def format_files(
    terraform: Terraform, contents: Mapping[str, str], env: Mapping[str, str]
) -> tuple[dict[str, str], tuple[Diagnostic, ...]]:
    """Return the texts formatted, and the syntax errors of those that cannot be; those stay as they are."""
    chosen = {path: text for path, text in contents.items() if path.endswith(FORMATTED)}
    if not chosen:
        return {}, ()
    with tempfile.TemporaryDirectory(prefix="tfai-fmt-") as name:
        # A directory for each: two files may bear one name, and the number leads back to the path.
        places = {path: Path(name, str(number), Path(path).name) for number, path in enumerate(chosen)}
        await asyncio.to_thread(_write, {places[path]: text for path, text in chosen.items()})
        run = await _run(terraform, Path(name), env)
        diagnostics = () if run is None else diagnostics_of(run)
        named = {str(place.relative_to(name)): path for path, place in places.items()}
        told = tuple(replace(each, file=named.get(each.file, each.file)) for each in diagnostics)
        return {path: place.read_text("utf-8") for path, place in places.items()}, told


async def _run(terraform: Terraform, directory: Path, env: Mapping[str, str]) -> TerraformRun | None:
    run: TerraformRun | None = None
    arguments = ("fmt", "-recursive", "-list=false", "-no-color")
    async with aclosing(terraform.stream(arguments, directory=directory, env=env)) as items:
        async for item in items:
            run = item if isinstance(item, TerraformRun) else run
    return run


def _write(contents: Mapping[Path, str]) -> None:
    for path, text in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="")
