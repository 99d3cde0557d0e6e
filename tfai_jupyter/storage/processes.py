"""Which process is which: a name that no later process with the same pid can have, and file locks."""

from __future__ import annotations

import fcntl
import os
import socket
from pathlib import Path

from tfai_jupyter.core.errors import Conflict


def process_name(pid: int = 0) -> str:
    """Name a process of this machine: `PID@HOST/BOOT:START`; parts that the system hides are empty."""
    pid = pid or os.getpid()
    return f"{pid}@{socket.gethostname()}/{_boot()}:{_started(pid)}"


def is_alive(name: str) -> bool:
    """Tell whether a named process still runs here; one of another machine or boot counts as gone."""
    number = name.partition("@")[0]
    if not number.isdecimal() or process_name(int(number)) != name:
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def try_lock(handle: int) -> bool:
    """Lock an open file for this handle alone; the system lets go of it when the process dies."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


class OwnerLock:
    """A lock file that one process holds; it tells the others who that is."""

    def __init__(self, path: Path) -> None:
        """Take the lock or raise Conflict with the pid of who holds it; raises OSError."""
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        if not try_lock(self._handle):
            holder = os.pread(self._handle, 32, 0).decode(errors="replace").strip()
            os.close(self._handle)
            raise Conflict(holder or "unknown")
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let the next one have it."""
        os.close(self._handle)


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Return the clock tick at which a process began: field 22 of its stat, see proc(5)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]
