"""write_files with the real Terraform: staged, formatted, validated in a copy, never written."""

import pytest

from tfai_jupyter.core.events import ToolProgress

GOOD = 'resource "terraform_data" "a" {\n  input = "one"\n}\n'
BAD = 'resource "terraform_data" "a" {\n  input = var.nope\n}\n'


def progress(events):
    """Return the progress lines."""
    return [event.text for event in events if isinstance(event, ToolProgress)]


def files(**contents):
    """Make the argument; `main__tf` stands for `main.tf`."""
    return [{"path": path.replace("__", "."), "content": text} for path, text in contents.items()]


async def test_draft_is_staged_formatted_and_valid(desk):
    """A good draft is valid, formatted, keyed by the root's paths, and nothing is written."""
    turn = desk.turn()
    ugly = 'resource "terraform_data" "a" {\ninput="one"\n}\n'
    events, result = await desk.call("write_files", turn, files=files(main__tf=ugly), summary="one resource")

    assert {"main.tf": GOOD} == turn.draft
    assert ("ok", "valid", "one resource", 1) == (result.outcome, turn.validation, turn.summary, turn.attempts)
    assert ["validating 1 file"] == progress(events)
    assert [] == list(desk.root.iterdir())


async def test_invalid_draft_is_told_and_repaired(desk):
    """The model reads diagnostics and how many repairs are left; a repair makes the draft valid."""
    turn = desk.turn()
    events, broken = await desk.call("write_files", turn, files=files(main__tf=BAD))
    _, repaired = await desk.call("write_files", turn, files=files(main__tf=GOOD))

    assert ["validating 1 file", "1 error, repair 1 of 3"] == progress(events)
    assert "main.tf:2: error: Reference to undeclared input variable" in broken.content
    assert "Repair 1 of 3: call write_files again" in broken.content
    assert ("error", "ok", "valid", 2) == (broken.outcome, repaired.outcome, turn.validation, turn.attempts)


async def test_repairs_end(desk):
    """After three repairs the model is told to stop."""
    turn = desk.turn()
    for _ in range(4):
        events, result = await desk.call("write_files", turn, files=files(main__tf=BAD))

    assert "1 error, no repair left" == progress(events)[-1]
    assert "Stop calling write_files" in result.content
    assert "invalid: 1 error" == turn.validation


async def test_syntax_errors_are_found_without_init(desk):
    """A draft that does not parse is invalid with file and line, and stays as it was written."""
    turn = desk.turn()
    _, result = await desk.call("write_files", turn, files=files(main__tf='resource "a" {\n'))

    assert ("main.tf", 1) == tuple(result.data["diagnostics"][0][key] for key in ("file", "line"))
    assert 'resource "a" {\n' == turn.draft["main.tf"]


async def test_draft_is_validated_with_what_exists(desk):
    """A draft may use what the workspace declares, templates and modules outside its directory too."""
    desk.write("infra/variables.tf", 'variable "name" {}\n')
    desk.write("infra/templates/hello.tftpl", "hello ${name}\n")
    desk.write("modules/m/main.tf", 'variable "x" {}\n')
    text = (
        'module "m" {\n  source = "../modules/m"\n  x      = var.name\n}\n\n'
        'output "o" {\n  value = templatefile("${path.module}/templates/hello.tftpl", { name = "you" })\n}\n'
    )
    turn = desk.turn("infra")
    _, result = await desk.call("write_files", turn, files=files(main__tf=text))

    assert "valid" == turn.validation, result.content
    assert ["infra/main.tf"] == list(turn.draft)


async def test_errors_in_a_drafted_module_name_the_models_path(desk):
    """A file of a drafted module is named as the model knows it: relative to the turn's directory."""
    text = 'module "m" {\n  source = "./modules/m"\n}\n'
    drafted = [{"path": "main.tf", "content": text}, {"path": "modules/m/main.tf", "content": BAD}]
    _, result = await desk.call("write_files", desk.turn("."), files=drafted)

    assert [("modules/m/main.tf", 2)] == [(each["file"], each["line"]) for each in result.data["diagnostics"]]


async def test_only_prose_is_not_validated(desk):
    """A draft without Terraform files is skipped with the reason."""
    turn = desk.turn()
    await desk.call("write_files", turn, files=files(README__md="# Hello\n"))

    assert "skipped: no Terraform files" == turn.validation


async def test_unreachable_provider_is_no_error_of_the_draft(desk):
    """Where providers cannot be fetched, the draft is skipped and not called invalid."""
    desk.env["HTTPS_PROXY"] = "http://127.0.0.1:9"
    text = 'terraform {\n  required_providers {\n    x = {\n      source = "registry.example/x/x"\n    }\n  }\n}\n'
    turn = desk.turn()
    _, result = await desk.call("write_files", turn, files=files(main__tf=text))

    assert ("ok", True) == (result.outcome, turn.validation.startswith("skipped: providers")), result.content


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("../outside.tf", GOOD),
        ("/etc/x.tf", GOOD),
        ("-x.tf", GOOD),
        (".terraform/x.tf", GOOD),
        ("link/x.tf", GOOD),
        ("run.py", "print()"),
        ("Makefile", "all:"),
        (".", GOOD),
        ("main.tf", 'x = "[REDACTED:pw#1234]"'),
        ("main.tf", "#" * (100 * 1024 + 1)),
    ],
)
async def test_what_must_not_be_drafted_is_refused(desk, path, content):
    """Paths outside, hidden names, other kinds of files, placeholders and big files are refused whole."""
    (desk.root / "link").symlink_to("/etc")
    turn = desk.turn()
    drafted = [{"path": "fine.tf", "content": GOOD}, {"path": path, "content": content}]
    _, result = await desk.call("write_files", turn, files=drafted)

    assert result.outcome in ("error", "denied")
    assert ({}, 0) == (turn.draft, turn.attempts)


@pytest.mark.parametrize("drafted", [[], [("a.tf", GOOD)] * 2, [(f"f{n}.tf", "") for n in range(51)]])
async def test_too_few_and_too_many_files_are_refused(desk, drafted):
    """No file, a file twice, or more than fifty are refused with a reason."""
    turn = desk.turn()
    _, result = await desk.call("write_files", turn, files=[{"path": p, "content": c} for p, c in drafted])

    assert ("error", {}) == (result.outcome, turn.draft)
