"""The Terraform tools with the real Terraform, on a real workspace, vault and redactor."""

import asyncio
import stat

import pytest

from tfai_jupyter.core.approvals import Approval, Consent
from tfai_jupyter.core.errors import Conflict, Expired, NotFound
from tfai_jupyter.core.events import ApprovalRequired, PlanReady, ToolFinished, ToolProgress
from tfai_jupyter.core.plans import Plan
from tfai_jupyter.core.wire import from_json
from tfai_jupyter.terraform.process import is_running

ONE = 'resource "terraform_data" "a" {\n  input = "one"\n}\n'
TWO = ONE + 'resource "terraform_data" "b" {\n  input            = "two"\n  triggers_replace = ["1"]\n}\n'


def of_kind(events, kind):
    """Return the events of one kind."""
    return [event for event in events if isinstance(event, kind)]


async def test_plan_is_announced_kept_and_told(desk):
    """A plan yields PlanReady; its file is private; the model reads counts, changes and id."""
    desk.write("main.tf", TWO)
    events, result = await desk.call("terraform_plan")
    ready = of_kind(events, PlanReady)[0]

    assert "Plan: 2 to add, 0 to change, 0 to destroy. Risk: low." == result.summary
    assert f"+ terraform_data.a\n+ terraform_data.b\nplan_id: {ready.plan_id}" in result.content
    assert ("plan", ready.plan_digest) == (result.data["result"], from_json(Plan, result.data).digest)
    file = desk.vault.directory("plans", ready.plan_id) / "plan.tfplan"
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)
    assert ["main.tf"] == [path.name for path in desk.root.iterdir()]


async def test_plan_that_was_approved_is_applied(desk):
    """Plan, approval, apply: the state has it, progress was told, the plan file is gone, a second use fails."""
    desk.write("main.tf", TWO)
    plan_id = await desk.plan()
    consent = await desk.consent(plan_id)
    events, result = await desk.collect(desk.tools.applier.apply(desk.turn(), consent))

    assert "Apply complete! Resources: 2 added, 0 changed, 0 destroyed." == result.summary
    told = [event.text.partition(" after")[0] for event in of_kind(events, ToolProgress)]
    assert "terraform_data.a: Creation complete" in told
    assert not (desk.vault.directory("plans", plan_id) / "plan.tfplan").exists()
    assert "applied" == desk.vault.read("plans", plan_id)["status"]
    with pytest.raises(Conflict, match="used already"):
        await desk.collect(desk.tools.applier.apply(desk.turn(), consent))
    with pytest.raises(Expired):
        desk.approvals.resolve(consent.approval.id, "approve", by="tester")


async def test_no_changes_is_told_and_not_applied(desk):
    """A plan without changes says so, and asking to apply it raises no approval."""
    desk.write("main.tf", ONE)
    await desk.apply(await desk.plan())
    _, planned = await desk.call("terraform_plan")
    events, asked = await desk.call("request_apply", plan_id=planned.data["id"])

    assert "No changes. The infrastructure matches the configuration." == planned.summary
    assert "Nothing to apply: the plan has no changes." == asked.summary
    assert [] == of_kind(events, ApprovalRequired)


async def test_changed_configuration_is_not_applied(desk):
    """What was approved no longer holds once a configuration file changed; nothing is applied."""
    desk.write("main.tf", ONE)
    consent = await desk.consent(await desk.plan())
    desk.write("main.tf", TWO)

    with pytest.raises(Conflict, match="configuration changed"):
        await desk.collect(desk.tools.applier.apply(desk.turn(), consent))
    assert not (desk.root / "terraform.tfstate").exists()


async def test_changed_plan_file_is_not_applied(desk):
    """A plan file with other bytes than the approved ones is refused."""
    desk.write("main.tf", ONE)
    plan_id = await desk.plan()
    consent = await desk.consent(plan_id)
    file = desk.vault.directory("plans", plan_id) / "plan.tfplan"
    file.write_bytes(file.read_bytes() + b" ")

    with pytest.raises(Conflict, match="not the one that was made"):
        await desk.collect(desk.tools.applier.apply(desk.turn(), consent))


