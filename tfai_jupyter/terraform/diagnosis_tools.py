"""The tool behind the command `diagnose`: rules over a text, or over what Terraform says of a directory."""
# ruff: noqa: A002 - the contract names the argument `dir`

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

from tfai_jupyter.core.errors import NotFound, TfaiError
from tfai_jupyter.core.events import ToolProgress
from tfai_jupyter.core.messages import ToolResult
from tfai_jupyter.core.protocols import Terraform, TerraformRun, Workspace
from tfai_jupyter.core.redaction import Redactor
from tfai_jupyter.core.results import Diagnosis
from tfai_jupyter.core.tools import Tool, Yield
from tfai_jupyter.core.turns import Turn

from .configuration import LOCK
from .diagnose import diagnose
from .diagnostics import diagnostics_of, listed
from .reports import report
from .session import Session, open_session

_NOTHING = "Nothing is wrong in this text, as far as the rules know."
_HINT = "It is short for something that Terraform printed: -d DIR diagnoses a directory, --plan FILE a file."
_FEW_WORDS = 5


class DiagnoseTools:
    """Makes the tool; it reads and runs Terraform, it changes nothing but `.terraform/`."""

    def __init__(self, workspace: Workspace, terraform: Terraform, redactor: Redactor | None = None) -> None:
        """Take what it looks at; the redactor learns what the configuration calls sensitive."""
        self._workspace = workspace
        self._terraform = terraform
        self._redactor = redactor or Redactor()

    def tools(self) -> tuple[Tool, ...]:
        """Return the tool; a model is given its finding, so it is not offered."""
        return (Tool.of(self.diagnose, offered=False),)

    async def diagnose(self, turn: Turn, text: str = "", dir: str = ".") -> AsyncGenerator[Yield, None]:
        """Find the root cause of a failure by rule.

        text: what Terraform printed; without it Terraform is asked: validate, then plan
        dir: the configuration it is about
        """
        session = open_session(self._terraform, self._workspace, self._redactor, turn, dir)
        await session.learn_inputs()
        files = await self._files(session)
        if text.strip():
            found = await asyncio.to_thread(diagnose, text, files)
            nothing = _NOTHING if len(text.split()) > _FEW_WORDS else f"{_NOTHING} {_HINT}"
            yield _found(found) if found else report(nothing)
            return
        if not files:
            yield report("Nothing to diagnose: no text was given and the directory has no Terraform files.")
            return
        for arguments in (("validate", "-json", "-no-color"), ("plan", "-input=false", "-no-color")):
            yield ToolProgress("", f"running {arguments[0]}")
            async for item in session.with_init(*arguments):
                if isinstance(item, TerraformRun):
                    result = await asyncio.to_thread(_judged, item, files)
                    if result:
                        yield result
                        return
                else:
                    yield item
        yield report("Nothing is wrong: validate and plan both succeed.")

    async def _files(self, session: Session) -> dict[str, str]:
        """Return the configuration, paths relative to where Terraform runs."""
        prefix = self._workspace.relative(session.directory)
        start = len(prefix) + 1 if prefix else 0
        with suppress(NotFound):
            snapshot = await self._workspace.snapshot(session.directory)
            files = {file.path[start:]: file.content for file in snapshot.files}
            with suppress(TfaiError):
                files[LOCK] = (await self._workspace.read(LOCK, session.directory)).content
            return files
        return {}


def _judged(run: TerraformRun, files: dict[str, str]) -> ToolResult | None:
    """Return the finding of a run; None when it ended well."""
    found = diagnose(f"{run.stdout}\n\n{run.stderr}" if run.stderr.strip() else run.stdout, files)
    if found:
        return _found(found)
    if run.outcome == "ok":
        return None
    diagnostics = diagnostics_of(run)
    return report(f"{run.arguments[0]} failed, and no rule knows why.", listed(diagnostics), is_ok=False)


def _found(diagnosis: Diagnosis) -> ToolResult:
    place = diagnosis.address or diagnosis.file
    summary = f"{diagnosis.error_class.replace('_', ' ')}{f' at {place}' if place else ''}: {diagnosis.cause}"
    data = {"result": "diagnosis", **diagnosis.to_dict()}
    return ToolResult(str(diagnosis), "ok", summary[:300], data)
