"""A plan from `terraform show -json`: what changes, what is secret in it, and its canonical digest. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from tfai_jupyter.core.changes import sha256_of
from tfai_jupyter.core.messages import Json
from tfai_jupyter.core.plans import Action, AttributeChange, Plan, PlanSummary, ResourceChange

from . import values
from .risk import assess
from .state import resources_of, state_secrets

Document: TypeAlias = Mapping[str, Any]

ACTIONS: dict[frozenset[str], Action] = {
    frozenset(("no-op",)): "no-op",
    frozenset(("create",)): "create",
    frozenset(("read",)): "read",
    frozenset(("update",)): "update",
    frozenset(("delete",)): "delete",
    frozenset(("forget",)): "forget",
    frozenset(("delete", "create")): "replace",
    frozenset(("forget", "create")): "replace",
}


def read_plan(document: Document, *, plan_id: str, workspace: str, sha256: str, configuration_sha256: str) -> Plan:
    """Make a Plan of the document; values that any mark flags are shown as `(sensitive)`."""
    planned = document.get("resource_changes", [])
    changes = tuple(_change(each) for each in planned if _is_shown(each))
    drift = tuple(_change(each, drift=True) for each in document.get("resource_drift", []))
    existing = sum(resource["mode"] == "managed" for resource in resources_of(document.get("prior_state", {})))
    return Plan(
        id=plan_id,
        workspace=workspace,
        summary=_summary(planned),
        risk=assess(changes + drift, existing=existing),
        changes=changes + drift,
        sha256=sha256,
        digest=plan_digest(document, configuration_sha256),
        outputs=_outputs(document),
    )


def plan_digest(document: Document, configuration_sha256: str) -> str:
    """Return the hash a policy names: the same for every Terraform that would do the same.

    Each leaf enters as its own hash, whether or not this version marks it as sensitive.
    """
    changed = sorted(map(_canonical, document.get("resource_changes", [])), key=lambda each: each["address"])
    outputs = {name: _canonical({"change": change}) for name, change in document.get("output_changes", {}).items()}
    canonical = {"resources": changed, "outputs": outputs, "configuration": configuration_sha256}
    return sha256_of(json.dumps(canonical, sort_keys=True).encode())


def secrets_of(document: Document) -> frozenset[str]:
    """Return every value that any mark in the plan flags, whatever its place, as text."""
    return frozenset(text for text in _secrets(document) if text)


def is_empty(document: Document) -> bool:
    """Tell whether applying would do nothing: neither resources nor outputs change, nor is anything moved."""
    if "applyable" in document:
        return not document["applyable"]
    outputs = (change["actions"] for change in document.get("output_changes", {}).values())
    return not any(map(_is_shown, document.get("resource_changes", []))) and all(each == ["no-op"] for each in outputs)


def _is_shown(resource: Document) -> bool:
    change = resource["change"]
    return bool(change["actions"] != ["no-op"] or "previous_address" in resource or change.get("importing"))


def _change(resource: Document, *, drift: bool = False) -> ResourceChange:
    change = resource["change"]
    reason = resource.get("action_reason", "") or ("import" if change.get("importing") else "")
    return ResourceChange(
        address=resource["address"],
        type=resource["type"],
        action=_action(change),
        reason="deposed" if resource.get("deposed") and not reason else reason,
        attributes=tuple(_attributes(change)),
        previous_address=resource.get("previous_address", ""),
        drift=drift,
    )


def _action(change: Document) -> Action:
    return ACTIONS.get(frozenset(change["actions"]), "update")


def _attributes(change: Document) -> Iterator[AttributeChange]:
    """Yield the attributes that differ; what is unknown is one attribute, whatever was below it before."""
    unknown = values.marked(change.get("after_unknown"))
    before = dict(values.leaves(change.get("before"), unknown))
    after = dict(values.leaves(change.get("after"), unknown)) | dict.fromkeys(sorted(unknown), values.UNKNOWN)
    flags = (values.marked(change.get("before_sensitive")), values.marked(change.get("after_sensitive")))
    forcing = frozenset(tuple(map(str, path)) for path in change.get("replace_paths", ()))
    for place in dict.fromkeys((*before, *after)):
        if place in before and place in after and before[place] == after[place]:
            continue
        yield AttributeChange(
            values.name_of(place),
            _shown(place, before, flags[0], change.get("before_sensitive")),
            _shown(place, after, flags[1], change.get("after_sensitive")),
            values.is_below(place, forcing) or any(path[: len(place)] == place for path in forcing),
        )


def _shown(
    place: values.Place,
    side: Mapping[values.Place, Any],
    flags: frozenset[values.Place],
    marks: Any,  # noqa: ANN401 - JSON
) -> str | None:
    if place not in side:
        return None
    if values.is_below(place, flags):
        return values.SENSITIVE
    for key in place:
        marks = marks.get(key) if isinstance(marks, dict) else _item(marks, key)
    return values.text_of(values.masked(side[place], marks))


def _item(marks: Any, key: str) -> Any:  # noqa: ANN401 - JSON
    return marks[int(key)] if isinstance(marks, list) and key.isdecimal() and int(key) < len(marks) else None


def _summary(resources: list[Document]) -> PlanSummary:
    actions = [_action(resource["change"]) for resource in resources]
    return PlanSummary(
        add=actions.count("create"),
        change=actions.count("update"),
        destroy=actions.count("delete"),
        replace=actions.count("replace"),
        imported=sum(bool(resource["change"].get("importing")) for resource in resources),
        move=sum("previous_address" in resource for resource in resources),
        forget=actions.count("forget"),
    )


def _outputs(document: Document) -> dict[str, Json] | None:
    """Show what outputs become, only those that change."""
    shown: dict[str, Json] = {}
    for name, change in document.get("output_changes", {}).items():
        if change["actions"] == ["no-op"]:
            continue
        unknown = change.get("after_unknown") is True
        after = values.masked(change.get("after"), change.get("after_sensitive"))
        shown[name] = values.UNKNOWN if unknown and after != values.SENSITIVE else after
    return shown or None


def _canonical(resource: Document) -> dict[str, Any]:
    change = resource["change"]
    return {
        "address": resource.get("address", "") + resource.get("deposed", ""),
        "actions": change["actions"],
        "before": _hashed(change.get("before")),
        "after": _hashed(change.get("after")),
        "after_unknown": sorted(values.marked(change.get("after_unknown"))),
        "replace_paths": sorted(json.dumps(path) for path in change.get("replace_paths", ())),
    }


def _hashed(value: Any) -> list[tuple[values.Place, str]]:  # noqa: ANN401 - JSON
    return sorted((place, sha256_of(json.dumps(leaf, sort_keys=True).encode())) for place, leaf in values.leaves(value))


def _secrets(document: Document) -> Iterator[str]:
    resources = [*document.get("resource_changes", ()), *document.get("resource_drift", ())]
    changes = [resource["change"] for resource in resources] + list(document.get("output_changes", {}).values())
    for change in changes:
        yield from values.secrets(change.get("before"), change.get("before_sensitive"))
        yield from values.secrets(change.get("after"), change.get("after_sensitive"))
    yield from state_secrets({"values": document.get("planned_values", {})})
    yield from state_secrets(document.get("prior_state", {}))
    root = document.get("configuration", {}).get("root_module", {})
    names, constants = _sensitive_variables(root)
    yield from constants
    for name in names:
        yield from values.texts(document.get("variables", {}).get(name, {}).get("value"))


def _sensitive_variables(module: Document) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return a module's sensitive variables and sensitive constants.

    The plan lists variables in clear and without a mark. A variable that is handed to a sensitive
    one of a child module counts too.
    """
    names = {name for name, variable in module.get("variables", {}).items() if variable.get("sensitive")}
    constants = [text for name in names for text in values.texts(module["variables"][name].get("default"))]
    for call in module.get("module_calls", {}).values():
        below, more = _sensitive_variables(call.get("module", {}))
        constants += more
        for expression in (call.get("expressions", {}).get(name, {}) for name in below):
            constants += values.texts(expression.get("constant_value"))
            references = (reference.split(".") for reference in expression.get("references", ()))
            names |= {parts[1] for parts in references if parts[0] == "var" and len(parts) > 1}
    return frozenset(names), tuple(constants)