async def test_plan_of_another_state_is_stale(desk):
    """A plan made before another one was applied is stale and changes nothing."""
    desk.write("main.tf", ONE)
    first, second = await desk.plan(), await desk.plan()
    consent = await desk.consent(first)
    await desk.apply(second)
    before = (desk.root / "terraform.tfstate").read_text()

    with pytest.raises(Conflict, match="stale"):
        await desk.collect(desk.tools.applier.apply(desk.turn(), consent))
    assert before == (desk.root / "terraform.tfstate").read_text()


async def test_consent_for_something_else_is_refused(desk):
    """A consent whose binding is not that of the saved plan is refused."""
    desk.write("main.tf", ONE)
    given = (await desk.consent(await desk.plan())).approval
    other = Approval(
        given.id, given.kind, given.subject_id, given.digest, given.binding | {"state": "x:1"},
        given.risk, given.confirm_phrase, given.expires_at, given.turn_id, given.conversation_id, given.workspace,
    )  # fmt: skip

    with pytest.raises(Conflict, match="not as it was approved"):
        await desk.collect(desk.tools.applier.apply(desk.turn(), Consent(other, "tester")))


async def test_failing_apply_is_told(desk):
    """A provisioner that fails: outcome error, Terraform's words, what was done before, no plan file left."""
    desk.write(
        "main.tf",
        ONE + 'resource "terraform_data" "bad" {\n  depends_on = [terraform_data.a]\n'
        '  provisioner "local-exec" {\n    command = "echo no >&2; exit 3"\n  }\n}\n',
    )
    plan_id = await desk.plan()
    _, result = await desk.apply(plan_id)

    assert ("error", "Apply failed: 1 error.") == (result.outcome, result.summary)
    assert "exit status 3" in result.data["diagnostics"][0]["detail"]
    assert "1 resources were changed before that" in result.content
    assert not (desk.vault.directory("plans", plan_id) / "plan.tfplan").exists()


async def test_high_risk_needs_the_phrase(desk):
    """Losing most of the state asks for a typed phrase that names the count and the directory."""
    many = "".join(f'resource "terraform_data" "r{n}" {{}}\n' for n in range(4))
    desk.write("infra/main.tf", many)
    await desk.apply(await desk.plan(dir="infra"))
    plan_id = await desk.plan(dir="infra", destroy=True)
    events, _ = await desk.call("request_apply", plan_id=plan_id)
    required = of_kind(events, ApprovalRequired)[0]

    assert ("high", "destroy 4 resources in infra") == (required.risk, required.confirm_phrase)
    assert "Destroy complete" not in desk.text(events)


async def test_apply_request_takes_the_newest_plan_of_this_conversation(desk):
    """Without an id the newest unapplied plan of directory and conversation is taken, else a new one is made."""
    desk.write("main.tf", ONE)
    await desk.plan()
    newest = await desk.plan()
    events, _ = await desk.call("terraform_apply_request")
    others, _ = await desk.call("terraform_apply_request", desk.turn(conversation="another"))

    assert [newest] == [event.subject_id for event in of_kind(events, ApprovalRequired)]
    assert [] == of_kind(events, PlanReady)
    made = of_kind(others, PlanReady)[0].plan_id
    assert [made] == [event.subject_id for event in of_kind(others, ApprovalRequired)]
    assert newest != made


async def test_plan_with_errors_has_diagnostics_and_no_plan(desk):
    """A plan with errors is an error result with Terraform's words, and nothing is kept of it."""
    desk.write("main.tf", 'resource "terraform_data" "a" {\n  input = var.nope\n}\n')
    events, result = await desk.call("terraform_plan")

    assert [] == of_kind(events, PlanReady)
    assert ("error", "plan failed: 1 error") == (result.outcome, result.summary)
    diagnostic = result.data["diagnostics"][0]
    assert ("Reference to undeclared input variable", "main.tf", 2) == tuple(
        diagnostic[key] for key in ("summary", "file", "line")
    )
    assert () == desk.vault.names("plans")


