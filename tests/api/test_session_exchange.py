"""Clerk's session exchanged for ours: what it opens, what comes along, and how it ends."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import pytest_asyncio

from hexwave_app.api.app import create_api
from hexwave_app.identity.api_key import KeyRequest
from hexwave_app.tools.image_generator import IMAGE_GENERATOR, ImageRequest
from tests.api.conftest import Guest
from tests.conftest import PATIENCE, Served, Settings, free_port, serve
from tests.identity.clerk_issuer import Issuer, issuer

PUBLIC = {"/api/health", "/api/ready", "/api/session", "/api/webhook/{category}"}
"""What needs nobody to be signed in: nothing there is anybody's."""


@pytest.fixture(scope="module")
def clerk() -> Iterator[Issuer]:
    with issuer() as clerk:
        yield clerk


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(clerk: Issuer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """One whose people sign in."""
    own = {"data_dir": tmp_path_factory.mktemp("data"), "port": free_port()}
    async with serve(Settings.model_validate(clerk.settings | own)) as served:
        yield served


async def sign_in(guest: Guest, clerk: Issuer, server: Served, user_id: str) -> str:
    """The id of the session."""
    session = clerk.session()
    token = clerk.token(server.url, user_id, sid=session)
    answer = await guest.http.post("/api/session", json={"token": token})
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"user": {"id": user_id, "guest": False}}
    return session


def _routes() -> list[tuple[str, str]]:
    paths = create_api().openapi()["paths"]
    return [(method, path) for path in sorted(paths.keys() - PUBLIC) for method in paths[path]]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("method", "path"), _routes())
