"""The panel's editor over HTTP: listing, reading, saving, beginning a module; nothing leaves the root."""

from urllib.parse import quote

import pytest

HOSTILE = [
    "../secret.tf",
    "/etc/passwd",
    "infra/../../secret.tf",
    "infra/link.tf",
    "linked/x.tf",
    ".env",
    "infra/.terraform/x",
    "~/x.tf",
    "infra\\..\\x.tf",
    "a\0b.tf",
    "n" * 300,
    "infra/\u2024\u2024/x.tf",
    "infra/terraform.tfstate",
]


@pytest.fixture(scope="module")
def traps(server, tmp_path_factory):
    """Links inside the root that lead outside of it."""
    outside = tmp_path_factory.mktemp("outside")
    (outside / "x.tf").write_text("# canary\n")
    (server.root / "infra" / "link.tf").symlink_to(outside / "x.tf")
    (server.root / "linked").symlink_to(outside)
    (server.root / "infra" / "terraform.tfstate").write_text("{}")
    return outside


def test_a_directory_is_listed(server):
    """Files with their sizes, and what state the directory is in."""
    (server.root / "listed" / "modules").mkdir(parents=True)
    (server.root / "listed" / "main.tf").write_text("# hi\n")

    listed = server.get("workspace?dir=listed").json

    assert [{"path": "main.tf", "size": 5}] == listed["files"]
    assert ["modules"] == listed["dirs"]
    assert {"initialized": False, "hasState": False, "hasLockfile": False, "truncated": False}.items() <= listed.items()
    assert 404 == server.get("workspace?dir=nowhere").status


def test_a_file_is_saved_and_read(server):
    """What is saved is what is read, with its hash and size."""
    saved = server.request("PUT", "file", {"path": "edited.tf", "content": "# ü\n"})
    read = server.get("file?path=edited.tf").json

    assert 200 == saved.status
    assert {"path": "edited.tf", "content": "# ü\n", "sha256": saved.json["sha256"], "size": 5} == read
    assert "# ü\n" == (server.root / "edited.tf").read_text()


def test_a_file_is_saved_only_over_what_the_caller_read(server):
    """A file that changed meanwhile is kept: 409. With the right hash it is written."""
    first = server.request("PUT", "file", {"path": "twice.tf", "content": "# 1\n"}).json["sha256"]
    (server.root / "twice.tf").write_text("# by somebody else\n")

    late = server.request("PUT", "file", {"path": "twice.tf", "content": "# 2\n", "expected_sha256": first})
    now = server.get("file?path=twice.tf").json["sha256"]
    again = server.request("PUT", "file", {"path": "twice.tf", "content": "# 2\n", "expected_sha256": now})

    assert (409, "conflict") == (late.status, late.error["code"])
    assert 200 == again.status
    assert "# 2\n" == (server.root / "twice.tf").read_text()


@pytest.mark.parametrize("path", HOSTILE)
def test_a_path_that_leads_elsewhere_is_refused(server, traps, path):
    """Reading and writing are a 403 each, and nothing outside is touched or told."""
    read = server.get(f"file?path={quote(path)}")
    written = server.request("PUT", "file", {"path": path, "content": "# written\n"})
    begun = server.post("workspace/create", {"dir": path})

    assert [403, 403] == [read.status, written.status]
    assert begun.status in (400, 403, 409)
    assert b"canary" not in read.body + written.body
    assert "# canary\n" == (traps / "x.tf").read_text()


def test_a_large_or_binary_file_is_not_read(server):
    """413 over the cap without reading it, 415 for what is no text."""
    with (server.root / "huge.tf").open("wb") as file:
        file.truncate(10 * 1024**3)
    (server.root / "image.tf").write_bytes(b"\x89PNG\0\0")

    assert (413, 415) == (server.get("file?path=huge.tf").status, server.get("file?path=image.tf").status)


def test_a_module_is_begun_where_there_is_none(server):
    """201 with the files that were written; where one of them exists 409, and it is kept."""
    created = server.post("workspace/create", {"dir": "begun", "description": "a private bucket"})
    again = server.post("workspace/create", {"dir": "begun"})

    assert 201 == created.status
    assert "begun/main.tf" in created.json["files"]
    assert all((server.root / path).is_file() for path in created.json["files"])
    assert "a private bucket" in created.json["prompt"]
    assert 409 == again.status


def test_nothing_is_written_where_the_server_is_read_only(start):
    """Saving, beginning and approving are refused; reading is not."""
    with start(environment={"TFAI_READ_ONLY": "true"}) as server:
        (server.root / "main.tf").write_text("# mine\n")

        saved = server.request("PUT", "file", {"path": "main.tf", "content": "# other\n"})
        begun = server.post("workspace/create", {"dir": "mod"})

        assert [403, 403] == [saved.status, begun.status]
        assert "# mine\n" == server.get("file?path=main.tf").json["content"]
