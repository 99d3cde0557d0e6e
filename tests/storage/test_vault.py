import multiprocessing

import pytest

from tfai_jupyter.core.errors import Expired, Invalid, NotFound
from tfai_jupyter.storage.vault import Vault


def take_one(root, name, answers):
    """Try to take a document, as another process."""
    try:
        answers.put(Vault(root).take("approvals", name)["text"])
    except Expired:
        answers.put("expired")


def test_what_was_written_is_read_by_another_vault(tmp_path):
    """A document outlives the object that wrote it."""
    Vault(tmp_path / "vault").write("plans", "one", {"text": "häé"})

    assert {"text": "häé"} == Vault(tmp_path / "vault").read("plans", "one")


def test_directories_and_files_are_private(tmp_path):
    """Nobody else on the machine can look in, even where the directory was open before."""
    root = tmp_path / "vault"
    root.mkdir(mode=0o755)
    vault = Vault(root)
    vault.write("plans", "one", {})
    modes = {path.name: path.stat().st_mode & 0o777 for path in (root, *root.rglob("*"))}
    modes["files"] = vault.directory("plans", "one").stat().st_mode & 0o777

    assert {"vault": 0o700, "plans": 0o700, "one.json": 0o600, "files": 0o700} == modes


def test_a_document_is_taken_exactly_once(tmp_path):
    """The second taker is told that it was used; an unknown one, that there is none."""
    vault = Vault(tmp_path)
    vault.write("approvals", "one", {"text": "yes"})

    assert {"text": "yes"} == vault.take("approvals", "one")
    with pytest.raises(Expired, match="approval one was used already"):
        vault.take("approvals", "one")
    with pytest.raises(NotFound):
        vault.take("approvals", "two")
    with pytest.raises(NotFound):
        vault.read("approvals", "one")


def test_of_many_processes_one_takes_a_document(tmp_path):
    """Eight processes reach for the same approval and one gets it."""
    Vault(tmp_path).write("approvals", "one", {"text": "yes"})
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    takers = [context.Process(target=take_one, args=(tmp_path, "one", answers)) for _ in range(4)]
    for taker in takers:
        taker.start()
    got = [answers.get(timeout=60) for _ in takers]
    for taker in takers:
        taker.join()

    assert ["expired"] * 3 + ["yes"] == sorted(got)


def test_names_come_oldest_first_without_what_was_taken(tmp_path):
    """A list of what waits has the longest waiting first."""
    vault = Vault(tmp_path)
    for name in ("b", "c", "a"):
        vault.write("approvals", name, {})
    vault.take("approvals", "c")

    assert ("b", "a") == vault.names("approvals")
    assert () == vault.names("nothing")


@pytest.mark.parametrize("name", ["", "..", "a/b", "../x", ".hidden", "a\0b", "x" * 200, "a b"])
def test_a_name_cannot_lead_elsewhere(tmp_path, name):
    """Kinds and names are identifiers, not paths."""
    vault = Vault(tmp_path)
    for call in (lambda: vault.write("plans", name, {}), lambda: vault.directory(name, "x")):
        with pytest.raises(Invalid, match="no identifier"):
            call()

    assert [] == list(tmp_path.iterdir())


def test_a_damaged_document_is_one_that_is_missing(tmp_path):
    """A file that is not JSON gives a sentence, not a traceback."""
    vault = Vault(tmp_path)
    vault.write("plans", "one", {})
    (tmp_path / "plans" / "one.json").write_text("{")

    with pytest.raises(NotFound, match="damaged"):
        vault.read("plans", "one")
