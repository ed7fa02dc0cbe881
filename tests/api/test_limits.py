"""Who asks too often is told so, and when to come again; nobody else notices."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from hexwave_app.api.app import create_api
from hexwave_app.identity.limits import Allowed
from hexwave_app.processes import Failed, Process
from hexwave_app.services import Services, lifespan
from hexwave_app.settings import Settings
from tests.conftest import free_port, with_sessions
from tests.identity.whole_app import whole_app
from tests.security.page_socket import STUDIO, PageSocket

GENERATE, TOKEN = "/api/generate-image", "/api/ably/token"
BODY = {"prompt": "A long job"}
DAY = 24 * 3600
HOME, OFFICE, PROXY = "198.51.100.1", "203.0.113.7", "10.1.2.3"


class Place:
    """The served API, and clients at addresses of their own."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app = app
        self.services = services

    @asynccontextmanager
    async def guest(self, address: str = HOME) -> AsyncIterator[httpx.AsyncClient]:
        """A fresh guest whose connection comes from `address`."""
        transport = httpx.ASGITransport(self._app, client=(address, 40_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://hexwave") as http:
            await http.get("/api/processes")
            yield http

    async def webhook(self, process: Process, token: str | None = None, address: str = HOME) -> int:
        """The status that a report on the process is answered with; with its own token if none is given."""
        url = httpx.URL(self.services.webhooks.url("image", process.process_id))
        params = url.params if token is None else url.params.set("token", token)
        async with self.guest(address) as http:
            answer = await http.post(url.path, params=params, json={"status": "processing", "progress": 1})
        return answer.status_code


@asynccontextmanager
async def place(data_dir: Path, **limits: Any) -> AsyncIterator[Place]:
    # Nobody is there, so what is begun runs until the test says otherwise.
    provider = {"provider": "external", "external_api_url": f"http://127.0.0.1:{free_port()}"}
    settings = Settings(data_dir=data_dir, port=free_port(), **provider, **limits)
    async with lifespan(settings) as services:
        yield Place(with_sessions(create_api(), services), services)


async def create(http: httpx.AsyncClient, **headers: str) -> httpx.Response:
    return await http.post(GENERATE, json=BODY, headers=headers)


async def begun(http: httpx.AsyncClient) -> int:
    return len((await http.get("/api/processes", params={"limit": 100})).json()["processes"])


def assert_refused(answer: httpx.Response, words: str, within: int = 60) -> None:
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (429, "too_many_requests")
    assert 1 <= int(answer.headers["retry-after"]) <= within
    assert words in error["message"]


async def end(services: Services, process_id: str) -> None:
    await services.processes.update(process_id, Failed("No.", "provider_refused"))


async def test_a_user_begins_so_many_a_minute(data_dir: Path) -> None:
    """The next one is 429 and begins nothing; other users are counted apart."""
    async with (
        place(data_dir, user_creations_per_minute=2) as here,
        here.guest() as guest,
        here.guest() as other,
    ):
        assert [(await create(guest)).status_code for _ in range(2)] == [200, 200]
        assert_refused(await create(guest), "You have started as many jobs as a minute allows: 2. Wait ")
        assert await begun(guest) == 2
        assert (await create(other)).status_code == 200


async def test_an_address_begins_so_many_a_minute(data_dir: Path) -> None:
    """Whoever asks from there: throwing the cookie away makes a new guest, and no new address."""
    async with place(data_dir, address_creations_per_minute=2) as here:
        for expected in (200, 200, 429):
            async with here.guest() as guest:
                answer = await create(guest)
            assert answer.status_code == expected
        assert_refused(answer, "Your network has started as many jobs as a minute allows: 2. Wait ")
        async with here.guest(OFFICE) as guest:
            assert (await create(guest)).status_code == 200


@pytest.mark.parametrize("forged", ["192.0.2.{}", "192.0.2.{}, 10.0.0.9", "unknown", "2001:db8:{}::1", ""])
async def test_a_spoofed_header_does_not_move_limits(data_dir: Path, forged: str) -> None:
    """Who is no proxy of ours may write what he likes; from a proxy, only what it added counts."""
    settings = {"address_creations_per_minute": 2, "trusted_proxies": "10.0.0.0/8, fd00::/8"}
    async with place(data_dir, **settings) as here:
        for address, added in ((HOME, ""), (PROXY, f", {OFFICE}")):
            for number, expected in enumerate((200, 200, 429)):
                async with here.guest(address) as guest:
                    said = {"X-Forwarded-For": forged.format(number) + added}
                    assert (await create(guest, **said)).status_code == expected


async def test_a_proxy_of_ours_says_who_asks(data_dir: Path) -> None:
    """Those behind it are told apart, through a second proxy of ours as well; each has an allowance."""
    settings = {"address_creations_per_minute": 1, "trusted_proxies": "10.0.0.0/8"}
    async with place(data_dir, **settings) as here, here.guest(PROXY) as guest:
        for forwarded, expected in ((HOME, 200), (OFFICE, 200), (f"{HOME}, 10.9.9.9", 429)):
            assert (await create(guest, **{"X-Forwarded-For": forwarded})).status_code == expected


async def test_a_user_begins_so_many_a_day(data_dir: Path) -> None:
    """Deleting what was made gives nothing back."""
    async with place(data_dir, user_creations_per_day=2) as here, here.guest() as guest:
        for _ in range(2):
            process_id = (await create(guest)).json()["processId"]
            await guest.post(f"/api/processes/{process_id}/cancel")
            assert (await guest.delete(f"/api/processes/{process_id}")).status_code == 204
        answer = await create(guest)
        assert_refused(answer, "You have started as many jobs as a day allows: 2. Wait 24 hours", DAY)
        assert int(answer.headers["retry-after"]) > DAY - 600


async def test_a_user_has_so_many_running(data_dir: Path) -> None:
    """Also of ten that come at once; when one ends, another may begin."""
    async with (
        place(data_dir, user_running=3) as here,
        here.guest() as guest,
        here.guest() as other,
    ):
        answers = await asyncio.gather(*(create(guest) for _ in range(10)))
        assert sorted(answer.status_code for answer in answers) == [200] * 3 + [429] * 7
        refusal = next(answer for answer in answers if answer.is_error)
        assert_refused(refusal, "as can at once: 3. Wait until one ends, or cancel one.")
        assert (await create(other)).status_code == 200
        first = next(answer for answer in answers if answer.is_success)
        await guest.post(f"/api/processes/{first.json()['processId']}/cancel")
        assert (await create(guest)).status_code == 200


async def test_a_refusal_uses_nothing_up(data_dir: Path) -> None:
    """What is refused for one reason does not count towards another."""
    limits = {"user_creations_per_minute": 2, "address_creations_per_minute": 1, "trusted_proxies": PROXY}
    async with place(data_dir, **limits) as here, here.guest(PROXY) as guest:
        for forwarded, expected in ((HOME, 200), (HOME, 429), (HOME, 429), (OFFICE, 200), ("192.0.2.1", 429)):
            answer = await create(guest, **{"X-Forwarded-For": forwarded})
            assert answer.status_code == expected
        assert_refused(answer, "You have started")
        async with here.guest("192.0.2.1") as other:
            assert (await create(other)).status_code == 200


async def test_a_repeated_key_is_no_creation(data_dir: Path) -> None:
    """It is answered with its process, whatever is used up; a key of one's own that is new is not."""
    async with place(data_dir, user_creations_per_minute=1, user_running=1) as here, here.guest() as guest:
        first = await create(guest, **{"Idempotency-Key": "a"})
        again = await create(guest, **{"Idempotency-Key": "a"})
        assert (again.status_code, again.json()) == (200, first.json())
        assert (await create(guest, **{"Idempotency-Key": "b"})).status_code == 429


@pytest.mark.parametrize(
    "limit", ["user_creations_per_minute", "address_creations_per_minute", "user_running"]
)
async def test_a_retry_is_a_creation(data_dir: Path, limit: str) -> None:
    """It is counted with the others, and a retry whose key was used is not."""
    async with place(data_dir, **{limit: 2}) as here, here.guest() as guest:
        first = (await create(guest)).json()["processId"]
        await end(here.services, first)
        retry = f"/api/processes/{first}/retry"
        again = await guest.post(retry, headers={"Idempotency-Key": "r"})
        assert again.status_code == 200
        if limit == "user_running":
            assert (await create(guest)).status_code == 200
        assert_refused(await guest.post(retry), "s many ")
        assert (await guest.post(retry, headers={"Idempotency-Key": "r"})).json() == again.json()


@pytest.mark.parametrize("limit", ["user_tokens_per_minute", "address_tokens_per_minute"])
async def test_tokens_are_limited(data_dir: Path, limit: str) -> None:
    """Each asking counts, what it asks for does not."""
    async with place(data_dir, **{limit: 2}) as here, here.guest() as guest:
        await create(guest)
        assert [(await guest.get(TOKEN)).status_code for _ in range(2)] == [200, 200]
        assert_refused(
            await guest.get(TOKEN, params={"processId": "p_x"}), "as many tokens as a minute allows: 2."
        )
        async with here.guest(OFFICE) as other:
            assert (await other.get(TOKEN)).status_code == 404


async def running(here: Place, http: httpx.AsyncClient) -> Process:
    return await here.services.processes.load((await create(http)).json()["processId"])


async def test_an_address_sends_so_many_webhooks(data_dir: Path) -> None:
    """Forged ones count: tokens are not to be guessed. Elsewhere a provider is still heard."""
    async with place(data_dir, address_webhooks_per_minute=3) as here, here.guest() as guest:
        process = await running(here, guest)
        assert [await here.webhook(process, "x") for _ in range(4)] == [401, 401, 401, 429]
        assert await here.webhook(process) == 429
        assert await here.webhook(process, address=OFFICE) == 200


async def test_a_process_is_reported_on_so_often(data_dir: Path) -> None:
    """Who has no token cannot use that up: the id is no secret."""
    async with place(data_dir, process_webhooks_per_minute=2) as here, here.guest() as guest:
        process, other = await running(here, guest), await running(here, guest)
        assert [await here.webhook(process, "x") for _ in range(3)] == [401, 401, 401]
        assert [await here.webhook(process) for _ in range(3)] == [200, 200, 429]
        assert await here.webhook(other) == 200


async def test_zero_is_no_limit(data_dir: Path) -> None:
    """Each of them can be turned off."""
    off = {each.name: 0 for each in fields(Allowed)}
    async with place(data_dir, **off) as here, here.guest() as guest:
        made = await asyncio.gather(*(create(guest) for _ in range(70)))
        assert {answer.status_code for answer in made} == {200}


@asynccontextmanager
async def visit(url: str) -> AsyncIterator[tuple[httpx.AsyncClient, PageSocket]]:
    """A fresh guest, at the API and at a page."""
    async with httpx.AsyncClient(base_url=url) as http:
        await http.get("/api/processes")
        async with PageSocket.open(url, http) as page:
            yield http, page


async def said(page: PageSocket, words: Callable[[dict[str, Any]], str]) -> str:
    """The next sentence that `words` finds in what the page is told."""
    while not (found := words(await page.told())):
        pass
    return found


async def test_a_click_and_the_api_have_one_allowance(tmp_path: Path) -> None:
    """The page says the sentence that the API answers with, for a new job and for a retry."""
    settings = {"HEXWAVE_USER_CREATIONS_PER_MINUTE": "1", "HEXWAVE_ADDRESS_CREATIONS_PER_MINUTE": "2"}
    async with whole_app(tmp_path, settings) as url:
        async with visit(url) as (guest, page):
            process_id = (await create(guest)).json()["processId"]
            await guest.post(f"/api/processes/{process_id}/cancel")
            refusal = "You have started as many jobs as a minute allows: 1. Wait "
            assert (await create(guest)).json()["error"]["message"].startswith(refusal)
            await page.emit("generate", {"form": BODY})
            assert (await said(page, hint)).startswith(refusal)
            await page.emit("retry", {"process_id": process_id})
            assert (await said(page, toast)).startswith(refusal)
        async with visit(url) as (guest, page):
            await page.emit("generate", {"form": BODY})
            await said(page, started)
            assert_refused(await create(guest), "You have started as many")
        async with visit(url) as (guest, page):
            await page.emit("generate", {"form": BODY})
            assert (await said(page, hint)).startswith(
                "Your network has started as many jobs as a minute allows: 2. "
            )


def hint(update: dict[str, Any]) -> str:
    return update.get("delta", {}).get(STUDIO, {}).get("hint_rx_state_", "")


def started(update: dict[str, Any]) -> str:
    return update.get("delta", {}).get(STUDIO, {}).get("announcement_rx_state_", "")


def toast(update: dict[str, Any]) -> str:
    """A sentence among the events for the browser."""
    found = re.search(r"You have started[^\"]*", json.dumps(update.get("events", [])))
    return found.group() if found else ""
