"""Health, readiness and config: what is told to whom, and that nothing of ours breaks the host."""

import time
from pathlib import Path

import pytest


def test_health_needs_no_token_and_asks_nothing(server):
    """A constant answer."""
    answer = server.get("health", token="")

    assert (200, {"status": "ok"}) == (answer.status, answer.json)


def test_readiness_names_every_part(server):
    """Each part has a status and an age; a server that can work is ready or degraded."""
    answer = server.get("ready", token="")

    assert 200 == answer.status
    assert answer.json["ready"] is True
    assert {"model", "terraform", "journal"} <= {check["name"] for check in answer.json["checks"]}
    assert all({"name", "status", "required", "age_seconds"} == set(check) for check in answer.json["checks"])


def test_probes_do_not_multiply(start, own_script, model_environment):
    """Many probes are answered from one look: the model is asked once and no token is spent."""
    with start(environment=model_environment(own_script)) as server:
        deadline = time.monotonic() + 60
        while server.get("ready", token="").json["status"] != "ready":
            assert time.monotonic() < deadline
            time.sleep(0.1)
        before = own_script.state["pings"]
        for _ in range(50):
            server.get("ready", token="")

        assert before == own_script.state["pings"] > 0
        assert [] == own_script.state["requests"]


def test_what_is_wrong_is_told_only_to_somebody_signed_in(start):
    """A dead model degrades the server; the reason holds neither key nor address, and strangers get none."""
    environment = {
        "MODEL_PROVIDER": "openai",
        "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
        "OPENAI_API_KEY": "sk-canary-0123456789",
    }
    with start(environment=environment) as server:
        deadline = time.monotonic() + 60
        while (answer := server.get("ready")).json["status"] == "starting":
            assert time.monotonic() < deadline
        stranger = server.get("ready", token="")

        model = next(check for check in answer.json["checks"] if check["name"] == "model")
        assert "down" == model["status"]
        assert model["error"]
        assert "error" not in stranger.body.decode()
        for hidden in ("sk-canary", "127.0.0.1:9", str(server.home)):
            assert hidden not in answer.body.decode()


def test_config_tells_what_the_server_can_do(server):
    """Version, model, limits, policy and the command table are there for a panel to build on."""
    config = server.get("config").json

    assert {"version", "model", "features", "limits", "policy", "commands"} <= set(config)
    assert {"provider": "openai", "name": "scripted"} == config["model"]
    assert {"ask", "plan", "apply"} <= {command["name"] for command in config["commands"]}
    assert 1024**2 == config["limits"]["chat_bytes"]


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"QDRANT_PORT": "99999"}, "QDRANT_PORT"),
        ({"TFAI_CONFIG": "/does/not/exist.yaml"}, "TFAI_CONFIG"),
        ({"MODEL_PROVIDER": "skynet"}, "MODEL_PROVIDER"),
    ],
)
def test_broken_settings_leave_the_notebook_server_alone(start, environment, told):
    """It serves what it always serves; our routes say what is wrong, in the log too."""
    with start(environment=environment) as server:
        assert 200 == server.get(f"{server.base}api/status").status
        assert 200 == server.get("health", token="").status

        config, ready, chat = server.get("config"), server.get("ready"), server.post("chat", {"message": "hi"})

        assert told in config.json["error"]["message"]
        assert (503, "unavailable") == (ready.status, ready.json["status"])
        assert (503, True) == (chat.status, told in chat.error["message"])
        assert told in server.log.read_text()


def test_a_trait_beats_the_environment(start, tmp_path):
    """`c.Tfai.workspace_root` names another root; a name that does not exist is complained of."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "found.tf").write_text("# here\n")
    arguments = [f"--Tfai.workspace_root={tmp_path / 'elsewhere'}", "--Tfai.nonsense=1"]
    with start(*arguments, environment={"TFAI_WORKSPACE_ROOT": str(tmp_path)}) as server:
        listed = server.get("workspace").json

        assert ["found.tf"] == [file["path"] for file in listed["files"]]
        assert "c.Tfai.nonsense is no setting" in server.log.read_text()


def test_settings_are_logged_without_secrets(start):
    """One line at the start names every setting and its source; what is secret is set or unset."""
    with start(environment={"OPENAI_API_KEY": "sk-canary-0123456789"}) as server:
        server.get("config")
        log = server.log.read_text()

    assert "MODEL_PROVIDER=offline(environment)" in log
    assert "OPENAI_API_KEY=set(environment)" in log
    assert "sk-canary" not in log
    assert "t0p-s3cret" not in log


def test_loading_costs_little(start):
    """Nothing heavy is imported before the first request needs it."""
    with start() as server:
        server.get("health", token="")
        loaded = Path(f"/proc/{server.process.pid}/maps").read_text()

    assert "duckdb" not in loaded
