"""What is open while the app runs."""

from datetime import timedelta
from pathlib import Path

import pytest

from hexwave_app.processes import Act, Deed, Process, ProviderJob
from hexwave_app.processes.errors import SettingsError
from hexwave_app.services import open_services
from hexwave_app.settings import Settings
from hexwave_app.tools.image_generator import IMAGE_GENERATOR
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


async def test_who_wants_a_key_is_known_by_title(tmp_path: Path) -> None:
    async with open_services(Settings(data_dir=tmp_path, port=free_port(), fal_key="key:secret")) as services:
        assert services.keyless == {"replicate": "Replicate", "openai": "OpenAI"}


async def test_what_has_a_key_is_offered_before_the_painter(tmp_path: Path) -> None:
    """The first is the default one."""
    assert await offered(tmp_path, **KEYS) == ["replicate", "fal", "demo"]


async def test_all_can_be_set_up_at_once(tmp_path: Path) -> None:
    """None is asked for anything before it has a job."""
    names = ["replicate", "fal", "openai", "comfyui", "external", "demo"]
    assert await offered(tmp_path, **KEYS, **EVERYTHING) == names


async def test_the_provider_that_is_named_is_the_default(tmp_path: Path) -> None:
    assert await offered(tmp_path, **KEYS, provider="demo") == ["demo", "replicate", "fal"]


async def test_what_was_measured_is_expected_rather_than_what_is_published(tmp_path: Path) -> None:
    """Of a model that nobody knows, nothing is."""
    job = Process.begin(
        user_id="g_a",
        tool_name=IMAGE_GENERATOR.name,
        category="image",
        req={"prompt": "sea"},
        provider=ProviderJob(name="demo", model="painter"),
    )
    done = job.model_copy(update={"updated_at": job.created_at + timedelta(seconds=90)})
    async with open_services(Settings(data_dir=tmp_path, port=free_port())) as services:
        assert services.expected_seconds(job) == IMAGE_GENERATOR.models["demo"][0].seconds
        services.activity.observer.observe(Act(Deed.SAVED, process=done))
        assert services.expected_seconds(job) == 90
        unknown = job.model_copy(update={"provider": ProviderJob(name="gone", model="painter")})
        assert services.expected_seconds(unknown) is None


@pytest.mark.parametrize("setting", ["provider", "fallback_provider"])
async def test_a_provider_that_is_not_set_up_stops_the_start(tmp_path: Path, setting: str) -> None:
    with pytest.raises(SettingsError, match=f"HEXWAVE_{setting.upper()} cannot work.*There is: demo"):
        await offered(tmp_path, **{setting: "fal"})
