"""The tool behind `diagnose`, with the real Terraform on a real directory."""

import json

import pytest

from tfai_jupyter.core.agent import run_tool
from tfai_jupyter.core.events import ToolProgress
from tfai_jupyter.core.messages import ToolCall
from tfai_jupyter.terraform.diagnosis_tools import DiagnoseTools


@pytest.fixture
def diagnosed(desk):
    """Call the tool as the assistant does; return its progress lines and its result."""

    async def call(**arguments):
        tools = {tool.spec.name: tool for tool in DiagnoseTools(desk.workspace, desk.terraform, desk.redactor).tools()}
        turn = desk.turn(arguments.pop("home", ""))
        events, result = await desk.collect(run_tool(ToolCall("call", "diagnose", json.dumps(arguments)), tools, turn))
        return [event.text for event in events if isinstance(event, ToolProgress)], result

    return call


async def test_a_text_is_diagnosed_with_the_files_beside_it(desk, diagnosed):
    """A pasted error gets the line and the near name from the configuration of the directory."""
    desk.write("app/main.tf", 'locals {\n  prefix = "shop"\n}\n\noutput "x" {\n  value = local.prefx\n}\n')
    text = (
        "Error: Reference to undeclared local value\n\n"
        '  on main.tf line 6, in output "x":\n   6:   value = local.prefx\n\n'
        'A local value with the name "prefx" has not been declared.'
    )
    progress, result = await diagnosed(text=text, home="app")

    assert [] == progress
    assert ("ok", "diagnosis", "unknown_reference") == (
        result.outcome,
        result.data["result"],
        result.data["error_class"],
    )
    assert 'Correct the name to "prefix"' in result.data["fix"]
    assert result.content.startswith("unknown_reference: output.x at main.tf:6\n")


async def test_a_directory_is_validated(desk, diagnosed):
    """Without a text Terraform is asked; the place is relative to the directory."""
    desk.write("app/main.tf", 'resource "terraform_data" "a" {\n  inputt = 1\n}\n')
    progress, result = await diagnosed(dir="app")

    assert ["running validate"] == progress
    assert ("unsupported_argument", "terraform_data.a", "main.tf", 2) == tuple(
        result.data[key] for key in ("error_class", "address", "file", "line")
    )


async def test_what_only_a_plan_shows_is_found(desk, diagnosed):
    """A valid configuration that cannot be planned is planned."""
    desk.write("main.tf", 'variable "tag" {\n  type = string\n}\n')
    progress, result = await diagnosed()

    assert ["running validate", "running plan"] == progress
    assert ("missing_variable", "var.tag") == (result.data["error_class"], result.data["address"])


async def test_nothing_is_wrong(desk, diagnosed):
    """A sound directory, an innocent text and an empty directory each get one plain sentence."""
    _, empty = await diagnosed()
    desk.write("main.tf", 'resource "terraform_data" "a" {\n}\n')
    _, sound = await diagnosed()
    _, text = await diagnosed(text="Plan: 1 to add, 0 to change, 0 to destroy.")

    assert "Nothing to diagnose: no text was given and the directory has no Terraform files." == empty.summary
    assert "Nothing is wrong: validate and plan both succeed." == sound.summary
    assert "Nothing is wrong in this text, as far as the rules know." == text.summary
    assert {"report"} == {each.data["result"] for each in (empty, sound, text)}


async def test_a_sensitive_value_in_an_error_is_masked(desk, diagnosed):
    """A provisioner that prints a sensitive variable does not carry it into the finding."""
    desk.write(
        "main.tf",
        'variable "token" {\n  default   = "hunter2-hunter2"\n  sensitive = true\n}\n',
    )
    _, result = await diagnosed(text="Error: local-exec provisioner error\n\nexit status 2. Output: hunter2-hunter2\n")

    assert "hunter2-hunter2" not in json.dumps(result.data)
    assert "hunter2-hunter2" not in result.content


async def test_a_directory_outside_is_refused(diagnosed):
    """`dir` goes through the one resolver."""
    _, result = await diagnosed(dir="../..")

    assert "denied" == result.outcome