async def test_every_route_of_a_user_is_closed_to_guests(guest: Guest, method: str, path: str) -> None:
    """A route that is not named as public is one; it says that signing in is what it takes."""
    place = path.replace("{process_id}", "p_x").replace("{name}", "0.webp")
    body = {"prompt": "A boat"} if method in ("POST", "PUT", "PATCH") else None
    answer = await guest.http.request(method, place, json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_signed_in"), answer.text


@pytest.mark.asyncio(loop_scope="module")
async def test_signing_in_opens_what_is_the_users(guest: Guest, clerk: Issuer, server: Served) -> None:
    """The session says who is there before, while and after, and where people sign in."""
    before = (await guest.http.get("/api/session")).json()
    assert before == {
        "clerk": {"publishableKey": clerk.settings["CLERK_PUBLISHABLE_KEY"], "frontendApi": clerk.url}
    }
    await sign_in(guest, clerk, server, "user_a")
    answer = await guest.http.get("/api/session")
    assert answer.json()["user"] == {"id": "user_a", "guest": False}
    assert answer.headers["cache-control"] == "private, no-store"
    process_id = (await guest.http.post("/api/generate-image", json={"prompt": "A boat"})).json()["processId"]
    assert (await guest.ended(process_id))["status"] == "completed"
    assert (await guest.http.delete("/api/session")).status_code == 204
    assert (await guest.http.get("/api/processes")).status_code == 401
    assert "user" not in (await guest.http.get("/api/session")).json()
    await sign_in(guest, clerk, server, "user_a")
    assert (await guest.process(process_id))["userId"] == "user_a"


@pytest.mark.asyncio(loop_scope="module")
async def test_the_cookie_alone_signs_out_nobody_else(
    guest: Guest, stranger: Guest, clerk: Issuer, server: Served
) -> None:
    """Two browsers of one person have a session each."""
    await sign_in(guest, clerk, server, "user_a")
    await sign_in(stranger, clerk, server, "user_a")
    await guest.http.delete("/api/session")
    assert (await stranger.http.get("/api/processes")).status_code == 200


@pytest.mark.asyncio(loop_scope="module")
async def test_a_guest_who_signs_in_keeps_the_work(
    guest: Guest, stranger: Guest, clerk: Issuer, server: Served
) -> None:
    """What runs goes on running, for its owner; other guests keep theirs."""
    running, others = await guest.begin(), await stranger.begin()
    await sign_in(guest, clerk, server, "user_keeper")
    kept = (await guest.http.get("/api/processes")).json()["processes"]
    assert [process["processId"] for process in kept] == [running.process_id]
    token = await guest.http.get("/api/ably/token", params={"processId": running.process_id})
    assert token.json()["clientId"] == "user_keeper"
    cancelled = await guest.http.post(f"/api/processes/{running.process_id}/cancel")
    assert cancelled.json()["data"]["errorCode"] == "cancelled"
    assert (await server.services.processes.load(others.process_id)).user_id == stranger.id


@pytest.mark.asyncio(loop_scope="module")
async def test_a_guests_api_key_is_the_users_afterwards(guest: Guest, clerk: Issuer, server: Served) -> None:
    """A script that has it goes on as who signed in, and that one may revoke it."""
    key, token = await server.services.keys.make(guest.id, KeyRequest(name="Script"), "")
    bearer = {"Authorization": f"Bearer {token}"}
    assert (await guest.http.get("/api/processes", headers=bearer)).status_code == 401
    await sign_in(guest, clerk, server, "user_scripting")
    assert [each["id"] for each in (await guest.http.get("/api/keys")).json()["keys"]] == [key.id]
    said = await guest.http.get("/api/session", headers=bearer)
    assert said.json()["user"] == {"id": "user_scripting", "guest": False}
    assert (await guest.http.delete(f"/api/keys/{key.id}")).status_code == 204
    assert (await guest.http.get("/api/processes", headers=bearer)).status_code == 401


@pytest.mark.asyncio(loop_scope="module")
async def test_a_job_that_runs_while_its_guest_signs_in_ends_as_the_users(
    guest: Guest, clerk: Issuer, server: Served
) -> None:
    """Its provider reports to the process, whoever that belongs to by then."""
    request = ImageRequest.read({"prompt": "A boat"})
    started = await server.services.runs.start(IMAGE_GENERATOR, request, guest.id)
    await sign_in(guest, clerk, server, "user_patient")
    ended = await guest.ended(started.process_id)
    assert (ended["status"], ended["userId"]) == ("completed", "user_patient")
    picture = await guest.http.get(ended["data"]["generations"][0])
    assert picture.status_code == 200


@pytest.mark.asyncio(loop_scope="module")
async def test_nobody_inherits_from_who_was_signed_in_before(
    guest: Guest, clerk: Issuer, server: Served
) -> None:
    """At the same browser, with or without signing out; nor does naming a guest bring anything."""
    await sign_in(guest, clerk, server, "user_first")
    process_id = (await guest.http.post("/api/generate-image", json={"prompt": "A boat"})).json()["processId"]
    await sign_in(guest, clerk, server, "user_second")
    assert (await guest.http.get("/api/processes")).json() == {"processes": []}
    assert (await guest.http.get(f"/api/processes/{process_id}")).status_code == 404
    token = clerk.token(server.url, "user_second", sid=clerk.session())
    forged = {"token": token, "guest": "user_first", "userId": "user_first"}
    assert (await guest.http.post("/api/session", json=forged)).status_code == 200
    assert (await guest.http.get(f"/api/processes/{process_id}")).status_code == 404


@pytest.mark.asyncio(loop_scope="module")
async def test_a_script_brings_clerks_token_with_each_request(
    guest: Guest, clerk: Issuer, server: Served
) -> None:
    """It is the same user as in the browser; a token that is not good is nobody, whatever the cookie says."""
    await sign_in(guest, clerk, server, "user_cookie")

    def bearer(token: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {token}"}

    token = clerk.token(server.url, "user_script")
    said = await guest.http.get("/api/session", headers=bearer(token))
    assert said.json()["user"] == {"id": "user_script", "guest": False}
    assert (await guest.http.get("/api/processes", headers=bearer(token))).status_code == 200
    for forged in (token[:-2], clerk.token("https://evil.example"), clerk.token(server.url, exp=1)):
        answer = await guest.http.get("/api/processes", headers=bearer(forged))
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_signed_in")
    # It brings no guest along, and ends nobody's session.
    begun = await guest.http.post("/api/session", json={"token": token}, headers=bearer(token))
    assert begun.status_code == 422
    assert (await guest.http.delete("/api/session", headers=bearer(token))).status_code == 422
    assert (await guest.http.get("/api/processes")).status_code == 200


@pytest.mark.asyncio(loop_scope="module")
async def test_a_token_that_is_not_clerks_changes_nothing(
    guest: Guest, clerk: Issuer, server: Served
) -> None:
    """It is 401 whatever the reason, and 503 while Clerk cannot be asked for its keys."""
    for token in ("", "x", clerk.token("https://evil.example")):
        answer = await guest.http.post("/api/session", json={"token": token})
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_signed_in")
        assert "set-cookie" not in answer.headers
    assert (await guest.http.post("/api/session", json={"token": "x" * 9000})).status_code == 422
    assert (await guest.http.post("/api/session", json={})).status_code == 422


@pytest.mark.asyncio(loop_scope="module")
async def test_while_clerk_is_away_nobody_is_refused_for_it(
    clerk: Issuer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Its keys were never read: 503, and when to come again."""
    own = {"data_dir": tmp_path_factory.mktemp("data"), "port": free_port()}
    async with (
        serve(Settings.model_validate(clerk.settings | own)) as server,
        httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as http,
    ):
        clerk.away = True
        answer = await http.post("/api/session", json={"token": clerk.token(server.url)})
        clerk.away = False
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "sign_in_unavailable")
    assert answer.headers["retry-after"]


@pytest.mark.asyncio(loop_scope="module")
async def test_without_keys_everybody_is_a_guest(
    clerk: Issuer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Nothing is said of Clerk, and its tokens open nothing."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"), port=free_port())
    async with (
        serve(settings) as server,
        httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as http,
    ):
        said = (await http.get("/api/session")).json()
        assert said == {"user": {"id": said["user"]["id"], "guest": True}}
        answer = await http.post("/api/session", json={"token": clerk.token(server.url)})
        assert answer.status_code == 401
        assert (await http.get("/api/session")).json() == said
