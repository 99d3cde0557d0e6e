"""What a body asks for, without a server."""

import pytest

from tfai_jupyter.core.errors import Invalid, UsageError
from tfai_jupyter.core.turns import Attachment
from tfai_jupyter.server.body import forwarded, read_object, read_question


def test_a_plain_message_is_a_question():
    """Its workspace, conversation, context and options are the question's."""
    question = read_question(
        {
            "message": "why?",
            "workspace": "infra",
            "conversation_id": "talk",
            "context": [{"kind": "cell", "name": "[3]", "text": "x = 1"}],
            "options": {"no_docs": True},
        }
    )

    assert ("why?", "ask", "infra", "talk") == (
        question.text,
        question.command,
        question.directory,
        question.conversation_id,
    )
    assert (Attachment("cell", "[3]", "x = 1"),) == question.attachments
    assert {"no_docs": True} == question.options
    assert "server" == question.face


def test_a_command_line_is_read_as_everywhere():
    """Options are the command's; `-d` is relative to the workspace; the lines below are its text."""
    question = read_question({"message": "/diagnose -d net -c talk\nError: no\n  main.tf", "workspace": "infra"})

    assert ("diagnose", "infra/net", "talk") == (question.command, question.directory, question.conversation_id)
    assert "Error: no\n  main.tf" == question.text


def test_a_command_with_arguments_is_taken_as_it_is():
    """What a client has parsed is not parsed again, not even when its text begins with a slash."""
    options = {"command": "plan", "arguments": {"destroy": True}, "face": "notebook"}

    question = read_question({"message": "/x", "workspace": "infra", "options": options})

    assert ("plan", "/x", {"destroy": True}) == (question.command, question.text, question.options)
    assert ("notebook", "infra") == (question.face, question.directory)


def test_only_listed_variables_are_forwarded():
    """Cloud credentials and Terraform variables are; what could change how programs run is not."""
    env = {
        "AWS_PROFILE": "dev",
        "TF_VAR_colour": "blue",
        "TF_WORKSPACE": "prod",
        "KUBECONFIG": "/k",
        "TF_CLI_ARGS": "-lock=false",
        "TF_LOG": "TRACE",
        "PATH": "/evil",
        "LD_PRELOAD": "/evil.so",
        "XAWS_A": "no",
        "AWS_\u0130": "no",
        "VAULT_TOKEN": "a\0b",
        "ARM_CLIENT_ID": 3,
    }

    assert {"AWS_PROFILE", "TF_VAR_colour", "TF_WORKSPACE", "KUBECONFIG"} == set(forwarded(env))


def test_too_many_variables_are_refused():
    """There is an end to what is passed on."""
    with pytest.raises(Invalid, match="at most 200"):
        forwarded({f"TF_VAR_{number}": "x" for number in range(201)})


@pytest.mark.parametrize("body", [b"", b"{}"])
def test_no_body_is_an_empty_object(body):
    """Routes that need nothing can be asked with nothing."""
    assert {} == read_object(body)


def test_a_command_line_has_an_end():
    """A line that would take long to split is refused before it is."""
    with pytest.raises(UsageError, match="on the lines below"):
        read_question({"message": "/ask " + "x" * 10_000})
