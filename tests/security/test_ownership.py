"""Ids in events come from the browser: each handler that takes one, tried by somebody else."""

import inspect
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from hexwave_app.ui.pages.process import ProcessState
from hexwave_app.ui.pages.studio import StudioState
from hexwave_app.ui.routes import process_page
from tests.conftest import eventually
from tests.security.page_socket import STUDIO, PageSocket

GALLERY = STUDIO.replace("studio", "gallery")
PROCESS = STUDIO.replace("studio", "process")

TAKE_AN_ID = {
    "cancel": "process_id",
    "retry": "process_id",
    "delete": "process_id",
    "restore": "process_id",
    "remix": "process_id",
    "vary": "process_id",
    "upscale": "process_id",
    "favour": "process_id",
    "announce_ready": "job_id",
}
NO_SUCH = "There is no such process, or it belongs to someone else."
SAY_SO = dict.fromkeys(("cancel", "retry", "vary"), NO_SUCH) | {
    "upscale": "picture names no finished picture of yours."
}
"""What they say; the rest pass over what is not the user's."""


@pytest_asyncio.fixture
async def process_id(guest: httpx.AsyncClient) -> AsyncIterator[str]:
    """A finished process of the guest, to which nothing more happens."""
    begun = await guest.post("/api/generate-image", json={"prompt": "Mine", "seed": 7})
    process_id = begun.json()["processId"]

    async def ended() -> bool:
        process = (await guest.get(f"/api/processes/{process_id}")).json()
        return process["status"] == "completed" and process["published"] == process["sequence"]

    await eventually(ended)
    yield process_id
    await guest.delete(f"/api/processes/{process_id}")


def test_these_are_all_the_handlers_that_take_an_id() -> None:
    """One that is added is tried here as well."""
    found = {
        name: parameter
        for name, handler in StudioState.event_handlers.items()
        for parameter in inspect.signature(handler.fn).parameters
        if parameter.endswith("_id")
    }
    assert found == TAKE_AN_ID


def arguments(handler: str, process_id: str) -> dict[str, object]:
    more: dict[str, dict[str, object]] = {
        "announce_ready": {"on_screen": False},
        "favour": {"on": True},
        "upscale": {"index": 0},
    }
    return {TAKE_AN_ID[handler]: process_id} | more.get(handler, {})


@pytest.mark.parametrize("handler", TAKE_AN_ID)
async def test_another_users_id_is_nobodys(
    handler: str,
    process_id: str,
    guest: httpx.AsyncClient,
    stranger: httpx.AsyncClient,
    other_page: PageSocket,
) -> None:
    """The stranger is told that there is no such process, or nothing, and nothing of it changes or shows."""
    await other_page.emit("watch")
    while not (await other_page.told()).get("delta", {}).get(STUDIO, {}).get("loaded_rx_state_"):
        pass
    before = (await guest.get(f"/api/processes/{process_id}")).json()
    await other_page.emit(handler, arguments(handler, process_id))
    told = str(await other_page.told()) if handler in SAY_SO else ""
    told += str(await other_page.told_until_now())
    assert SAY_SO.get(handler, "") in told
    assert "Mine" not in told
    assert ("toast" in told) == (handler in SAY_SO)
    assert (await guest.get(f"/api/processes/{process_id}")).json() == before
    assert (await stranger.get("/api/processes")).json() == {"processes": []}


async def test_their_owner_may(process_id: str, guest: httpx.AsyncClient, page: PageSocket) -> None:
    """The same events, from the page of the one whose process it is."""
    await page.emit("watch")
    while process_id not in str(await page.told()):
        pass
    await page.emit("remix", arguments("remix", process_id))
    while "seed_rx_state_" not in str(await page.told()):
        pass
    await page.emit("favour", arguments("favour", process_id))
    while "'favourite': True" not in str(await page.told()):
        pass
    await page.emit("announce_ready", arguments("announce_ready", process_id))
    while "toast" not in str(await page.told()):
        pass
    await page.emit("delete", arguments("delete", process_id))

    async def gone() -> bool:
        return (await guest.get(f"/api/processes/{process_id}")).status_code == 404

    await eventually(gone)


OF_ITS_PROCESS = {"cancel", "retry", "favour", "discard", "share", "revoke"}
"""The handlers of a process's page that take the process from its address, which the browser sends too."""


def turned_to(process_id: str) -> dict[str, object]:
    """Where a browser says that it is."""
    return {"pathname": process_page(process_id), "query": {"process_id": process_id}}


def test_these_are_all_the_handlers_that_act_on_the_page_s_process() -> None:
    """One that is added is tried here as well."""
    # The last two take an id.
    passive = {"watch", "mark_on_screen", "restore", "upscale"}
    own = {name for name in ProcessState.event_handlers if name in vars(ProcessState)}
    assert own - passive == OF_ITS_PROCESS


@pytest.mark.parametrize("handler", sorted(OF_ITS_PROCESS))
async def test_an_address_of_anothers_process_opens_nothing(
    handler: str, process_id: str, guest: httpx.AsyncClient, other_page: PageSocket
) -> None:
    """Its page is missing to the stranger, and what its buttons would do is not done."""
    before = (await guest.get(f"/api/processes/{process_id}")).json()
    await other_page.emit("watch", state=PROCESS, router_data=turned_to(process_id))
    while not (news := (await other_page.told()).get("delta", {}).get(PROCESS, {})).get("missing_rx_state_"):
        assert "Mine" not in str(news)
    await other_page.emit(handler, {"on": True} if handler == "favour" else {}, state=PROCESS)
    assert "Mine" not in str(await other_page.told_until_now())
    assert (await guest.get(f"/api/processes/{process_id}")).json() == before


async def test_its_owner_finds_it_at_that_address(process_id: str, page: PageSocket) -> None:
    """By the same event."""
    await page.emit("watch", state=PROCESS, router_data=turned_to(process_id))
    while "Mine" not in str(await page.told()):
        pass


async def test_a_gallery_deletes_and_restores_nothing_of_others(
    process_id: str, guest: httpx.AsyncClient, other_page: PageSocket
) -> None:
    """Of many ids, those of others are passed over."""
    before = (await guest.get(f"/api/processes/{process_id}")).json()
    await other_page.emit("delete", {"ids": f"{process_id},p_nothing"}, state=GALLERY)
    while "0 deleted" not in str(await other_page.told()):
        pass
    await other_page.emit("restore", {"process_id": process_id}, state=PROCESS)
    while "gone for good" not in str(await other_page.told()):
        pass
    assert (await guest.get(f"/api/processes/{process_id}")).json() == before
