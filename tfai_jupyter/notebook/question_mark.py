"""Question mark: `%tfai ask what is a module?` is a question to us, not to IPython's help.

IPython takes a line that ends with `?` for a wish to see documentation. This transform, which runs
before that, turns such a line into the call that it means. `%tfai?` stays a wish for help.
"""

from __future__ import annotations

import re

_LINE = re.compile(r"(?P<before>\s*(?:[\w., \t\[\]'\"]+=\s*)?)%tfai[ \t]+(?P<rest>.*\?)\s*")
_QUOTES = ('"""', "'''")


def keep_question_mark(lines: list[str]) -> list[str]:
    """Rewrite the lines of a cell that ask us something; `%tfai plan?` asks how to use it."""
    kept: list[str] = []
    for line in lines:
        found = _LINE.fullmatch(line)
        is_code = not any("".join(kept).count(quote) % 2 for quote in _QUOTES) if found else False
        kept.append(_call(found["before"], found["rest"]) if found and is_code else line)
    return kept


def _call(before: str, rest: str) -> str:
    word, _, others = rest.partition(" ")
    asked = rest if others else f"help {word.rstrip('?')}".strip()
    return f"{before}get_ipython().run_line_magic('tfai', {asked!r})\n"
