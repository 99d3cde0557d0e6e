"""Every failure a person can meet, drawn once.

    TfaiError
    ├── Invalid             what was asked makes no sense            400
    │   ├── UsageError      unknown command or option                (shell: exit 2)
    │   ├── SettingsError   a setting that cannot be used
    │   └── WrongPhrase     the typed phrase is not the asked one    422
    ├── Forbidden           outside the workspace, or denied         403
    ├── NotFound            no such file, turn, approval             404
    ├── Conflict            changed since it was approved            409
    ├── Expired             approval used or out of time             410
    ├── TooLarge            over a cap                               413
    ├── Binary              not text                                 415
    ├── Busy                a limit; says when to come back          429
    ├── Unavailable         something we need is missing             503
    │   ├── TerraformNotFound
    │   └── JournalUnavailable
    └── ModelError          the model did not answer as it should
        ├── ModelUnavailable   no connection, 5xx, unknown model
        ├── ModelRefused       key missing or refused
        ├── RateLimited        429; `retry_after_seconds`
        └── ModelTimeout       first token or next token too late

Messages say what happened and what to do; they never hold a secret.
"""

from __future__ import annotations

from typing import ClassVar


class TfaiError(Exception):
    """Something a person can act on: the message is one sentence, `status` its HTTP code."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"


class Invalid(TfaiError):
    """What was asked makes no sense."""

    status = 400
    code = "invalid"


class UsageError(Invalid):
    """A command or option that does not exist, or lacks something."""

    code = "usage"


class SettingsError(Invalid):
    """A setting that cannot be used; names key, value and what to do."""

    code = "settings"


class WrongPhrase(Invalid):
    """The typed phrase is not the one that was asked for."""

    status = 422
    code = "wrong_phrase"


class Forbidden(TfaiError):
    """Outside the workspace, or denied by policy."""

    status = 403
    code = "forbidden"


class NotFound(TfaiError):
    """No such file, turn, conversation, plan or approval."""

    status = 404
    code = "not_found"


class Conflict(TfaiError):
    """The subject is not what it was when it was read or approved."""

    status = 409
    code = "conflict"


class Expired(TfaiError):
    """An approval that was used, or whose time is over."""

    status = 410
    code = "expired"


class TooLarge(TfaiError):
    """Over a size cap."""

    status = 413
    code = "too_large"


class Binary(TfaiError):
    """A file that is not text."""

    status = 415
    code = "binary"


class Busy(TfaiError):
    """A limit was reached; come back after `retry_after_seconds`."""

    status = 429
    code = "busy"

    def __init__(self, message: str, retry_after_seconds: float = 1.0) -> None:
        """Keep when to come back beside what was wrong."""
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(TfaiError):
    """Something we need is missing or not ready."""

    status = 503
    code = "unavailable"


class TerraformNotFound(Unavailable):
    """No Terraform, OpenTofu or bundled fallback can be run."""

    code = "terraform_not_found"


class JournalUnavailable(Unavailable):
    """The journal is off, locked by another process, or cannot be read."""

    code = "journal_unavailable"


class ModelError(TfaiError):
    """The model did not answer as it should; `turn_failed` carries `code` and `retryable`."""

    status = 502
    code = "model_error"
    retryable: ClassVar[bool] = False


class ModelUnavailable(ModelError):
    """No connection, a server error, or no such model."""

    code = "model_unavailable"
    retryable = True


class ModelRefused(ModelError):
    """The provider refused the key, or there is none."""

    code = "model_unavailable"


class RateLimited(ModelError):
    """The provider wants us to wait `retry_after_seconds` (None: it did not say how long)."""

    code = "rate_limited"
    retryable = True

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        """Keep when to come back beside what was wrong."""
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class ModelTimeout(ModelError):
    """The first or the next token came too late."""

    code = "timeout"
    retryable = True