async def test_init_runs_when_it_is_needed(desk):
    """A module that is not installed makes plan run init first, told by progress; no_init forbids it."""
    desk.write("main.tf", 'module "m" {\n  source = "./m"\n}\n')
    desk.write("m/main.tf", ONE)
    _, refused = await desk.call("terraform_plan", no_init=True)
    events, result = await desk.call("terraform_plan")

    assert ("error", "ok") == (refused.outcome, result.outcome)
    assert "this directory needs init; running it" in [event.text for event in of_kind(events, ToolProgress)]
    assert "+ module.m.terraform_data.a" in result.content


async def test_init_that_fails_is_told(desk):
    """When init itself fails the plan ends with init's errors."""
    desk.write("main.tf", 'module "m" {\n  source = "./gone"\n}\n')
    _, result = await desk.call("terraform_plan")

    assert ("error", True) == (result.outcome, result.summary.startswith("init failed"))
    assert "Unreadable module directory" in result.content


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("terraform_plan", {"dir": "-chdir=/"}),
        ("terraform_plan", {"dir": ".."}),
        ("terraform_plan", {"dir": "/etc"}),
        ("terraform_plan", {"var_files": ["-destroy"]}),
        ("terraform_plan", {"var_files": ["../secrets.tfvars"]}),
        ("terraform_state", {"subcommand": "show", "address": "-state=/x"}),
        ("terraform_state", {"subcommand": "show", "address": ""}),
        ("terraform_validate", {"dir": "nowhere"}),
        ("terraform_init", {"dir": "link"}),
        ("terraform_fmt", {"dir": "link"}),
        ("terraform_graph", {"dir": "link"}),
        ("terraform_output", {"dir": ".terraform"}),
        ("request_apply", {"plan_id": "../../x"}),
        ("terraform_apply_request", {"plan_id": "nope"}),
    ],
)
async def test_what_leads_outside_is_refused(desk, tool, arguments):
    """Options, parents, links and hidden names are refused before Terraform runs."""
    desk.write("main.tf", ONE)
    (desk.root / "link").symlink_to("/etc")
    _, result = await desk.call(tool, **arguments)

    assert result.outcome in ("error", "denied")
    assert {"main.tf", "link"} == {path.name for path in desk.root.iterdir()}


async def test_var_files_reach_the_plan(desk):
    """A variables file of the directory is read; its path is relative to that directory."""
    desk.write("infra/main.tf", 'variable "name" {}\nresource "terraform_data" "a" {\n  input = var.name\n}\n')
    desk.write("infra/dev.tfvars", 'name = "from the file"\n')
    events, _ = await desk.call("terraform_plan", dir="infra", var_files=["dev.tfvars"])

    attributes = of_kind(events, PlanReady)[0].changes[0].attributes
    assert ("input", "from the file") in [(each.name, each.after) for each in attributes]


async def test_validate_tells_where_it_hurts(desk):
    """A valid configuration is valid; an invalid one has diagnostics with file and line."""
    desk.write("main.tf", ONE)
    _, valid = await desk.call("terraform_validate")
    desk.write("more.tf", 'output "x" {\n  value = terraform_data.zzz.id\n}\n')
    _, invalid = await desk.call("terraform_validate")

    assert ("ok", "The configuration is valid.") == (valid.outcome, valid.summary)
    assert ("error", "The configuration is invalid: 1 error.") == (invalid.outcome, invalid.summary)
    assert ("more.tf", 2) == (invalid.data["diagnostics"][0]["file"], invalid.data["diagnostics"][0]["line"])


