"""The routes that begin a run: one a tool, made from what the tool says."""

from typing import Any

import pytest

from hexwave_app.api.app import create_api
from hexwave_app.tools.registry import TOOLS
from hexwave_app.tools.tool import Tool


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    return create_api().openapi()


@pytest.mark.parametrize("tool", TOOLS.values(), ids=lambda tool: tool.name)
def test_a_tool_has_its_route_in_the_documentation(openapi: dict[str, Any], tool: Tool) -> None:
    """With its request's fields under their wire names, and the key that makes a repetition harmless."""
    post = openapi["paths"][f"/api/generate-{tool.action}"]["post"]
    assert post["summary"] == tool.title
    assert [each["name"].lower() for each in post["parameters"]] == ["idempotency-key"]
    reference = post["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    asked = openapi["components"]["schemas"][reference.rpartition("/")[2]]
    assert asked["properties"].keys() == tool.request.model_json_schema(by_alias=True)["properties"].keys()
    assert asked["additionalProperties"] is False


def test_each_tool_has_a_route_of_its_own() -> None:
    """Two with one action would hide one another."""
    actions = [tool.action for tool in TOOLS.values()]
    assert len(actions) == len(set(actions))
