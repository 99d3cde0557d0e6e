"""Magics: `%tfai` and `%%tfai`, and what the extension puts into IPython and takes away again.

A line is parsed, asked, shown while it happens, and its result returned. What fails is one line.
"""

from __future__ import annotations

import atexit
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher
from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from tfai_jupyter.core.errors import TfaiError

from .question_mark import keep_question_mark

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from tfai_jupyter.core.page import Shown

    from .session import Session

_SHOWN = ("tfai_jupyter.core.page", "Shown")
_NAME = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")


@magics_class
class TfaiMagics(Magics):
    """One kernel's way to the assistant."""

    def __init__(self, shell: InteractiveShell) -> None:
        """Wait for the first question before anything is imported or connected."""
        super().__init__(shell)
        self._shell = shell
        self._session: Session | None = None
        self._told: tuple[object, int] = (None, -1)

    @no_var_expand
    @line_cell_magic
    def tfai(self, line: str, cell: str | None = None) -> object:
        """Ask the Terraform assistant, or name a command.

        %tfai ask TEXT            asks a question; %%tfai asks what stands in the cell below it
        %tfai generate TEXT       proposes files; %tfai approve ID writes them
        %tfai plan -d DIRECTORY   shows what would change; plan = %tfai plan keeps it
        %tfai help                lists every command, %tfai help COMMAND its options

        --plain, --json and --quiet choose what is printed; --vars puts kernel variables where
        {{name}} stands, and nothing else is ever inserted.
        """
        return self.run(line, cell or "")

    def run(self, line: str, body: str = "") -> object:
        """Carry out a line, as results do that go on; what fails becomes one line."""
        with _one_line():
            return self._answer(line, body)

    @property
    def session(self) -> Session:
        """The kernel's dealings with an assistant, begun at first use."""
        if self._session is None:
            from .session import Session  # noqa: PLC0415 - keeps %load_ext light

            traits = self._shell.config.get("Tfai", {})
            self._session = Session("notebook", os.environ, traits, self.run)
            _at_exit(self.close)
        return self._session

    def close(self) -> None:
        """Give back what the session holds."""
        if self._session:
            self._session.close()
            self._session = None

    def _answer(self, line: str, body: str) -> object:
        from tfai_jupyter.core.commands import parse, split  # noqa: PLC0415 - keeps %load_ext light

        from .display import Display, form_of, problem_of  # noqa: PLC0415 - as above

        words, body = self._filled(split(line), body)
        invocation = parse(words, body)
        display = Display(sys.stdout, sys.stdout, form_of(invocation.options), "%tfai")
        outcome = self.session.ask(invocation, display.show)
        result = display.finish(outcome)
        if problem := problem_of(outcome):
            display.tell(result, problem)
            raise UsageError(problem)  # so that Run All stops here
        if display.has_told(result):
            self._told = (result, self._shell.execution_count)
        return result

    def _filled(self, words: list[str], body: str) -> tuple[list[str], str]:
        """Put kernel variables where {{name}} stands, only where `--vars` asks for it."""
        if "--vars" not in words:
            return words, body
        return [self._fill(word) for word in words if word != "--vars"], self._fill(body)

    def _fill(self, text: str) -> str:
        def value(found: re.Match[str]) -> str:
            if found[1] not in self._shell.user_ns:
                message = f"there is no variable {found[1]!r} in this kernel"
                raise UsageError(message)
            return str(self._shell.user_ns[found[1]])

        return _NAME.sub(value, text)

    def show_once(self, result: Shown) -> None:
        """Leave a cell's Out empty when the cell already shows all of the result."""
        told, count = self._told
        if result is not told or count != self._shell.execution_count:
            raise NotImplementedError  # IPython's word for: let the usual representations do it
        if not hasattr(self._shell, "kernel"):
            sys.stdout.write("(as above)\n")  # a terminal has already written `Out[1]: `

    @context_matcher()  # type: ignore[untyped-decorator]
    def matcher(self, context: CompletionContext) -> SimpleMatcherResult:
        """Complete a line of ours."""
        from .completion import complete  # noqa: PLC0415 - as above

        ids = self._session.ids if self._session else {}
        found = complete(context.text_until_cursor, ids, Path.cwd())
        if found is None:
            return {"completions": []}
        token, texts = found
        completions = [SimpleCompletion(text, type="magic") for text in texts]
        return {"completions": completions, "suppress": True, "matched_fragment": token, "ordered": True}


def load(shell: InteractiveShell) -> None:
    """Put the magics, the question mark, completion and the display of results into a shell."""
    magics = TfaiMagics(shell)
    shell.register_magics(magics)
    shell.input_transformers_cleanup.append(keep_question_mark)
    shell.Completer.custom_matchers.append(magics.matcher)
    _displays(shell).for_type_by_name(*_SHOWN, magics.show_once)


def unload(shell: InteractiveShell) -> None:
    """Take all of it away again."""
    magics: Any = shell.magics_manager.registry.pop(TfaiMagics.__name__, None)
    if magics is None:
        return
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("tfai", None)
    shell.input_transformers_cleanup.remove(keep_question_mark)
    shell.Completer.custom_matchers.remove(magics.matcher)
    _displays(shell).pop(".".join(_SHOWN))
    magics.close()


def _displays(shell: InteractiveShell) -> Any:  # noqa: ANN401 - IPython leaves it untyped
    formatter: Any = shell.display_formatter
    return formatter.ipython_display_formatter


def _at_exit(close: Callable[[], None]) -> None:
    """Have this called while threads can still be started; `atexit` comes after, when none can."""
    import concurrent.futures.thread  # noqa: F401, PLC0415 - what came first is ended last

    getattr(threading, "_register_atexit", atexit.register)(close)


@contextmanager
def _one_line() -> Iterator[None]:
    """Turn what a person can act on into IPython's one-line error."""
    try:
        yield
    except (TfaiError, OSError) as error:
        raise UsageError(str(error)) from None
    except KeyboardInterrupt:
        message = "interrupted; the turn is being stopped"
        raise UsageError(message) from None