async def test_state_lists_and_shows(desk):
    """The state is listed with serial and lineage; one resource is shown with attributes; an unknown one is told."""
    desk.write("main.tf", TWO)
    await desk.apply(await desk.plan())
    _, listed = await desk.call("terraform_state")
    _, shown = await desk.call("terraform_state", subcommand="show", address="terraform_data.b")
    _, unknown = await desk.call("terraform_state", subcommand="show", address="terraform_data.c")

    assert "2 resources in the state.\nterraform_data.a\nterraform_data.b" == listed.content
    assert "state" == listed.data["result"]
    assert listed.data["serial"] >= 1
    assert len(listed.data["lineage"]) == 36
    assert {"input": "two", "output": "two", "triggers_replace.0": "1"}.items() <= shown.data["resources"][0][
        "attributes"
    ].items()
    assert ("error", True) == (unknown.outcome, "there is no terraform_data.c" in unknown.content)


async def test_outputs_and_graph_are_shown(desk):
    """Outputs come as rows with sensitive ones masked; the graph comes as DOT."""
    desk.write(
        "main.tf",
        ONE
        + 'output "plain" {\n  value = ["x"]\n}\noutput "hidden" {\n  value = "canary-value"\n  sensitive = true\n}\n',
    )
    await desk.apply(await desk.plan())
    _, outputs = await desk.call("terraform_output")
    _, graph = await desk.call("terraform_graph")

    assert [["hidden", "(sensitive)"], ["plain", ["x"]]] == sorted(outputs.data["rows"])
    assert "terraform_data.a" in graph.content
    assert graph.content.splitlines()[1].startswith("digraph")


async def test_fmt_drafts_and_writes_nothing(desk):
    """Files that need formatting are drafted; the workspace stays; a broken file is told."""
    ugly = 'resource "terraform_data" "a" {\ninput="x"\n}\n'
    desk.write("main.tf", ugly)
    desk.write("sub/fine.tf", ONE)
    turn = desk.turn()
    _, result = await desk.call("terraform_fmt", turn)
    desk.write("broken.tf", "resource {{\n")
    _, broken = await desk.call("terraform_fmt")

    assert {"main.tf": 'resource "terraform_data" "a" {\n  input = "x"\n}\n'} == turn.draft
    assert ("1 file of 2 to format.", ugly) == (result.summary, (desk.root / "main.tf").read_text())
    assert ("error", "broken.tf") == (broken.outcome, broken.data["diagnostics"][0]["file"])


async def test_fmt_of_a_subdirectory_drafts_paths_of_the_root(desk):
    """A draft's paths are relative to the root, whatever directory was formatted."""
    desk.write("infra/sub/main.tf", "locals {\na=1\n}\n")
    turn = desk.turn("infra")
    await desk.call("terraform_fmt", turn)

    assert ["infra/sub/main.tf"] == list(turn.draft)


async def test_drift_is_told_in_rows(desk):
    """No drift is said; a resource that was changed behind Terraform's back shows attribute by attribute."""
    desk.write("main.tf", ONE)
    await desk.apply(await desk.plan())
    _, none = await desk.call("terraform_drift")

    assert ("No drift.", []) == (none.summary, none.data["rows"])
    kept = [name for name in desk.vault.names("plans") if desk.vault.read("plans", name)["status"] == "ready"]
    assert [] == kept


async def test_init_prepares_a_directory(desk):
    """The init command tells its steps and makes what plan needs."""
    desk.write("main.tf", 'terraform {\n  backend "local" {\n    path = "here.tfstate"\n  }\n}\n' + ONE)
    events, result = await desk.call("terraform_init")
    _, planned = await desk.call("terraform_plan", no_init=True)

    assert ("ok", "ok") == (result.outcome, planned.outcome)
    assert "Initializing the backend..." in [event.text for event in of_kind(events, ToolProgress)]


