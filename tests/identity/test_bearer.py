"""Bearer tokens: who is let in by one, and what becomes of who is not."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import pytest_asyncio
from starlette.types import Receive, Scope, Send

from hexwave_app.api.errors import refusal
from hexwave_app.api.same_origin import SameOriginMiddleware
from hexwave_app.identity.address import Proxies
from hexwave_app.identity.bearer import Bearers
from hexwave_app.identity.limits import Allowed, Limits
from hexwave_app.identity.secret import Secret
from hexwave_app.identity.session import SessionMiddleware, Sessions
from hexwave_app.identity.user import User
from hexwave_app.processes.errors import StoreUnavailable

SESSIONS = Sessions(Secret("s" * 32), secure=False)
FAILURES = 3


@dataclass
class Form:
    """Tokens that begin with `prefix`; what `known` has none for is nobody's."""

    prefix: str
    known: Mapping[str, str]
    asked: list[str] = field(default_factory=list[str])

    def recognises(self, token: str) -> bool:
        return token.startswith(self.prefix)

    async def user(self, token: str) -> User | None:
        self.asked.append(token)
        if token.endswith("away"):
            raise StoreUnavailable("The database does not answer. Try again in a moment.")
        return User(self.known[token], 0) if token in self.known else None


class Seen:
    """An app that answers 200 and remembers what it was told of the request."""

    def __init__(self) -> None:
        self.states: list[dict[str, Any]] = []

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self.states.append(scope["state"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})


@pytest.fixture
def forms() -> list[Form]:
    return [Form("a_", {"a_1": "g_alice"}), Form("", {"b_1": "g_bob", "a_2": "g_bob"})]


@pytest.fixture
def app() -> Seen:
    return Seen()


@pytest_asyncio.fixture
async def client(app: Seen, forms: list[Form]) -> AsyncIterator[httpx.AsyncClient]:
    bearers = Bearers(forms, Limits(Allowed(address_sign_ins_per_minute=FAILURES)), Proxies())
    guarded = SameOriginMiddleware(app, ["http://hexwave"])
    transport = httpx.ASGITransport(SessionMiddleware(guarded, SESSIONS, lambda: bearers, refusal))
    async with httpx.AsyncClient(transport=transport, base_url="http://hexwave") as client:
        yield client


def bearing(token: str, **headers: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} | headers


def cookie_of(user_id: str) -> str:
    return SESSIONS.cookie(User(user_id, 2_000_000_000)).partition(";")[0]


def assert_nobody(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_signed_in")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/api/processes"])
async def test_a_token_is_its_user(app: Seen, client: httpx.AsyncClient, path: str) -> None:
    """Not fresh, and without a cookie, though it brought none; the scheme's name has no case."""
    for scheme in ("Bearer", "bearer", "BEARER"):
        answer = await client.get(path, headers={"Authorization": f"{scheme} a_1"})
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
        assert app.states[-1] == {"user": User("g_alice", 0), "fresh": False, "bearer": True}


async def test_the_first_that_recognises_a_token_has_the_last_word(
    client: httpx.AsyncClient, forms: list[Form]
) -> None:
    """Another is not asked in its place, even if it would know it."""
    assert_nobody(await client.get("/", headers=bearing("a_2")))
    assert [form.asked for form in forms] == [["a_2"], []]
    assert (await client.get("/", headers=bearing("b_1"))).status_code == 200


@pytest.mark.parametrize("token", ["a_3", "", " ", "é", "c", "a_1 a_1", "a_1, Bearer b_1"])
async def test_a_bad_token_is_401(app: Seen, client: httpx.AsyncClient, token: str) -> None:
    """Never a guest, and never whoever the cookie beside it speaks for."""
    for headers in ({}, {"Cookie": cookie_of("g_victim")}):
        value = {"Authorization": f"Bearer {token}".encode()}
        assert_nobody(await client.get("/api/processes", headers=value | headers))  # type: ignore[arg-type]
    assert app.states == []


async def test_two_headers_are_a_bad_token(app: Seen, client: httpx.AsyncClient) -> None:
    """Whoever is in front might have read the other one."""
    both = [("Authorization", "Bearer a_1"), ("Authorization", "Bearer b_1")]
    assert_nobody(await client.get("/", headers=both))
    assert app.states == []


async def test_a_token_comes_before_the_cookie(app: Seen, client: httpx.AsyncClient) -> None:
    """One request is one user."""
    await client.get("/", headers=bearing("a_1", Cookie=cookie_of("g_victim")))
    assert app.states[-1]["user"].id == "g_alice"


async def test_other_schemes_are_not_ours(app: Seen, client: httpx.AsyncClient) -> None:
    """A password that a proxy asks for comes with every request of a page."""
    headers = {"Authorization": "Basic YXBwOmtleQ==", "Cookie": cookie_of("g_alice")}
    assert (await client.get("/", headers=headers)).status_code == 200
    assert (app.states[-1]["user"].id, app.states[-1]["bearer"]) == ("g_alice", False)


@pytest.mark.parametrize("path", ["/api/webhook/image", "/api/health"])
async def test_where_no_user_is_asked_for_no_token_is_looked_at(
    app: Seen, client: httpx.AsyncClient, forms: list[Form], path: str
) -> None:
    """Providers may send one that means something to them."""
    assert (await client.post(path, headers=bearing("a_3"))).status_code == 200
    assert not app.states[-1]["bearer"]
    assert [form.asked for form in forms] == [[], []]


async def test_a_store_that_is_away_makes_nobody_a_guest(app: Seen, client: httpx.AsyncClient) -> None:
    """503, to be tried again."""
    answer = await client.get("/", headers=bearing("a_away"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "store_unavailable")
    assert "retry-after" in answer.headers
    assert app.states == []


async def test_refusals_are_limited_by_address(client: httpx.AsyncClient) -> None:
    """Then 429, which says when to come again; what is good is let in all the same."""
    for _ in range(FAILURES):
        assert_nobody(await client.get("/", headers=bearing("a_3")))
    answer = await client.get("/", headers=bearing("a_3"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "too_many_requests")
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert (await client.get("/", headers=bearing("a_1"))).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
async def test_a_good_token_needs_no_origin(app: Seen, client: httpx.AsyncClient, origin: str) -> None:
    """No browser adds one by itself; without one, or with a bad one, another site's page changes nothing."""
    body = {"prompt": "a"}
    assert (await client.post("/", headers=bearing("a_1", Origin=origin), json=body)).status_code == 200
    assert_nobody(await client.post("/", headers=bearing("a_3", Origin=origin), json=body))
    for scheme in ("", "Basic a_1"):
        cross = {"Origin": origin, "Cookie": cookie_of("g_victim"), "Authorization": scheme}
        assert (await client.post("/", headers=cross, json=body)).status_code == 403
    assert len(app.states) == 1


async def test_a_form_is_refused_with_a_token_as_well(client: httpx.AsyncClient) -> None:
    """What curl sends unless told otherwise is answered with what to send."""
    answer = await client.post("/", headers=bearing("a_1"), data={"prompt": "a"})
    assert answer.status_code == 422
    assert "application/json" in answer.json()["error"]["message"]
