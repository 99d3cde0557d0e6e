"""Approvals over HTTP: what is approved is done as a turn of its own; everything else is refused."""

import pytest


def proposed(server, directory):
    """Have a starter module proposed; return its approval."""
    events = server.chat(f"/scaffold {directory}")
    return next(event.data for event in events if event.name == "approval_required")


def test_an_approved_change_set_is_written_in_a_turn_of_its_own(server):
    """The stream tells what is done; the turn points at the one that proposed; the files are there."""
    approval = proposed(server, "approved")
    assert not (server.root / "approved").exists()

    with server.stream("POST", f"approvals/{approval['approval_id']}", {"decision": "approve"}) as stream:
        events = stream.rest()

    assert ("approve", approval["turn_id"]) == (events[0].data["command"], events[0].data["parent_turn_id"])
    assert ["approve", "local"] == [events[1].data[name] for name in ("decision", "by")]
    assert "ok" == next(event.data["outcome"] for event in events if event.name == "tool_finished")
    assert (server.root / "approved" / "main.tf").is_file()


def test_an_approval_is_used_once(server):
    """The second time it is gone: 410."""
    approval = proposed(server, "twice")
    with server.stream("POST", f"approvals/{approval['approval_id']}", {"decision": "approve"}) as stream:
        stream.rest()

    answer = server.post(f"approvals/{approval['approval_id']}", {"decision": "approve"})

    assert (410, "expired") == (answer.status, answer.error["code"])


def test_a_denied_change_set_is_not_written(server):
    """The answer is JSON, and the approval is used up."""
    approval = proposed(server, "denied")

    answer = server.post(f"approvals/{approval['approval_id']}", {"decision": "deny", "reason": "not now"})

    assert 200 == answer.status
    assert "deny" == answer.json["decision"]
    assert not (server.root / "denied").exists()
    assert 410 == server.post(f"approvals/{approval['approval_id']}", {"decision": "approve"}).status


def test_a_subject_that_changed_is_refused_and_stays_unwritten(server):
    """A file that appeared meanwhile is kept; nothing else is written either."""
    approval = proposed(server, "changed")
    (server.root / "changed").mkdir()
    (server.root / "changed" / "main.tf").write_text("# mine\n")

    answer = server.post(f"approvals/{approval['approval_id']}", {"decision": "approve"})

    assert (409, "conflict") == (answer.status, answer.error["code"])
    assert ["main.tf"] == [path.name for path in (server.root / "changed").iterdir()]


def test_some_files_of_a_change_set_can_be_taken(server):
    """Only the named file is written."""
    approval = proposed(server, "partly")

    body = {"decision": "approve", "files": ["partly/main.tf"]}
    with server.stream("POST", f"approvals/{approval['approval_id']}", body) as stream:
        stream.rest()

    assert ["main.tf"] == [path.name for path in (server.root / "partly").iterdir()]


def test_an_approved_plan_is_applied(server):
    """A plan is saved, asked for, approved and applied; the state is there afterwards."""
    directory = server.root / "applied"
    directory.mkdir()
    (directory / "main.tf").write_text('resource "terraform_data" "a" {\n  input = "x"\n}\n')
    started, *_, last = server.chat("/plan", workspace="applied")
    conversation = started.data["conversation_id"]
    events = server.chat("/apply", workspace="applied", conversation_id=conversation)
    approval = next(event.data for event in events if event.name == "approval_required")

    with server.stream("POST", f"approvals/{approval['approval_id']}", {"decision": "approve"}) as stream:
        done = stream.rest()

    assert "turn_finished" == last.name
    assert "terraform_apply" == approval["kind"]
    assert "ok" == next(event.data["outcome"] for event in done if event.name == "tool_finished")
    assert (directory / "terraform.tfstate").is_file()


def test_a_wrong_phrase_is_refused_and_can_be_typed_again(server):
    """Destroying much wants a phrase: without it 422, with it the plan is applied."""
    directory = server.root / "phrased"
    directory.mkdir()
    (directory / "main.tf").write_text('resource "terraform_data" "a" {\n  count = 12\n}\n')
    approve(server, server.chat("/apply", workspace="phrased"))
    destroying = server.chat("/plan --destroy", workspace="phrased")
    events = server.chat("/apply", workspace="phrased", conversation_id=destroying[0].data["conversation_id"])
    approval = next(event.data for event in events if event.name == "approval_required")

    wrong = server.post(f"approvals/{approval['approval_id']}", {"decision": "approve", "confirm": "yes"})
    done = approve(server, events, confirm=approval["confirm_phrase"])

    assert (422, "wrong_phrase") == (wrong.status, wrong.error["code"])
    assert "ok" == next(event.data["outcome"] for event in done if event.name == "tool_finished")


def approve(server, events, **fields):
    """Give the approval that the events ask for; return what is done."""
    approval = next(event.data for event in events if event.name == "approval_required")
    with server.stream("POST", f"approvals/{approval['approval_id']}", {"decision": "approve", **fields}) as stream:
        assert 200 == stream.status, stream.response.read()
        return stream.rest()


@pytest.mark.parametrize("body", [{}, {"decision": "maybe"}, {"decision": 1}, {"decision": "deny", "reason": []}])
def test_a_decision_that_is_none_is_refused(server, body):
    """It is a 400, and the approval still waits."""
    assert 400 == server.post("approvals/0198c0de-0000-7000-8000-000000000000", body).status


def test_an_unknown_approval_is_not_found(server):
    """It is a 404, for whatever name."""
    answer = server.post("approvals/0198c0de-0000-7000-8000-000000000000", {"decision": "approve"})

    assert (404, "not_found") == (answer.status, answer.error["code"])
