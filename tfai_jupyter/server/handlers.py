"""Handlers: each route parses, calls one thing and writes. The table of all routes is at the end."""

from __future__ import annotations

import json
import re
from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated
from tornado import web

from tfai_jupyter.core.errors import NotFound

from . import files, history
from .about import about
from .body import field
from .chat import Cancel, Chat, Decide, Events
from .desk import Desk
from .endpoint import RESOURCE, Endpoint, authorized
from .limits import CREATE_BYTES, SAVE_BYTES
from .openapi import describe


class Health(Endpoint):
    """`GET health`: the process answers; nothing else is asked."""

    is_public = True
    _track_activity = False

    @allow_unauthenticated
    def get(self) -> None:
        """Say so."""
        self.finish('{"status": "ok"}')


class Ready(Endpoint):
    """`GET ready`: what works."""

    is_public = True
    _track_activity = False

    @allow_unauthenticated
    async def get(self) -> None:
        """Tell it; what is wrong only to somebody signed in."""
        status, body = await self.desk.readiness.answer(told=bool(self.current_user))
        self.set_status(status)
        self.finish(json.dumps(body))


class Config(Endpoint):
    """`GET config`: what this server can do."""

    _track_activity = False

    @web.authenticated
    @authorized(action="read", resource=RESOURCE)
    async def get(self) -> None:
        """Tell it, also when there is no assistant, and why."""
        self.finish(json.dumps(await about(self.desk)))


class Conversations(Endpoint):
    """`GET conversations`."""

    @web.authenticated
    @authorized(action="read", resource=RESOURCE)
    async def get(self) -> None:
        """List them, newest first."""
        journal = (await self.desk.open()).journal
        limit, before = (self.query(name, "") for name in ("limit", "before"))
        self.finish(json.dumps(await history.conversations(journal, limit, before)))


class Conversation(Endpoint):
    """`GET conversations/{conversation_id}`."""

    @web.authenticated
    @authorized(action="read", resource=RESOURCE)
    async def get(self, conversation_id: str) -> None:
        """Return its messages."""
        journal = (await self.desk.open()).journal
        self.finish(json.dumps(await history.conversation(journal, conversation_id)))


class Usage(Endpoint):
    """`GET usage`."""

    @web.authenticated
    @authorized(action="read", resource=RESOURCE)
    async def get(self) -> None:
        """Return turns and tokens."""
        journal = (await self.desk.open()).journal
        since, until = (self.query(name, "") for name in ("since", "until"))
        self.finish(json.dumps(await history.usage(journal, since, until, self.query("by", "day"))))


class Workspace(Endpoint):
    """`GET workspace`."""

    @web.authenticated
    @authorized(action="read", resource=RESOURCE)
    async def get(self) -> None:
        """List a directory."""
        workspace = (await self.desk.open()).workspace
        self.finish(json.dumps(await files.listing(workspace, self.query("dir", ""))))


class Create(Endpoint):
    """`POST workspace/create`."""

    cap = CREATE_BYTES

    @web.authenticated
    @authorized(action="write", resource=RESOURCE)
    async def post(self) -> None:
        """Begin a module where there is none."""
        body = self.body()
        opened = await self.desk.open()
        opened.check_writable()
        directory, description = field(body, "dir", str), field(body, "description", str, "")
        paths = await files.create(opened.duties, directory, description)
        self.desk.metrics.files.labels("scaffold").inc(len(paths))
        self.set_status(201)
        self.finish(json.dumps({"dir": directory, "files": paths, **files.next_prompt(directory, description)}))


class File(Endpoint):
    """`GET file` and `PUT file`."""

    cap = SAVE_BYTES

    @web.authenticated
    @authorized(action="read", resource=RESOURCE)
    async def get(self) -> None:
        """Read a text file."""
        workspace = (await self.desk.open()).workspace
        self.finish(json.dumps(await files.text(workspace, self.query("path"))))

    @web.authenticated
    @authorized(action="write", resource=RESOURCE)
    async def put(self) -> None:
        """Save a file that is still as the caller read it."""
        body = self.body()
        path, content = field(body, "path", str), field(body, "content", str)
        opened = await self.desk.open()
        opened.check_writable()
        expected = field(body, "expected_sha256", str) if "expected_sha256" in body else None
        answer = await files.save(opened.workspace, path, content, expected)
        self.desk.metrics.files.labels("editor").inc()
        self.finish(json.dumps(answer))


class OpenApi(Endpoint):
    """`GET openapi.json`."""

    @web.authenticated
    @authorized(action="read", resource=RESOURCE)
    def get(self) -> None:
        """Describe every route for programs."""
        self.finish(json.dumps(describe(ROUTES, f"{self.base_url.rstrip('/')}{PREFIX}")))


class Nowhere(Endpoint):
    """Whatever else is asked below our prefix."""

    @web.authenticated
    @authorized(action="read", resource=RESOURCE)
    def get(self) -> None:
        """Say in JSON that there is nothing."""
        message = "there is nothing at this address"
        raise NotFound(message)

    @web.authenticated
    @authorized(action="read", resource=RESOURCE)
    def post(self) -> None:
        """Do as `get`."""
        message = "there is nothing at this address"
        raise NotFound(message)

    put = patch = delete = head = post


PREFIX = "/tfai/api"

ROUTES: tuple[tuple[str, type[Endpoint]], ...] = (
    ("health", Health),
    ("ready", Ready),
    ("config", Config),
    ("chat", Chat),
    ("turns/{turn_id}/events", Events),
    ("turns/{turn_id}/cancel", Cancel),
    ("approvals/{approval_id}", Decide),
    ("conversations", Conversations),
    ("conversations/{conversation_id}", Conversation),
    ("workspace", Workspace),
    ("workspace/create", Create),
    ("file", File),
    ("usage", Usage),
    ("openapi.json", OpenApi),
)
"""Every route below the prefix, and what answers it."""


def handlers(desk: Desk) -> list[tuple[Any, ...]]:
    """Return the routes as tornado takes them; the last catches what is none of them."""
    table = [(re.sub(r"{\w+}", "([^/]+)", route.replace(".", r"\.")), handler, route) for route, handler in ROUTES]
    table.append(("?.*", Nowhere, "nowhere"))
    return [(f"{PREFIX}/{pattern}", handler, {"desk": desk, "route": route}) for pattern, handler, route in table]
