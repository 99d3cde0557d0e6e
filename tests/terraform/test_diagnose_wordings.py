"""Wordings beyond the development set: the clouds' error codes, state, providers."""

from pathlib import Path

import pytest

from tfai_jupyter.terraform.diagnose import diagnose

_, *PARTS = Path(__file__).with_name("wordings.txt").read_text().split("\n=== ")
WORDINGS = [(name, text.strip()) for name, _, text in (part.partition("\n") for part in PARTS)]


@pytest.mark.parametrize(("error_class", "message"), WORDINGS)
def test_wording_is_classified(error_class, message):
    """Terraform's and the clouds' messages fall under the class a person would give them."""
    place = "" if "\n" in message else '\n\n  with aws_x.y,\n  on main.tf line 5, in resource "aws_x" "y":\n'
    found = diagnose(f"\nError: {message}{place}")

    assert error_class == found.error_class
    assert found.cause
    assert found.fix
    assert "{" not in found.cause.replace(message, "")


@pytest.mark.parametrize(
    ("error_class", "fragment"),
    [
        ("cloud_already_exists", "BucketAlreadyExists: The requested bucket name is not available"),
        ("cloud_access_denied", "UnauthorizedAccess: you may not do that"),
        ("cloud_credentials_expired", "error ExpiredToken: the security token included in the request is expired"),
    ],
)
def test_a_pasted_fragment_is_enough(error_class, fragment):
    """A line of a log without Terraform's frame is recognised by its error code."""
    assert error_class == diagnose(f"yesterday it worked\n{fragment}\n").error_class
