"""What a model may see of a variables file: names and shapes, but no text. Pure.

Which variable is secret is declared elsewhere, perhaps in a module that is not even here, so that
every string of a `.tfvars` file counts as one.
"""

from __future__ import annotations

import re

MASK = "[REDACTED:tfvars]"

_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"(\s*[=:])?')
_HEREDOC = re.compile(r"(<<-?(\w+)\n).*?(^\s*\2$)", re.DOTALL | re.MULTILINE)


def is_variables_file(path: str) -> bool:
    """Tell whether a file holds values of variables."""
    return path.endswith((".tfvars", ".tfvars.json"))


def masked(text: str) -> str:
    """Replace every string value, quoted or as a here-document; keys, numbers and truth values stay."""
    hidden = _HEREDOC.sub(rf"\g<1>{MASK}\n\g<3>", text)
    return _STRING.sub(lambda found: f'"{MASK}"' if found[1] and not found[2] else found[0], hidden)
