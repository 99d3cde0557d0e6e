"""The YAML files we read: settings and approval policies. Never one inside a workspace."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .core.errors import SettingsError
from .options import Option, suggest

_VERSION = 1
_DEPTH = 3  # of the deepest key, such as model.openai.model; what is below is none of ours, and may be endless
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_RENAMED = {"history.db_path": "history.db"}  # the predecessor's name
_HOST = {"server.host", "server.port", "server.api_key"}  # the predecessor's server; ours is Jupyter's


@dataclass(slots=True)
class Written:
    """What a settings file gives: values by option name, and sentences about what it should not hold."""

    values: dict[str, object] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read_config(path: Path, options: Iterable[Option], environ: Mapping[str, str]) -> Written:
    """Read a settings file; raises SettingsError when it is no YAML of a version that we know."""
    known = {each.yaml: each for each in options if each.yaml}
    written = Written()
    for key, given in _leaves(_document(path)):
        each = known.get(_RENAMED.get(key, key))
        if key in _HOST:
            written.problems.append(f"{key} in {path} has no effect: the Jupyter server's own setting counts")
        elif each is None:
            written.problems.append(f"{key} in {path} is no setting{suggest(key, known)}; it is ignored")
        else:
            written.values[each.name] = _interpolate(given, each, f"{key} in {path}", environ, written.problems)
    return written


def read_policy(path: Path) -> frozenset[str]:
    """Return the digests that a policy file approves in advance; raises SettingsError.

    The file has `version: 1` and `approve:`, a list of plan or change-set digests.
    """
    document = _document(path)
    for key in document:
        if key != "approve":
            message = f"{key} in {path} is no part of an approval policy; it has version and approve"
            raise SettingsError(message)
    digests = document.get("approve")
    if not isinstance(digests, list):
        message = f"approve in {path} must be a list of digests"
        raise SettingsError(message)
    for digest in digests:
        if not _DIGEST.fullmatch(str(digest)):
            message = (
                f"{digest} in {path} is no digest; one is sha256: and 64 hexadecimal digits, as shown with a proposal"
            )
            raise SettingsError(message)
    return frozenset(digests)


def _document(path: Path) -> dict[str, Any]:
    import yaml  # noqa: PLC0415 - only where there is a file

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
        raise SettingsError(message) from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}" if mark else ""
        message = f"{path} is no YAML{place}; correct it or unset TFAI_CONFIG"
        raise SettingsError(message) from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        message = f"{path} must hold sections, not {type(document).__name__}"
        raise SettingsError(message)
    version = document.pop("version", _VERSION)
    if version != _VERSION:
        message = f"version {version} of {path} is unknown; this release reads version {_VERSION}"
        raise SettingsError(message)
    return {str(key): value for key, value in document.items()}


def _leaves(document: Mapping[Any, Any], above: str = "") -> Iterator[tuple[str, object]]:
    for key, value in document.items():
        if isinstance(value, dict) and above.count(".") < _DEPTH:
            yield from _leaves(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _interpolate(given: object, each: Option, where: str, environ: Mapping[str, str], problems: list[str]) -> object:
    if each.secret and given and not _VARIABLE.search(str(given)):
        problems.append(f"{where} is a secret in plain text; write ${{{each.env}}} and set that variable instead")
    if not isinstance(given, str):
        return given
    unset = [name for name in _VARIABLE.findall(given) if name not in environ]
    problems += [f"{where} names ${{{name}}}, which is not set; it counts as empty" for name in unset]
    return _VARIABLE.sub(lambda found: environ.get(found[1], ""), given)
