"""From a prompt to pictures, with nothing but HTTP."""

import io
from datetime import datetime
from typing import Any

import pytest
from PIL import Image

from tests.api.conftest import Guest
from tests.conftest import Served, eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

GENERATE = "/api/generate-image"


async def test_a_prompt_becomes_pictures_of_our_own(guest: Guest, server: Served) -> None:
    """POST answers with an id at once; the process completes; its pictures and thumbnails can be fetched."""
    asked = {"prompt": "sea at dusk", "count": 2, "seed": 7, "aspectRatio": "3:2"}
    answer = await guest.http.post(GENERATE, json=asked)
    assert answer.status_code == 200
    assert answer.json().keys() == {"processId"}
    process = await guest.ended(answer.json()["processId"])
    assert process["status"] == "completed"
    assert process["userId"] == guest.id
    assert process["data"]["req"] == asked
    assert process["data"]["progress"] == 100
    assert "answer" not in process
    home = f"/media/{process['processId']}"
    assert process["data"]["generations"] == [f"{home}/0.webp", f"{home}/1.webp"]
    for url in process["data"]["generations"]:
        picture = await guest.http.get(url)
        assert picture.headers["content-type"] == "image/webp"
        assert picture.headers["cache-control"].startswith("private")
        assert Image.open(io.BytesIO(picture.content)).size == (1216, 832)
        thumbnail = await guest.http.get(url.replace(".webp", "-512.webp"))
        assert Image.open(io.BytesIO(thumbnail.content)).width == 512

    folder = server.services.settings.data_dir / "media" / process["processId"]

    async def tidy() -> bool:
        return len(list(folder.iterdir())) == 4

    await eventually(tidy)
    assert (await guest.http.delete(f"/api/processes/{process['processId']}")).status_code == 204
    assert not folder.exists() or not list(folder.iterdir())
    assert (await guest.http.get(f"{home}/0.webp")).status_code == 404
    assert (await guest.http.get(f"/api/processes/{process['processId']}")).status_code == 404


async def test_the_timeline_tells_what_happened(guest: Guest) -> None:
    """From the beginning to the last publication; each line with its time, its source and the sequence."""
    answer = await guest.http.post(GENERATE, json={"prompt": "sea", "seed": 7})
    url = f"/api/processes/{answer.json()['processId']}"

    async def published() -> dict[str, Any] | None:
        process = (await guest.http.get(url)).json()
        # A report that was overtaken may be passed over after that.
        told = {event["type"] for event in process["events"]}
        return process if "published" in told else None

    process = await eventually(published)
    events = process["events"]
    assert all(event.keys() - {"detail"} == {"type", "at", "source", "sequence"} for event in events)
    told = [event for event in events if event["type"] not in ("published", "ignored")]
    # Its acceptance is nothing that followers are told.
    sequences = [event["sequence"] for event in told if event["type"] != "submitted"]
    assert sequences == list(range(1, process["sequence"] + 1))
    times = [datetime.fromisoformat(event["at"]) for event in told]
    assert times == sorted(times)
    assert [(event["type"], event["source"]) for event in told if event["type"] != "progress"] == [
        ("created", "user"),
        ("submitted", "server"),
        ("webhook", "webhook"),
        ("saved", "server"),
    ]
    [last] = [event["sequence"] for event in events if event["type"] == "published"]
    assert process["published"] == process["sequence"] == last


async def test_abstract_art_says_so(guest: Guest) -> None:
    """Words that name no scene are painted, with a notice beside the result."""
    answer = await guest.http.post(GENERATE, json={"prompt": "xyzzy", "seed": 1})
    process = await guest.ended(answer.json()["processId"])
    assert process["status"] == "completed"
    assert "abstract" in process["data"]["notice"]


async def test_a_cancelled_process_is_failed_and_keeps_nothing(guest: Guest, server: Served) -> None:
    """Cancelling stops the painter and leaves no file; cancelling again is no error, deleting is allowed."""
    answer = await guest.http.post(GENERATE, json={"prompt": "a forest", "count": 4})
    url = f"/api/processes/{answer.json()['processId']}"
    assert (await guest.http.delete(url)).json()["error"]["code"] == "process_conflict"
    first = await guest.http.post(f"{url}/cancel")
    assert (first.status_code, first.json()["status"]) == (200, "failed")
    assert first.json()["data"]["errorCode"] == "cancelled"
    again = await guest.http.post(f"{url}/cancel")
    assert again.json()["sequence"] == first.json()["sequence"]
    orders = server.services.settings.data_dir / "demo"

    async def stopped() -> bool:
        ended = {end.parent for end in orders.glob("*/end.json")}
        return {order.parent for order in orders.glob("*/order.json")} <= ended

    await eventually(stopped)
    media = server.services.settings.data_dir / "media" / answer.json()["processId"]
    assert not list(media.glob("*"))
    assert (await guest.process(answer.json()["processId"]))["data"]["errorCode"] == "cancelled"
    assert (await guest.http.delete(url)).status_code == 204


async def test_a_retry_is_a_new_process_with_the_same_request(guest: Guest) -> None:
    """`retryOf` names the first; while that one runs, a retry is a conflict; one key is one retry."""
    asked = {"prompt": "rain", "seed": 3, "count": 1, "aspectRatio": "1:1"}
    first = (await guest.http.post(GENERATE, json=asked)).json()["processId"]
    early = await guest.http.post(f"/api/processes/{first}/retry")
    assert (early.status_code, early.json()["error"]["code"]) == (409, "process_conflict")
    await guest.http.post(f"/api/processes/{first}/cancel")
    headers = {"Idempotency-Key": "again"}
    answers = [await guest.http.post(f"/api/processes/{first}/retry", headers=headers) for _ in range(2)]
    second, same = (answer.json()["processId"] for answer in answers)
    assert second == same != first
    process = await guest.process(second)
    assert (process["retryOf"], process["data"]["req"]) == (first, asked)
    await guest.http.post(f"/api/processes/{second}/cancel")


async def test_a_completed_process_cannot_be_cancelled(guest: Guest) -> None:
    """The answer is a conflict, and the pictures stay."""
    answer = await guest.http.post(GENERATE, json={"prompt": "snow"})
    process = await guest.ended(answer.json()["processId"])
    refused = await guest.http.post(f"/api/processes/{process['processId']}/cancel")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "process_conflict")
    assert (await guest.http.get(process["data"]["generations"][0])).status_code == 200


async def test_an_idempotency_key_is_one_process(guest: Guest, stranger: Guest) -> None:
    """The same key of the same user answers with the first process; another's key is another's."""
    headers = {"Idempotency-Key": "order-1"}
    ids = [
        (await who.http.post(GENERATE, json={"prompt": "fog"}, headers=headers)).json()["processId"]
        for who in (guest, guest, stranger)
    ]
    assert ids[0] == ids[1] != ids[2]
    for who, process_id in ((guest, ids[0]), (stranger, ids[2])):
        await who.http.post(f"/api/processes/{process_id}/cancel")
