"""API keys in events: what a page is told of them, and whose they are."""

import json
import re
from collections.abc import Callable
from typing import Any

import httpx

from tests.security.page_socket import PageSocket
from tests.security.test_events import KEYS

NO_SUCH = "There is no such API key, or it belongs to someone else."


async def made(guest: httpx.AsyncClient) -> dict[str, Any]:
    return (await guest.post("/api/keys", json={"name": "Laptop"})).json()


async def heard(page: PageSocket, words: Callable[[str], bool]) -> list[dict[str, Any]]:
    """The updates up to the one of which `words` is true."""
    told: list[dict[str, Any]] = []
    while not told or not words(json.dumps(told[-1])):
        told.append(await page.told())
    return told


async def test_a_token_is_in_one_event_and_in_no_var(guest: httpx.AsyncClient, page: PageSocket) -> None:
    """It goes to the page's script, once; what the session keeps, and a later look at it, has none."""
    await page.emit("make", {"form": {"name": "Laptop"}}, KEYS)
    told = await heard(page, lambda update: "showKey" in update)
    events = json.dumps([update.get("events") for update in told])
    key_id, secret = re.findall(r"hwk_([0-9a-f]{16})_([0-9a-f]{64})", events)[0]
    assert [secret in json.dumps(update.get("delta")) for update in told] == [False] * len(told)
    await page.emit("read", state=KEYS)
    await page.emit("hydrate_and_load", {"hashes": None, "vars": None}, "reflex___state____state")
    later = json.dumps(await page.told_until_now())
    assert "Laptop" in later
    assert secret not in later
    answer = await guest.get("/api/processes", headers={"Authorization": f"Bearer hwk_{key_id}_{secret}"})
    assert answer.status_code == 200


async def test_anothers_key_is_nobodys(
    guest: httpx.AsyncClient, stranger: httpx.AsyncClient, other_page: PageSocket
) -> None:
    """The stranger is told that there is none, sees none, and the key opens the door as before."""
    key = await made(guest)
    await other_page.emit("revoke", {"key_id": key["key"]["id"]}, KEYS)
    told = await heard(other_page, lambda update: NO_SUCH in update)
    await other_page.emit("read", state=KEYS)
    assert "Laptop" not in json.dumps([*told, *await other_page.told_until_now()])
    bearing = {"Authorization": f"Bearer {key['token']}"}
    async with httpx.AsyncClient(base_url=guest.base_url, headers=bearing) as script:
        assert (await script.get("/api/processes")).status_code == 200


async def test_its_owner_revokes_it(guest: httpx.AsyncClient, page: PageSocket) -> None:
    """The same event, from the page of the one whose key it is."""
    key = await made(guest)
    await page.emit("revoke", {"key_id": key["key"]["id"]}, KEYS)
    await heard(page, lambda update: "Key revoked" in update)
    assert (await guest.get("/api/keys")).json() == {"keys": []}


async def test_the_cookie_stays_on_the_server(guest: httpx.AsyncClient, page: PageSocket) -> None:
    """A page is told the headers of its handshake, less those that say who it is."""
    await page.emit("hydrate_and_load", {"hashes": None, "vars": None}, "reflex___state____state")
    await page.emit("read", state=KEYS)
    told = json.dumps(await page.told_until_now())
    assert "rx_router_headers" in told
    (cookie,) = guest.cookies.values()
    assert cookie not in told
    assert cookie.rpartition(".")[2] not in told
