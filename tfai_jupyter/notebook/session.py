"""Session: how a kernel or a shell reaches an assistant, and the conversation it has with it.

The server that started the kernel answers, where there is one; else an assistant is put together
here. Which it is, and why, is told once in a notice.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from tfai_jupyter.bootstrap import Assembly, assemble
from tfai_jupyter.core.assistant import Assistant
from tfai_jupyter.core.commands import Invocation
from tfai_jupyter.core.errors import SettingsError, TfaiError
from tfai_jupyter.core.events import ApprovalRequired, ChangeSetProposed, Event, Notice, PlanReady, TurnStarted
from tfai_jupyter.core.outcome import Outcome
from tfai_jupyter.core.turns import Face, Question
from tfai_jupyter.settings import OPTIONS, Settings

from .address import Address, find_server, forwarded, named_server
from .bridge import Bridge, interrupts
from .remote import RemoteAssistant, Unreachable

Run = Callable[[str], object]
_WITHOUT_SETTINGS = ("help", "version")


class Session:
    """One kernel's or shell's dealings with an assistant; `ids` are those its results had, by kind."""

    def __init__(self, face: Face, environ: Mapping[str, str], traits: Mapping[str, object], run: Run) -> None:
        """Take where settings come from, and `run`, with which results carry on."""
        self.conversation_id = ""
        self.ids: dict[str, list[str]] = {"approval": [], "change_set": [], "plan": []}
        self._face = face
        self._environ = environ
        self._traits = dict(traits)
        self._run = run
        self._known: dict[str, str] = {}
        self._begin()

    def ask(self, invocation: Invocation, show: Callable[[Event], None]) -> Outcome:
        """Have a command carried out, showing each event; an interrupt cancels it and shows the rest.

        Raises what the assistant refuses at the door, and KeyboardInterrupt when asked a second time.
        """
        if self._pid != os.getpid():  # forked: the parent's threads and connections are not ours
            self._begin()
        if self._known != self._environment():
            self.close()
        self._turn_id = ""
        question = invocation.question(Path.cwd().as_posix(), self.conversation_id, self._face)
        user = self._environ.get("JUPYTERHUB_USER", "local")
        question = replace(question, env=forwarded(self._environ), user=user)
        outcome = Outcome(question.command, self._run)
        stopping = [signal.SIGINT] if self._face == "notebook" else [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
        with interrupts(self._cancel, *stopping), closing(self._events(question, show)) as events:
            for event in events:
                self._follow(event)
                outcome.add(event)
                show(event)
        return outcome

    def close(self) -> None:
        """Give everything back; the next question begins anew, in the same conversation."""
        for each in (self._assembly, self._remote):
            if each:
                self._bridge.run(each.aclose())
        self._bridge.close()
        self._begin()

    def _begin(self) -> None:
        """Forget what belongs to a process and to its settings."""
        self._pid = os.getpid()
        self._known = self._environment()
        self._bridge = Bridge()
        self._assembly: Assembly | None = None
        self._root = Path()
        self._remote: RemoteAssistant | None = None
        self._covered: dict[str, bool] = {}
        self._assistant: Assistant | RemoteAssistant | None = None
        self._turn_id = ""

    def _environment(self) -> dict[str, str]:
        """Pick the variables that are settings, so that a change in the notebook is noticed."""
        names = (each.env for each in OPTIONS)
        return {name: self._environ[name] for name in names if name in self._environ}

    def _cancel(self) -> bool:
        """Stop the running turn; False when none has begun."""
        if not self._turn_id or self._assistant is None:
            return False
        self._bridge.call(self._assistant.cancel, self._turn_id)
        return True

    def _events(self, question: Question, show: Callable[[Event], None]) -> Generator[Event, None, None]:
        """Ask the server where it can answer, else the assistant in this process."""
        settings = self._settings(question.command)
        remote = self._server(settings, show)
        if remote:
            self._assistant = remote
            try:
                yield from self._bridge.iterate(remote.ask(question))
            except Unreachable as error:
                self._covered.clear()
                show(Notice("warning", "server", f"{error}; answered here instead"))
            else:
                return
        self._assistant = self._assembled(settings, show).assistant
        yield from self._bridge.iterate(self._assistant.ask(question))

    def _settings(self, command: str) -> Settings:
        """Load what a person set; help must not depend on it."""
        try:
            return Settings.load(self._environ, self._traits)
        except SettingsError:
            if command in _WITHOUT_SETTINGS:
                return Settings(history_db="disabled", server="off")
            raise

    def _server(self, settings: Settings, show: Callable[[Event], None]) -> RemoteAssistant | None:
        """Return the server's assistant when it answers for the directory where we stand."""
        address = self._address(settings)
        if address is None:
            return None
        here = Path.cwd().as_posix()
        self._remote = self._remote or RemoteAssistant(address)
        if here not in self._covered:
            self._covered[here] = self._is_covered(self._remote, here, show)
        return self._remote if self._covered[here] else None

    def _address(self, settings: Settings) -> Address | None:
        if self._face == "cli":
            return named_server(settings.server, settings.server_token)
        return find_server(self._environ, settings.server, settings.server_token)

    def _is_covered(self, remote: RemoteAssistant, directory: str, show: Callable[[Event], None]) -> bool:
        """Ask the server whether it is there and has this directory; tell why not."""
        try:
            self._bridge.run(remote.check())
            if self._bridge.run(remote.covers(directory)):
                return True
            reason = f"{directory} lies outside the workspace of the Jupyter server"
        except TfaiError as error:
            reason = f"{error} ({remote.address.source})"
        show(Notice("warning", "server", f"{reason}; answered here instead"))
        return False

    def _assembled(self, settings: Settings, show: Callable[[Event], None]) -> Assembly:
        """Return this process's own assistant, made anew when the directory has left its root."""
        here = settings.workspace_root or Path.cwd()
        if self._assembly and here.is_relative_to(self._root):
            return self._assembly
        if self._assembly:
            self._bridge.run(self._assembly.aclose())
        self._assembly, self._root = assemble(settings, here), here
        for problem in settings.problems:
            show(Notice("warning", "settings", problem))
        return self._assembly

    def _follow(self, event: Event) -> None:
        """Remember the conversation, the turn, and ids that a person may name next."""
        match event:
            case TurnStarted():
                self._turn_id, self.conversation_id = event.turn_id, event.conversation_id
            case ApprovalRequired():
                self.ids["approval"].append(event.approval_id)
            case ChangeSetProposed():
                self.ids["change_set"].append(event.change_set_id)
            case PlanReady():
                self.ids["plan"].append(event.plan_id)
            case _:
                pass
