"""DiskWorkspace: the directory a person works in, as tools and handlers may use it.

Paths go through `Root`, reading through `snapshot`, writing through `Exchange`; proposals lie in the
vault, so that another process can approve them. All disk work runs in threads.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from tfai_jupyter.core.changes import ChangeSet, FileChange, digest_of, propose, sha256_of
from tfai_jupyter.core.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge
from tfai_jupyter.core.ids import new_id, utc_now
from tfai_jupyter.core.protocols import FileText, Listing, Snapshot, Vault
from tfai_jupyter.core.wire import from_json, to_json

from .exchange import Exchange, Record, Swap
from .paths import Root
from .snapshot import list_directory, read_text, take_snapshot

Answer = TypeVar("Answer")

_KIND = "change_sets"
_MAX_FILES = 100
_MAX_FILE_BYTES = 5 * 1024 * 1024
_PLACEHOLDER = "[REDACTED:"


class DiskWorkspace:
    """A Workspace on disk."""

    def __init__(self, root: Path, vault: Vault) -> None:
        """Take the root and the vault for proposals and undo copies."""
        self._root = Root(root)
        self._vault = vault
        self._exchange = Exchange(self._root, vault)
        self._repairing = threading.Lock()
        self._is_repaired = False

    @property
    def root(self) -> Path:
        """The real path that nothing leaves."""
        return self._root.path

    def resolve(self, path: str, directory: Path | None = None) -> Path:
        """Return the real path of `path` (relative to `directory`, else the root); raises Forbidden."""
        return self._root.resolve(path, directory)

    def relative(self, path: Path) -> str:
        """Return a resolved path relative to the root, with `/`; empty for the root."""
        return self._root.relative(path)

    async def read(self, path: str, directory: Path | None = None) -> FileText:
        """Read text; raises NotFound, Forbidden (hidden, secret or state files), TooLarge, Binary."""
        return await self._in_thread(self._read, path, directory)

    async def list(self, directory: Path) -> Listing:
        """List a directory and what is below it; raises NotFound."""
        return await self._in_thread(list_directory, self._root, directory)

    async def snapshot(self, directory: Path) -> Snapshot:
        """Collect `.tf` and `.tf.json` texts below a directory within the caps."""
        return await self._in_thread(take_snapshot, self._root, directory)

    async def propose(
        self, contents: Mapping[str, str | None], *, summary: str = "", validation: str = "skipped"
    ) -> ChangeSet:
        """Compare new contents (paths relative to the root) with the disk and keep the proposal.

        Raises Forbidden, Invalid, TooLarge, Binary. Nothing is kept when nothing would change.
        """
        return await self._in_thread(self._propose, contents, summary, validation)

    async def apply(self, change_set: ChangeSet, paths: Sequence[str] = ()) -> tuple[str, ...]:
        """Write all files (or only `paths`) or none, keep an undo copy; raises Conflict when one changed."""
        return await self._in_thread(self._apply, change_set, paths)

    async def undo(self, change_set_id: str = "") -> tuple[str, ...]:
        """Put back what the named, else the last, applied ChangeSet replaced; raises NotFound, Conflict."""
        return await self._in_thread(self._undo, change_set_id)

    async def recover(self) -> tuple[str, ...]:
        """Put back what a process that died left half written; returns the ChangeSets' ids.

        The first use of a workspace does it too, so that nobody sees half a change.
        """
        return await asyncio.to_thread(self._repair, again=True)

    async def load(self, change_set_id: str) -> ChangeSet:
        """Return a proposal with its contents, whichever process made it; raises NotFound."""
        return await self._in_thread(self._load, change_set_id)

    async def pending(self) -> tuple[ChangeSet, ...]:
        """Return the proposals that were never applied, oldest first."""
        return await self._in_thread(self._pending)

    async def applied(self) -> tuple[ChangeSet, ...]:
        """Return the proposals that are applied and not undone, in the order of application."""
        return await self._in_thread(self._applied)

    async def last_applied(self) -> str:
        """Return the id of the ChangeSet that `undo` would put back; raises NotFound."""
        return await self._in_thread(self._last_applied)

    async def _in_thread(self, work: Callable[..., Answer], *arguments: Any) -> Answer:  # noqa: ANN401 - passed on
        def repaired() -> Answer:
            self._repair()
            return work(*arguments)

        return await asyncio.to_thread(repaired)

    def _repair(self, *, again: bool = False) -> tuple[str, ...]:
        with self._repairing:
            if self._is_repaired and not again:
                return ()
            self._is_repaired = True
            return self._exchange.recover()

    def _read(self, path: str, directory: Path | None) -> FileText:
        return read_text(self._root, self._root.readable(path, directory))

    def _propose(self, contents: Mapping[str, str | None], summary: str, validation: str) -> ChangeSet:
        if len(contents) > _MAX_FILES:
            message = f"{len(contents)} files are more than {_MAX_FILES} in one change set; propose fewer"
            raise TooLarge(message)
        wanted = self._placed(contents)
        before = {path: self._current(path) for path in wanted}
        change_set = propose(new_id(), before, wanted, summary, validation)
        if change_set.files:
            self._vault.write(_KIND, change_set.id, self._document(change_set))
        return change_set

    def _placed(self, contents: Mapping[str, str | None]) -> dict[str, str | None]:
        placed: dict[str, str | None] = {}
        for given, text in contents.items():
            path = self._root.relative(self._root.writable(given))
            if path in placed:
                message = f"{path} is proposed twice"
                raise Invalid(message)
            _check_text(path, text)
            placed[path] = text
        for path in placed:
            for parent in Path(path).parents:
                if parent.as_posix() in placed:
                    message = f"{parent} cannot be both a file and the directory of {path}"
                    raise Invalid(message)
        return placed

    def _current(self, path: str) -> str | None:
        """Return a file's text, None where there is none; refuses what stands in its way."""
        for parent in (self.root / path).parents:
            if parent.is_relative_to(self.root) and parent.exists() and not parent.is_dir():
                message = f"{path} cannot be written: {self.relative(parent)} is a file"
                raise Forbidden(message)
        if (self.root / path).is_dir():
            message = f"{path} is a directory, not a file"
            raise Forbidden(message)
        try:
            return read_text(self._root, self.root / path, _MAX_FILE_BYTES).content
        except NotFound:
            return None

    def _apply(self, change_set: ChangeSet, paths: Sequence[str]) -> tuple[str, ...]:
        files = self._selected(change_set, paths)
        texts = {change.path: change_set.contents[change.path] for change in files}
        self._placed(texts)  # a link may have been put there since it was proposed
        encoded = [text.encode() for text in texts.values() if text is not None]
        swaps = [Swap(change.path, change.before_sha256, change.after_sha256) for change in files]
        if sorted(sha256_of(text) for text in encoded) != sorted(swap.after for swap in swaps if swap.after):
            message = f"change set {change_set.id} does not hold the texts it names; propose again"
            raise Conflict(message)
        if self._was_applied(change_set.id):
            message = f"change set {change_set.id} was applied before; propose again"
            raise Conflict(message)
        try:
            self._exchange.apply(change_set.id, swaps, encoded)
        except OSError as error:
            message = f"nothing was written: {error.strerror or 'the disk failed'}"
            raise Conflict(message) from error
        return tuple(change.path for change in files)

    def _was_applied(self, change_set_id: str) -> bool:
        record = self._exchange.find(change_set_id)
        return record is not None and record.state != "failed"

    def _selected(self, change_set: ChangeSet, paths: Sequence[str]) -> tuple[FileChange, ...]:
        unknown = set(paths) - {change.path for change in change_set.files}
        if unknown:
            message = f"{', '.join(sorted(unknown))} is not in change set {change_set.id}"
            raise Invalid(message)
        return tuple(change for change in change_set.files if not paths or change.path in paths)

    def _last_applied(self) -> str:
        applied = [record.id for record in self._exchange.records() if record.state == "applied"]
        if not applied:
            message = "nothing to undo"
            raise NotFound(message)
        return applied[-1]

    def _undo(self, change_set_id: str) -> tuple[str, ...]:
        try:
            record = self._exchange.undo(change_set_id or self._last_applied())
        except OSError as error:
            message = f"nothing was put back: {error.strerror or 'the disk failed'}"
            raise Conflict(message) from error
        return tuple(swap.path for swap in record.swaps)

    def _document(self, change_set: ChangeSet) -> dict[str, Any]:
        data: dict[str, Any] = to_json(change_set)
        return data | {"contents": dict(change_set.contents), "root": str(self.root), "proposed_at": utc_now()}

    def _load(self, change_set_id: str) -> ChangeSet:
        document = self._vault.read(_KIND, change_set_id)
        if document["root"] != str(self.root):
            message = f"change set {change_set_id} belongs to another workspace"
            raise NotFound(message)
        stored = from_json(ChangeSet, document)
        if stored.digest != digest_of(stored.files):
            message = f"change set {change_set_id} is damaged; propose again"
            raise Conflict(message)
        return ChangeSet(
            stored.id, stored.files, stored.digest, stored.summary, stored.validation, contents=document["contents"]
        )

    def _all(self) -> dict[str, ChangeSet]:
        names = self._vault.names(_KIND)
        ours = (name for name in names if self._vault.read(_KIND, name)["root"] == str(self.root))
        return {name: self._load(name) for name in ours}

    def _pending(self) -> tuple[ChangeSet, ...]:
        return tuple(each for name, each in self._all().items() if not self._was_applied(name))

    def _applied(self) -> tuple[ChangeSet, ...]:
        kept = self._all()
        return tuple(kept[record.id] for record in self._exchange.records() if _is_applied(record, kept))


def _is_applied(record: Record, kept: Mapping[str, ChangeSet]) -> bool:
    return record.state == "applied" and record.id in kept


def _check_text(path: str, text: str | None) -> None:
    if text is None:
        return
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        message = f"the new text of {path} is not valid Unicode"
        raise Invalid(message) from None
    if size > _MAX_FILE_BYTES:
        message = f"the new text of {path} has {size:,} bytes; at most {_MAX_FILE_BYTES:,} are written"
        raise TooLarge(message)
    if "\0" in text:
        message = f"the new text of {path} contains a NUL character; only text is written"
        raise Invalid(message)
    if _PLACEHOLDER in text:
        message = f"the new text of {path} contains a masked secret ({_PLACEHOLDER}...]); refer to a variable instead"
        raise Invalid(message)
