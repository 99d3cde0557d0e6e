"""Approvals: bound to one subject, single use, with an end."""

import threading
from dataclasses import replace

import pytest

from tfai_jupyter.core.approvals import Approvals
from tfai_jupyter.core.errors import Expired, Forbidden, Invalid, NotFound, WrongPhrase
from tfai_jupyter.core.events import ApprovalRequired


class Clock:
    """A clock that tests move."""

    def __init__(self):
        """Start in 2023."""
        self.now = 1_700_000_000.5

    def __call__(self):
        """Tell the time."""
        return self.now


def request(world, approvals, **changes):
    """Ask for a plan to be applied."""
    asked = {"digest": "sha256:d", "binding": {"plan_sha256": "sha256:p"}, "risk": "high", "workspace": "infra"}
    return approvals.request(world.turn(), "terraform_apply", "plan7", **asked | changes)


def test_an_approval_says_what_it_binds(world):
    """Whoever is asked reads subject, risk and end; the vault keeps the binding."""
    clock = Clock()
    approvals = Approvals(world.vault, seconds=60, clock=clock)
    approval = request(world, approvals, confirm_phrase="destroy infra")

    assert ("talk", "infra", {"plan_sha256": "sha256:p"}) == (
        approval.conversation_id,
        approval.workspace,
        approval.binding,
    )
    assert approval == approvals.find(approval.id)
    assert (approval,) == approvals.pending()
    assert (
        ApprovalRequired(approval.id, "terraform_apply", "plan7", "high", "2023-11-14T22:14:20Z", "destroy infra")
        == approval.required()
    )
    assert replace(approval, confirm_phrase="").required().confirm_phrase is None


def test_ids_cannot_be_known_beforehand(world):
    """A notebook cannot hold a consent that was written before it was asked for."""
    assert 100 == len({request(world, world.approvals).id for _ in range(100)})


@pytest.mark.parametrize("decision", ["approve", "deny"])
def test_an_approval_is_good_once(world, decision):
    """The second use is told that it was used, and nothing waits any more."""
    approval = request(world, world.approvals)
    consent = world.approvals.resolve(approval.id, decision, by="ann")

    assert (approval, "ann", ()) == (consent.approval, consent.by, world.approvals.pending())
    with pytest.raises(Expired, match="was used already"):
        world.approvals.resolve(approval.id, "approve", by="ann")


def test_of_many_who_approve_at_once_one_wins(world):
    """Two windows cannot apply the same plan twice."""
    approval, given, late = request(world, world.approvals), [], []
    start = threading.Barrier(8)

    def approve():
        start.wait()
        try:
            given.append(Approvals(world.vault).resolve(approval.id, "approve", by="ann"))
        except Expired as error:
            late.append(error)

    threads = [threading.Thread(target=approve) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (1, 7) == (len(given), len(late))


def test_an_approval_survives_a_restart(world):
    """Another process over the same vault resolves it; the first then knows that it was used."""
    approval = request(world, world.approvals)
    again = Approvals(world.vault)

    assert approval == again.resolve(approval.id, "approve", by="ann").approval
    with pytest.raises(Expired):
        world.approvals.resolve(approval.id, "approve", by="ann")


@pytest.mark.parametrize(("later", "is_late"), [(59, False), (61, True)])
def test_an_approval_has_an_end(world, later, is_late):
    """In time it is good; after that it neither waits nor works, whatever is decided."""
    clock = Clock()
    approvals = Approvals(world.vault, seconds=60, clock=clock)
    approval = request(world, approvals)
    clock.now += later

    assert (() if is_late else (approval,)) == approvals.pending()
    if is_late:
        with pytest.raises(Expired, match="expired at 2023-11-14T22:14:20Z; ask for it again"):
            approvals.resolve(approval.id, "approve", by="ann")
    else:
        assert approval == approvals.resolve(approval.id, "deny", by="ann").approval


@pytest.mark.parametrize("typed", ["", "Destroy infra", "destroy infra ", "destroy\ud800"])
def test_a_wrong_phrase_costs_nothing(world, typed):
    """A typing error leaves the approval waiting; the right phrase then works."""
    approval = request(world, world.approvals, confirm_phrase="destroy infra")
    with pytest.raises(WrongPhrase, match="needs the phrase 'destroy infra': add --confirm"):
        world.approvals.resolve(approval.id, "approve", by="ann", confirm=typed)

    assert approval == world.approvals.resolve(approval.id, "approve", by="ann", confirm="destroy infra").approval


def test_denying_needs_no_phrase(world):
    """To say no is always easy."""
    approval = request(world, world.approvals, confirm_phrase="destroy infra")

    assert "deny" != world.approvals.resolve(approval.id, "deny", by="ann").by


def test_a_phrase_nobody_asked_for_does_no_harm(world):
    """`--confirm yes` where nothing is asked is no error."""
    approval = request(world, world.approvals)

    assert approval == world.approvals.resolve(approval.id, "approve", by="ann", confirm="yes").approval


def test_nothing_is_approved_in_read_only_mode(world):
    """It can still be denied."""
    approvals = Approvals(world.vault, read_only=True)
    approval = request(world, approvals)
    with pytest.raises(Forbidden, match="TFAI_READ_ONLY is set"):
        approvals.resolve(approval.id, "approve", by="ann")

    assert approval == approvals.resolve(approval.id, "deny", by="ann").approval


def test_a_policy_grants_only_the_digests_it_names(world):
    """A headless run is granted by a file; everything else waits for a person."""
    approvals = Approvals(world.vault, granted=frozenset(["sha256:d"]), policy_name="policy ci.yaml")

    assert ("policy ci.yaml", "") == (approvals.granted_by("sha256:d"), approvals.granted_by("sha256:e"))
    assert "" == world.approvals.granted_by("sha256:d")


@pytest.mark.parametrize(
    ("name", "kind"), [("01234567", NotFound), ("../approvals", Invalid), ("", Invalid), ("a" * 200, Invalid)]
)
def test_what_was_never_asked_for_cannot_be_approved(world, name, kind):
    """An id that is none leads nowhere, and to no other file."""
    with pytest.raises(kind):
        world.approvals.resolve(name, "approve", by="ann")
    with pytest.raises(kind):
        world.approvals.find(name)


def test_a_damaged_record_does_not_hide_the_others(world, tmp_path):
    """What can be read still waits; the broken one cannot be approved."""
    approval, broken = request(world, world.approvals), request(world, world.approvals)
    (tmp_path / "home" / "approvals" / f"{broken.id}.json").write_text("{")

    assert (approval,) == world.approvals.pending()
    with pytest.raises(NotFound):
        world.approvals.resolve(broken.id, "approve", by="ann")


def test_a_damaged_approval_that_waits_is_not_found(world):
    """What cannot be read any more is no approval, though nobody used it."""
    asked = world.approvals.request(world.turn(), "change_set", "c1", digest="d", binding={})
    next(path for path in (world.root.parent / "home").rglob(f"*{asked.id}*") if path.is_file()).write_text("{")

    with pytest.raises(NotFound):
        world.approvals.find(asked.id)
