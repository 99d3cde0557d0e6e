"""All seams on one page: what the assistant needs of the outside world.

Each has an adapter in its own package and a scripted twin in `testing.py`.
Nothing here blocks the event loop; each call that goes outside has a deadline of its own.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from .changes import ChangeSet
from .events import Event
from .messages import Message, ModelName, Piece, Prompt
from .results import Passage, Rows


class Pingable(Protocol):
    """Something whose health can be asked without cost; raises a TfaiError when it is not well."""

    async def ping(self) -> None:
        """Return when it works."""


class ChatModel(Pingable, Protocol):
    """A model that answers a prompt piece by piece."""

    @property
    def name(self) -> ModelName:
        """Provider and model."""

    async def prepare(self) -> None:
        """Get ready before a turn: choose, load libraries. Returns at once when it is; never raises."""

    def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Yield text, whole tool calls and token counts; raises ModelError. Closing it ends the call."""

    async def aclose(self) -> None:
        """Give back connections."""


@dataclass(frozen=True, slots=True)
class TerraformRun:
    """How one Terraform process ended. `truncated`: output past the cap was dropped."""

    arguments: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str
    duration_ms: int
    outcome: Literal["ok", "error", "timeout"] = "ok"
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class TerraformVersion:
    """Which program runs: `product` terraform or tofu, `source` PATH, setting or bundled."""

    product: str
    version: str
    source: str
    path: str


class Terraform(Protocol):
    """Runs Terraform in a directory; cancelling the caller ends the process with all its children."""

    def stream(
        self,
        arguments: Sequence[str],
        *,
        directory: Path,
        env: Mapping[str, str],
        timeout_seconds: float | None = None,
    ) -> AsyncGenerator[str | TerraformRun, None]:
        """Yield stdout lines as they come and one TerraformRun last; raises TerraformNotFound.

        `timeout_seconds` None takes the default deadline, 0 means none.
        """

    async def version(self) -> TerraformVersion:
        """Say which program would run; raises TerraformNotFound."""


class Retriever(Pingable, Protocol):
    """Finds documentation."""

    async def search(self, text: str, *, limit: int = 5, provider: str = "") -> tuple[Passage, ...]:
        """Return the best passages, best first."""


class Journal(Pingable, Protocol):
    """The append-only record of events; everything else is derived from it."""

    @property
    def notice(self) -> str:
        """One sentence when history is not kept as it should be, e.g. the file is locked; else empty."""

    def append(self, event: Event) -> None:
        """Record a redacted event; returns at once, durable within 50 ms, never raises."""

    async def flush(self) -> None:
        """Return when all that was appended is durable."""

    async def messages(self, conversation_id: str, limit: int = 20, before: str = "") -> tuple[Message, ...]:
        """Return a conversation's newest messages, oldest first, of turns before the turn `before`."""

    async def events(self, turn_id: str, after: int = 0) -> tuple[Event, ...]:
        """Return a turn's events with `seq` greater than `after`, split as they were emitted."""

    async def query(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:
        """Run one read-only statement; raises Invalid for anything else, JournalUnavailable when off."""

    async def aclose(self) -> None:
        """Flush and give the file back."""


@dataclass(frozen=True, slots=True)
class FileText:
    """A text file: path relative to the root, content, hash and size in bytes."""

    path: str
    content: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class FileSize:
    """A file in a listing: path relative to the listed directory, size in bytes."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Listing:
    """A directory of Terraform code: files and sub-directories below it, and what state it is in."""

    dir: str
    files: tuple[FileSize, ...]
    dirs: tuple[str, ...]
    initialized: bool
    has_state: bool
    has_lockfile: bool
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The configuration a model is shown: file texts within the caps, and what was left out and why."""

    files: tuple[FileText, ...]
    omitted: tuple[str, ...] = ()


class Workspace(Protocol):
    """The one resolver for every path, and all reading and writing below the root."""

    @property
    def root(self) -> Path:
        """The real path that nothing leaves."""

    def resolve(self, path: str, directory: Path | None = None) -> Path:
        """Return the real path of `path` (relative to `directory`, else the root); raises Forbidden."""

    def relative(self, path: Path) -> str:
        """Return a resolved path relative to the root, with `/`; empty for the root."""

    async def read(self, path: str, directory: Path | None = None) -> FileText:
        """Read text; raises NotFound, Forbidden (hidden, secret or state files), TooLarge, Binary."""

    async def list(self, directory: Path) -> Listing:
        """List a directory and what is below it."""

    async def snapshot(self, directory: Path) -> Snapshot:
        """Collect `.tf` and `.tf.json` texts below a directory within the caps."""

    async def propose(
        self, contents: Mapping[str, str | None], *, summary: str = "", validation: str = "skipped"
    ) -> ChangeSet:
        """Compare new contents (paths relative to the root) with the disk; raises Forbidden, TooLarge."""

    async def load(self, change_set_id: str) -> ChangeSet:
        """Return a proposed ChangeSet with its contents; raises NotFound."""

    async def apply(self, change_set: ChangeSet, paths: Sequence[str] = ()) -> tuple[str, ...]:
        """Write all files or none and keep an undo copy; raises Conflict when one changed since."""

    async def undo(self, change_set_id: str = "") -> tuple[str, ...]:
        """Put back what the named, else the last, applied ChangeSet replaced; raises NotFound, Conflict."""


class Vault(Protocol):
    """Private documents that outlive a process: what approvals bind. Directory 0700, files 0600."""

    def write(self, kind: str, name: str, document: dict[str, Any]) -> None:
        """Store a JSON document under kind and name, atomically."""

    def read(self, kind: str, name: str) -> dict[str, Any]:
        """Return a document; raises NotFound."""

    def take(self, kind: str, name: str) -> dict[str, Any]:
        """Return a document to exactly one caller, ever; raises NotFound, or Expired when it was taken."""

    def names(self, kind: str) -> tuple[str, ...]:
        """Return the names of the documents not yet taken, oldest first."""

    def directory(self, kind: str, name: str) -> Path:
        """Return a private directory for files that belong to a document; made when missing."""
