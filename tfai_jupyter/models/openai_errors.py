"""What went wrong at a model's endpoint, in one sentence that says what to do.

No sentence holds the key, nor a URL (it may carry credentials): hosts, settings and status codes only.
"""

from __future__ import annotations

import math
import os
import socket
import ssl
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, assert_never

from tfai_jupyter.core.errors import ModelError, ModelRefused, ModelUnavailable, RateLimited

if TYPE_CHECKING:
    import openai

CONNECT_SECONDS = 10.0
_QUOTE_CHARACTERS = 300
_PASSING = (408, 409, 429)


@dataclass(frozen=True, slots=True)
class Party:
    """Whom we talk to and what a person would set: the names that belong into a sentence."""

    provider: str
    model: str
    host: str
    key: str

    def setting(self, what: str) -> str:
        """Return the environment name of a setting: url, key or model."""
        names = {"ollama": {"url": "OLLAMA_HOST", "model": "OLLAMA_MODEL", "key": "OLLAMA_HOST"}}
        openai_names = {"url": "OPENAI_BASE_URL", "model": "OPENAI_MODEL", "key": "OPENAI_API_KEY"}
        return names.get(self.provider, openai_names)[what]

    def unknown_model(self) -> ModelUnavailable:
        """Say that the endpoint does not have the model."""
        if self.provider == "ollama":
            message = f"Ollama at {self.host} has no model {self.model!r}: run `ollama pull {self.model}`"
            return ModelUnavailable(f"{message} or set OLLAMA_MODEL")
        message = f"{self.host} has no model {self.model!r}: set OPENAI_MODEL to one it has"
        return ModelUnavailable(f"{message} (or OPENAI_BASE_URL, if the path is wrong)")

    def no_api(self) -> ModelError:
        """Say that something answers there that is no API."""
        hint = "to the API's address, which usually ends in /v1" if self.provider == "openai" else "to an Ollama server"
        return ModelError(f"{self.host} did not answer as a model's API does: set {self.setting('url')} {hint}")

    def quote(self, error: openai.APIError) -> str:
        """Return what the server said, short, on one line, without the key."""
        body = error.body
        said = (body.get("message") or body.get("detail")) if isinstance(body, dict) else body
        text = " ".join(said.split()) if isinstance(said, str) and not said.lstrip().startswith("<") else ""
        text = text.replace(self.key, "[key]") if self.key else text
        return f": {text[:_QUOTE_CHARACTERS]}" if text else ""


def failure(error: openai.APIError, party: Party) -> ModelError:
    """Turn an error of the SDK into ours."""
    import openai  # noqa: PLC0415 - loaded long before it can fail

    match error:
        case openai.APITimeoutError():
            seconds = f"{CONNECT_SECONDS:.0f} s"
            return ModelUnavailable(f"{party.host} accepted no connection in {seconds}: check {party.setting('url')}")
        case openai.APIConnectionError():
            return _unreachable(error, party)
        case openai.APIStatusError():
            return _status_failure(error, party)
        case openai.APIError():
            return _streamed_failure(error, party)
        case _:
            assert_never(error)


def retry_after(error: openai.APIError) -> float | None:
    """Return how many seconds the server wants us to wait; None when it does not say."""
    response = getattr(error, "response", None)
    headers = {} if response is None else response.headers
    milliseconds, seconds = headers.get("retry-after-ms"), headers.get("retry-after")
    if milliseconds is not None and (wait := _seconds(milliseconds)) is not None:
        return wait / 1000
    return None if seconds is None else _seconds(seconds)


def may_pass(error: openai.APIError) -> bool:
    """Tell whether the same request may succeed a moment later."""
    import openai  # noqa: PLC0415 - as above

    match error:
        case openai.APITimeoutError():
            return False
        case openai.APIConnectionError():
            root = _root(error)  # a kept connection that the server closes just now; not that nobody is there
            return not isinstance(root, OSError) or isinstance(root, ConnectionResetError | BrokenPipeError)
        case openai.APIStatusError(status_code=status):
            return error.code != "insufficient_quota" and (status in _PASSING or status >= 500)
        case _:
            return False


def _status_failure(error: openai.APIStatusError, party: Party) -> ModelError:
    host, status = party.host, error.status_code
    match status:
        case 401 if party.provider == "openai":
            return ModelRefused(f"OPENAI_API_KEY was refused by {host}: set a key that is valid there")
        case 403 if party.provider == "openai":
            return ModelRefused(f"OPENAI_API_KEY was refused by {host} (status 403){party.quote(error)}")
        case 401 | 403:
            return ModelRefused(f"{host} refused us (status {status}): check {party.setting('url')}")
        case 404:
            return party.unknown_model()
        case 429 if error.code == "insufficient_quota":
            return ModelRefused(f"the account of {party.setting('key')} at {host} has no quota left: check its billing")
        case 429:
            wait = retry_after(error)
            when = "in a while" if wait is None else f"in {math.ceil(wait)} s"
            return RateLimited(f"{host} takes no more requests just now: try again {when}", wait)
        case _ if status in _PASSING or status >= 500:
            return ModelUnavailable(f"{host} failed with status {status}: try again later")
        case _:
            return ModelError(f"{host} refused the request with status {status}{party.quote(error)}")


def _streamed_failure(error: openai.APIError, party: Party) -> ModelError:
    """Name an error that came inside a stream whose status had been 200."""
    said = party.quote(error)
    if error.code in ("429", "rate_limit_exceeded"):
        return RateLimited(f"{party.host} takes no more requests just now{said}")
    if error.type in ("server_error", "overloaded_error") or (error.code or "").startswith("5"):
        return ModelUnavailable(f"{party.host} failed while it answered{said}")
    return ModelError(f"{party.host} broke its answer off{said}")


def _unreachable(error: openai.APIConnectionError, party: Party) -> ModelUnavailable:
    match _root(error):
        case ssl.SSLCertVerificationError():
            why = "its certificate is not trusted"
        case ssl.SSLError():
            why = "no TLS connection"
        case socket.gaierror():
            why = "the name is unknown"
        case ConnectionRefusedError():
            why = "connection refused"
        case OSError(errno=int(number)):
            why = os.strerror(number).lower()
        case _:
            why = "the connection was closed before an answer came"
    start = "start Ollama (`ollama serve`) or set" if party.provider == "ollama" else "check the network and"
    return ModelUnavailable(f"cannot reach {party.host}, {why}: {start} {party.setting('url')}")


def _root(error: BaseException) -> BaseException:
    """Return what an error came from; the SDK and its HTTP client wrap it several times."""
    while below := error.__cause__ or error.__context__:
        error = below.exceptions[0] if isinstance(below, BaseExceptionGroup) else below
    return error


def _seconds(text: str) -> float | None:
    """Read a number of seconds or an HTTP date."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - time.time()
        except ValueError:
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
