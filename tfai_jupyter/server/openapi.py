"""OpenAPI: the routes described for programs, made from the table of routes and the schemas here."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from typing import get_args

from tornado.web import RequestHandler

from tfai_jupyter import __version__
from tfai_jupyter.core.events import EVENTS
from tfai_jupyter.core.messages import Json
from tfai_jupyter.core.turns import AttachmentKind

from .body import MAX_ATTACHMENTS, Object
from .endpoint import Endpoint
from .history import MAX_CONVERSATIONS, By

_METHODS = ("get", "post", "put", "patch", "delete")
_STREAMS = frozenset({("post", "chat"), ("get", "turns/{turn_id}/events"), ("post", "approvals/{approval_id}")})
_STATUS = {("post", "workspace/create"): "201", ("post", "turns/{turn_id}/cancel"): "202"}
_TEXT: Object = {"type": "string"}
_HASH: Object = {"type": "string", "pattern": "^(sha256:)?[0-9a-f]{64}$"}
_KINDS: list[Json] = [*get_args(AttachmentKind)]
_PIECE: Object = {
    "type": "object",
    "required": ["kind"],
    "properties": {"kind": {"enum": _KINDS}, "name": _TEXT, "text": _TEXT, "path": _TEXT},
}

BODIES: dict[tuple[str, str], Object] = {
    ("post", "chat"): {
        "type": "object",
        "properties": {
            "message": _TEXT,
            "conversation_id": _TEXT,
            "workspace": _TEXT,
            "context": {"type": "array", "maxItems": MAX_ATTACHMENTS, "items": _PIECE},
            "env": {"type": "object", "additionalProperties": _TEXT},
            "options": {"type": "object"},
        },
    },
    ("post", "approvals/{approval_id}"): {
        "type": "object",
        "required": ["decision"],
        "properties": {
            "decision": {"enum": ["approve", "deny"]},
            "confirm": _TEXT,
            "reason": _TEXT,
            "files": {"type": "array", "items": _TEXT},
        },
    },
    ("post", "workspace/create"): {
        "type": "object",
        "required": ["dir"],
        "properties": {"dir": _TEXT, "description": _TEXT},
    },
    ("put", "file"): {
        "type": "object",
        "required": ["path", "content"],
        "properties": {"path": _TEXT, "content": _TEXT, "expected_sha256": _HASH},
    },
}
"""The bodies that routes take."""

QUERIES: dict[tuple[str, str], dict[str, Object]] = {
    ("get", "turns/{turn_id}/events"): {"after": {"type": "integer", "minimum": 0}},
    ("get", "conversations"): {
        "limit": {"type": "integer", "minimum": 1, "maximum": MAX_CONVERSATIONS},
        "before": {"type": "string", "format": "date-time"},
    },
    ("get", "workspace"): {"dir": _TEXT},
    ("get", "file"): {"path": _TEXT},
    ("get", "usage"): {"since": _TEXT, "until": _TEXT, "by": {"enum": [*get_args(By)]}},
}
"""The parameters that routes take."""

_REQUIRED = frozenset({("get", "file", "path")})


def describe(routes: Iterable[tuple[str, type[Endpoint]]], prefix: str) -> Object:
    """Return the OpenAPI 3.1 document of routes below a prefix."""
    paths: Object = {f"/{route}": _path(route, handler) for route, handler in routes}
    fields: Object = {"code": _TEXT, "message": _TEXT, "request_id": _TEXT}
    error: Object = {"type": "object", "required": [*fields], "properties": fields}
    return {
        "openapi": "3.1.0",
        "info": {"title": "tfai_jupyter", "version": __version__},
        "servers": [{"url": prefix}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "Authorization"}},
            "schemas": {"Error": {"type": "object", "required": ["error"], "properties": {"error": error}}},
        },
    }


def methods_of(handler: type[Endpoint]) -> tuple[str, ...]:
    """Return the methods that a handler implements, beside those of every handler."""
    return tuple(name for name in _METHODS if getattr(handler, name) is not getattr(RequestHandler, name))


def _path(route: str, handler: type[Endpoint]) -> Object:
    return {method: _operation(method, route, handler) for method in methods_of(handler)}


def _operation(method: str, route: str, handler: type[Endpoint]) -> Object:
    key = (method, route)
    operation: Object = {
        "operationId": "_".join((method, *re.findall(r"\w+", route))),
        "summary": (inspect.getdoc(getattr(handler, method)) or "").partition("\n")[0],
        "parameters": [*_parameters(key)],
        "responses": {_STATUS.get(key, "200"): _success(key), "default": _failure()},
    }
    if key in BODIES:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": BODIES[key]}}}
    return operation | {"security": []} if handler.is_public else operation


def _parameters(key: tuple[str, str]) -> Iterable[Object]:
    method, route = key
    for name in re.findall(r"{(\w+)}", route):
        yield {"name": name, "in": "path", "required": True, "schema": _TEXT}
    for name, schema in QUERIES.get(key, {}).items():
        yield {"name": name, "in": "query", "required": (method, route, name) in _REQUIRED, "schema": schema}
    if key in _STREAMS and method == "get":
        yield {"name": "Last-Event-ID", "in": "header", "required": False, "schema": {"type": "integer"}}


def _success(key: tuple[str, str]) -> Object:
    if key in _STREAMS:
        told = f"Server-sent events: {', '.join(EVENTS)}."
        return {"description": told, "content": {"text/event-stream": {"schema": _TEXT}}}
    return {"description": "Done.", "content": {"application/json": {"schema": {"type": "object"}}}}


def _failure() -> Object:
    schema: Object = {"$ref": "#/components/schemas/Error"}
    return {"description": "What went wrong.", "content": {"application/json": {"schema": schema}}}
