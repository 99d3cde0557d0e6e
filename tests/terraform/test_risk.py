"""The rules of risk, one by one, over changes made by hand."""

import json

import pytest

from tfai_jupyter.core.plans import AttributeChange, ResourceChange
from tfai_jupyter.terraform.risk import assess, holds_data

ALL = "0.0.0.0/0"


def changed(action, kind="terraform_data", drift=False, **attributes):  # noqa: FBT002 - a test's shorthand
    """Make a change; attributes are (before, after), `__` stands for a dot."""
    made = tuple(AttributeChange(name.replace("__", "."), *sides) for name, sides in attributes.items())
    return ResourceChange(f"{kind}.x", kind, action, attributes=made, drift=drift)


def policy(**statement):
    """Make an IAM policy of one statement."""
    return json.dumps({"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"} | statement]})


def test_nothing_is_none_and_creating_is_low():
    """No change has no risk; creations, updates and moves are low and need no reason."""
    moved = ResourceChange("a.b", "a", "no-op", previous_address="a.c")

    assert ("none", ()) == (assess([]).level, assess([]).reasons)
    assert "none" == assess([changed("read"), changed("no-op")]).level
    assert ["low"] * 3 == [assess([each]).level for each in (changed("create"), changed("update"), moved)]


@pytest.mark.parametrize(
    ("change", "level", "rule"),
    [
        (changed("delete"), "medium", "delete"),
        (changed("delete", "aws_db_instance"), "high", "delete_data"),
        (changed("replace"), "medium", "replace"),
        (changed("replace", "google_sql_database_instance"), "high", "replace_data"),
        (changed("forget"), "medium", "forget"),
        (changed("update", drift=True), "low", "drift"),
        (changed("update", "aws_db_instance", deletion_protection=("true", "false")), "medium", "protection_removed"),
        (changed("update", "aws_db_instance", publicly_accessible=("false", "true")), "high", "public"),
        (changed("update", "aws_s3_bucket_acl", acl=("private", "public-read")), "high", "public"),
        (changed("create", "aws_security_group", ingress__0__cidr_blocks__0=(None, ALL)), "high", "open_to_all"),
        (changed("update", "azurerm_x", source_address_prefix=("10.0.0.0/8", "*")), "high", "open_to_all"),
        (changed("update", "google_x", source_ranges__0=("10.0.0.0/8", ALL)), "high", "open_to_all"),
        (changed("create", "aws_iam_policy", policy=(None, policy(Action="*"))), "high", "grants_all"),
        (changed("create", "aws_iam_policy", policy=(None, policy(Action=["s3:Get", "*"]))), "high", "grants_all"),
        (changed("create", "aws_s3_bucket_policy", policy=(None, policy(Principal="*"))), "high", "grants_all"),
        (changed("create", "google_project_iam_member", member=(None, "allUsers")), "high", "public"),
    ],
)  # fmt: skip
def test_rule_gives_level_and_reason(change, level, rule):
    """Each rule names itself and the address, and sets the level."""
    risk = assess([change])

    assert (level, [(rule, change.address)]) == (risk.level, [(each.rule, each.address) for each in risk.reasons])


@pytest.mark.parametrize(
    "change",
    [
        changed("create", "aws_security_group", egress__0__cidr_blocks__0=(None, "0.0.0.0/0")),
        changed("create", "aws_security_group_rule", type=(None, "egress"), cidr_blocks__0=(None, "0.0.0.0/0")),
        changed("update", "aws_security_group", ingress__0__cidr_blocks__0=("0.0.0.0/0", "10.0.0.0/8")),
        changed("update", "aws_iam_policy", policy=(policy(Action="*"), policy(Action="*", Sid="same"))),
        changed("create", "aws_iam_policy", policy=(None, policy())),
        changed("create", "aws_iam_policy", policy=(None, policy(Effect="Deny", Action="*"))),
        changed("create", "aws_iam_policy", policy=(None, "not json")),
        changed("create", "aws_db_instance", deletion_protection=(None, "false")),
        changed("create", "aws_db_instance", publicly_accessible=(None, "(known after apply)")),
    ],
)
def test_what_is_usual_stays_low(change):
    """Egress, narrowing, what was so before, and ordinary grants raise no alarm."""
    assert "low" == assess([change]).level


def test_reasons_are_ordered_by_danger():
    """The worst reason comes first and sets the level."""
    risk = assess([changed("update", drift=True), changed("delete"), changed("delete", "aws_s3_bucket")])

    assert ["delete_data", "delete", "drift"] == [each.rule for each in risk.reasons]
    assert "high" == risk.level


def test_losing_much_of_the_state_is_high():
    """Half of the state or more, from three resources on, is high; a small loss is not."""
    three = [changed("delete")] * 3

    assert ["high", "medium", "medium"] == [
        assess(three, existing=6).level,
        assess(three, existing=7).level,
        assess(three[:2], existing=2).level,
    ]


@pytest.mark.parametrize(
    ("kind", "holds"),
    [
        ("aws_s3_bucket", True),
        ("aws_dynamodb_table", True),
        ("aws_ebs_volume", True),
        ("aws_efs_file_system", True),
        ("aws_kms_key", True),
        ("aws_secretsmanager_secret", True),
        ("aws_route53_zone", True),
        ("azurerm_storage_account", True),
        ("azurerm_managed_disk", True),
        ("azurerm_key_vault", True),
        ("azurerm_mssql_database", True),
        ("google_storage_bucket", True),
        ("google_compute_disk", True),
        ("google_bigquery_dataset", True),
        ("aws_instance", False),
        ("aws_s3_bucket_policy", False),
        ("aws_db_subnet_group", False),
        ("aws_kms_alias", False),
        ("aws_lambda_function", False),
        ("terraform_data", False),
        ("google_compute_instance", False),
    ],
)
def test_types_that_hold_data(kind, holds):
    """Databases, buckets, disks, keys and zones hold data; what is attached to them does not."""
    assert holds == holds_data(kind)
