"""What is read from a request: names, regions, environments, counts, ports."""

import pytest

from tfai_jupyter.models.wishes import Wish


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("three services named api, worker and web", ["api", "worker", "web"]),
        ("three services named api, worker, and web", ["api", "worker", "web"]),
        ("services called `a-1` & 'b_2'", ["a-1", "b-2"]),
        ("services: one, two", ["one", "two"]),
        ("accounts (shop, billing)", ["shop", "billing"]),
        ("a bucket named Logs.Archive with versioning", ["logs-archive"]),
        ('a bucket "reports" in "eu-west-1" for "prod"', ["reports"]),
        ('with "terraform_data"', []),
        ("a bucket named for and the", []),
        ("twice named x, b and x", ["x", "b"]),
        ("named a-name-that-is-much-too-long", ["a-name-that-is-much"]),
        ("named 'ünï-cödé'", ["n-c-d"]),
        ("unnamed", []),
        ("", []),
    ],
)
def test_names(text, names):
    """Names stand after "named", in a list or in quotes; they become short lower-case identifiers, each once."""
    assert names == [*Wish(text).names()]


@pytest.mark.parametrize(
    ("cloud", "text", "region"),
    [
        ("aws", "in EU-WEST-3, please", "eu-west-3"),
        ("aws", "in ap-southeast-2", "ap-southeast-2"),
        ("aws", "in europe-west1", ""),
        ("azure", "in West Europe", "westeurope"),
        ("azure", "in eastus2", "eastus2"),
        ("azure", "in eu-west-1", ""),
        ("google", "in us-central1", "us-central1"),
        ("google", "in us-east-1", ""),
        ("", "in eu-west-1", ""),
    ],
)
def test_region(cloud, text, region):
    """A region counts only for the cloud that has it."""
    assert region == Wish(text).region(cloud)


def test_environments_are_sorted_and_have_one_spelling():
    """The nearer to production, the later; long forms mean the same as short ones."""
    assert ("dev", "staging", "prod") == Wish("Production, stage and development; prod").environments()
    assert () == Wish("a product for developers").environments()


@pytest.mark.parametrize(
    ("text", "count"),
    [("three nodes", 3), ("7 big worker nodes", 7), ("99 nodes", 9), ("0 nodes", 2), ("nodes", 0), ("", 0)],
)
def test_counts_are_kept_within_limits(text, count):
    """A number before the noun counts, as a word or in digits; 0 says that there was none."""
    assert count == Wish(text).count("nodes?", 2, 9)


@pytest.mark.parametrize(("text", "port"), [("on port 9000", 9000), ("port 80", 0), ("ports 99999", 0), ("9000", 0)])
def test_a_port_is_one_that_needs_no_special_rights(text, port):
    """Ports below 1024, or that do not exist, are not taken over."""
    assert port == Wish(text).port()
