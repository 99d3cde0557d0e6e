"""Saved plans: the plan file in a private directory, and the document that says what it is.

A plan file holds the state and every variable in clear, so it never lies in the workspace and is
deleted once it was used, or after a day.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from tfai_jupyter.core.errors import Conflict, NotFound
from tfai_jupyter.core.messages import Json
from tfai_jupyter.core.plans import RiskLevel
from tfai_jupyter.core.protocols import Vault
from tfai_jupyter.core.wire import from_json, to_json

from .configuration import configuration_sha256
from .process import is_running

KIND = "plans"
KEPT_SECONDS = 86_400

Status = Literal["ready", "applying", "applied", "failed"]


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """What is known of a plan file: the hashes an approval binds, whose it is, how far it got.

    `directory` is relative to `root`; `state` is lineage and serial of the state it was made from
    (`none`: there was no state; empty: not known); `losses` counts resources that are destroyed or replaced.
    """

    id: str
    root: str
    directory: str
    conversation_id: str
    sha256: str
    digest: str
    configuration_sha256: str
    risk: RiskLevel
    summary: str
    state: str = ""
    losses: int = 0
    changes: int = 0
    empty: bool = False
    status: Status = "ready"
    made_at: float = 0.0

    @property
    def binding(self) -> dict[str, str]:
        """What must still be true when it is applied."""
        return {
            "plan_sha256": self.sha256,
            "configuration_sha256": self.configuration_sha256,
            "directory": self.directory,
            "state": self.state,
        }

    @property
    def confirm_phrase(self) -> str:
        """What must be typed where much can be lost."""
        if self.risk != "high":
            return ""
        where = self.directory or "."
        if self.losses:
            return f"destroy {self.losses} {_resources(self.losses)} in {where}"
        return f"change {self.changes} {_resources(self.changes)} in {where}"


class SavedPlans:
    """The saved plans of one workspace root, in a vault."""

    def __init__(self, vault: Vault, root: Path) -> None:
        """Take the vault; plans of other roots in it stay unseen."""
        self._vault = vault
        self._root = str(root)

    def path(self, plan_id: str) -> Path:
        """Return where a plan's file is, or is to be written."""
        return self._vault.directory(KIND, plan_id) / "plan.tfplan"

    def log(self, plan_id: str) -> Path:
        """Return where the output of its apply is; see the runner."""
        return self.path(plan_id).with_suffix(".log")

    def keep(self, saved: SavedPlan, plan: Mapping[str, Json] | None = None) -> None:
        """Write the document, and beside it the plan as it was shown."""
        shown = {"plan": dict(plan)} if plan is not None else {}
        self._vault.write(KIND, saved.id, to_json(saved) | shown)

    def find(self, plan_id: str) -> SavedPlan:
        """Return a plan of this root; raises NotFound."""
        saved = from_json(SavedPlan, self._vault.read(KIND, plan_id))
        if saved.root != self._root:
            message = f"plan {plan_id} belongs to another workspace"
            raise NotFound(message)
        return saved

    def newest(self, directory: str, conversation_id: str) -> SavedPlan | None:
        """Return the newest plan of a directory and conversation that can still be applied."""
        mine = (
            saved
            for saved in self.all()
            if saved.status == "ready" and (saved.directory, saved.conversation_id) == (directory, conversation_id)
        )
        chosen = max(mine, key=lambda saved: saved.made_at, default=None)
        return chosen if chosen and self.path(chosen.id).exists() else None

    def all(self) -> list[SavedPlan]:
        """Return the plans of this root, oldest first."""
        documents = (self._vault.read(KIND, name) for name in self._vault.names(KIND))
        return [from_json(SavedPlan, document) for document in documents if document.get("root") == self._root]

    def check(self, saved: SavedPlan) -> None:
        """Hold plan file and configuration against the document; raises Conflict."""
        if saved.status != "ready":
            message = f"plan {saved.id} was used already ({saved.status}); plan again"
            raise Conflict(message)
        try:
            actual = file_sha256(self.path(saved.id))
        except FileNotFoundError:
            message = f"the file of plan {saved.id} is gone; plan again"
            raise Conflict(message) from None
        if actual != saved.sha256:
            message = f"the file of plan {saved.id} is not the one that was made; plan again"
            raise Conflict(message)
        if configuration_sha256(Path(saved.root) / saved.directory) != saved.configuration_sha256:
            message = f"the configuration changed since plan {saved.id} was made; plan again"
            raise Conflict(message)

    def mark(self, saved: SavedPlan, status: Status) -> SavedPlan:
        """Write down how far a plan got."""
        marked = replace(saved, status=status)
        self.keep(marked, self._vault.read(KIND, saved.id).get("plan"))
        return marked

    def discard(self, plan_id: str) -> None:
        """Delete a plan's files; its document stays."""
        shutil.rmtree(self._vault.directory(KIND, plan_id), ignore_errors=True)

    def forget(self, saved: SavedPlan) -> None:
        """Delete a plan that was only made to be looked at."""
        self.discard(saved.id)
        self._vault.take(KIND, saved.id)

    def discard_old(self) -> None:
        """Delete the files of plans that nobody applied within a day."""
        late = time.time() - KEPT_SECONDS
        for saved in self.all():
            if saved.made_at < late and not is_running(self.log(saved.id)):
                self.forget(saved)


def file_sha256(path: Path) -> str:
    """Return the hash of a file's bytes."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def state_of_plan(path: Path) -> str:
    """Return lineage and serial of the state a plan file was made from; empty when it cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            return identity_of(archive.read("tfstate"))
    except (OSError, KeyError, zipfile.BadZipFile):
        return ""  # OpenTofu may encrypt its plan files


def identity_of(raw_state: bytes | str) -> str:
    """Return lineage and serial of a raw state, `none` before there is one; empty when it cannot be read."""
    if not raw_state.strip():
        return "none"
    try:
        document = json.loads(raw_state)
        return f"{document['lineage']}:{document['serial']}" if document["serial"] else "none"
    except (ValueError, KeyError, TypeError):
        return ""


def _resources(count: int) -> str:
    return "resource" if count == 1 else "resources"
