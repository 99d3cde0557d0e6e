import asyncio

import pytest

from tfai_jupyter.core.errors import Binary, Conflict, Forbidden, Invalid, NotFound, TooLarge
from tfai_jupyter.storage.vault import Vault
from tfai_jupyter.storage.workspace import DiskWorkspace


@pytest.fixture
def workspace(tmp_path):
    """Make a workspace with two files."""
    root = tmp_path / "workspace"
    (root / "modules" / "net").mkdir(parents=True)
    (root / "main.tf").write_text("# main\n")
    (root / "modules" / "net" / "main.tf").write_text("# net\n")
    return DiskWorkspace(root, Vault(tmp_path / "vault"))


def texts(workspace):
    """Return every file below the root, by path."""
    root = workspace.root
    return {path.relative_to(root).as_posix(): path.read_text() for path in root.rglob("*") if path.is_file()}


async def test_a_file_is_read_with_hash_and_size(workspace):
    """A relative path and an absolute one inside the root name the same file."""
    by_name = await workspace.read("main.tf")
    by_path = await workspace.read(str(workspace.root / "main.tf"))
    below = await workspace.read("main.tf", workspace.resolve("modules/net"))

    assert ("main.tf", "# main\n", 7) == (by_name.path, by_name.content, by_name.size)
    assert by_name.sha256.startswith("sha256:")
    assert by_name == by_path
    assert "modules/net/main.tf" == below.path


async def test_what_is_no_text_or_too_large_is_refused(workspace):
    """A sparse file of 10 GB is refused by its size, without reading it."""
    (workspace.root / "image").write_bytes(b"\x89PNG\0\xff")
    with (workspace.root / "huge.tf").open("wb") as file:
        file.truncate(10 * 1024**3)

    with pytest.raises(Binary):
        await workspace.read("image")
    with pytest.raises(TooLarge):
        await asyncio.wait_for(workspace.read("huge.tf"), 1)
    with pytest.raises(NotFound):
        await workspace.read("absent.tf")
    with pytest.raises(NotFound):
        await workspace.read("main.tf/below")


async def test_a_listing_tells_what_terraform_left_in_the_directory_itself(workspace):
    """Badges come from the directory, not from one below it; hidden names are not listed."""
    net = workspace.root / "modules" / "net"
    (net / ".terraform").mkdir()
    (net / ".terraform" / "x.tf").write_text("")
    (net / "terraform.tfstate").write_text("{}")
    (net / ".terraform.lock.hcl").write_text("")
    above, below = await workspace.list(workspace.root), await workspace.list(net)

    assert ["main.tf", "modules/net/.terraform.lock.hcl", "modules/net/main.tf"] == [each.path for each in above.files]
    assert ("modules", "modules/net") == above.dirs
    assert (False, False, False) == (above.initialized, above.has_state, above.has_lockfile)
    assert (True, True, True) == (below.initialized, below.has_state, below.has_lockfile)
    assert "modules/net" == below.dir


async def test_a_listing_of_a_flood_ends(workspace):
    """A directory with more entries than the cap is listed in part, and says so."""
    for number in range(20_010):
        (workspace.root / f"{number}.txt").touch()

    assert (await workspace.list(workspace.root)).truncated


async def test_a_snapshot_has_the_most_telling_files_first(workspace):
    """Root files come before modules, main before outputs; other files are not in it."""
    for name in ("outputs.tf", "variables.tf", "a.tf", "x.tf.json", "notes.md", "terraform.tfvars"):
        (workspace.root / name).write_text("# x\n")
    snapshot = await workspace.snapshot(workspace.root)

    expected = ["main.tf", "variables.tf", "outputs.tf", "a.tf", "x.tf.json", "modules/net/main.tf"]
    assert expected == [file.path for file in snapshot.files]
    assert () == snapshot.omitted


async def test_a_snapshot_names_what_it_leaves_out(workspace):
    """Too large, too many, not text and linked elsewhere: each is named with a reason, links not followed."""
    (workspace.root / "large.tf").write_text("#" * 200_000)
    (workspace.root / "binary.tf").write_bytes(b"\xff\0")
    (workspace.root / "link.tf").symlink_to("/etc/hosts")
    for number in range(60):
        (workspace.root / "modules" / f"{number:02}.tf").write_text("")
    snapshot = await workspace.snapshot(workspace.root)

    assert 50 == len(snapshot.files)
    assert "large.tf: larger than 100 KiB" in snapshot.omitted
    assert any(line.startswith("binary.tf: ") for line in snapshot.omitted)
    assert any(line.endswith("more than 50 files") for line in snapshot.omitted)
    assert "link.tf" not in [file.path for file in snapshot.files]


async def test_a_change_set_is_applied_as_a_whole_and_undone_once(workspace):
    """Create, update and delete happen together, and are put back together, new directories too."""
    (workspace.root / "old.tf").write_text("# old\n")
    before = texts(workspace)
    change_set = await workspace.propose({"main.tf": "# new\n", "modules/eks/main.tf": "# eks\n", "old.tf": None})

    assert before == texts(workspace)
    assert ("main.tf", "modules/eks/main.tf", "old.tf") == await workspace.apply(change_set)
    expected = {"main.tf": "# new\n", "modules/eks/main.tf": "# eks\n", "modules/net/main.tf": "# net\n"}
    assert expected == texts(workspace)
    assert ("main.tf", "modules/eks/main.tf", "old.tf") == await workspace.undo()
    assert before == texts(workspace)
    assert not (workspace.root / "modules" / "eks").exists()
    with pytest.raises(NotFound, match="nothing to undo"):
        await workspace.undo()


