"""What `docs/tools.md` promises, done with the very code that it shows."""

import importlib.util
import re
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from hexwave_app.api.app import create_api
from hexwave_app.providers.replicate import Replicate
from hexwave_app.settings import Settings
from hexwave_app.tools.registry import TOOLS
from hexwave_app.tools.tool import Tool, offered
from tests.api.conftest import Guest, visit
from tests.conftest import Served, free_port, serve

PAGE = Path(__file__).parents[2] / "docs/tools.md"


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tool]:
    """The page's tool, from a file that has the page's code and nothing else."""
    [code] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    path = tmp_path_factory.mktemp("tools") / "wallpaper.py"
    path.write_text(code)
    spec = importlib.util.spec_from_file_location("wallpaper", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["wallpaper"] = module
    spec.loader.exec_module(module)
    yield module.WALLPAPER
    del sys.modules["wallpaper"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"), port=free_port())
    async with serve(settings, {**TOOLS, tool.name: tool}) as served:
        yield served


@pytest_asyncio.fixture(loop_scope="module")
async def guest(served: Served) -> AsyncIterator[Guest]:
    async with visit(served) as guest:
        yield guest


def test_the_page_says_how_long_its_tool_is() -> None:
    """About forty lines, without those that are empty."""
    [code] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert 30 <= sum(1 for line in code.splitlines() if line.strip()) <= 48


def test_its_fields_are_documented(tool: Tool) -> None:
    """With their limits, and what they are for."""
    fields = create_api([tool]).openapi()["components"]["schemas"]["WallpaperRequest"]["properties"]
    assert fields["prompt"] | {"title": ""} == {
        **{"type": "string", "minLength": 1, "maxLength": 300, "title": ""},
        "description": "What it shows",
    }
    assert fields["time"]["enum"] == ["dawn", "noon", "dusk", "night"]


def test_each_provider_can_be_asked(tool: Tool) -> None:
    """In its own words."""
    request = tool.request.read({"prompt": "A lake", "seed": 7})
    [model] = offered([tool], Replicate.name)
    assert model.ask(request) == {
        **{"prompt": "A lake at dusk", "seed": 7},
        **{"aspect_ratio": "9:16", "output_format": "png"},
    }


@pytest.mark.asyncio(loop_scope="module")
async def test_it_runs(guest: Guest) -> None:
    """From the API to a kept picture, by its category's webhook; it is in the lists, and can be repeated."""
    wrong = await guest.http.post("/api/generate-wallpaper", json={"prompt": "A lake", "time": "tea"})
    assert (wrong.status_code, wrong.json()["error"]["field"]) == (422, "time")
    begun = await guest.http.post("/api/generate-wallpaper", json={"prompt": "A lake", "time": "dawn"})
    assert begun.is_success, begun.text
    process = await guest.ended(begun.json()["processId"])
    assert (process["status"], process["category"]) == ("completed", "image")
    [picture] = process["data"]["pictures"]
    assert (picture["width"], picture["height"]) == (768, 1344)
    listed = await guest.http.get("/api/processes", params={"toolName": "wallpaper"})
    assert [each["processId"] for each in listed.json()["processes"]] == [process["processId"]]
    again = await guest.http.post(f"/api/processes/{process['processId']}/retry")
    assert (await guest.ended(again.json()["processId"]))["status"] == "completed"
