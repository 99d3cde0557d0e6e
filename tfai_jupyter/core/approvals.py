"""Approval: consent to one exact ChangeSet, plan or command; single use, with an end.

What an approval binds is written down when it is asked for and compared again by the applier that
uses it. `Consent` is what appliers demand, and only `Approvals.resolve` makes one.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from .errors import Expired, Forbidden, NotFound, WrongPhrase
from .events import ApprovalKind, ApprovalRequired, Decision
from .ids import new_id
from .plans import RiskLevel
from .protocols import Vault
from .turns import Turn
from .wire import from_json, to_json

APPLIER_NAMES: dict[ApprovalKind, str] = {
    "change_set": "apply_change_set",
    "terraform_apply": "terraform_apply",
    "command": "run_command",
}
"""What events call the carrying out of each kind of approval."""


@dataclass(frozen=True, slots=True)
class Approval:
    """What somebody is asked to consent to.

    `digest` names the subject for a policy file; `binding` lists what must still hold when it is
    used; `confirm_phrase` must be typed where it is not empty; `expires_at` is UTC, ISO 8601.
    """

    id: str
    kind: ApprovalKind
    subject_id: str
    digest: str
    binding: dict[str, str]
    risk: RiskLevel
    confirm_phrase: str
    expires_at: str
    turn_id: str
    conversation_id: str
    workspace: str

    def required(self) -> ApprovalRequired:
        """Return the event that tells of it."""
        phrase = self.confirm_phrase or None
        return ApprovalRequired(self.id, self.kind, self.subject_id, self.risk, self.expires_at, phrase)


@dataclass(frozen=True, slots=True)
class Consent:
    """An approval that was given, by a user or a policy; good for one application."""

    approval: Approval
    by: str


class Approvals:
    """Asks for approvals and resolves them; they live in the vault, so they survive a restart."""

    def __init__(
        self,
        vault: Vault,
        *,
        seconds: float = 900,
        granted: frozenset[str] = frozenset(),
        policy_name: str = "",
        read_only: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take a vault, the life of an approval, and the digests that a policy file grants."""
        self._vault = vault
        self._seconds = seconds
        self._granted = granted
        self._policy_name = policy_name
        self._read_only = read_only
        self._clock = clock

    def request(
        self,
        turn: Turn,
        kind: ApprovalKind,
        subject_id: str,
        *,
        digest: str,
        binding: Mapping[str, str],
        risk: RiskLevel = "none",
        confirm_phrase: str = "",
        workspace: str = "",
    ) -> Approval:
        """Write down what is asked for; nothing happens until it is resolved."""
        expires_at = datetime.fromtimestamp(self._clock() + self._seconds, UTC).isoformat(timespec="seconds")
        approval = Approval(
            id=new_id(),
            kind=kind,
            subject_id=subject_id,
            digest=digest,
            binding=dict(binding),
            risk=risk,
            confirm_phrase=confirm_phrase,
            expires_at=expires_at.replace("+00:00", "Z"),
            turn_id=turn.id,
            conversation_id=turn.question.conversation_id,
            workspace=workspace,
        )
        self._vault.write("approvals", approval.id, to_json(approval))
        return approval

    def find(self, approval_id: str) -> Approval:
        """Return an approval that waits; raises NotFound, or Expired when it was used."""
        with suppress(NotFound):
            return self._read(approval_id)
        # Nothing waits under this name; `take` says whether it was used (Expired) or never was (NotFound).
        return from_json(Approval, self._vault.take("approvals", approval_id))

    def pending(self) -> tuple[Approval, ...]:
        """Return all that wait and are in time, oldest first."""
        waiting: list[Approval] = []
        for name in self._vault.names("approvals"):
            with suppress(NotFound):  # taken meanwhile
                waiting.append(self._read(name))
        return tuple(approval for approval in waiting if not self._is_late(approval))

    def granted_by(self, digest: str) -> str:
        """Return the name of the policy that grants a digest, empty when none does."""
        return self._policy_name if digest in self._granted else ""

    def resolve(self, approval_id: str, decision: Decision, *, by: str, confirm: str = "") -> Consent:
        """Use an approval up; raises NotFound, Expired, Forbidden (read-only), WrongPhrase.

        A wrong phrase leaves it waiting, so that a typing error costs nothing.
        """
        try:
            document = self._vault.read("approvals", approval_id)
        except NotFound:
            document = self._vault.take("approvals", approval_id)  # says Expired where it was used
        approval = from_json(Approval, document)
        if self._is_late(approval):
            message = f"approval {approval_id} expired at {approval.expires_at}; ask for it again"
            raise Expired(message)
        if decision == "approve":
            self._check(approval, confirm)
        self._vault.take("approvals", approval_id)
        return Consent(approval, by)

    def _read(self, approval_id: str) -> Approval:
        return from_json(Approval, self._vault.read("approvals", approval_id))

    def _check(self, approval: Approval, confirm: str) -> None:
        if self._read_only:
            message = "TFAI_READ_ONLY is set: nothing can be approved here"
            raise Forbidden(message)
        phrase, typed = (text.encode("utf-8", "surrogatepass") for text in (approval.confirm_phrase, confirm))
        if phrase and not hmac.compare_digest(phrase, typed):
            message = f"this needs the phrase {approval.confirm_phrase!r}: add --confirm and the phrase in quotes"
            raise WrongPhrase(message)

    def _is_late(self, approval: Approval) -> bool:
        return self._clock() > datetime.fromisoformat(approval.expires_at).timestamp()
