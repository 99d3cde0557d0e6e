"""Diagnosis by rule: what Terraform printed, in every form, and nothing found where nothing is wrong."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfai_jupyter.terraform.diagnose import diagnose
from tfai_jupyter.terraform.printout import read_printout

CASES = Path(__file__).parents[2].parent / "shared" / "data" / "terraform" / "errors"
FLOORS = {"class": 0.97, "address": 0.97, "place": 0.97, "keywords": 0.97}
FLOORS_OF_TEXT_ALONE = {"class": 0.97, "address": 0.94, "place": 0.8, "keywords": 0.93}

UNSET = """
Error: No value for required variable

  on main.tf line 1:
   1: variable "image_tag" {

The root module input variable "image_tag" is not set, and has no default
value. Use a -var or -var-file command line argument to provide a value for
this variable.
"""


def boxed(text, prefix=""):
    """Put a diagnostic into the box that Terraform draws on a terminal."""
    lines = ["╷", *(f"│ {line}" for line in text.strip().splitlines()), "╵"]
    return "\n".join(prefix + line for line in lines) + "\n"


def configuration(case):
    """Read the files that a person would point at."""
    names = (path for path in case.rglob("*") if path.suffix == ".tf" or path.name == ".terraform.lock.hcl")
    return {path.relative_to(case).as_posix(): path.read_text() for path in names if "before" not in path.parts[-2:]}


def score(case, *, with_files):
    """Yield, for each output of a case, which columns are right."""
    expected = json.loads((case / "expected.json").read_text())
    accept = expected.get("accept") or {}
    for name in expected["captured"]:
        found = diagnose((case / name).read_text(), configuration(case) if with_files else {})
        if expected["error_class"] == "none":
            yield {"class": found is None}
            continue
        told = f"{found.cause} {found.fix}".lower() if found else ""
        place = (found.file or None, found.line) if found else ()
        address = (found.address or None) if found else "?"
        yield {
            "class": bool(found) and found.error_class in (expected["error_class"], *accept.get("classes", ())),
            "address": address in (expected["root_cause_address"], *accept.get("addresses", ())),
            "place": place == (expected["file"], expected["line"])
            or (bool(place) and f"{place[0]}:{place[1]}" in accept.get("places", ())),
            "keywords": all(any(word.lower() in told for word in words) for words in expected["fix_hint_keywords"]),
        }


@pytest.mark.skipif(not CASES.is_dir(), reason="the shared set of broken configurations is not beside the checkout")
@pytest.mark.parametrize(("with_files", "floors"), [(True, FLOORS), (False, FLOORS_OF_TEXT_ALONE)])
def test_the_development_set_is_diagnosed(with_files, floors):
    """Class, address, place and words are right for nearly all of the shared set, with and without its files."""
    rows = [row for case in sorted(CASES.iterdir()) if case.is_dir() for row in score(case, with_files=with_files)]
    rates = {}
    for column in floors:
        values = [row[column] for row in rows if column in row]
        rates[column] = sum(values) / len(values)
    print(f"with files: {with_files}", {name: f"{rate:.3f}" for name, rate in rates.items()})  # noqa: T201 - the score

    assert {} == {name: rate for name, rate in rates.items() if rate < floors[name]}


@pytest.mark.parametrize(
    "text",
    [
        UNSET,
        boxed(UNSET),
        boxed(UNSET, "2026-11-23T05:28:46.5903410Z "),
        boxed(UNSET, "21:12:01.123 STDERR terraform: "),
        boxed(UNSET)
        .replace("│ ", "\x1b[31m│\x1b[0m \x1b[0m")
        .replace("Error:", "\x1b[1m\x1b[31mError: \x1b[0m\x1b[0m"),
        boxed(UNSET).replace("│ ", "[31m│[0m [0m").replace("Error:", "[0m[1m[31mError:[0m"),
        UNSET.replace("\n", "\r\n"),
        f"I ran it and got this:\n{UNSET}",
        boxed("Warning: Unable to open CLI configuration file\n\nThe file does not exist.") + UNSET,
    ],
    ids=["plain", "box", "dated", "terragrunt", "coloured", "escape lost", "windows", "after words", "beside a box"],
)
def test_every_form_of_a_log_is_read(text):
    """The same failure is found whatever a terminal or a log shipper made of the text."""
    found = diagnose(text)

    assert ("missing_variable", "var.image_tag", "main.tf", 1) == (
        found.error_class,
        found.address,
        found.file,
        found.line,
    )
    assert "-var 'image_tag=...'" in found.fix


def test_json_lines_are_read():
    """Diagnostics of `plan -json` are found among its other messages."""
    diagnostic = {
        "severity": "error",
        "summary": "Unsupported attribute",
        "detail": 'This object has no argument, nested block, or exported attribute named "e".',
        "range": {"filename": "main.tf", "start": {"line": 6}},
        "snippet": {"context": 'output "x"', "code": "  value = a.b.e", "values": []},
    }
    messages = [{"@level": "info", "type": "version"}, {"type": "diagnostic", "diagnostic": diagnostic}]
    found = diagnose("\n".join(map(json.dumps, messages)))

    assert ("unsupported_attribute", "output.x", 6) == (found.error_class, found.address, found.line)
    assert ("Unsupported attribute",) == tuple(each.summary for each in found.diagnostics)


def test_a_diagnostic_keeps_terraforms_words():
    """Summary, detail without its wrapping, place, address and code are taken over."""
    (found,) = read_printout(UNSET)

    assert ("error", "No value for required variable") == (found.severity, found.summary)
    assert ("main.tf", 1, "var.image_tag", 'variable "image_tag" {') == (
        found.file,
        found.line,
        found.address,
        found.snippet,
    )
    assert found.detail.endswith("to provide a value for this variable.")
    assert "\n" not in found.detail


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Success! The configuration is valid.\n",
        "No changes. Your infrastructure matches the configuration.\n",
        "Apply complete! Resources: 1 added.\n\nOutputs:\n\nmessage = <<EOT\nError: page not found\nEOT\n",
        'Plan: 1 to add, 0 to change, 0 to destroy.\n\n      + body = "Error: AccessDenied"\n',
        "\nWarning: Argument is deprecated\n\nUse something else.\n",
        "what is a module that already exists?",
        "cache: 3 hits, 0 errors, 2 entries not found",
        '{"format_version": "1.0", "valid": true, "error_count": 0, "diagnostics": []}',
    ],
)
def test_nothing_is_wrong_where_nothing_failed(text):
    """Healthy output is not diagnosed, though words such as Error occur in it."""
    assert diagnose(text) is None


def test_every_diagnostic_of_a_log_is_read():
    """None of several diagnostics is lost, the first of a log included; equals are led by the first printed."""
    text = f"{UNSET}{UNSET.replace('image_tag', 'zone').replace('line 1', 'line 5')}"
    found = diagnose(text)

    assert [1, 5] == [each.line for each in found.diagnostics]
    assert [1, 5] == [each.line for each in read_printout(f"\n{text}")]
    assert "var.image_tag" == found.address


def test_what_comes_first_is_the_root():
    """A refused permission is the root; that the state could not be stored afterwards is not."""
    denied = "Error: creating KMS Key: api error AccessDenied: User: x is not authorized to perform: kms:CreateKey"
    unsaved = "Error: Failed to save state\n\nError saving state: AccessDenied: Access Denied"
    found = diagnose(boxed(unsaved) + boxed(f"{denied}\n\n  with aws_kms_key.data,\n  on main.tf line 5:"))

    assert ("cloud_access_denied", "aws_kms_key.data") == (found.error_class, found.address)
    assert "kms:CreateKey" in found.fix
    assert 2 == len(found.diagnostics)


def test_the_resource_is_found_by_its_id_in_the_log():
    """A message without an address is about the resource whose id the log shows."""
    log = "aws_vpc.a: Refreshing state... [id=vpc-1]\naws_subnet.b: Destroying... [id=subnet-0f1e]\n"
    error = "Error: deleting Subnet (subnet-0f1e): DependencyViolation: it has dependencies"
    found = diagnose(log + boxed(error), {"main.tf": '\n\nresource "aws_subnet" "b" {\n}\n'})

    assert ("cloud_dependency_violation", "aws_subnet.b", "main.tf", 3) == (
        found.error_class,
        found.address,
        found.file,
        found.line,
    )


def test_opentofu_is_understood():
    """OpenTofu's wording falls under the same rules."""
    text = (
        "Error: Unsupported OpenTofu Core version\n\n  on main.tf line 2, in terraform:\n"
        '   2:   required_version = ">= 1.14"\n\nThis configuration does not support OpenTofu version 1.9.0. To proceed'
    )

    assert "required_version_mismatch" == diagnose(text).error_class


def test_a_failure_that_no_rule_knows_is_told_as_it_is():
    """An unknown error is given in Terraform's own words and said to be unknown."""
    found = diagnose("Error: The flux is not aligned\n\nRotate it by nine degrees.\n")

    assert "unclassified" == found.error_class
    assert "The flux is not aligned" in found.cause
    assert "Rotate it by nine degrees" in found.cause
    assert "no rule knows" in found.fix


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([*'Error: Wanig\n│╷╵ {}[]"<$(%=.1', "\x1b[0m", "Error: ", "\n\n"])).map("".join))
def test_garbage_never_raises(text):
    """Whatever the text is, there is an answer and no exception."""
    found = diagnose(text, {"main.tf": text})

    assert found is None or found.error_class


@settings(max_examples=100, deadline=None)
@given(st.recursive(st.none() | st.text() | st.integers(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_json_of_any_shape_never_raises(value):
    """A document that only looks like Terraform's is survived."""
    texts = [
        json.dumps({"diagnostics": value}),
        json.dumps({"diagnostics": [{"range": value, "snippet": value, "summary": value}]}),
        json.dumps({"type": "diagnostic", "diagnostic": {"severity": "error", "detail": value}}),
    ]

    assert all(found is None or found.error_class for found in map(diagnose, texts))


@pytest.mark.parametrize(
    "piece",
    [
        "aws_x.y: Creating...\n",
        "\n\nWarning: x\n",
        "╷\n│ Error: x\n│ ",
        "[",
        "{",
        "<<EOT\nx\n",
        "\x1b[31mx\x1b[0m\n",
        '"',
    ],
)
def test_five_megabytes_are_read_quickly(piece):
    """A log of 5 MB takes seconds at most, also a hostile one."""
    started = time.monotonic()
    diagnose(piece * (5_000_000 // len(piece)))

    assert 20 > time.monotonic() - started
