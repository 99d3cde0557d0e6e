"""The magics in a real kernel: what a cell shows, returns and refuses."""

import json

HCL = 'locals { a = "${var.x}" b = {for k in y : k => {}} c = "{{name}}" }'


def test_an_answer_streams_and_its_out_stays_empty(kernel, script):
    """Text appears while it is written; the cell does not show it a second time."""
    script.reply("One ", "two ", "three.", delay_seconds=0.3)
    cell = kernel.run("%tfai ask count to three")

    assert ("ok", {}, "") == (cell.status, cell.out, cell.stderr)
    assert "One two three.\n" == cell.stdout
    assert 2 <= cell.pieces


def test_an_answer_is_an_object_that_shows_itself_later(kernel, script):
    """`answer = %tfai ask` keeps the answer; naming it in another cell shows it."""
    script.reply("Forty-two.")
    kernel.run("answer = %tfai ask what is it?")

    assert "Forty-two." == kernel.value("answer.text")
    assert "Forty-two." == kernel.run("answer").out["text/plain"]


def test_a_question_mark_at_the_end_reaches_the_model(kernel, script):
    """The question arrives as it was typed."""
    script.reply("A directory of .tf files.")
    kernel.run("%tfai ask what is a module?")

    assert "what is a module?" in script.prompts[-1][-1]["content"]


def test_nothing_in_a_cell_is_interpolated(kernel, script):
    """HCL in a body or a line stays as it is, whatever variables the kernel has."""
    script.reply("Seen.")
    script.reply("Seen.")
    kernel.run(f"name = x = y = var = 'KERNEL'\n%tfai ask {HCL}")
    kernel.run(f"%%tfai\n{HCL}\n$name {{name}}")
    line, body = (prompt[-1]["content"] for prompt in script.prompts[-2:])

    assert "KERNEL" not in line + body
    assert HCL in line
    assert f"{HCL}\n$name {{name}}" in body


def test_vars_inserts_kernel_variables_where_asked(kernel, script):
    """With --vars, {{name}} becomes the variable's text, and only that."""
    script.reply("Seen.")
    kernel.run("region = 'eu-west-1'")
    kernel.run("%%tfai ask --vars in {{region}}\nand {{ region }} ${region} {region}")

    assert "in eu-west-1\nand eu-west-1 ${region} {region}" in script.prompts[-1][-1]["content"]
    cell = kernel.run("%tfai ask --vars {{nowhere}}")
    assert "UsageError: there is no variable 'nowhere' in this kernel\n" == cell.stderr


def test_a_plan_is_shown_and_returned(kernel):
    """The result of a command is rich output, escaped, and an object to carry on with."""
    cell = kernel.run("plan = %tfai plan -d infra\nplan")

    assert {"text/plain", "text/markdown", "text/html"} == set(cell.out)
    assert "terraform_data.one" in cell.out["text/plain"]
    assert "&lt;b&gt;" in cell.out["text/html"]
    assert "<b>" not in cell.out["text/html"]
    assert [1, "create"] == kernel.value("[plan.summary.add, plan.to_df().action[0]]")


def test_a_plan_carries_on_with_approval(kernel):
    """`plan.apply()` asks for approval of exactly that plan; only `approve` applies it."""
    kernel.run("plan = %tfai plan -d infra")
    asked = kernel.run("same = plan.apply()")
    approval = asked.stdout.partition("%tfai approve ")[2].split()[0]
    assert "0 resources in the state\n" == kernel.run("%tfai state -d infra --plain").stdout

    assert "ok" == kernel.run(f"%tfai approve {approval}").status
    kernel.run("state = %tfai state -d infra")
    assert ["terraform_data.one"] == kernel.value("[each.address for each in state.resources]")


def test_a_change_set_is_written_and_undone(kernel, place, script):
    """`change_set.apply()` asks, `approve` writes, `change_set.undo()` puts back what was there."""
    arguments = json.dumps({"files": [{"path": "made/main.tf", "content": "locals {}\n"}], "summary": "made"})
    script.reply(tool_calls=[{"name": "write_files", "arguments": arguments}])
    script.reply("Proposed.")
    kernel.run("change_set = %tfai generate something")
    assert ["made/main.tf", False] == [kernel.value("change_set.files[0].path"), (place / "made").exists()]

    kernel.run("asked = change_set.apply()")
    kernel.run("%tfai approve --vars {{id}}".replace("{{id}}", kernel.value("asked.approval_id")))
    assert "locals {}\n" == (place / "made" / "main.tf").read_text()
    kernel.run("change_set.undo()")
    assert not (place / "made" / "main.tf").exists()


