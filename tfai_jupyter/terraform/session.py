"""Terraform in one directory for one turn: runs to their end, `init` where it is needed, what is secret.

Every value that the configuration, a state or a plan marks is taught to the redactor here, before
anything of a run is handed on.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfai_jupyter.core.errors import Invalid, NotFound, Unavailable
from tfai_jupyter.core.events import ToolProgress
from tfai_jupyter.core.plans import Diagnostic
from tfai_jupyter.core.protocols import Terraform, TerraformRun, Workspace
from tfai_jupyter.core.redaction import Redactor
from tfai_jupyter.core.turns import Turn

from .diagnostics import diagnostics_of, listed, needs_init
from .inputs import sensitive_inputs
from .plan import secrets_of
from .remote_state import remote_state_secrets
from .state import state_secrets
from .suspects import suspects


@dataclass(frozen=True, slots=True)
class Session:
    """A directory, the environment of the turn, and who must hear of secrets."""

    terraform: Terraform
    redactor: Redactor
    turn: Turn
    directory: Path

    async def stream(
        self, *arguments: str, timeout_seconds: float | None = None
    ) -> AsyncGenerator[str | TerraformRun, None]:
        """Run Terraform here: lines, then the run."""
        running = self.terraform.stream(
            arguments, directory=self.directory, env=self.turn.question.env, timeout_seconds=timeout_seconds
        )
        async with aclosing(running) as items:
            async for item in items:
                yield item

    async def run(self, *arguments: str) -> TerraformRun:
        """Run Terraform here and return how it ended."""
        run: TerraformRun | None = None
        async with aclosing(self.stream(*arguments)) as items:
            async for item in items:
                run = item if isinstance(item, TerraformRun) else run
        if run is None:
            message = f"{arguments[0]} gave no result; run it again"
            raise Unavailable(message)
        return run

    async def with_init(
        self, *arguments: str, init: Sequence[str] = (), allowed: bool = True
    ) -> AsyncGenerator[ToolProgress | TerraformRun, None]:
        """Run, and when Terraform asks for it run `init` and try again; the run comes last.

        The run is that of `init` when it failed.
        """
        run = await self.run(*arguments)
        if allowed and run.outcome == "error" and needs_init(diagnostics_of(run)):
            yield ToolProgress("", "this directory needs init; running it")
            prepared = await self.run("init", "-input=false", "-no-color", *init)
            if prepared.outcome != "ok":
                yield prepared
                return
            yield ToolProgress("", f"init done; running {arguments[0]} again")
            run = await self.run(*arguments)
        yield run

    async def learn_inputs(self, var_files: Sequence[Path] = ()) -> None:
        """Teach the redactor what the configuration calls sensitive."""
        found = await asyncio.to_thread(sensitive_inputs, self.directory, var_files, self.turn.question.env)
        self.redactor.learn(found, "variable")

    async def plan_document(self, path: Path) -> dict[str, Any]:
        """Return a plan file as JSON, its secrets learned; raises Unavailable."""
        document = _document(await self.run("show", "-json", "-no-color", str(path)))
        self.redactor.learn(secrets_of(document), "plan")
        shown = [document.get(part) for part in ("variables", "planned_values", "resource_changes", "output_changes")]
        self.redactor.learn(suspects([*shown, document.get("prior_state")]), "plan")
        self.redactor.learn(await self._from_other_states(document.get("prior_state", {})), "state")
        return document

    async def state_document(self) -> dict[str, Any]:
        """Return the state as JSON, its secrets learned; raises Unavailable."""
        document = _document(await self.run("show", "-json", "-no-color"))
        self.redactor.learn(state_secrets(document) | suspects(document), "state")
        self.redactor.learn(await self._from_other_states(document), "state")
        return document

    async def learn_state(self) -> None:
        """Teach the redactor what the state marks; a state that cannot be read teaches nothing."""
        with suppress(Unavailable):
            await self.state_document()

    async def raw_state(self) -> str:
        """Return the state as it is stored. For its lineage and serial: never hand it on."""
        run = await self.run("state", "pull")
        return run.stdout if run.outcome == "ok" and not run.truncated else "unknown"

    async def _from_other_states(self, document: dict[str, Any]) -> frozenset[str]:
        return await asyncio.to_thread(remote_state_secrets, document, self.directory)


def open_session(terraform: Terraform, workspace: Workspace, redactor: Redactor, turn: Turn, dir_: str) -> Session:
    """Resolve a tool's `dir` and open a session there; raises Forbidden, Invalid, NotFound."""
    directory = workspace.resolve(no_option(dir_ or ".", "dir"), turn.directory)
    if not directory.is_dir():
        message = f"there is no directory {workspace.relative(directory)} in the workspace"
        raise NotFound(message)
    return Session(terraform, redactor, turn, directory)


def no_option(text: str, what: str) -> str:
    """Return an argument that Terraform cannot take for an option; raises Invalid."""
    if text.startswith("-") or "\0" in text or "\n" in text:
        message = f"{what} must not begin with '-' or hold a line break, as {text[:40]!r} does"
        raise Invalid(message)
    return text


def _document(run: TerraformRun) -> dict[str, Any]:
    if run.truncated:
        message = f"{run.arguments[0]} printed more than can be read here; split this configuration"
        raise Unavailable(message)
    if run.outcome != "ok":
        message = f"{run.arguments[0]} failed: {_told(diagnostics_of(run))}"
        raise Unavailable(message)
    try:
        document: dict[str, Any] = json.loads(run.stdout)
    except ValueError:
        message = f"{run.arguments[0]} did not print JSON; is TFAI_TERRAFORM_BINARY a Terraform?"
        raise Unavailable(message) from None
    return document


def _told(diagnostics: tuple[Diagnostic, ...]) -> str:
    return listed(diagnostics[:3])
