"""`/api/keys`, and what a key opens."""

from typing import Any

import httpx
import pytest

from hexwave_app.identity.api_key import KEY_LIMIT
from tests.api.conftest import Guest
from tests.conftest import PATIENCE, Served, eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

URL = "/api/keys"


async def make(guest: Guest, name: str = "Laptop") -> dict[str, Any]:
    answer = await guest.http.post(URL, json={"name": name})
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "private, no-store"
    return answer.json()


def script(server: Served, token: str) -> httpx.AsyncClient:
    """Somebody with a key and no cookie."""
    return httpx.AsyncClient(
        base_url=server.url, timeout=PATIENCE, headers={"Authorization": f"Bearer {token}"}
    )


async def test_the_token_is_told_once(guest: Guest) -> None:
    """The list tells how it begins, when it was made, and that it was not used."""
    made = await make(guest, "  Laptop  ")
    answer = await guest.http.get(URL)
    assert answer.json() == {"keys": [made["key"]]}
    assert made["key"].keys() == {"id", "name", "start", "createdAt", "usedAt"}
    assert (made["key"]["name"], made["key"]["usedAt"]) == ("Laptop", None)
    assert made["token"].startswith(f"{made['key']['start']}_")
    assert made["token"] not in answer.text


async def test_a_key_is_its_user_and_nobody_else(server: Served, guest: Guest, stranger: Guest) -> None:
    """It sees and begins what its user does, brings no cookie, and another's is not there."""
    own, foreign = await guest.begin(), await stranger.begin()
    async with script(server, (await make(guest))["token"]) as http:
        listed = await http.get("/api/processes")
        assert [each["processId"] for each in listed.json()["processes"]] == [own.process_id]
        assert "set-cookie" not in listed.headers
        assert (await http.get(f"/api/processes/{foreign.process_id}")).status_code == 404
        begun = await http.post("/api/generate-image", json={"prompt": "From a script"})
        process_id = begun.json()["processId"]
        assert (await guest.ended(process_id))["userId"] == guest.id
        token = await http.get("/api/ably/token", params={"processId": own.process_id})
        assert token.json()["clientId"] == guest.id


async def test_a_use_shows(server: Served, guest: Guest) -> None:
    """Soon afterwards, in the list."""
    async with script(server, (await make(guest))["token"]) as http:
        await http.get("/api/processes")

    async def used() -> bool:
        return (await guest.http.get(URL)).json()["keys"][0]["usedAt"] is not None

    await eventually(used)


async def test_a_revoked_key_opens_nothing(server: Served, guest: Guest) -> None:
    """From the next request on; the user's other keys go on."""
    made, other = await make(guest), await make(guest)
    async with script(server, made["token"]) as http, script(server, other["token"]) as still:
        assert (await http.get("/api/processes")).status_code == 200
        assert (await guest.http.delete(f"{URL}/{made['key']['id']}")).status_code == 204
        answer = await http.get("/api/processes")
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_signed_in")
        assert (await still.get("/api/processes")).status_code == 200


async def test_a_key_cannot_manage_keys(server: Served, guest: Guest) -> None:
    """Not even with its user's cookie beside it: who finds a key gets nothing that outlives it."""
    made = await make(guest)
    async with script(server, made["token"]) as http:
        http.cookies.update(guest.http.cookies)
        for method, path in (("GET", URL), ("POST", URL), ("DELETE", f"{URL}/{made['key']['id']}")):
            answer = await http.request(method, path, json={"name": "Another"})
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_allowed")
            assert "/settings/keys" in answer.json()["error"]["message"]
    assert [key["id"] for key in (await guest.http.get(URL)).json()["keys"]] == [made["key"]["id"]]


async def test_anothers_key_is_not_there(guest: Guest, stranger: Guest) -> None:
    """Neither in the list nor to be revoked."""
    made = await make(guest)
    assert (await stranger.http.get(URL)).json() == {"keys": []}
    answer = await stranger.http.delete(f"{URL}/{made['key']['id']}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "key_not_found")
    assert (await guest.http.get(URL)).json() == {"keys": [made["key"]]}


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "x" * 61}, {"name": 1}, {"name": "a", "b": 1}])
async def test_a_name_that_is_none_is_422(guest: Guest, body: dict[str, Any]) -> None:
    """The field is named."""
    answer = await guest.http.post(URL, json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == ("b" if "b" in body else "name")


async def test_the_key_after_the_last_is_409(guest: Guest) -> None:
    """The sentence says how many there can be, and what to do."""
    for number in range(KEY_LIMIT):
        await make(guest, f"Script {number}")
    answer = await guest.http.post(URL, json={"name": "One more"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "too_many_keys")
    assert "20 keys" in answer.json()["error"]["message"]
    assert len((await guest.http.get(URL)).json()["keys"]) == KEY_LIMIT