def test_plain_output_is_the_same_every_time(kernel):
    """--plain prints the result's text without ids and times, and nothing else."""
    first, second = (kernel.run("%tfai plan -d infra --plain") for _ in range(2))

    assert first.stdout == second.stdout != ""
    assert ({}, "", "ok") == (first.out, first.stderr, first.status)
    assert "plan <id>, digest sha256:" in first.stdout


def test_json_output_is_one_document(kernel):
    """--json prints the result's to_dict()."""
    cell = kernel.run("plan = %tfai plan -d infra --json")

    assert json.loads(cell.stdout) == kernel.value("plan.to_dict()")


def test_quiet_says_nothing(kernel, script):
    """--quiet prints nothing when all went well, and still returns the result."""
    script.reply("Not shown.")
    cell = kernel.run("answer = %tfai ask --quiet hello")

    assert ("", "", {}) == (cell.stdout, cell.stderr, cell.out)
    assert "Not shown." == kernel.value("answer.text")


def test_a_mistake_is_one_line_and_fails_the_cell(kernel):
    """A wrong command says what is meant, without a traceback, and stops a run of all cells."""
    cell = kernel.run("%tfai plam")

    assert "UsageError: unknown command 'plam', did you mean 'plan'?; `help` lists them all\n" == cell.stderr
    assert ("error", []) == (cell.status, cell.errors)


def test_a_model_that_refuses_is_one_line(kernel, script):
    """A failed turn fails its cell with the reason alone."""
    script.reply(status=401)
    cell = kernel.run("%tfai ask hello")

    assert ("error", [], 1) == (cell.status, cell.errors, cell.stderr.count("\n"))
    assert "sk-scripted" not in cell.stderr + cell.stdout


def test_help_is_there_however_it_is_asked_for(kernel):
    """`%tfai?` shows the magic's help, `%tfai plan?` a command's."""
    reply = kernel.client.execute("%tfai?", reply=True, timeout=30)

    assert "%tfai help" in reply["content"]["payload"][0]["data"]["text/plain"]
    assert "--destroy" in kernel.run("%tfai plan?").out["text/plain"]


def test_a_kernel_keeps_one_conversation_until_another_is_named(kernel, script):
    """The next question knows the one before; `-c` begins or takes up another."""
    for text in ("Noted.", "Ada.", "Who?"):
        script.reply(text)
    kernel.run("%tfai ask my name is Ada")
    kernel.run("%tfai ask what is my name?")
    kernel.run("%tfai ask -c another what is my name?")
    second, third = script.prompts[-2:]

    assert any("my name is Ada" in message["content"] for message in second)
    assert not any("Ada" in message["content"] for message in third)


def test_a_changed_setting_is_noticed(kernel, script):
    """A variable that is set in a cell holds from the next question on."""
    script.reply("Still here.")
    kernel.run("import os; os.environ['MODEL_PROVIDER'] = 'bedrock'")
    assert "bedrock" in kernel.run("%tfai ask hello").stderr
    kernel.run("os.environ['MODEL_PROVIDER'] = 'openai'")

    assert "Still here.\n" == kernel.run("%tfai ask hello").stdout


def test_another_directory_is_another_workspace(kernel, tmp_path):
    """After %cd the workspace is the new directory; -d must not leave it."""
    (tmp_path / "inside").mkdir()
    kernel.run("import os; before = os.getcwd()")
    kernel.run(f"%cd -q {tmp_path}/inside")
    try:
        assert "ok" == kernel.run("%tfai files --plain").status
        assert "outside the workspace" in kernel.run("%tfai files -d ../..").stderr
    finally:
        kernel.run("%cd -q {before}")


def test_completion_offers_commands(kernel):
    """Tab completes our lines and only ours."""
    reply = kernel.client.complete("%tfai pla", reply=True, timeout=30)["content"]

    assert ["plan"] == reply["matches"]
    assert (6, 9) == (reply["cursor_start"], reply["cursor_end"])
