"""About: what a server tells its panel of itself, also when there is no assistant."""

from __future__ import annotations

from tfai_jupyter import __version__
from tfai_jupyter.core.commands import COMMANDS, Command
from tfai_jupyter.core.messages import Json
from tfai_jupyter.settings import Settings

from .desk import Desk
from .limits import CHAT_BYTES, CREATE_BYTES, READ_BYTES, SAVE_BYTES


async def about(desk: Desk) -> dict[str, Json]:
    """Return version, model, features, limits, policy and commands; `error` says why there is no model."""
    opened = await desk.peek(seconds=30)
    settings = desk.settings
    told: dict[str, Json] = {
        "version": __version__,
        "model": None,
        "features": {"history": settings.history_path is not None, "apply": not settings.read_only},
        "limits": _limits(settings),
        "policy": {"read_only": settings.read_only, "approval_seconds": settings.approval_seconds},
        "commands": [_command(each) for each in COMMANDS],
    }
    if opened is None:
        message = desk.failure or "the assistant is still being put together"
        return told | {"error": {"code": "unavailable", "message": message}}
    await opened.duties.model.prepare()
    name = opened.duties.model.name
    return told | {"model": {"provider": name.provider, "name": name.name}, "problems": [*settings.problems]}


def _limits(settings: Settings) -> dict[str, Json]:
    return {
        "chat_bytes": CHAT_BYTES,
        "create_bytes": CREATE_BYTES,
        "save_bytes": SAVE_BYTES,
        "read_bytes": READ_BYTES,
        "max_streams": settings.max_streams,
        "queue_length": settings.queue_length,
        "chat_timeout_seconds": settings.chat_timeout_seconds,
        "reconnect_seconds": settings.reconnect_seconds,
        "daily_token_budget": settings.daily_token_budget,
    }


def _command(command: Command) -> dict[str, Json]:
    options: list[Json] = [
        {"name": each.name, "flags": [*each.flags], "kind": each.kind, "choices": [*each.choices], "help": each.help}
        for each in command.options
    ]
    text = {"name": command.name, "summary": command.summary, "usage": command.usage, "text": command.text}
    return {**text, "options": options}
