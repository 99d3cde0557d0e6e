"""Metrics on the host's /metrics: every family moves when what it counts happens."""

import re
import time

SAMPLE = re.compile(r"^(tfai_\w+?)(?:_bucket|_sum|_count|_created)?(\{[^}]*\})? ([-+.\deE]+|NaN)$", re.MULTILINE)


def metrics(server):
    """Scrape the host."""
    return server.get(f"{server.base}metrics").body.decode()


def value(text, sample):
    """Return a sample's value, 0 where there is none."""
    found = re.search(rf"^{re.escape(sample)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_metrics_are_the_hosts_and_need_its_token(server):
    """Strangers get none."""
    assert 403 == server.get(f"{server.base}metrics", token="").status
    assert "tfai_build_info" in metrics(server)


def test_a_turn_is_counted_by_how_it_ended(server, script):
    """Ok, cancelled, error and rejected each have their count, and no stream stays active."""
    before = metrics(server)
    script.reply("Fine.")
    server.chat("hello")
    script.reply("Never", end="stall")
    with server.stream("POST", "chat", {"message": "hello"}) as stream:
        server.post(f"turns/{stream.until('text_delta').data['turn_id']}/cancel")
        stream.rest()
    script.reply(status=401)
    server.chat("hello")
    server.post("chat", {"message": ""})
    time.sleep(0.2)
    after = metrics(server)

    for outcome in ("ok", "cancelled", "error", "rejected"):
        sample = f'tfai_chat_requests_total{{outcome="{outcome}"}}'
        assert 1 == value(after, sample) - value(before, sample), outcome
    assert 0 == value(after, "tfai_chat_active_streams")


def test_every_family_is_driven(server, script):
    """After each thing has happened once, none of our families is without a sample that moved."""
    script.reply("Fine.")
    server.chat("hello")
    server.chat("/validate -d infra")
    server.request("PUT", "file", {"path": "metric.tf", "content": "# x\n"})
    server.get("ready")
    time.sleep(1.2)

    text = metrics(server)
    moved = {name for name, _, number in SAMPLE.findall(text) if float(number) > 0}

    for family in (
        "tfai_chat_requests_total",
        "tfai_chat_duration_seconds",
        "tfai_chat_first_token_seconds",
        "tfai_http_requests_total",
        "tfai_http_duration_seconds",
        "tfai_tool_invocations_total",
        "tfai_terraform_duration_seconds",
        "tfai_workspace_files_written_total",
        "tfai_tokens_total",
        "tfai_dependency_up",
        "tfai_event_loop_lag_seconds",
        "tfai_build_info",
    ):
        assert family in moved, family


def test_an_approval_is_counted_with_the_files_it_wrote(server):
    """The kind and the decision are labels; the files count as applied."""
    before = metrics(server)
    events = server.chat("/scaffold counted")
    approval = next(event.data for event in events if event.name == "approval_required")
    with server.stream("POST", f"approvals/{approval['approval_id']}", {"decision": "approve"}) as stream:
        stream.rest()
    after = metrics(server)

    resolved, written = (
        'tfai_approvals_total{decision="approve",kind="change_set"}',
        'tfai_workspace_files_written_total{source="apply"}',
    )
    assert 1 == value(after, resolved) - value(before, resolved)
    assert len(list((server.root / "counted").iterdir())) == value(after, written) - value(before, written)


def test_labels_stay_few(server):
    """A hundred addresses and tools that do not exist make no new series."""
    server.get("nowhere/0")
    before = len(SAMPLE.findall(metrics(server)))
    for number in range(100):
        server.get(f"nowhere/{number}")
        server.get(f"turns/{number}/events")

    assert len(SAMPLE.findall(metrics(server))) - before < 40
