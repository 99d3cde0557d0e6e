"""The one resolver: what a path may say, where it may lead, and what may be read or written there.

`Root.resolve` compares real paths; `Root.open` then walks to the file from the root's own handle
without following any link, so a link that is swapped in between leads nowhere.
"""

from __future__ import annotations

import errno
import os
import stat
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

from tfai_jupyter.core.errors import Conflict, Forbidden, NotFound

_NAME_BYTES, _PATH_BYTES = 255, 4096
_READABLE_HIDDEN = frozenset({".terraform.lock.hcl", ".terraform-version", ".tflint.hcl", ".gitignore"})

SECRET_NAMES = (
    *("*.tfstate*", "*.tfplan*", "terraform.rc", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.kdbx", "*.ppk"),
    *("id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "credentials", "credentials.*", "*.credentials"),
    *("service-account*.json", "service_account*.json", "kubeconfig*", "*.ovpn", "*.keytab", "htpasswd*"),
)
"""Names that are never read; compared in lower case, at every level of a path."""

PROTECTED_NAMES = (
    *("secrets*.tfvars", "secrets*.tfvars.json", "sitecustomize.py", "usercustomize.py", "conftest.py", "setup.py"),
    *("makefile", "gnumakefile", "package.json", "*.ipynb", "*.pth", "*.service", "dockerfile", "jenkinsfile"),
)
"""Names that no change set writes, since programs run them unasked; a person edits these by hand."""


class Root:
    """A directory that nothing leaves."""

    def __init__(self, path: Path) -> None:
        """Take the directory; its real path counts."""
        self.path = Path(os.path.realpath(path))

    def resolve(self, path: str, directory: Path | None = None) -> Path:
        """Return the real path of `path` below `directory`, else the root; raises Forbidden.

        Refused are paths that lead outside, hidden names, devices, and spellings that other
        programs could read differently. An absolute path inside the root is accepted.
        """
        if wrong := _misspelt(path):
            raise _refused(path, wrong)
        start = directory or self.path
        given = Path(os.path.normpath(start / path))
        try:
            real = Path(os.path.realpath(start / path))
            mode = _mode(real)
        except OSError as error:
            raise _refused(path, "cannot be resolved") from error
        through_kernel = given.is_relative_to("/proc") and not self.path.is_relative_to("/proc")
        if through_kernel or not real.is_relative_to(self.path):
            raise _refused(path, "leads outside the workspace")
        if mode is not None and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise _refused(path, "is no regular file or directory")
        written = given.relative_to(self.path).parts if given.is_relative_to(self.path) else ()
        if any(is_hidden(name) for name in (*real.relative_to(self.path).parts, *written)):
            raise _refused(path, "is hidden (its name begins with a dot)")
        return real

    def relative(self, path: Path) -> str:
        """Return a resolved path relative to the root, with `/`; empty for the root."""
        if not path.is_relative_to(self.path):
            raise _refused(path.name, "leads outside the workspace")
        return "" if path == self.path else path.relative_to(self.path).as_posix()

    def readable(self, path: str, directory: Path | None = None) -> Path:
        """Resolve a file to read; raises Forbidden also for secret and state files."""
        real = self.resolve(path, directory)
        if real == self.path:
            raise _refused(path, "is a directory, not a file")
        names = (*real.relative_to(self.path).parts, Path(path).name)
        if any(is_secret(name) for name in names):
            raise _refused(path, "is a secret or state file; it is never read here")
        return real

    def writable(self, path: str) -> Path:
        """Resolve a file to write; raises Forbidden also for files that programs run unasked."""
        real = self.readable(path)
        if any(_matches(name, PROTECTED_NAMES) or name.startswith(".") for name in (real.name, Path(path).name)):
            raise _refused(path, "is protected: change it by hand")
        if not real.name.strip() or path.endswith(("/", "/.")):
            raise _refused(path, "is no file name")
        return real

    @contextmanager
    def open(self, path: Path) -> Iterator[int]:
        """Open a resolved file for reading without following links; raises NotFound, Forbidden."""
        with self.parent(path) as parent:
            # O_NONBLOCK: a named pipe that was put here meanwhile must not hold us.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            with _told(self.relative(path)):
                handle = os.open(path.name, flags, dir_fd=parent)
            try:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise _refused(self.relative(path), "is no regular file")
                yield handle
            finally:
                os.close(handle)

    @contextmanager
    def parent(self, path: Path) -> Iterator[int]:
        """Open the directory of a resolved path, walking from the root without following links."""
        shown = self.relative(path)
        with _told(shown):
            handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for name in path.relative_to(self.path).parts[:-1]:
                with _told(shown):
                    below = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=handle)
                os.close(handle)
                handle = below
            yield handle
        finally:
            os.close(handle)


def is_hidden(name: str) -> bool:
    """Tell whether a name begins with a dot and is none of the few that Terraform users share."""
    return name.startswith(".") and name not in _READABLE_HIDDEN


def is_secret(name: str) -> bool:
    """Tell whether a file of this name is never read; `credentials.tf` is configuration, no secret."""
    return _matches(name, SECRET_NAMES) and not name.endswith((".tf", ".tf.json", ".tftest.hcl"))


def _matches(name: str, patterns: Sequence[str]) -> bool:
    folded = unicodedata.normalize("NFKC", name).casefold()
    return any(fnmatchcase(folded, pattern) for pattern in patterns)


def _misspelt(path: str) -> str:
    """Return what is wrong with a path as written, empty when nothing is."""
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        return "is not valid Unicode"
    if len(encoded) >= _PATH_BYTES or any(len(name.encode()) > _NAME_BYTES for name in path.split("/")):
        return "is too long"
    if any(unicodedata.category(letter) in {"Cc", "Cf", "Zl", "Zp"} for letter in path):
        return "contains a control character"
    if "\\" in path:
        return "contains a back-slash; write / between directories"
    if path.startswith("~"):
        return "begins with ~, which is not expanded here; write it relative to the workspace"
    normal = unicodedata.normalize("NFKC", path)
    if any(normal.count(letter) != path.count(letter) for letter in "/.\\~"):
        return "contains a letter that looks like a dot or separator"
    return ""


def _mode(path: Path) -> int | None:
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISLNK(mode):  # what realpath leaves a link is a loop
        raise OSError(errno.ELOOP, "symbolic links form a loop")
    return mode


@contextmanager
def _told(shown: str) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        message = f"there is no file {shown} in the workspace"
        raise NotFound(message) from error
    except PermissionError as error:
        raise _refused(shown, "cannot be opened: the system denies it") from error
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK, errno.ENXIO):
            raise _refused(shown, "became a link while it was opened") from error
        message = f"{shown} cannot be opened: {error.strerror}"
        raise Conflict(message) from error


def _refused(path: str, why: str) -> Forbidden:
    # What is absolute may be a path of this machine: it is not repeated to whoever reads the answer.
    shown = "that path" if path.startswith("/") else ascii(path)[1:-1][:80] or "an empty path"
    return Forbidden(f"{shown} {why}")
