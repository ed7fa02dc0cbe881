"""Rows on the wire: what moves is sent, and nothing that stands still."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest_asyncio

from hexwave_app.live.tab import feeds
from hexwave_app.processes import Act, Completed, Deed, Process, Progressed, Update
from hexwave_app.processes.model import Stage
from tests.security.page_socket import STUDIO, VIDEO, PageSocket
from tests.ui.conftest import Live, eventually

TICK_LIMIT = 1024
"""Bytes of one message to the page."""

LONG = "Cold harbour at dawn, mountains far behind. " * 45 + "The end."


class Guest:
    """A guest with a page, whose jobs the test moves."""

    def __init__(self, live: Live, page: PageSocket, user_id: str, state: str = STUDIO) -> None:
        self.page = page
        self.state = state
        self.live = live
        self._user_id = user_id

    async def begin(self, count: int) -> list[Process]:
        """Running jobs with prompts as long as they come, all of them on the page."""
        kind = "video" if self.state == VIDEO else "image"
        begun = [await self._run(self.live.begin, self._user_id, LONG, 4, kind) for _ in range(count)]
        missing = {process.process_id for process in begun}
        while missing:
            missing -= set(
                (await self.page.told()).get("delta", {}).get(self.state, {}).get("ids_rx_state_", [])
            )
        return begun

    async def tick(self, process: Process, update: Update) -> tuple[int, dict[str, Any]]:
        """Move a job: the bytes that the page is sent for it, and its own part of them."""
        await self._run(self.live.update, process, update)
        size, told = 0, dict[str, Any]()
        while f"{process.process_id}.now" not in told:
            message = await self.page.hear("42/_event,")
            told = json.loads(message.removeprefix("42/_event,"))[1].get("delta", {}).get(self.state, {})
            size = len(message.encode())
        return size, told

    @staticmethod
    async def _run(work: Any, *arguments: Any) -> Any:
        return await asyncio.to_thread(work, *arguments)


@pytest_asyncio.fixture
async def guest(live: Live) -> AsyncIterator[Guest]:
    async with httpx.AsyncClient(base_url=live.url) as http:
        await http.get("/api/processes")
        user = live.services.sessions.user("; ".join(f"{k}={v}" for k, v in http.cookies.items()))
        assert user is not None
        async with PageSocket.open(live.url, http) as page:
            await page.emit("watch")
            for _ in range(2):
                await page.emit("show_older")
            yield Guest(live, page, user.id)
    await asyncio.to_thread(eventually, lambda: feeds() == 0)


def previews(process: Process, count: int, percent: int) -> Progressed:
    urls = tuple(f"/media/{process.process_id}/preview-{i}-{percent:08x}.webp" for i in range(count))
    return Progressed(percent, Stage.PAINTING, urls)


async def test_a_tick_is_as_light_with_fifty_jobs_as_with_one(guest: Guest) -> None:
    """A figure, then a figure and four previews; however long prompts are."""
    (alone,) = await guest.begin(1)
    bare, _ = await guest.tick(alone, Progressed(10))
    pictured, _ = await guest.tick(alone, previews(alone, 4, 20))
    others = await guest.begin(49)
    bare_of_fifty, _ = await guest.tick(alone, Progressed(21))
    pictured_of_fifty, _ = await guest.tick(alone, previews(alone, 4, 22))
    assert max(bare, pictured) < TICK_LIMIT
    assert (bare_of_fifty, pictured_of_fifty) == (bare, pictured)
    for process in [alone, *others]:
        await guest.tick(process, Completed(("/media/none/0.webp",)))


async def test_a_tick_has_nothing_of_what_stands_still(guest: Guest) -> None:
    """Neither the prompt, nor pictures that are the same, nor another's row."""
    first, other = await guest.begin(2)
    await guest.tick(first, previews(first, 1, 10))
    _, told = await guest.tick(first, Progressed(11))
    assert told.keys() == {f"{first.process_id}.now"}
    assert told[f"{first.process_id}.now"]["percent"] == 11
    for process in (first, other):
        await guest.tick(process, Completed(("/media/none/0.webp",)))


async def test_how_long_a_job_may_take_is_said_once(guest: Guest) -> None:
    """With what stands still; the browser counts, and what other jobs take meanwhile changes nothing."""
    jobs = guest.live.services.activity.jobs
    (earlier,) = await guest.begin(1)
    await guest.tick(earlier, Completed(("/media/none/0.webp",)))
    late = earlier.model_copy(update={"updated_at": earlier.created_at + timedelta(hours=1)})
    jobs.observe(Act(Deed.SAVED, process=late))
    expected = round(jobs.typical(earlier) or 0)
    assert expected > 0
    (process,) = await guest.begin(1)
    jobs.observe(Act(Deed.SAVED, process=late))
    assert jobs.typical(process) != expected
    _, told = await guest.tick(process, Progressed(10))
    assert told.keys() == {f"{process.process_id}.now"}
    await guest.page.emit("hydrate_and_load", {"hashes": None, "vars": None}, "reflex___state____state")
    while f"{process.process_id}.job" not in (told := (await guest.page.told())["delta"].get(STUDIO, {})):
        pass
    assert told[f"{process.process_id}.job"]["expected"] == expected
    await guest.tick(process, Completed(("/media/none/0.webp",)))


async def test_clips_are_on_their_own_page_and_as_light(guest: Guest) -> None:
    """What moves in a clip is its standing; a picture that is begun meanwhile is not told there."""
    clips = Guest(guest.live, guest.page, guest._user_id, VIDEO)
    await guest.page.emit("watch", state=VIDEO)
    (clip,) = await clips.begin(1)
    picture = await asyncio.to_thread(guest.live.begin, guest._user_id)
    size, told = await clips.tick(clip, Progressed(10))
    assert size < TICK_LIMIT
    assert told.keys() == {f"{clip.process_id}.now"}
    await guest.page.emit("hydrate_and_load", {"hashes": None, "vars": None}, "reflex___state____state")
    while f"{clip.process_id}.job" not in (told := (await guest.page.told())["delta"].get(VIDEO, {})):
        pass
    assert told["ids_rx_state_"] == [clip.process_id]
    for process in (clip, picture):
        await asyncio.to_thread(guest.live.update, process, Completed(("/media/none/0.webp",)))


async def test_a_page_that_connects_is_told_every_row(guest: Guest) -> None:
    """A reconnect loses nothing: the snapshot has the order and the rows as they are by then."""
    (process,) = await guest.begin(1)
    await guest.tick(process, Progressed(64))
    await guest.page.emit("hydrate_and_load", {"hashes": None, "vars": None}, "reflex___state____state")
    while f"{process.process_id}.job" not in (told := (await guest.page.told())["delta"].get(STUDIO, {})):
        pass
    assert told["ids_rx_state_"] == [process.process_id]
    assert told[f"{process.process_id}.now"]["percent"] == 64
    assert told[f"{process.process_id}.job"]["prompt"] == LONG
    await guest.tick(process, Completed(("/media/none/0.webp",)))