async def test_digest_does_not_depend_on_place_or_time(desk):
    """Plans of equal configurations have one digest wherever and whenever made; another value changes it."""
    for directory, text in {"one": TWO, "two": TWO, "three": TWO.replace('"two"', '"three"')}.items():
        desk.write(f"{directory}/main.tf", text)
    first, second, third = [
        (await desk.call("terraform_plan", dir=each))[1].data["digest"] for each in ("one", "two", "three")
    ]

    assert first == second
    assert first != third


async def test_cancelled_apply_is_told_at_the_next_start(desk):
    """An apply that is cut off leaves its log; the next start tells how it ended, once."""
    desk.write(
        "main.tf",
        'resource "terraform_data" "slow" {\n  provisioner "local-exec" {\n    command = "sleep 60"\n  }\n}\n',
    )
    plan_id = await desk.plan()
    applying = desk.tools.applier.apply(desk.turn(), await desk.consent(plan_id))
    async for event in applying:
        if "Provisioning" in event.text:
            break
    await applying.aclose()
    told, again = await desk.tools.applier.endings(), await desk.tools.applier.endings()

    assert not (desk.vault.directory("plans", plan_id) / "plan.tfplan").exists()
    assert (1, 0) == (len(told), len(again))
    assert "went on without us" in told[0].message
    assert "failed" == desk.vault.read("plans", plan_id)["status"]


async def test_apply_outlives_the_loop_that_was_killed(desk):
    """An apply whose process shuts down is interrupted once, never killed; how it ended is told exactly once."""
    desk.write(
        "main.tf",
        'resource "terraform_data" "slow" {\n  provisioner "local-exec" {\n'
        "    command = \"trap 'sleep 2; exit 0' INT; sleep 60\"\n  }\n}\n",
    )
    plan_id = await desk.plan()
    consent = await desk.consent(plan_id)

    async def doomed():
        async for event in desk.tools.applier.apply(desk.turn(), consent):
            if "Provisioning" in event.text:
                await asyncio.sleep(0.5)
                return

    # A loop of its own: what still runs when it closes is cancelled, as at the end of a server.
    await asyncio.to_thread(asyncio.run, doomed())
    log = desk.vault.directory("plans", plan_id) / "plan.log"
    during = await desk.tools.applier.endings()
    for _ in range(200):
        if not is_running(log):
            break
        await asyncio.sleep(0.05)
    after = await desk.tools.applier.endings()

    assert 1 == len((*during, *after))  # Terraform may have ended before we looked, or after
    assert '"terraform_data"' in (desk.root / "terraform.tfstate").read_text()
    assert not list(desk.root.glob(".terraform.tfstate.lock*"))


async def test_deadline_of_an_apply_says_that_the_state_may_be_incomplete(desk):
    """An apply over its deadline is a timeout that says what to do."""
    desk.write(
        "main.tf",
        'resource "terraform_data" "slow" {\n  provisioner "local-exec" {\n    command = "sleep 60"\n  }\n}\n',
    )
    desk.tools.applier.timeout_seconds = 1.0
    _, result = await desk.apply(await desk.plan())

    assert "timeout" == result.outcome
    assert "the state may be incomplete" in result.content


async def test_two_plans_at_once_do_not_mix(desk):
    """Plans of two directories may run at the same time."""
    desk.write("one/main.tf", ONE)
    desk.write("two/main.tf", TWO)
    (_, one), (_, two) = await asyncio.gather(
        desk.call("terraform_plan", dir="one"), desk.call("terraform_plan", dir="two")
    )

    assert ("one", 1, "two", 2) == (
        one.data["workspace"],
        len(one.data["changes"]),
        two.data["workspace"],
        len(two.data["changes"]),
    )


async def test_unknown_plan_is_not_found(desk):
    """Asking to apply a plan that does not exist is a clear error."""
    events, result = await desk.call("request_apply", plan_id="nope")

    assert ("error", "there is no plan nope") == (result.outcome, result.content)
    assert 1 == len(of_kind(events, ToolFinished))
    with pytest.raises(NotFound):
        desk.vault.read("plans", "nope")
