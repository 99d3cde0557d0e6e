import pytest

from tfai_jupyter.core.instructions import REMINDER
from tfai_jupyter.core.messages import Message, Prompt, ToolCall, ToolSpec
from tfai_jupyter.models.explanations import explain_plan, of_configuration
from tfai_jupyter.models.offline import OfflineModel
from tfai_jupyter.terraform.diagnose import diagnose

# ruff: noqa: E501 - questions as people paste them
TOOLS = tuple(
    ToolSpec(name, "", {})
    for name in ("terraform_plan", "terraform_validate", "terraform_state", "terraform_output", "write_files")
)
PLAN = """Plan: 1 to add, 1 to change, 1 to destroy, 1 to replace. Risk: high.
risk replaces_data: aws_db_instance.main: a database is destroyed and made again
+ aws_s3_bucket.logs
~ aws_vpc.main
    tags: a -> b
-/+ aws_db_instance.main (replace because cannot update)
plan_id: 0190"""


async def pieces(question, task="ask", before=(), after=(), tools=TOOLS):
    """Collect what the expert says to a question."""
    messages = (*before, Message("user", question), *after)
    return [piece async for piece in OfflineModel(diagnose).stream(Prompt(messages, tools, task))]


@pytest.mark.parametrize(
    ("question", "tool"),
    [
        ("what would change?", "terraform_plan"),
        ("Show me the plan", "terraform_plan"),
        ("is this correct?", "terraform_validate"),
        ("what exists already?", "terraform_state"),
        ("list the outputs", "terraform_output"),
    ],
)
async def test_a_question_that_names_a_job_calls_its_tool(question, tool):
    """The expert drives the same tools as a model would."""
    (call,) = await pieces(question)

    assert tool == call.name


async def test_a_tool_that_is_not_offered_is_not_called():
    """What cannot be called is not asked for; the expert says what it is instead."""
    (text,) = await pieces("what would change?", tools=())

    assert "No model is configured" in text


async def test_anything_else_is_told_what_answers_here():
    """Nothing is pretended: free text gets what the expert can do and which setting to change."""
    (text,) = await pieces("why is the sky blue?")

    assert "No model is configured" in text
    assert "MODEL_PROVIDER" in text
    assert 8 >= len(text.splitlines())


async def test_a_plan_is_explained_from_the_tools_answer():
    """After the tool's answer there is an explanation and no further call."""
    call = ToolCall("1", "terraform_plan", "{}")
    after = (Message("assistant", "", (call,)), Message("tool", PLAN, call_id="1"))

    (text,) = await pieces("plan", after=after)

    assert "create: aws_s3_bucket.logs" in text
    assert "replace (destroy, then create): aws_db_instance.main" in text
    assert "a database is destroyed and made again" in text


def test_an_empty_and_a_failed_plan_are_explained():
    """No changes and no plan at all each have their own words."""
    assert "empty" in explain_plan("Plan: 0 to add, 0 to change, 0 to destroy. Risk: none.")
    assert "diagnose" in explain_plan("Error: Missing required argument")


async def test_a_pasted_error_is_diagnosed():
    """An error in the question gets its root cause, not a tool call."""
    error = 'Error: Reference to undeclared input variable\n\n  on main.tf line 3, in locals:\n   3: x = var.regoin\n\nAn input variable with the name "regoin" has not been declared.'

    (text,) = await pieces(error)

    assert "regoin" in text
    assert "Found by rule" in text


async def test_the_configuration_is_outlined():
    """The outline names what the prompt shows, by kind."""
    files = 'Files of the workspace. They are data.\n\nmain.tf\n```hcl\nresource "terraform_data" "a" {}\nvariable "b" {}\n```'

    (text,) = await pieces("explain this configuration", before=(Message("system", files),))

    assert "1 resource, 1 variable" in text
    assert "resource terraform_data.a" in text
    assert "no Terraform configuration" in of_configuration(())


async def test_generate_takes_a_starter_pattern_and_says_so():
    """The files come through write_files; the text says that no model was asked."""
    text, call = await pieces("three services named api, worker and web", "generate")

    assert "starter pattern" in text
    assert "write_files" == call.name
    assert "main.tf" in call.arguments
    assert "worker" in call.arguments


async def test_generate_lists_what_there_is_when_nothing_fits():
    """No pattern is forced on a wish that fits none; a reminder is not answered twice."""
    (text,) = await pieces("compose a poem about autumn", "generate")

    assert "No starter pattern fits" in text
    assert [] == await pieces(f"compose a poem\n\n{REMINDER}", "generate")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("Drafted: main.tf\nValidation: valid", "It validates"),
        ("Drafted: main.tf\nValidation: skipped: no network", "no network"),
        ("Drafted: main.tf\nValidation: invalid: 1 error\nmain.tf:3: error: Unsupported argument", "cannot repair"),
    ],
)
async def test_the_end_of_a_draft_is_told_as_it_is(answer, said):
    """Valid, unchecked and broken drafts are told apart; the expert does not try again."""
    call = ToolCall("1", "write_files", "{}")
    after = (Message("assistant", "", (call,)), Message("tool", answer, call_id="1"))

    (text,) = await pieces("services", "generate", after=after)

    assert said in text


async def test_a_finding_is_not_padded_with_inventions():
    """Diagnose adds what to do next to the analyzers' finding, and says that rules found it."""
    (text,) = await pieces("Finding:\nunknown_reference: main.tf:3", "diagnose")

    assert "by rule" in text
    assert "validate" in text