async def test_modes_are_kept(workspace):
    """An executable stays one; a new file is readable for all."""
    (workspace.root / "run.tftpl").write_text("a")
    (workspace.root / "run.tftpl").chmod(0o755)
    await workspace.apply(await workspace.propose({"run.tftpl": "b", "new.tf": "c"}))

    modes = [(workspace.root / name).stat().st_mode & 0o777 for name in ("run.tftpl", "new.tf")]
    assert [0o755, 0o644] == modes


async def test_another_process_can_approve_and_undo(workspace, tmp_path):
    """A proposal lies in the vault with its contents, and so does the undo copy."""
    change_set = await workspace.propose({"main.tf": "# new\n"}, summary="new main")
    other = DiskWorkspace(workspace.root, Vault(tmp_path / "vault"))
    loaded = await other.load(change_set.id)

    assert (change_set, {"main.tf": "# new\n"}) == (loaded, loaded.contents)
    assert (change_set,) == await other.pending()
    await other.apply(loaded)
    assert ((), (change_set,)) == (await workspace.pending(), await workspace.applied())
    await workspace.undo(change_set.id)
    assert ((), ()) == (await workspace.pending(), await workspace.applied())
    with pytest.raises(Conflict, match="applied before"):
        await workspace.apply(loaded)


async def test_another_root_sees_nothing_of_it(workspace, tmp_path):
    """A vault serves many workspaces; each knows its own proposals alone."""
    change_set = await workspace.propose({"main.tf": "# new\n"})
    await workspace.apply(change_set)
    (tmp_path / "other").mkdir()
    other = DiskWorkspace(tmp_path / "other", Vault(tmp_path / "vault"))

    assert ((), ()) == (await other.pending(), await other.applied())
    with pytest.raises(NotFound):
        await other.load(change_set.id)
    with pytest.raises(NotFound):
        await other.undo(change_set.id)


async def test_a_file_that_changed_since_stops_everything(workspace):
    """Nothing is written when one of two files is not what it was; the message names it."""
    change_set = await workspace.propose({"main.tf": "# a\n", "modules/net/main.tf": "# b\n"})
    (workspace.root / "modules" / "net" / "main.tf").write_text("# edited\n")
    before = texts(workspace)

    with pytest.raises(Conflict, match=r"modules/net/main\.tf changed since"):
        await workspace.apply(change_set)
    assert before == texts(workspace)


async def test_an_undo_does_not_lose_later_work(workspace):
    """A file that was edited after the change is not overwritten by an undo."""
    await workspace.apply(await workspace.propose({"main.tf": "# new\n"}))
    (workspace.root / "main.tf").write_text("# edited\n")

    with pytest.raises(Conflict, match=r"main\.tf changed since"):
        await workspace.undo()
    assert "# edited\n" == (workspace.root / "main.tf").read_text()


async def test_a_part_of_a_change_set_is_applied(workspace):
    """Only the files that were chosen are written, and only those can be chosen that are in it."""
    change_set = await workspace.propose({"a.tf": "# a\n", "b.tf": "# b\n"})

    with pytest.raises(Invalid, match=r"c\.tf"):
        await workspace.apply(change_set, ["c.tf"])
    assert ("b.tf",) == await workspace.apply(change_set, ["b.tf"])
    assert not (workspace.root / "a.tf").exists()


@pytest.mark.parametrize(
    ("contents", "error"),
    [
        ({"main.tf": "password = [REDACTED:pw#ab12]"}, Invalid),
        ({"main.tf": "a\0b"}, Invalid),
        ({"main.tf": "\ud800"}, Invalid),
        ({"main.tf": "a", "./main.tf": "b"}, Invalid),
        ({"a": "x", "a/b": "y"}, Invalid),
        ({"main.tf": "x" * 6_000_000}, TooLarge),
        ({f"{number}.tf": "" for number in range(101)}, TooLarge),
        ({"main.tf/x.tf": "a"}, Forbidden),
        ({"modules": "a"}, Forbidden),
        ({"": "a"}, Forbidden),
        ({"terraform.tfstate": "{}"}, Forbidden),
        ({".terraform.lock.hcl": "x"}, Forbidden),
        ({"../evil.tf": "x"}, Forbidden),
    ],
)
async def test_what_must_not_be_written_is_not_even_proposed(workspace, contents, error):
    """Each is refused with a sentence, and nothing is kept of it."""
    with pytest.raises(error):
        await workspace.propose(contents)
    assert () == await workspace.pending()


async def test_nothing_is_kept_when_nothing_changes(workspace):
    """A proposal of what is there already has no files and waits for no approval."""
    change_set = await workspace.propose({"main.tf": "# main\n", "absent.tf": None})

    assert () == change_set.files
    assert () == await workspace.pending()


async def test_line_ends_and_byte_order_marks_survive(workspace):
    """What is written is what was proposed, byte for byte."""
    await workspace.apply(await workspace.propose({"main.tf": "\ufeffa\r\nb"}))

    assert b"\xef\xbb\xbfa\r\nb" == (workspace.root / "main.tf").read_bytes()
    assert "\ufeffa\r\nb" == (await workspace.read("main.tf")).content


async def test_a_directory_that_becomes_a_link_is_not_followed(workspace, tmp_path):
    """A link that is put in the way between proposal and approval leads nowhere."""
    change_set = await workspace.propose({"modules/net/main.tf": "# new\n"})
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "main.tf").write_text("# net\n")
    (workspace.root / "modules" / "net").rename(tmp_path / "gone")
    (workspace.root / "modules" / "net").symlink_to(tmp_path / "outside")

    with pytest.raises(Forbidden):
        await workspace.apply(change_set)
    assert "# net\n" == (tmp_path / "outside" / "main.tf").read_text()
