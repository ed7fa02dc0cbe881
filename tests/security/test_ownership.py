"""Ids in events come from the browser: each handler that takes one, tried by somebody else."""

import inspect
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from hexwave_app.ui.pages.studio import StudioState
from tests.conftest import eventually
from tests.security.page_socket import STUDIO, PageSocket

TAKE_AN_ID = {
    "cancel": "process_id",
    "retry": "process_id",
    "delete": "process_id",
    "reuse": "process_id",
    "announce_ready": "job_id",
}
NO_SUCH = "There is no such process, or it belongs to someone else."


@pytest_asyncio.fixture
async def process_id(guest: httpx.AsyncClient) -> AsyncIterator[str]:
    """A finished process of the guest."""
    begun = await guest.post("/api/generate-image", json={"prompt": "Mine", "seed": 7})
    process_id = begun.json()["processId"]

    async def ended() -> bool:
        return (await guest.get(f"/api/processes/{process_id}")).json()["status"] == "completed"

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
    more: dict[str, object] = {"on_screen": False} if handler == "announce_ready" else {}
    return {TAKE_AN_ID[handler]: process_id} | more


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
    told = str(await other_page.told()) if handler in ("cancel", "retry", "delete") else ""
    told += str(await other_page.told_until_now())
    assert (NO_SUCH in told) == (handler in ("cancel", "retry", "delete"))
    assert "Mine" not in told
    assert NO_SUCH in told or "toast" not in told
    assert (await guest.get(f"/api/processes/{process_id}")).json() == before
    assert (await stranger.get("/api/processes")).json() == {"processes": []}


async def test_their_owner_may(process_id: str, guest: httpx.AsyncClient, page: PageSocket) -> None:
    """The same events, from the page of the one whose process it is."""
    await page.emit("watch")
    while process_id not in str(await page.told()):
        pass
    await page.emit("reuse", arguments("reuse", process_id))
    while "Settings copied" not in str(await page.told()):
        pass
    await page.emit("announce_ready", arguments("announce_ready", process_id))
    while "toast" not in str(await page.told()):
        pass
    await page.emit("delete", arguments("delete", process_id))

    async def gone() -> bool:
        return (await guest.get(f"/api/processes/{process_id}")).status_code == 404

    await eventually(gone)
