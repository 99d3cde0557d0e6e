"""Address: where the Jupyter server is whose extension answers for this kernel, and with which token.

Never a guess by directory: explicit, or a hub's own variables, or the server that started this kernel.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

_FORWARDED = re.compile(r"(AWS|ARM|AZURE|GOOGLE|TF_VAR|VAULT)_|KUBE|TF_WORKSPACE$")
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}  # noqa: S104 - what a server listens on


@dataclass(frozen=True, slots=True)
class Address:
    """A server's base URL (with its last slash) and token; `source` says who named it."""

    url: str
    token: str = field(default="", repr=False)
    source: str = "TFAI_SERVER"

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine, so that no proxy stands between."""
        return urlsplit(self.url).hostname in ("127.0.0.1", "localhost", "::1")


def find_server(environ: Mapping[str, str], server: str = "auto", token: str = "") -> Address | None:
    """Return the server that `server` (TFAI_SERVER: auto, off or a URL) means; None to do without one."""
    if server == "off":
        return None
    if server != "auto":
        return Address(server.rstrip("/") + "/", token)
    return _of_hub(environ) or _of_parent(environ)


def named_server(server: str, token: str = "") -> Address | None:
    """Return the server only when a URL names it, as a shell does."""
    return None if server == "auto" else find_server({}, server, token)


def forwarded(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the part of an environment that Terraform may see wherever it runs."""
    return {name: value for name, value in environ.items() if _FORWARDED.match(name)}


def _of_hub(environ: Mapping[str, str]) -> Address | None:
    service, token = environ.get("JUPYTERHUB_SERVICE_URL"), environ.get("JUPYTERHUB_API_TOKEN")
    if not service or not token:
        return None
    parts = urlsplit(service)
    host = _EVERYWHERE.get(parts.hostname or "", parts.hostname)
    prefix = environ.get("JUPYTERHUB_SERVICE_PREFIX") or parts.path or "/"
    port = f":{parts.port}" if parts.port else ""
    return Address(f"{parts.scheme}://{host}{port}{prefix.rstrip('/')}/", token, "JUPYTERHUB_SERVICE_URL")


def _of_parent(environ: Mapping[str, str]) -> Address | None:
    """Read the file that the server which started this kernel wrote about itself."""
    pid = environ.get("JPY_PARENT_PID", "")
    if not pid.isdecimal():
        return None
    from jupyter_core.paths import jupyter_runtime_dir  # noqa: PLC0415 - at first use, as everything here

    try:
        about = json.loads((Path(jupyter_runtime_dir()) / f"jpserver-{pid}.json").read_text(encoding="utf-8"))
        url, token = str(about["url"]), str(about.get("token", ""))
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return Address(url.rstrip("/") + "/", token, "JPY_PARENT_PID") if url.startswith(("http://", "https://")) else None
