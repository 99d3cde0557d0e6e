"""What a request's body says, checked: JSON objects, their fields, and the question they ask. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeAlias, TypeVar, cast, get_args

from tfai_jupyter.core.commands import BY_NAME, parse, split
from tfai_jupyter.core.errors import Invalid, UsageError
from tfai_jupyter.core.messages import Json
from tfai_jupyter.core.protocols import Workspace
from tfai_jupyter.core.turns import Attachment, AttachmentKind, Face, Question

Object: TypeAlias = dict[str, Json]
Value = TypeVar("Value")

MAX_ATTACHMENTS = 20
MAX_LINE = 8192  # splitting is slow and would hold up everybody else
_MAX_VARIABLES = 200
_FORWARDED = re.compile(r"(AWS|ARM|AZURE|GOOGLE|TF_VAR|VAULT)_\w+|TF_WORKSPACE|KUBE\w+", re.ASCII)
_WORDS: dict[type, str] = {str: "a text", dict: "an object", list: "a list"}


def read_object(body: bytes) -> Object:
    """Return a JSON object, an empty one for no body; raises Invalid."""
    try:
        value = json.loads(body or b"{}", parse_constant=_no_number)
        json.dumps(value, ensure_ascii=False).encode()  # lone surrogates would break whatever stores them
    except (ValueError, RecursionError) as error:
        message = f"the body is not valid JSON ({type(error).__name__})"
        raise Invalid(message) from None
    if not isinstance(value, dict):
        message = "the body must be a JSON object"
        raise Invalid(message)
    return value


def field(body: Mapping[str, Any], name: str, kind: type[Value], default: Value | None = None) -> Value:
    """Return a field of a type; a missing or null one has its default, or raises Invalid where there is none."""
    value = body.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, kind):
        message = f"{name!r} must be {_WORDS[kind]}"
        raise Invalid(message)
    return value


def read_question(body: Object) -> Question:
    """Read the body of `POST chat`; raises Invalid.

    A message that starts with `/` names a command; so does `options.command`, with its arguments in
    `options.arguments`, for clients that have parsed the line themselves.
    """
    message = field(body, "message", str, "")
    workspace, conversation = field(body, "workspace", str, ""), field(body, "conversation_id", str, "")
    options = field(body, "options", dict, {})
    if "command" in options:
        question = _commanded(message, options)
    elif message.lstrip().startswith("/"):
        return _enriched(_parsed(message.strip(), workspace, conversation), body)
    else:
        question = Question(message, options=dict(options), face="server")
    return _enriched(replace(question, directory=workspace, conversation_id=conversation), body)


def check_paths(question: Question, workspace: Workspace) -> None:
    """Refuse at the door what leads outside of the workspace; raises Forbidden. Secret files fail the turn."""
    directory = workspace.resolve(question.directory or ".")
    named: list[Any] = [each.path for each in question.attachments if each.path]
    if question.command in ("ask", "diagnose"):
        files, plan = question.options.get("files"), question.options.get("plan")
        named += [*files] if isinstance(files, list) else []
        named += [plan] if plan else []
    for path in named:
        workspace.resolve(str(path), directory)


def forwarded(env: Mapping[str, Any]) -> dict[str, str]:
    """Keep the allow-listed variables of a notebook's environment; the others are passed over."""
    kept = {
        name: value
        for name, value in env.items()
        if isinstance(value, str) and _FORWARDED.fullmatch(name) and "\0" not in value
    }
    if len(kept) > _MAX_VARIABLES:
        message = f"'env' has {len(kept)} variables; at most {_MAX_VARIABLES} are taken"
        raise Invalid(message)
    return kept


def _parsed(message: str, workspace: str, conversation: str) -> Question:
    line, _, text = message.removeprefix("/").partition("\n")
    if len(line) > MAX_LINE:
        words = f"a command line has at most {MAX_LINE:,} characters; write long text on the lines below it"
        raise UsageError(words)
    return parse(split(line), text).question(workspace, conversation, "server")


def _commanded(message: str, options: Object) -> Question:
    name = field(options, "command", str)
    if name not in BY_NAME:
        text = f"unknown command {name!r}; `help` lists them all"
        raise UsageError(text)
    face = "notebook" if options.get("face") == "notebook" else "server"
    return Question(message, name, field(options, "arguments", dict, {}), face=cast("Face", face))


def _enriched(question: Question, body: Object) -> Question:
    context = field(body, "context", list, [])
    if len(context) > MAX_ATTACHMENTS:
        message = f"'context' has {len(context)} pieces; at most {MAX_ATTACHMENTS} are taken"
        raise Invalid(message)
    env = forwarded(field(body, "env", dict, {}))
    return replace(question, attachments=tuple(_attachment(each) for each in context), env=env)


def _attachment(piece: Any) -> Attachment:  # noqa: ANN401 - JSON
    if not isinstance(piece, dict) or piece.get("kind") not in get_args(AttachmentKind):
        message = f"each piece of 'context' must be an object whose 'kind' is {', '.join(get_args(AttachmentKind))}"
        raise Invalid(message)
    name, text, path = (field(piece, key, str, "") for key in ("name", "text", "path"))
    if piece["kind"] == "file" and not (path or text):
        message = "a file in 'context' needs a 'path'"
        raise Invalid(message)
    return Attachment(piece["kind"], name, text, path)


def _no_number(word: str) -> float:
    message = f"{word} is no JSON"
    raise ValueError(message)
