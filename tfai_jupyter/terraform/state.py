"""What may be shown of a state, from `terraform show -json`; values that a mark flags are masked. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tfai_jupyter.core.messages import Json
from tfai_jupyter.core.results import State, StateResource

from . import values


def read_state(
    document: Mapping[str, Any], *, address: str = "", serial: int | None = None, lineage: str = ""
) -> State:
    """Make a State of the document: all addresses, or one with its attributes.

    `address` may name a resource, one of its instances, or a module.
    """
    resources = resources_of(document)
    if address:
        resources = [each for each in resources if _is_meant(each["address"], address)]
    shown = tuple(_resource(each, with_attributes=bool(address)) for each in resources)
    return State(shown, None if address else outputs_of(document), serial, lineage)


def resources_of(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the resources of a state document, those of nested modules too."""
    return list(_walk(document.get("values", {}).get("root_module", {})))


def outputs_of(document: Mapping[str, Any]) -> dict[str, Json] | None:
    """Return the outputs of a state document, sensitive ones masked."""
    outputs = document.get("values", {}).get("outputs", {})
    shown = {name: values.SENSITIVE if each.get("sensitive") else each.get("value") for name, each in outputs.items()}
    return shown or None


def state_secrets(document: Mapping[str, Any]) -> frozenset[str]:
    """Return every value that a mark in the state flags, as text."""
    return frozenset(text for text in _secrets(document) if text)


def _walk(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from module.get("resources", ())
    for child in module.get("child_modules", ()):
        yield from _walk(child)


def _is_meant(full: str, address: str) -> bool:
    return full == address or full.startswith((f"{address}.", f"{address}["))


def _resource(resource: Mapping[str, Any], *, with_attributes: bool) -> StateResource:
    attributes: dict[str, Json] | None = None
    if with_attributes:
        shown = values.masked(resource.get("values"), resource.get("sensitive_values"))
        attributes = {values.name_of(place): values.text_of(leaf) for place, leaf in values.leaves(shown)}
    return StateResource(
        resource["address"],
        resource["type"],
        resource.get("provider_name", ""),
        bool(resource.get("tainted")),
        attributes,
    )


def _secrets(document: Mapping[str, Any]) -> Iterator[str]:
    for resource in resources_of(document):
        yield from values.secrets(resource.get("values"), resource.get("sensitive_values"))
    for output in document.get("values", {}).get("outputs", {}).values():
        if output.get("sensitive"):
            yield from values.texts(output.get("value"))
