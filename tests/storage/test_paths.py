import asyncio
import json
import os
import socket
from pathlib import Path

import pytest

from tfai_jupyter.core.errors import Forbidden, TfaiError
from tfai_jupyter.storage.paths import Root
from tfai_jupyter.storage.vault import Vault
from tfai_jupyter.storage.workspace import DiskWorkspace

PATHS = Path(__file__).parents[2].parent / "shared" / "data" / "security" / "paths.txt"
LINKS = {
    "link_out": "/etc",
    "link_abs": "/etc",
    "link_parent": "..",
    "link_loop": "link_loop",
    "link_chain": "link_out",
    "link_file": "/etc/hosts",
    "link_dev": "/dev/zero",
    "link_proc": "/proc/self",
    "infra/link_up": "../..",
    "link_fifo": "fifo",
}


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """Make the tree that the hostile paths were written for."""
    root = tmp_path / "workspace"
    for name in ("workspace/infra", "workspace/stacks", "workspace/modules", "workspace-evil", "workspace-2", "other"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "main.tf").write_text(f"# {name}\n")
    (root / "main.tf").write_text("# root\n")
    for name, target in LINKS.items():
        (root / name).symlink_to(target)
    os.mkfifo(root / "fifo")
    monkeypatch.chdir(root)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        yield DiskWorkspace(root, Vault(tmp_path / "vault"))


def hostile(*expectations):
    """Return the hostile paths of these kinds."""
    if not PATHS.exists():
        pytest.skip(f"{PATHS} is not there")
    lines = (line.split("\t") for line in PATHS.read_text().splitlines() if not line.startswith("#"))
    return [json.loads(path) for expectation, _, path in lines if expectation in expectations]


def inside(tmp_path):
    """Return every name below the root, to see that nothing was made."""
    return sorted(str(path) for path in tmp_path.rglob("*") if "vault" not in path.parts)


def normal(path):
    """Return a path without `.`, `..` and doubled slashes."""
    return os.path.normpath(path)


async def refuses(call):
    """Tell whether a call ends in a sentence of ours within a second."""
    try:
        await asyncio.wait_for(call, 1)
    except TfaiError:
        return True
    return False


async def test_hostile_paths_are_refused_everywhere(workspace, tmp_path):
    """Reading, proposing and resolving refuse each, quickly, and nothing is made."""
    before, paths = inside(tmp_path), hostile("refuse")
    taken = [path for path in paths if not await refuses(workspace.read(path))]
    proposed = [path for path in paths if not await refuses(workspace.propose({path: "x"}))]
    resolved = []
    for path in filter(None, paths):
        try:
            resolved.append(workspace.resolve(path))
        except Forbidden:
            continue

    assert 100 < len(paths)
    assert ([], [], []) == (taken, proposed, resolved)
    assert before == inside(tmp_path)


async def test_odd_paths_stay_below_the_root(workspace):
    """What is not refused is taken literally: a name below the root, never expanded or decoded."""
    for path in hostile("contain"):
        try:
            change_set = await workspace.propose({path: "# odd\n"})
        except TfaiError:
            continue
        written = await workspace.apply(change_set)

        assert written == (normal(path),) or "link" in path
        await workspace.undo()
    assert "# root\n" == (workspace.root / "main.tf").read_text()


async def test_protected_files_are_never_written(workspace, tmp_path):
    """State, keys, version control and what programs run unasked are refused for writing."""
    before = inside(tmp_path)
    proposed = [path for path in hostile("protect") if not await refuses(workspace.propose({path: "x"}))]

    assert [] == proposed
    assert before == inside(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        *("terraform.tfstate", "TERRAFORM.TFSTATE", "x.tfstate.backup", "prod.tfplan", ".env", ".env.local"),
        *("id_rsa", "tls/server.key", "server.pem", "credentials.tfrc.json", "service-account.json"),
        *(".git/config", ".aws/credentials"),
    ],
)
async def test_secret_files_are_never_read(workspace, name):
    """A secret is refused by its name, also through a link that is called otherwise."""
    (workspace.root / name).parent.mkdir(exist_ok=True)
    (workspace.root / name).write_text("canary")
    (workspace.root / "innocent.tf").symlink_to(workspace.root / name)

    for path in (name, "innocent.tf"):
        with pytest.raises(Forbidden) as refused:
            await workspace.read(path)
        assert "canary" not in str(refused.value)


@pytest.mark.parametrize("name", ["credentials.tf", "kubeconfig.tf", ".terraform.lock.hcl", "terraform.tfvars"])
async def test_configuration_with_a_telling_name_is_read(workspace, name):
    """`credentials.tf` is configuration, and the lock file is for everybody."""
    (workspace.root / name).write_text("# text\n")

    assert "# text\n" == (await workspace.read(name)).content


async def test_a_refusal_does_not_tell_where_a_link_leads(workspace, tmp_path):
    """Neither the target of a link nor the place of the root is in the message."""
    for path in ("link_out/passwd", "link_parent/other/main.tf", str(tmp_path / "other" / "main.tf")):
        with pytest.raises(Forbidden) as refused:
            await workspace.read(path)
        assert "/etc" not in str(refused.value)
        assert str(tmp_path) not in str(refused.value)


def test_a_link_swapped_between_check_and_open_leads_nowhere(workspace, tmp_path):
    """The file is opened by walking from the root without following links, whatever was resolved before."""
    root = Root(workspace.root)
    resolved = root.readable("infra/main.tf")
    (workspace.root / "infra").rename(tmp_path / "gone")
    (workspace.root / "infra").symlink_to(tmp_path / "other")

    with pytest.raises(TfaiError), root.open(resolved):
        pass


def test_a_pipe_put_there_meanwhile_does_not_hold_us(workspace):
    """A named pipe that took a file's place is refused at once, not waited for."""
    root = Root(workspace.root)
    resolved = root.readable("main.tf")
    resolved.unlink()
    os.mkfifo(resolved)

    with pytest.raises(Forbidden, match="no regular file"), root.open(resolved):
        pass


def test_relative_refuses_what_is_outside(workspace, tmp_path):
    """A path that was not resolved here has no name in the workspace."""
    assert "" == workspace.relative(workspace.root)
    with pytest.raises(Forbidden):
        workspace.relative(tmp_path / "workspace-evil")
