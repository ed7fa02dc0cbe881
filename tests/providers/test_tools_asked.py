"""How each hosted model is asked for a clip or an enlargement, against servers that behave as documented."""

import base64
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image

from hexwave_app.processes.errors import InvalidRequest
from hexwave_app.providers.data_uri import BYTES_LIMIT, data_uri
from hexwave_app.providers.fal.provider import Fal
from hexwave_app.providers.replicate import Replicate
from hexwave_app.tools.model import Model
from hexwave_app.tools.provider import Job
from hexwave_app.tools.request import Original, ToolRequest
from hexwave_app.tools.upscale import UPSCALE
from hexwave_app.tools.video_generator import VIDEO_GENERATOR
from tests.providers.fake_fal import KEY, FakeFal
from tests.providers.fake_replicate import TOKEN, FakeReplicate
from tests.providers.site import open_fetcher, served
from tests.tools.conftest import picture

WEBHOOK = "https://hexwave.example/api/webhook/video?processId=p_1&token=t"
SEEDANCE, P_VIDEO = VIDEO_GENERATOR.models["replicate"]
FROM_TEXT, FROM_PICTURE = VIDEO_GENERATOR.models["fal"]
[ESRGAN] = UPSCALE.models["replicate"]
[CLARITY] = UPSCALE.models["fal"]
PICTURE = picture()
URI = f"data:image/png;base64,{base64.b64encode(PICTURE).decode()}"
CLIP = {"prompt": "sea", "seed": 7, "seconds": 6}
MOVED = CLIP | {"camera": "push-in", "firstFrame": "p_1/0"}
SHOT = {"prompt": "sea", "aspect_ratio": "16:9", "seed": 7}
CLOSER = {"prompt": "sea The camera moves slowly closer."}


@pytest_asyncio.fixture
async def replicate() -> AsyncIterator[tuple[Replicate, FakeReplicate]]:
    fake = FakeReplicate()
    async with (
        served(fake.app()) as url,
        open_fetcher(url) as fetcher,
        Replicate.open(TOKEN, fetcher, url=f"{url}/v1") as provider,
    ):
        yield provider, fake


@pytest_asyncio.fixture
async def fal() -> AsyncIterator[tuple[Fal, FakeFal]]:
    fake = FakeFal()
    async with (
        served(fake.app()) as url,
        open_fetcher(url) as fetcher,
        Fal.open(KEY, fetcher, url, f"{url}/.well-known/jwks.json") as provider,
    ):
        yield provider, fake


def read(model: Model, asked: dict[str, Any]) -> ToolRequest:
    tool = next(tool for tool in (VIDEO_GENERATOR, UPSCALE) if tool.name == model.tool)
    request = tool.request.read(asked)
    model.check(request)
    return request


def job(model: Model, asked: dict[str, Any]) -> Job:
    request = read(model, asked)
    originals = {name: Original(PICTURE, {"prompt": "sea"}) for name in request.pictures()}
    return Job("p_1", request.settled(originals), model, WEBHOOK, originals)


@pytest.mark.parametrize(
    ("model", "asked", "sent"),
    [
        (SEEDANCE, CLIP, SHOT | {"duration": 6, "camera_fixed": True}),
        (SEEDANCE, MOVED, SHOT | CLOSER | {"duration": 6, "camera_fixed": False, "image": URI}),
        (P_VIDEO, CLIP | {"aspectRatio": "9:16"}, SHOT | {"aspect_ratio": "9:16", "seconds": 6}),
        (ESRGAN, {"picture": "p_1/0", "scale": 4}, {"image": URI, "scale": 4, "face_enhance": False}),
    ],
)
async def test_replicate_is_asked_in_its_models_words(
    replicate: tuple[Replicate, FakeReplicate], model: Model, asked: dict[str, Any], sent: dict[str, Any]
) -> None:
    """A picture is sent along, a camera's way is told in the prompt."""
    provider, fake = replicate
    assert model in provider.models
    await provider.submit(job(model, asked))
    assert (fake.created[0]["version"], fake.created[0]["input"]) == (model.name, sent)


@pytest.mark.parametrize(
    ("model", "asked", "sent"),
    [
        (FROM_TEXT, CLIP, SHOT | {"duration": "6", "camera_fixed": True}),
        (FROM_PICTURE, MOVED, SHOT | CLOSER | {"duration": "6", "camera_fixed": False, "image_url": URI}),
        (CLARITY, {"picture": "p_1/0"}, {"image_url": URI, "upscale_factor": 2, "prompt": "sea"}),
    ],
)
async def test_fal_is_asked_in_its_models_words(
    fal: tuple[Fal, FakeFal], model: Model, asked: dict[str, Any], sent: dict[str, Any]
) -> None:
    """A length is one of an enumeration's words there."""
    provider, fake = fal
    assert model in provider.models
    await provider.submit(job(model, asked))
    assert (fake.asked[0].model, fake.asked[0].input) == (model.name, sent)


@pytest.mark.parametrize(
    ("model", "asked", "field"),
    [
        (FROM_TEXT, MOVED, "firstFrame"),
        (FROM_PICTURE, CLIP, "firstFrame"),
        (FROM_PICTURE, CLIP | {"firstFrame": "../../etc/passwd"}, "firstFrame"),
        (FROM_TEXT, CLIP | {"seconds": 3}, "seconds"),
        (P_VIDEO, CLIP | {"seconds": 12}, "seconds"),
        (SEEDANCE, CLIP | {"negativePrompt": "people"}, "negativePrompt"),
    ],
)
def test_what_a_model_does_not_make_is_refused_unpaid(
    model: Model, asked: dict[str, Any], field: str
) -> None:
    """A picture it has no use for, or needs and has not, and lengths that it does not know."""
    with pytest.raises(InvalidRequest) as caught:
        read(model, asked)
    assert caught.value.field == field


def test_a_large_picture_is_sent_smaller() -> None:
    """Neither takes a data URI of over a megabyte; the picture is the same, as a JPEG."""
    noise = io.BytesIO()
    Image.effect_noise((1200, 900), 90).convert("RGB").save(noise, "PNG")
    head, _, data = data_uri(noise.getvalue()).partition(",")
    sent = base64.b64decode(data)
    assert head == "data:image/jpeg;base64"
    assert len(sent) <= BYTES_LIMIT < len(noise.getvalue())
    assert Image.open(io.BytesIO(sent)).size == (1200, 900)
