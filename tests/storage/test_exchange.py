import signal
import subprocess
import sys

import pytest

from tfai_jupyter.core.changes import sha256_of
from tfai_jupyter.core.wire import to_json
from tfai_jupyter.storage.exchange import Exchange, Record, Swap
from tfai_jupyter.storage.paths import Root
from tfai_jupyter.storage.vault import Vault

OLD, NEW = b"old\n", b"new\n"


class DyingVault(Vault):
    """A vault whose disk is full when an exchange wants to say that it is done."""

    dies = True

    def write(self, kind, name, document):
        """Fail for the last record only."""
        if self.dies and document["state"] in ("applied", "undone"):
            self.dies = False
            raise OSError(28, "No space left on device")
        super().write(kind, name, document)


@pytest.fixture
def root(tmp_path):
    """Make a root with two files."""
    (tmp_path / "root").mkdir()
    for name in "ab":
        (tmp_path / "root" / name).write_bytes(OLD)
    return tmp_path / "root"


def swaps(*names, before=OLD):
    """Swap each name's text for the new one."""
    return [Swap(name, sha256_of(before) if before else "", sha256_of(NEW)) for name in names]


def test_a_failure_in_the_second_file_leaves_the_first_as_it_was(root, tmp_path):
    """The second directory cannot be written, so the first file stays old and no file is left behind."""
    (root / "z").mkdir()
    (root / "z" / "c").write_bytes(OLD)
    exchange = Exchange(Root(root), Vault(tmp_path / "vault"))
    (root / "z" / ".tfai-one-1.tmp").mkdir()  # a directory where the text is staged: not to be unlinked

    with pytest.raises(OSError, match="directory"):
        exchange.apply("one", swaps("a", "z/c"), [NEW])
    assert [OLD, OLD] == [(root / name).read_bytes() for name in ("a", "z/c")]
    assert ["a", "b", "z"] == sorted(path.name for path in root.iterdir())


def test_a_full_disk_at_the_last_moment_puts_all_back(root, tmp_path):
    """Files were renamed already when the record could not be closed: they are what they were."""
    exchange = Exchange(Root(root), DyingVault(tmp_path / "vault"))

    with pytest.raises(OSError, match="No space"):
        exchange.apply("one", [*swaps("a", "b"), *swaps("new/c", before=b"")], [NEW])
    assert [OLD, OLD] == [(root / name).read_bytes() for name in "ab"]
    assert ["a", "b"] == sorted(path.name for path in root.iterdir())
    assert "failed" == exchange.find("one").state


def test_a_failed_undo_leaves_what_was_applied(root, tmp_path):
    """An undo that cannot be finished is taken back itself."""
    Exchange(Root(root), Vault(tmp_path / "vault")).apply("one", swaps("a", "b"), [NEW])
    exchange = Exchange(Root(root), DyingVault(tmp_path / "vault"))

    with pytest.raises(OSError, match="No space"):
        exchange.undo("one")
    assert [NEW, NEW] == [(root / name).read_bytes() for name in "ab"]
    assert "applied" == exchange.find("one").state


def test_a_process_killed_in_the_middle_is_repaired_by_the_next(root, tmp_path):
    """After kill -9 before the record is closed, the next start has all files old again and no rest."""
    script = f"""
import os, signal
from pathlib import Path
from tfai_jupyter.core.changes import sha256_of
from tfai_jupyter.storage.exchange import Exchange, Swap
from tfai_jupyter.storage.paths import Root
from tfai_jupyter.storage.vault import Vault
class Killer(Vault):
    def write(self, kind, name, document):
        if document["state"] == "applied":
            os.kill(os.getpid(), signal.SIGKILL)
        super().write(kind, name, document)
swaps = [Swap(name, sha256_of({OLD!r}), sha256_of({NEW!r})) for name in "ab"]
Exchange(Root(Path({str(root)!r})), Killer(Path({str(tmp_path / "vault")!r}))).apply("one", swaps, [{NEW!r}])
"""
    died = subprocess.run([sys.executable, "-c", script], check=False, timeout=60)
    written = [(root / name).read_bytes() for name in "ab"]
    (root / "b").write_bytes(OLD)  # as if it had died between the two
    exchange = Exchange(Root(root), Vault(tmp_path / "vault"))

    assert (-signal.SIGKILL, [NEW, NEW]) == (died.returncode, written)
    assert ("one",) == exchange.recover()
    assert [OLD, OLD] == [(root / name).read_bytes() for name in "ab"]
    assert ["a", "b"] == sorted(path.name for path in root.iterdir())
    assert () == exchange.recover()


def test_a_repair_leaves_what_somebody_edited_meanwhile(root, tmp_path):
    """A file that is neither old nor new after a crash belongs to whoever edited it."""
    vault = Vault(tmp_path / "vault")
    exchange = Exchange(Root(root), vault)
    exchange.apply("one", swaps("a", "b"), [NEW])
    vault.write("exchanges", "one", to_json(Record("one", str(root), "applying", tuple(swaps("a", "b")))))
    (root / "a").write_bytes(b"edited\n")

    assert ("one",) == exchange.recover()
    assert [b"edited\n", OLD] == [(root / name).read_bytes() for name in "ab"]
