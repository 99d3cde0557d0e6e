"""The tool with which a model proposes files: staged in the turn, formatted, validated, never written.

The draft is laid over a copy of the workspace's configuration in a private directory and validated
there, so that what is proposed is known to work together with what exists.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

from tfai_jupyter.core.errors import Forbidden, Invalid, TooLarge
from tfai_jupyter.core.events import Event, ToolProgress
from tfai_jupyter.core.messages import Json, Outcome, ToolResult
from tfai_jupyter.core.page import counted
from tfai_jupyter.core.protocols import Terraform, Workspace
from tfai_jupyter.core.redaction import PLACEHOLDER
from tfai_jupyter.core.tools import Tool
from tfai_jupyter.core.turns import Turn

from .diagnostics import data_of, error_count, listed
from .session import no_option
from .validation import Validated, validate_draft

ENDINGS = (
    *(".tf", ".tf.json", ".tfvars", ".tfvars.json", ".tftpl", ".tftest.hcl", ".hcl", ".tofu"),
    *(".md", ".yaml", ".yml", ".json", ".sh", ".txt"),
)
MAX_FILES = 50
MAX_FILE_BYTES = 100 * 1024
MAX_BYTES = 1024 * 1024
REPAIRS = 3


@dataclass(frozen=True, slots=True)
class DraftFile:
    """A file as a model wants it: path relative to the workspace, and its whole content."""

    path: str
    content: str


class DraftTools:
    """Makes the tool that proposes files."""

    def __init__(self, workspace: Workspace, terraform: Terraform) -> None:
        """Take the workspace that is only read, and the Terraform that validates."""
        self._workspace = workspace
        self._terraform = terraform

    def tools(self) -> tuple[Tool, ...]:
        """Return the tool."""
        return (Tool.of(self.write_files),)

    async def write_files(
        self, turn: Turn, files: tuple[DraftFile, ...], summary: str = ""
    ) -> AsyncGenerator[Event | ToolResult, None]:
        """Propose files, each with its whole content. They are validated now and written only after approval.

        files: paths are relative to the workspace
        summary: one sentence on what they do
        """
        staged = self._staged(turn, files)
        _check_sizes(turn.draft | staged)
        turn.draft.update(staged)
        turn.summary = summary or turn.summary
        turn.attempts += 1
        yield ToolProgress("", f"validating {counted(len(turn.draft), 'file')}")
        validated = await self.validate(turn)
        turn.draft.update(validated.formatted)
        turn.validation = str(validated)
        if validated.status == "invalid":
            yield ToolProgress("", _repair(turn, validated))
        yield _result(turn, validated)

    async def validate(self, turn: Turn) -> Validated:
        """Validate what the turn has drafted so far."""
        return await validate_draft(self._terraform, self._workspace, turn.directory, turn.draft, env=turn.question.env)

    def _staged(self, turn: Turn, files: tuple[DraftFile, ...]) -> dict[str, str | None]:
        if not files:
            message = "write_files needs at least one file"
            raise Invalid(message)
        staged: dict[str, str | None] = {}
        for file in files:
            path = self._workspace.relative(self._workspace.resolve(no_option(file.path, "path"), turn.directory))
            if path in staged:
                message = f"{path} is given twice; send each file once, whole"
                raise Invalid(message)
            _check(path, file.content)
            staged[path] = file.content
        return staged


def _check(path: str, content: str) -> None:
    if not path.endswith(ENDINGS):
        message = f"{path or '.'} is not a kind of file that is proposed here; there are {', '.join(ENDINGS)}"
        raise Forbidden(message)
    if PLACEHOLDER in content:
        message = f"{path} contains a masked secret ({PLACEHOLDER}...]); use a variable without a default instead"
        raise Invalid(message)
    if len(content.encode()) > MAX_FILE_BYTES:
        message = f"{path} is over {MAX_FILE_BYTES // 1024} KiB; split it"
        raise TooLarge(message)


def _check_sizes(draft: Mapping[str, str | None]) -> None:
    total = sum(len((content or "").encode()) for content in draft.values())
    if len(draft) > MAX_FILES or total > MAX_BYTES:
        message = f"a proposal holds at most {MAX_FILES} files and {MAX_BYTES // 1024} KiB in all; propose less"
        raise TooLarge(message)


def _repair(turn: Turn, validated: Validated) -> str:
    told = error_count(validated.diagnostics)
    return f"{told}, repair {turn.attempts} of {REPAIRS}" if turn.attempts <= REPAIRS else f"{told}, no repair left"


def _result(turn: Turn, validated: Validated) -> ToolResult:
    paths = ", ".join(sorted(turn.draft))
    outcome: Outcome = "error" if validated.status == "invalid" else "ok"
    lines = [f"Drafted: {paths}", f"Validation: {validated}", listed(validated.diagnostics)]
    if validated.status == "invalid":
        lines.append(
            f"Repair {turn.attempts} of {REPAIRS}: call write_files again with every file to correct, whole."
            if turn.attempts <= REPAIRS
            else "No repair is left. Stop calling write_files; tell the person what is wrong and how to mend it."
        )
    summary = f"{counted(len(turn.draft), 'file')} drafted, {validated}"
    data: dict[str, Json] = {"diagnostics": data_of(validated.diagnostics), "validation": str(validated)}
    return ToolResult("\n".join(filter(None, lines)), outcome, summary, data)
