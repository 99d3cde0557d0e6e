"""Which server a kernel or shell asks."""

import json

import pytest

from tfai_jupyter.notebook.address import Address, find_server, forwarded, named_server

HUB = {
    "JUPYTERHUB_SERVICE_URL": "http://0.0.0.0:8888/user/ada%40b/",
    "JUPYTERHUB_SERVICE_PREFIX": "/user/ada%40b/",
    "JUPYTERHUB_API_TOKEN": "t",
}


@pytest.mark.parametrize(
    ("environ", "server", "url"),
    [
        ({}, "auto", None),
        (HUB, "off", None),
        (HUB, "auto", "http://127.0.0.1:8888/user/ada%40b/"),
        (HUB, "https://jupyter.example/lab", "https://jupyter.example/lab/"),
        ({"JPY_PARENT_PID": "1"}, "auto", None),
        ({"JPY_PARENT_PID": "../../x"}, "auto", None),
    ],
)
def test_what_is_explicit_beats_the_hub(environ, server, url):
    """TFAI_SERVER decides; `auto` asks the hub's variables, then the process that started the kernel."""
    found = find_server(environ, server, "token")

    assert url == (found and found.url)


@pytest.mark.parametrize(("server", "is_found"), [("auto", False), ("off", False), ("http://127.0.0.1:8888", True)])
def test_a_shell_asks_a_server_only_by_name(server, is_found):
    """A shell that happens to run under a hub does not use it."""
    assert is_found == (named_server(server) is not None)


def test_the_server_that_started_the_kernel_is_found(tmp_path, monkeypatch):
    """Its runtime file is found by its process id, never by a directory."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    about = {"url": "http://localhost:8888/a%40b/", "token": "secret", "root_dir": "/", "pid": 42}
    (tmp_path / "jpserver-42.json").write_text(json.dumps(about))

    expected = Address("http://localhost:8888/a%40b/", "secret", "JPY_PARENT_PID")
    assert expected == find_server({"JPY_PARENT_PID": "42"})
    assert None is find_server({"JPY_PARENT_PID": "43"})


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"url": "http+unix://%2Ftmp%2Fsocket"}'])
def test_a_runtime_file_that_cannot_be_used_means_no_server(text, tmp_path, monkeypatch):
    """A half-written file or a server on a socket is passed over."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "jpserver-42.json").write_text(text)

    assert None is find_server({"JPY_PARENT_PID": "42"})


def test_the_token_is_not_shown():
    """An address in a message or traceback has no token."""
    assert "secret" not in repr(Address("http://127.0.0.1/", "secret"))


def test_only_what_terraform_may_see_is_forwarded():
    """Cloud credentials and Terraform's variables go along; everything else stays."""
    taken = (
        "AWS_PROFILE",
        "ARM_CLIENT_ID",
        "AZURE_X",
        "GOOGLE_X",
        "TF_VAR_x",
        "TF_WORKSPACE",
        "VAULT_ADDR",
        "KUBECONFIG",
    )
    left = ("OPENAI_API_KEY", "HOME", "TF_CLI_ARGS", "TF_LOG", "TF_WORKSPACES", "LAWS_X", "JUPYTERHUB_API_TOKEN")

    assert set(taken) == set(forwarded(dict.fromkeys((*taken, *left), "x")))
