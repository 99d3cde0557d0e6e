"""The description of the routes, held against the routes."""

import re

from tfai_jupyter.server.handlers import ROUTES
from tfai_jupyter.server.openapi import BODIES, QUERIES, describe, methods_of


def test_every_route_and_method_is_described():
    """What is registered is in the document, and nothing else; each has a sentence."""
    document = describe(ROUTES, "/user/a/tfai/api")

    assert {f"/{route}" for route, _ in ROUTES} == set(document["paths"])
    for route, handler in ROUTES:
        operations = document["paths"][f"/{route}"]
        assert set(methods_of(handler)) == set(operations)
        assert all(each["summary"].endswith(".") for each in operations.values())
    assert "/user/a/tfai/api" == document["servers"][0]["url"]


def test_what_is_described_exists():
    """Bodies and parameters belong to routes that take them; names in a path are parameters."""
    known = {(method, route) for route, handler in ROUTES for method in methods_of(handler)}
    document = describe(ROUTES, "/tfai/api")

    assert set(BODIES) | set(QUERIES) <= known
    for path, operations in document["paths"].items():
        for operation in operations.values():
            named = [each["name"] for each in operation["parameters"] if each["in"] == "path"]
            assert re.findall(r"{(\w+)}", path) == named


def test_the_document_is_served(server):
    """Its address begins with the server's prefix, as a client sees it."""
    document = server.get("openapi.json").json

    assert "3.1.0" == document["openapi"]
    assert f"{server.base}tfai/api" == document["servers"][0]["url"]
    assert [] == document["paths"]["/health"]["get"]["security"]


def test_required_fields_are_demanded(server):
    """What the document calls required is refused when it is missing."""
    document = server.get("openapi.json").json
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            if schema.get("required"):
                answer = server.request(method.upper(), re.sub(r"{\w+}", "x", path.lstrip("/")), {})
                assert 400 == answer.status, path
