"""The tools over the API, with the demo painter: a clip, a picture made larger, and what they make of it."""

import contextlib
import io
from typing import Any

import av
import pytest
from PIL import Image

from hexwave_app.processes.model import ProcessData, ProcessStatus
from tests.api.conftest import Guest

# A clip is many pictures: on a busy machine it takes its time.
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(400)]


async def begun(guest: Guest, action: str, **asked: Any) -> str:
    answer = await guest.http.post(f"/api/generate-{action}", json=asked)
    assert answer.is_success, answer.text
    return answer.json()["processId"]


async def ended(guest: Guest, process_id: str) -> dict[str, Any]:
    """The process once it has ended, for which a clip is given three times the patience."""
    for _ in range(2):
        with contextlib.suppress(TimeoutError):
            return await guest.ended(process_id)
    return await guest.ended(process_id)


async def painted(guest: Guest) -> str:
    """A finished picture's process."""
    process_id = await begun(guest, "image", prompt="A lake", aspectRatio="3:2")
    assert (await guest.ended(process_id))["status"] == "completed"
    return process_id


async def test_a_clip_is_made_kept_and_served_in_parts(guest: Guest) -> None:
    """An MP4 of ours with its poster, size and length; a player may ask for any part of it."""
    process_id = await begun(guest, "video", prompt="Sunset over the sea", seconds=2, aspectRatio="1:1")
    process = await ended(guest, process_id)
    home = f"/media/{process_id}"
    assert process["status"] == "completed", process["data"]
    assert (process["toolName"], process["category"]) == ("video-generator", "video")
    assert process["data"]["generations"] == [f"{home}/0.mp4"]
    [kept] = process["data"]["pictures"]
    assert kept | {"colour": "", "blur": ""} == {
        **{"width": 576, "height": 576, "colour": "", "blur": "", "seconds": 2.0},
        "poster": f"{home}/0-poster.webp",
    }
    part = await guest.http.get(f"{home}/0.mp4", headers={"Range": "bytes=0-99"})
    assert (part.status_code, part.headers["Content-Type"], len(part.content)) == (206, "video/mp4", 100)
    assert "sandbox" in part.headers["Content-Security-Policy"]
    assert part.headers["X-Content-Type-Options"] == "nosniff"
    whole = await guest.http.get(f"{home}/0.mp4")
    with av.open(io.BytesIO(whole.content), "r") as container:
        assert container.metadata["title"] == "Sunset over the sea"
        assert sum(1 for _ in container.decode(video=0)) == 48
    assert b"/algorithmicMedia" in whole.content
    for name, size in (("0-poster.webp", (576, 576)), ("0-512.webp", (512, 512))):
        answer = await guest.http.get(f"{home}/{name}")
        assert Image.open(io.BytesIO(answer.content)).size == size


async def test_a_clip_begins_with_a_picture(guest: Guest) -> None:
    """One of the guest's own."""
    picture = await painted(guest)
    process_id = await begun(guest, "video", prompt="A lake", seconds=2, firstFrame=f"{picture}/0")
    process = await ended(guest, process_id)
    assert process["status"] == "completed", process["data"]
    assert "camera" in process["data"]["notice"]


async def test_a_picture_is_made_larger(guest: Guest) -> None:
    """It is remembered what it was made of, and a repetition finds everything it needs."""
    process_id = await begun(guest, "upscale", picture=f"{await painted(guest)}/0")
    process = await ended(guest, process_id)
    assert process["status"] == "completed", process["data"]
    assert process["data"]["req"]["prompt"] == "A lake"
    [kept] = process["data"]["pictures"]
    assert (kept["width"], kept["height"]) == (2 * 1216, 2 * 832)
    again = await guest.http.post(f"/api/processes/{process_id}/retry")
    assert (await guest.ended(again.json()["processId"]))["status"] == "completed"


async def test_no_picture_of_others_is_used(guest: Guest, stranger: Guest) -> None:
    """Nor one that is not there, or not finished, or a video; nor one that would become too large."""
    picture = await painted(guest)
    film = ProcessData(req={"prompt": "sea"}, generations=("/media/p_film/0.mp4",))
    clip = await guest.begin(category="video", status=ProcessStatus.COMPLETED, data=film)
    running = await guest.begin()
    for asker, asked in (
        (stranger, {"picture": f"{picture}/0"}),
        (guest, {"picture": f"{picture}/1"}),
        (guest, {"picture": f"{running.process_id}/0"}),
        (guest, {"picture": "p_nobody/0"}),
        (guest, {"picture": f"{clip.process_id}/0"}),
        (guest, {"picture": "../../etc/passwd"}),
        (guest, {"picture": f"/media/{picture}/0.webp"}),
    ):
        answer = await asker.http.post("/api/generate-upscale", json=asked)
        assert answer.status_code == 422, asked
        assert answer.json()["error"]["field"] == "picture"
    large = await begun(guest, "upscale", picture=f"{picture}/0", scale=4)
    assert (await guest.ended(large))["status"] == "completed"
    answer = await guest.http.post("/api/generate-upscale", json={"picture": f"{large}/0", "scale": 4})
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "scale")


async def test_a_tool_is_asked_with_one_key_once(guest: Guest) -> None:
    """Whichever it is."""
    asked = {"prompt": "sea", "seconds": 2, "aspectRatio": "1:1"}
    answers = [
        await guest.http.post("/api/generate-video", json=asked, headers={"Idempotency-Key": "k"})
        for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    await guest.http.post(f"/api/processes/{answers[0].json()['processId']}/cancel")
