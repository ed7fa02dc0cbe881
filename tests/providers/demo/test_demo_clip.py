"""Clips of the demo painter: real frames, a real encoder, a real webhook."""

import base64
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import pytest_asyncio
from PIL import Image, ImageChops

from hexwave_app.providers.demo.engine import Engine
from hexwave_app.providers.demo.order import ORDERS, Order
from hexwave_app.providers.demo.painting import paint_frame
from hexwave_app.providers.demo.scene import read
from hexwave_app.providers.demo.work import RATE, Camera, move_over
from tests.conftest import eventually
from tests.providers.servers import Webhook, listening
from tests.tools.conftest import picture

SCENES = (
    *("sunset over the sea", "aurora over a lake", "storm at sea, lightning", "nebula", "qwertz"),
    *("mountains with drifting clouds", "snow on a village", "starry night over mountains"),
    *("forest in fog", "desert dunes", "lavender field", "lighthouse at night", "neon city in the rain"),
)


@pytest_asyncio.fixture
async def webhook() -> AsyncIterator[Webhook]:
    async with listening() as webhook:
        yield webhook


def clip(webhook: Webhook, **changes: Any) -> Order:
    asked = {"kind": "clip", "prompt": "sunset over the sea", "seed": 7, "seconds": 2}
    size = {"width": 64, "height": 64, "webhook_url": webhook.url}
    return ORDERS.validate_python(asked | size | changes)


async def made(engine: Engine, webhook: Webhook, key: str, order: Order) -> bytes:
    """The result of an order, once it is told."""
    job_id = engine.start(key, order)
    told = await webhook.first(lambda report: report["jobId"] == job_id and report["status"] == "success")
    return engine.result(told["images"][0]).read_bytes()


def frames(content: bytes) -> list[Image.Image]:
    with av.open(io.BytesIO(content), "r") as container:
        return [frame.to_image() for frame in container.decode(video=0)]


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean of what differs, in 255ths."""
    return float(np.asarray(ImageChops.difference(one, other), np.float32).mean())


async def test_a_clip_is_painted_frame_by_frame(data_dir: Path, webhook: Webhook) -> None:
    """H.264 at 24 frames a second, as long as it was ordered; stills and a rising figure on the way."""
    async with Engine.open(data_dir) as engine:
        content = await made(engine, webhook, "p_1", clip(webhook))
    with av.open(io.BytesIO(content), "r") as container:
        codec = container.streams.video[0].codec_context
        assert (codec.name, codec.width, codec.height, codec.pix_fmt) == ("h264", 64, 64, "yuv420p")
    assert len(frames(content)) == 2 * RATE
    told = [report for report in webhook.reports if report["status"] == "processing"]
    figures = [report["progress"] for report in told]
    assert figures == sorted(figures)
    assert any(report["preview"] != [None] for report in told)


async def test_the_same_seed_makes_the_same_clip(data_dir: Path, webhook: Webhook) -> None:
    """Byte for byte; another seed makes another."""
    async with Engine.open(data_dir) as engine:
        first = await made(engine, webhook, "p_1", clip(webhook, camera="push-in"))
        again = await made(engine, webhook, "p_2", clip(webhook, camera="push-in"))
        other = await made(engine, webhook, "p_3", clip(webhook, camera="push-in", seed=8))
    assert first == again != other


async def test_a_clip_that_is_called_off_leaves_nothing(data_dir: Path, webhook: Webhook) -> None:
    """No file and no report, though frames of it were under way."""
    async with Engine.open(data_dir) as engine:
        job_id = engine.start("p_1", clip(webhook, seconds=6, width=256, height=256))
        await webhook.first(lambda report: report["status"] == "processing")
        await engine.cancel(job_id)
        assert not engine.knows(job_id)

        async def gone() -> bool:
            return not (data_dir / job_id).exists()

        await eventually(gone)
    assert all(report["status"] == "processing" for report in webhook.reports)


async def test_a_picture_is_moved_over(data_dir: Path, webhook: Webhook) -> None:
    """It is what the clip begins with, and what the painter did with it is said."""
    large = io.BytesIO()
    Image.radial_gradient("L").convert("RGB").save(large, "PNG")
    order = clip(webhook, picture=base64.b64encode(large.getvalue()))
    async with Engine.open(data_dir) as engine:
        content = await made(engine, webhook, "p_1", order)
    final = await webhook.final()
    first, *_, last = frames(content)
    assert "camera" in final["notice"]
    assert difference(first, Image.open(large).convert("RGB").resize((64, 64))) < 6
    assert difference(first, last) > 2


async def test_a_picture_is_enlarged(data_dir: Path, webhook: Webhook) -> None:
    """By Lanczos, as often as it was asked for."""
    order = {"kind": "enlargement", "picture": base64.b64encode(picture()), "scale": 4}
    async with Engine.open(data_dir) as engine:
        content = await made(
            engine, webhook, "p_1", ORDERS.validate_python(order | {"webhook_url": webhook.url})
        )
    assert Image.open(io.BytesIO(content)).size == (32, 32)


@pytest.mark.parametrize("prompt", SCENES)
def test_every_scene_moves(prompt: str) -> None:
    """Between two frames a little, within a few seconds visibly; never in jumps, but for lightning."""
    scene = read(prompt)
    start, next_, later = (paint_frame(scene, 5, 160, 96, time) for time in (0, 1 / RATE, 3))
    assert 0 < difference(start, next_) < 6
    # Of a clear night little more than the stars moves.
    assert difference(start, later) > 0.1


@pytest.mark.parametrize("camera", ["pan-left", "pan-right", "push-in", "pull-out"])
def test_a_camera_moves_all_along(camera: Camera, tmp_path: Path) -> None:
    """From the first frame to the last, and there is no edge to be seen."""
    source, seen = tmp_path / "picture", []
    Image.effect_noise((320, 240), 90).convert("RGB").point(
        [value // 2 + 64 for value in range(256)] * 3
    ).save(source, "PNG")
    for share in (0.0, 0.5, 1.0):
        path = tmp_path / f"{share}.jpg"
        move_over(source, (96, 64), camera, share, path)
        seen.append(Image.open(path))
        assert min(seen[-1].convert("L").tobytes()) > 32
    assert difference(seen[0], seen[1]) > 3
    assert difference(seen[1], seen[2]) > 3
