"""The extension: its options as traits, its routes, how it starts and stops with the notebook server."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import types
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from jupyter_server.extension.application import ExtensionApp
from jupyter_server.serverapp import ServerApp
from traitlets import Any as AnyTrait
from traitlets import Float
from traitlets.config import Configurable

from tfai_jupyter.options import Option
from tfai_jupyter.settings import OPTIONS

from .desk import Desk
from .handlers import handlers

LAG_SECONDS = 1.0
"""How often the event loop's lag is measured."""


def _trait(option: Option) -> AnyTrait:
    # Any: `Settings.load` judges a value, whatever source it comes from, and says in one sentence what is wrong.
    default = option.show(option.default) or "nothing"
    text = f"{option.help}; must be {option.wanted}. In the environment: {option.env}. If not given: {default}."
    return AnyTrait(None, allow_none=True, help=text).tag(config=True)


def _traits(namespace: dict[str, object]) -> None:
    namespace["__doc__"] = "Every setting of the assistant: `c.Tfai.NAME` beats environment, YAML and default."
    namespace["__module__"] = __name__
    namespace.update({option.name: _trait(option) for option in OPTIONS})


Tfai = types.new_class("Tfai", (Configurable,), exec_body=_traits)


class TfaiExtension(ExtensionApp):
    """The server face of tfai_jupyter."""

    name = "tfai_jupyter"
    classes = [Tfai]  # noqa: RUF012 - traitlets reads it off the class

    heartbeat_seconds = Float(15.0, help="How long a stream may be silent before a comment is sent.").tag(config=True)
    stall_seconds = Float(30.0, help="How long a reader may take nothing before it is cut off.").tag(config=True)

    def initialize_settings(self) -> None:
        """Make the desk, which opens nothing yet."""
        server = self._server
        given = {**server.config.get("Tfai", {}), **self.config.get("Tfai", {})}
        self.desk = Desk(given, Path(server.root_dir), self._note_activity)
        self.desk.heartbeat_seconds, self.desk.stall_seconds = self.heartbeat_seconds, self.stall_seconds

    def initialize_handlers(self) -> None:
        """Add the routes."""
        self.handlers.extend(handlers(self.desk))

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        _stop_at_interrupt(serverapp)
        _log_with(serverapp.log)
        self._watch = asyncio.create_task(self._watch_loop(), name="tfai event loop lag")
        await self.desk.announce()

    async def stop_extension(self) -> None:
        """End every turn with its last event; bounded, since nothing else bounds it."""
        if watch := getattr(self, "_watch", None):
            watch.cancel()
        if desk := getattr(self, "desk", None):
            await desk.aclose()

    @property
    def _server(self) -> ServerApp:
        return cast("ServerApp", self.serverapp)

    def _note_activity(self) -> None:
        """Keep idle cullers away while a turn runs: the host counts every key that ends like this."""
        self._server.web_app.settings["tfai_last_activity"] = datetime.now(UTC)

    async def _watch_loop(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_SECONDS
            await asyncio.sleep(LAG_SECONDS)
            self.desk.metrics.lag.set(max(0.0, loop.time() - due))


def _stop_at_interrupt(server: ServerApp) -> None:
    """Stop at SIGINT as at SIGTERM where no terminal asks first; spawners of hubs stop servers that way.

    Python's own handler breaks the event loop, so that no extension is told to stop.
    """
    is_ours = threading.current_thread() is threading.main_thread()
    if is_ours and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, server._signal_stop)  # noqa: SLF001 - the host has no public name for it


def _log_with(host: logging.Logger) -> None:
    """Write where the host writes, unless somebody has set up logging for us."""
    ours = logging.getLogger("tfai_jupyter")
    if not ours.handlers:
        for handler in host.handlers:
            ours.addHandler(handler)
        ours.setLevel(logging.INFO)
        ours.propagate = False
