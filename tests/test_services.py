"""What is open while the app runs."""

from pathlib import Path

import pytest

from hexwave_app.processes.errors import SettingsError
from hexwave_app.services import open_services
from hexwave_app.settings import Settings
from tests.conftest import free_port

EVERYTHING = {
    "openai_base_url": "http://127.0.0.1:1/v1",
    "comfyui_url": "http://127.0.0.1:1",
    "external_api_url": "http://127.0.0.1:1/generate",
}
KEYS = {"replicate_api_token": "r8_token", "fal_key": "key:secret"}


async def offered(tmp_path: Path, **asked: str) -> list[str]:
    async with open_services(Settings(data_dir=tmp_path, port=free_port(), **asked)) as services:  # type: ignore[arg-type]
        return list(services.providers)


async def test_without_a_key_there_is_the_painter_alone(tmp_path: Path) -> None:
    assert await offered(tmp_path) == ["demo"]


async def test_what_has_a_key_is_offered_before_the_painter(tmp_path: Path) -> None:
    """The first is the default one."""
    assert await offered(tmp_path, **KEYS) == ["replicate", "fal", "demo"]


async def test_all_can_be_set_up_at_once(tmp_path: Path) -> None:
    """None is asked for anything before it has a job."""
    names = ["replicate", "fal", "openai", "comfyui", "external", "demo"]
    assert await offered(tmp_path, **KEYS, **EVERYTHING) == names


async def test_the_provider_that_is_named_is_the_default(tmp_path: Path) -> None:
    assert await offered(tmp_path, **KEYS, provider="demo") == ["demo", "replicate", "fal"]


@pytest.mark.parametrize("setting", ["provider", "fallback_provider"])
async def test_a_provider_that_is_not_set_up_stops_the_start(tmp_path: Path, setting: str) -> None:
    with pytest.raises(SettingsError, match=f"HEXWAVE_{setting.upper()} cannot work.*There is: demo"):
        await offered(tmp_path, **{setting: "fal"})
