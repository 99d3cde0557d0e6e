"""ChangeSet: proposed files, their diff and digest. Pure: reading and writing is the workspace's."""

from __future__ import annotations

import difflib
import hashlib
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from .page import Code, Note, Page, Shown, Table, counted

FileAction = Literal["create", "update", "delete"]
Validation = Literal["valid", "invalid", "skipped"]


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file before and after: its path relative to the workspace root, diff and hashes.

    A hash is `sha256:` and 64 hex digits, empty where there is no file on that side.
    """

    path: str
    action: FileAction
    diff: str
    before_sha256: str = ""
    after_sha256: str = ""


@dataclass(frozen=True, slots=True)
class ChangeSet(Shown):
    """Files that are proposed as a whole: applied all or none, only after approval.

    `contents` (path to new text, None to delete) stays with the process that may apply it.
    """

    id: str
    files: tuple[FileChange, ...]
    digest: str
    summary: str = ""
    validation: str = "skipped"
    approval_id: str = ""
    contents: Mapping[str, str | None] = field(
        default_factory=dict, repr=False, compare=False, metadata={"wire": False}
    )
    run: Callable[[str], object] | None = field(default=None, repr=False, compare=False, metadata={"wire": False})

    @property
    def diff(self) -> str:
        """The unified diff of all files."""
        return "".join(change.diff for change in self.files)

    def apply(self) -> object:
        """Ask for approval of exactly these files; they are written only once somebody approves."""
        return self._bound()(f"apply {self.id}")

    def undo(self) -> object:
        """Put back what was there before; refused where a file has changed since."""
        return self._bound()(f"undo {self.id}")

    def page(self) -> Page:
        """Show what would be written, whether it validates, and how to approve it."""
        rows = tuple((change.action, change.path) for change in self.files)
        approve = f"; `approve {self.approval_id}` writes it" if self.approval_id else ""
        return Page(
            Note(self.summary or f"{counted(len(self.files), 'file')} proposed"),
            Table(("action", "path"), rows),
            Code(self.diff, "diff"),
            Note(f"validation: {self.validation}"),
            Note(f"change set {self.id}, digest {self.digest}{approve}"),
        )

    def _bound(self) -> Callable[[str], object]:
        if self.run is None:
            message = "this result was not made in a notebook or shell, so it cannot run commands"
            raise RuntimeError(message)
        return self.run


def sha256_of(content: bytes) -> str:
    """Return the hash in the form that every event and approval carries."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def file_change(path: str, before: str | None, after: str | None) -> FileChange | None:
    """Compare two texts of one file (None: no file); None when nothing changes."""
    if before == after:
        return None
    action: FileAction = "create" if before is None else "delete" if after is None else "update"
    return FileChange(path, action, _diff(path, before, after), _hash(before), _hash(after))


def propose(
    change_set_id: str,
    before: Mapping[str, str | None],
    contents: Mapping[str, str | None],
    summary: str = "",
    validation: str = "skipped",
) -> ChangeSet:
    """Make a ChangeSet of the files that differ; `before` has the current text of each path."""
    compared = (file_change(path, before.get(path), contents[path]) for path in sorted(contents))
    files = tuple(change for change in compared if change)
    kept = {change.path: contents[change.path] for change in files}
    return ChangeSet(change_set_id, files, digest_of(files), summary, validation, contents=kept)


def digest_of(files: Iterable[FileChange]) -> str:
    """Return the canonical hash of a proposal, the same on every machine: paths, actions, hashes."""
    lines = (f"{change.action} {change.path} {change.before_sha256} {change.after_sha256}\n" for change in files)
    return sha256_of("".join(sorted(lines)).encode())


def _hash(text: str | None) -> str:
    return "" if text is None else sha256_of(text.encode())


def _diff(path: str, before: str | None, after: str | None) -> str:
    old, new = (list(io.StringIO(text)) for text in (before, after))  # splits at line feeds alone, as Terraform does
    names = ("/dev/null" if before is None else f"a/{path}", "/dev/null" if after is None else f"b/{path}")
    lines = difflib.unified_diff(old, new, *names)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
