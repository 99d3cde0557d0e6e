"""Why a plan is dangerous: rules over its changes; the level is that of the worst reason. Pure.

Terraform does not print `lifecycle`, so a removed `prevent_destroy` shows only as the deletion it allows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from tfai_jupyter.core.plans import ResourceChange, Risk, RiskLevel, RiskReason

LEVELS: tuple[RiskLevel, ...] = ("none", "low", "medium", "high")
LARGE_SHARE = 0.5
LARGE_COUNT = 3

Finding: TypeAlias = tuple[RiskLevel, RiskReason]

# Words of resource types whose loss loses data, keys or names: databases, buckets, disks, file systems,
# vaults, zones, queues, registries, clusters of aws, azurerm and google.
_HOLDS_DATA = re.compile(
    r"^(aws|azurerm|google)_("
    r"(.*_)?(db|rds|dynamodb|docdb|neptune|redshift|elasticache|memorydb|keyspaces|timestreamwrite|opensearch|elasticsearch|"
    r"database|sql|mysql|mssql|mariadb|postgresql|cosmosdb|redis|spanner|bigtable|bigquery|firestore|alloydb|"
    r"s3|bucket|storage|efs|fsx|ebs|disk|volume|snapshot|filestore|netapp|backup|glacier|datalake|kusto|"
    r"kms|key_vault|keyvault|secretsmanager|secret|cloudhsmv2|acm|acmpca|"
    r"route53|dns|kinesis|msk|sqs|eventhub|servicebus|pubsub|ecr|container_registry|artifact_registry|cognito)(_.*)?)$"
)
# Parts of such names that hold nothing themselves.
_HOLDS_NOTHING = re.compile(
    r"_(policy|policy_attachment|acl|alias|grant|notification|metric|subnet_group|parameter_group|option_group|"
    r"public_access_block|ownership_controls|logging|cors_configuration|iam_member|iam_binding|iam_policy|"
    r"firewall_rule|attachment|target|alarm|event_subscription)$"
)
_OPEN = frozenset(("0.0.0.0/0", "::/0", "*", "Internet"))
_INWARD = re.compile(
    r"(^|\.)(ingress|cidr_blocks|ipv6_cidr_blocks|cidr_ipv4|cidr_ipv6|source_ranges|source_address_prefix(es)?|"
    r"authorized_networks|start_ip_address|public_access_cidrs)(\.|$)"
)
_PROTECTIONS = {
    "deletion_protection": "false",
    "deletion_protection_enabled": "false",
    "enable_deletion_protection": "false",
    "force_destroy": "true",
    "skip_final_snapshot": "true",
    "prevent_deletion_if_contains_resources": "false",
    "purge_protection_enabled": "false",
    "storage_encrypted": "false",
    "encrypted": "false",
    "enable_key_rotation": "false",
    "block_public_acls": "false",
    "block_public_policy": "false",
    "restrict_public_buckets": "false",
    "ignore_public_acls": "false",
}
_PUBLIC = {
    "publicly_accessible": ("true",),
    "acl": ("public-read", "public-read-write", "authenticated-read"),
    "public_network_access_enabled": ("true",),
    "allow_nested_items_to_be_public": ("true",),
    "member": ("allUsers", "allAuthenticatedUsers"),
}
_POLICIES = ("policy", "assume_role_policy", "inline_policy", "policy_document", "policy_data")


def assess(changes: Sequence[ResourceChange], *, existing: int = 0) -> Risk:
    """Weigh the changes of a plan; `existing` counts the managed resources in the state before."""
    findings = [finding for change in changes for finding in _findings(change)]
    findings += _share(changes, existing)
    if not findings:
        acts = any(change.action not in ("no-op", "read") or change.previous_address for change in changes)
        return Risk("low" if acts else "none")
    worst = max((level for level, _ in findings), key=LEVELS.index)
    ordered = sorted(findings, key=lambda finding: -LEVELS.index(finding[0]))
    return Risk(worst, tuple(reason for _, reason in ordered))


def holds_data(resource_type: str) -> bool:
    """Tell whether losing a resource of this type loses data, keys or names."""
    return bool(_HOLDS_DATA.match(resource_type)) and not _HOLDS_NOTHING.search(resource_type)


def _findings(change: ResourceChange) -> Iterator[Finding]:
    address = change.address
    if change.drift:
        yield "low", RiskReason("drift", address, f"somebody {_past(change.action)} it outside Terraform")
        return
    match change.action:
        case "delete" if holds_data(change.type):
            yield "high", RiskReason("delete_data", address, "what it holds is lost with it")
        case "delete":
            yield "medium", RiskReason("delete", address, "it is destroyed")
        case "replace" if holds_data(change.type):
            yield "high", RiskReason("replace_data", address, f"it is destroyed with what it holds{_because(change)}")
        case "replace":
            yield "medium", RiskReason("replace", address, f"it is destroyed and made anew{_because(change)}")
        case "forget":
            yield "medium", RiskReason("forget", address, "it goes on to exist, but nothing manages it any more")
        case "create" | "update":
            pass
        case _:
            return
    yield from _widened(change)
    yield from _unprotected(change)


def _share(changes: Sequence[ResourceChange], existing: int) -> list[Finding]:
    lost = sum(change.action in ("delete", "replace") and not change.drift for change in changes)
    if lost < LARGE_COUNT or not existing or lost / existing < LARGE_SHARE:
        return []
    why = f"{lost} of {existing} resources in the state are destroyed or replaced"
    return [("high", RiskReason("large_share", "the whole state", why))]


def _widened(change: ResourceChange) -> Iterator[Finding]:
    before = {attribute.before for attribute in change.attributes}
    is_outward = any(each.name == "type" and each.after == "egress" for each in change.attributes)
    for attribute in change.attributes:
        name, after = attribute.name, attribute.after
        leaf = name.rpartition(".")[2]
        if after is None or after == attribute.before:
            continue
        if after in _OPEN and after not in before and _is_inward(change, name) and not is_outward:
            yield "high", RiskReason("open_to_all", change.address, f"{name} becomes {after}")
        if after in _PUBLIC.get(leaf, ()):
            yield "high", RiskReason("public", change.address, f"{name} becomes {after}")
        if leaf in _POLICIES and (grant := _grants(after)) and not _grants(attribute.before or ""):
            yield "high", RiskReason("grants_all", change.address, f"{name} allows {grant}")


def _unprotected(change: ResourceChange) -> Iterator[Finding]:
    for attribute in change.attributes:
        leaf = attribute.name.rpartition(".")[2]
        if change.action == "update" and attribute.after == _PROTECTIONS.get(leaf) and attribute.after is not None:
            yield (
                "medium",
                RiskReason("protection_removed", change.address, f"{attribute.name} becomes {attribute.after}"),
            )


def _is_inward(change: ResourceChange, name: str) -> bool:
    return bool(_INWARD.search(name)) and "egress" not in name and "egress" not in change.type


def _grants(text: str) -> str:
    """Return the all-embracing grant of an IAM policy, empty when there is none."""
    try:
        policy = json.loads(text)
    except ValueError:
        return ""
    statements = policy.get("Statement", []) if isinstance(policy, dict) else []
    for statement in statements if isinstance(statements, list) else [statements]:
        if not isinstance(statement, dict) or statement.get("Effect") != "Allow":
            continue
        if "*" in _texts(statement.get("Action")):
            return "every action"
        if "*" in _texts(statement.get("Principal")) and not statement.get("Condition"):
            return "everybody"
        if "NotAction" in statement:
            return "every action but a few"
    return ""


def _texts(value: Any) -> Iterable[str]:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    return value if isinstance(value, list) else [str(value)]


def _because(change: ResourceChange) -> str:
    names = [attribute.name for attribute in change.attributes if attribute.forces_replacement]
    return f", forced by {', '.join(names)}" if names else ""


def _past(action: str) -> str:
    return {"delete": "deleted", "create": "made"}.get(action, "changed")
