"""Endpoint: what every route has. A request id, a body cap, JSON errors, a rate limit, metrics.

Bodies are received in pieces, so that a cap holds before anything is buffered; a chunked body over
the cap ends as tornado's connection-level 400.
"""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Callable
from functools import cached_property
from http.client import responses
from types import TracebackType
from typing import Any, TypeVar, cast

from jupyter_server.auth import decorator
from jupyter_server.base.handlers import APIHandler
from tornado import web

from tfai_jupyter.core.errors import Busy, Invalid, TfaiError, TooLarge
from tfai_jupyter.core.ids import new_id

from .body import Object, read_object
from .desk import Desk
from .limits import OTHER_BYTES

log = logging.getLogger(__name__)

Method = TypeVar("Method", bound=Callable[..., Any])

RESOURCE = "tfai"
LOCAL_USER = "local"

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_SENTENCES = {
    403: "not allowed: sign in, or send the server's token",
    404: "there is nothing at this address",
    405: "this address does not take that method",
}


def authorized(*, action: str, resource: str) -> Callable[[Method], Method]:
    """Let the host's authorizer decide; its own decorator, with types."""
    return cast("Callable[[Method], Method]", decorator.authorized(action=action, resource=resource))


@web.stream_request_body
class Endpoint(APIHandler):
    """The base of all handlers; concrete methods carry `@web.authenticated` and `@authorized`."""

    cap = OTHER_BYTES
    """Longest body in bytes."""

    is_public = False
    """Whether anybody may ask, signed in or not."""

    def initialize(self, desk: Desk, route: str) -> None:
        """Take the desk, and the route's template as metrics name it."""
        self.desk = desk
        self.route = route
        self._received = bytearray()

    @cached_property
    def request_id(self) -> str:
        """The caller's id of this request where it is a valid one, else a fresh one."""
        given = self.request.headers.get("X-Request-ID", "")
        return given if _REQUEST_ID.fullmatch(given) else new_id()

    @property
    def user(self) -> str:
        """The hub's name of the person; else one constant name, since token callers get random ones."""
        return str(self.current_user.username) if hasattr(self.current_user, "hub_user") else LOCAL_USER

    def set_default_headers(self) -> None:
        """Put the request id on every response, errors included."""
        super().set_default_headers()
        self.set_header("X-Request-ID", self.request_id)

    async def prepare(self, **_: object) -> None:
        """Hold the body cap, let the host authenticate, refuse strangers, count the request."""
        connection: Any = self.request.connection  # HTTP1Connection, of which the interface tells less
        connection.set_max_body_size(self.cap)
        length = self.request.headers.get("Content-Length", "")
        if length.isdecimal() and int(length) > self.cap:
            # Told here, since tornado would answer 400 once prepare returns.
            message = f"the body has {length[:20]} bytes; at most {self.cap:,} are taken here"
            raise TooLarge(message)
        await super().prepare()
        if self.is_public or self.request.method == "OPTIONS":
            return
        try:
            self.desk.admit(self.user if self.current_user else "")
        except Busy:
            self.desk.metrics.limited.labels("rate").inc()
            raise
        if not self.current_user:
            raise web.HTTPError(403)

    def data_received(self, chunk: bytes) -> None:
        """Keep a piece of the body, which the cap bounds."""
        self._received += chunk

    def body(self) -> Object:
        """Return the body as a JSON object; raises Invalid."""
        return read_object(bytes(self._received))

    def query(self, name: str, default: str | None = None) -> str:
        """Return a parameter exactly as it was sent (tornado's own way drops control characters); raises Invalid."""
        given = self.request.query_arguments.get(name)
        if not given and default is not None:
            return default
        try:
            return given[-1].decode() if given else _missing(name)
        except UnicodeDecodeError:
            message = f"the parameter {name!r} is not valid Unicode"
            raise Invalid(message) from None

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:  # noqa: ANN401 - tornado's
        """Give our own failures their own status."""
        error = _error(kwargs)
        super().send_error(error.status if isinstance(error, TfaiError) else status_code, **kwargs)

    def write_error(self, status_code: int, **kwargs: Any) -> None:  # noqa: ANN401 - tornado's
        """Answer `{"error": {"code", "message", "request_id"}}`, never with a trace or a path of the host."""
        error = _error(kwargs)
        if isinstance(error, Busy):
            self.set_header("Retry-After", str(max(1, math.ceil(error.retry_after_seconds))))
        code, message = _described(status_code, error)
        self.finish(json.dumps({"error": {"code": code, "message": message, "request_id": self.request_id}}))

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log only what is our mistake with a traceback; tornado logs every request anyway."""
        if isinstance(value, TfaiError):
            log.info("%s: %s", value.code, value, extra={"request_id": self.request_id})
            return
        super().log_exception(typ, value, tb)

    def on_finish(self) -> None:
        """Count the answer."""
        seconds = self.request.request_time()
        self.desk.metrics.answered(self.request.method or "", self.route, self.get_status(), seconds)
        super().on_finish()


def _missing(name: str) -> str:
    message = f"the parameter {name!r} is missing"
    raise Invalid(message)


def _error(kwargs: dict[str, Any]) -> BaseException | None:
    return kwargs["exc_info"][1] if "exc_info" in kwargs else None


def _described(status: int, error: BaseException | None) -> tuple[str, str]:
    if isinstance(error, TfaiError):
        return error.code, str(error)
    code = responses.get(status, "error").lower().replace(" ", "_")
    if status >= 500:
        return "internal", "something broke here; the server's log has the details under this request id"
    told = str(error.log_message or "") if isinstance(error, web.HTTPError) else ""
    return code, told or _SENTENCES.get(status, "")
