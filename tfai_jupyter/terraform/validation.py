"""Validates a draft over a private copy of the configuration it belongs to; the workspace is only read."""

from __future__ import annotations

import asyncio
import posixpath
import re
import tempfile
from collections.abc import Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from tfai_jupyter.core.errors import TerraformNotFound, TfaiError, Unavailable
from tfai_jupyter.core.plans import Diagnostic
from tfai_jupyter.core.protocols import Terraform, TerraformRun, Workspace

from .configuration import CODE, LOCK, local_sources
from .diagnostics import diagnostics_of, error_count, errors_of
from .formatting import format_files

BESIDE = (".tftpl", ".tpl", ".tmpl", ".json", ".yaml", ".yml", ".sh", ".txt", ".cfg", ".conf", ".pub", ".py", ".js")
MAX_COPIED = 200
MAX_COPIED_BYTES = 100 * 1024

_UNREACHABLE = re.compile(
    r"could not connect|no such host|could not resolve|connection refused|timed? ?out|unreachable|dial tcp|"
    r"error downloading|could not download",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Validated:
    """How a draft fared; `formatted` holds its files as `terraform fmt` writes them."""

    status: Literal["valid", "invalid", "skipped"]
    diagnostics: tuple[Diagnostic, ...] = ()
    formatted: dict[str, str] = field(default_factory=dict)
    reason: str = ""

    def __str__(self) -> str:
        """Say it as an event does."""
        match self.status:
            case "valid":
                return "valid"
            case "invalid":
                return f"invalid: {error_count(self.diagnostics)}"
            case _:
                return f"skipped: {self.reason}"


async def validate_draft(
    terraform: Terraform,
    workspace: Workspace,
    directory: Path,
    draft: Mapping[str, str | None],
    *,
    env: Mapping[str, str],
) -> Validated:
    """Format and validate drafted files (paths relative to the root; None deletes) seen from `directory`.

    Validated are the directories that hold drafted code, but for those that are modules of another.
    """
    written = {path: text for path, text in draft.items() if text is not None}
    if not any(path.endswith((*CODE, ".tfvars", ".tftest.hcl")) for path in draft):
        return Validated("skipped", reason="no Terraform files")
    try:
        formatted, diagnostics = await format_files(terraform, written, env)
        seen_from = workspace.relative(directory) or "."
        if errors_of(diagnostics):
            return Validated("invalid", tuple(_seen_from(seen_from, ".", each) for each in diagnostics), formatted)
        bench = Bench(terraform, workspace, env, {**draft, **formatted})
        found = await bench.validate(seen_from)
    except (TerraformNotFound, Unavailable) as error:
        return Validated("skipped", formatted={}, reason=str(error))
    return Validated("invalid" if errors_of(found) else "valid", found, formatted)


@dataclass(frozen=True, slots=True)
class Bench:
    """A draft and the workspace it lies over; all paths are relative to the root, with `/`."""

    terraform: Terraform
    workspace: Workspace
    env: Mapping[str, str]
    draft: Mapping[str, str | None]

    async def validate(self, seen_from: str) -> tuple[Diagnostic, ...]:
        """Return what Terraform says of the draft in a copy; raises Unavailable when it cannot tell."""
        drafted = {str(PurePosixPath(path).parent) for path in self.draft if path.endswith(CODE)}
        start = drafted or {seen_from}
        texts, called = await self._gathered(start)
        with tempfile.TemporaryDirectory(prefix="tfai-draft-") as name:
            base = Path(name)
            await asyncio.to_thread(_lay_out, base, texts)
            found: list[Diagnostic] = []
            for place in sorted(start - called) or sorted(start):
                # A deleted last file leaves nothing to validate.
                if any(str(PurePosixPath(path).parent) == place and path.endswith(CODE) for path in texts):
                    found += [_seen_from(seen_from, place, each) for each in await self._told(base, place)]
        return tuple(dict.fromkeys(found))

    async def _gathered(self, start: set[str]) -> tuple[dict[str, str], set[str]]:
        """Return the files of some directories with the draft over them and of all modules they call."""
        texts: dict[str, str] = {}
        called: set[str] = set()
        waiting, seen = sorted(start), set(start)
        while waiting:
            place = waiting.pop()
            texts |= await self._files_of(place, MAX_COPIED - len(texts))
            code = [text for path, text in texts.items() if str(PurePosixPath(path).parent) == place]
            for source in (source for text in code for source in local_sources(text)):
                module = posixpath.normpath(f"{place}/{source}")
                if module.startswith(".."):
                    continue
                called.add(module)
                waiting += [module] if module not in seen else []
                seen.add(module)
        return texts, called

    async def _files_of(self, place: str, room: int) -> dict[str, str]:
        texts: dict[str, str] = {}
        with suppress(TfaiError):  # a directory that is only about to be made
            directory = self.workspace.resolve(place)
            listing = await self.workspace.list(directory)
            names = [each.path for each in listing.files if _belongs(each.path) and each.size <= MAX_COPIED_BYTES]
            for name in [LOCK, *names][: max(room, 0)]:
                with suppress(TfaiError):  # secret, binary, or gone meanwhile
                    file = await self.workspace.read(name, directory)
                    texts[file.path] = file.content
        for path, text in self.draft.items():
            if text is None:
                texts.pop(path, None)
            elif place == "." or path.startswith(f"{place}/"):
                texts[path] = text
        return texts

    async def _told(self, base: Path, place: str) -> tuple[Diagnostic, ...]:
        prepared = await self._init(base / place, self.workspace.root / place / ".terraform" / "providers")
        if prepared.outcome != "ok":
            diagnostics = diagnostics_of(prepared)
            reasons = [f"{each.summary} {each.detail}" for each in errors_of(diagnostics) if not each.file]
            if prepared.outcome == "timeout" or any(map(_UNREACHABLE.search, reasons)):
                message = "providers or modules could not be fetched, so only the syntax was checked"
                raise Unavailable(message)
            return diagnostics
        return diagnostics_of(await self._run(base / place, "validate", "-json", "-no-color"))

    async def _init(self, directory: Path, providers: Path) -> TerraformRun:
        """Run `init`, with the providers that the workspace has already where there are any."""
        arguments = ("init", "-backend=false", "-input=false", "-no-color")
        if await asyncio.to_thread(providers.is_dir):
            run = await self._run(directory, *arguments, f"-plugin-dir={providers}")
            if run.outcome == "ok":
                return run
        return await self._run(directory, *arguments)

    async def _run(self, directory: Path, *arguments: str) -> TerraformRun:
        run: TerraformRun | None = None
        async with aclosing(self.terraform.stream(arguments, directory=directory, env=self.env)) as items:
            async for item in items:
                run = item if isinstance(item, TerraformRun) else run
        if run is None:
            message = f"{arguments[0]} gave no result"
            raise Unavailable(message)
        return run


def _belongs(path: str) -> bool:
    """Tell whether a listed file goes into the copy: code right in the directory, what code reads below it."""
    return path.endswith(BESIDE) or ("/" not in path and path.endswith(CODE))


def _lay_out(base: Path, texts: Mapping[str, str]) -> None:
    for path, text in texts.items():
        file = base / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8", newline="")


def _seen_from(seen_from: str, place: str, diagnostic: Diagnostic) -> Diagnostic:
    """Name a file as the model does, relative to the turn's directory."""
    if not diagnostic.file:
        return diagnostic
    return replace(diagnostic, file=posixpath.relpath(f"{place}/{diagnostic.file}", seen_from))
