"""No value that Terraform knows to be sensitive leaves a tool once it passed the redactor."""

import base64
import json
import shutil
from pathlib import Path
from urllib.parse import quote

import pytest

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "terraform" / "leaks"

# Section by section what marks do not follow: an attribute's copy, its copy, base64, a longer string, an output.
FOLLOWED = """
variable "pw" {
  sensitive = true
}
resource "terraform_data" "a" {
  input = { u = "user-visible", p = var.pw }
}
resource "terraform_data" "b" {
  input = terraform_data.a.output.p
}
resource "terraform_data" "c" {
  input = base64encode(nonsensitive(var.pw))
}
resource "terraform_data" "d" {
  input = "pre-${terraform_data.a.output.p}-suf"
}
output "o" {
  value = terraform_data.b.output
}
"""
CANARY = "cnry-Zx81/kQ+w=pass"


async def everything(desk, **plan):
    """Use every tool around a plan and its apply; return all events and results as one text."""
    said = [await desk.call("terraform_validate"), await desk.call("terraform_plan", **plan)]
    if "id" in (said[-1][1].data or {}):
        asked = await desk.call("request_apply", plan_id=said[-1][1].data["id"])
        approval = desk.approvals.find(asked[1].data["approval_id"])
        consent = desk.approvals.resolve(approval.id, "approve", by="x", confirm=approval.confirm_phrase)
        said += [asked, await desk.collect(desk.tools.applier.apply(desk.turn(), consent))]
    said += [
        await desk.call("terraform_state"),
        await desk.call("terraform_output"),
        await desk.call("terraform_graph"),
    ]
    addresses = [each["address"] for each in (said[-3][1].data or {}).get("resources", [])]
    said += [await desk.call("terraform_state", subcommand="show", address=address) for address in addresses]
    said += [await desk.call("terraform_drift"), await desk.call("terraform_plan", destroy=True, **plan)]
    return desk.text(*([*events, result] for events, result in said))


def forms(value: str) -> set[str]:
    """Return a value as it is and in the encodings in which it was seen."""
    raw = value.encode()
    encoded = {base64.b64encode(raw).decode().rstrip("="), quote(value, safe=""), raw.hex(), json.dumps(value)[1:-1]}
    return {value, *encoded}


@pytest.mark.parametrize("way", ["tfvars", "environment", "default"])
async def test_marked_value_never_leaves(desk, way):
    """However the variable is given, neither the value nor an encoding of it leaves; the rest does."""
    text = (
        FOLLOWED.replace("sensitive = true", f'sensitive = true\n  default = "{CANARY}"')
        if way == "default"
        else FOLLOWED
    )
    desk.write("main.tf", text)
    if way == "tfvars":
        desk.write("terraform.tfvars", f'pw = "{CANARY}"\n')
    if way == "environment":
        desk.env["TF_VAR_pw"] = CANARY
    said = await everything(desk)

    assert [] == [form for form in forms(CANARY) if form in said]
    assert "Apply complete! Resources: 4 added" in said
    assert "user-visible" in said
    assert "terraform_data.d" in said
    assert "[REDACTED:" in said


async def test_kept_plan_is_masked(desk):
    """What the vault keeps of a plan for listing is as masked as what was shown."""
    desk.write("main.tf", FOLLOWED)
    desk.write("terraform.tfvars", f'pw = "{CANARY}"\n')
    plan_id = await desk.plan()

    assert CANARY not in json.dumps(desk.vault.read("plans", plan_id))


async def test_error_that_quotes_a_secret_is_masked_before_any_plan(desk):
    """A plan that fails has no marks to offer; the configuration's own say what is secret."""
    desk.write(
        "main.tf",
        'variable "pw" {\n  sensitive = true\n}\nresource "terraform_data" "a" {\n  lifecycle {\n    precondition {\n'
        "      condition     = length(var.pw) > 99\n"
        '      error_message = "cannot use ${nonsensitive(var.pw)} here"\n    }\n  }\n}\n',
    )
    desk.write("terraform.tfvars", f'pw = "{CANARY}"\n')
    events, result = await desk.call("terraform_plan")

    assert "cannot use [REDACTED:" in result.content
    assert CANARY not in desk.text(events, [result])


def cases():
    """Return the cases of the shared collection that the tools can run."""
    if not SHARED.is_dir():
        return [pytest.param(None, marks=pytest.mark.skip(reason="the shared data set is not here"))]
    found = json.loads((SHARED / "manifest.json").read_text())["cases"]
    # 14 gives a variable on the command line, which no tool does.
    return [pytest.param(case, id=case["id"]) for case in found if case["id"][:2] != "14"]


@pytest.mark.parametrize("case", cases())
async def test_collected_leak_is_closed(desk, case):
    """A configuration in which Terraform shows a secret unmarked shows none of it through the tools."""
    shutil.copytree(SHARED / case["directory"], desk.root, dirs_exist_ok=True)
    for first in case.get("first", []):
        turn = desk.turn(first["dir"])
        _, planned = await desk.call("terraform_plan", turn)
        await desk.apply(planned.data["id"])
    root = case.get("root", ".")
    # What was learned while producing must not help the consumer: another process would not know it.
    said = await everything(desk.anew(root), var_files=case.get("var_files", []))

    canaries = [canary["value"] for canary in case["canaries"]]
    lines = [line for canary in case["canaries"] for line in canary.get("lines") or []]
    assert [] == [form for value in canaries for form in forms(value) if form in said]
    assert [] == [line for line in lines if line in said]
