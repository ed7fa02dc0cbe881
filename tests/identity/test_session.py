"""The cookie, and the middleware that reads and brings it."""

import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from starlette.types import Message, Receive, Scope, Send

from hexwave_app.identity.secret import Secret, sign
from hexwave_app.identity.session import MAX_AGE, SessionMiddleware, Sessions, User

SECRET = Secret("s" * 32)
SESSIONS = Sessions(SECRET, secure=False)
MONTH = 30 * 24 * 3600


def pair(user: User, sessions: Sessions = SESSIONS) -> str:
    """`name=value` of the user's cookie."""
    return sessions.cookie(user).partition(";")[0]


def made_at(issued: int) -> User:
    return User("g_someone", issued)


@pytest.mark.parametrize("secure", [False, True])
def test_a_cookie_brings_its_user_back(secure: bool) -> None:
    """Whoever was written is read, also among other cookies."""
    sessions, user = Sessions(SECRET, secure), User.guest()
    assert sessions.user(pair(user, sessions)) == user
    assert sessions.user(f"a=1; {pair(user, sessions)}; b=2") == user


def test_guests_are_told_apart() -> None:
    """Each is new, with an id that cannot be guessed."""
    ids = {User.guest().id for _ in range(100)}
    assert len(ids) == 100
    assert all(name.startswith("g_") and len(name) == 24 for name in ids)


def test_a_cookie_is_for_the_server_alone() -> None:
    """No script reads it and no other site sends it; over TLS it is bound to this very host."""
    assert SESSIONS.cookie_name == "hexwave"
    plain = SESSIONS.cookie(User.guest())
    assert {"HttpOnly", "SameSite=Lax", "Path=/", f"Max-Age={MAX_AGE}"} <= set(plain.split("; "))
    assert "Secure" not in plain
    over_tls = Sessions(SECRET, secure=True).cookie(User.guest())
    assert over_tls.startswith("__Host-")
    assert {"Secure", "Path=/"} <= set(over_tls.split("; "))
    assert "Domain" not in over_tls


def test_a_forged_cookie_is_nobody() -> None:
    """Another secret, another user, another time, another character: none of it is taken."""
    user = User.guest()
    name, _, value = pair(user).partition("=")
    user_id, issued, signature = value.split(".")
    other = User.guest()
    for forged in (
        pair(user, Sessions(Secret("t" * 32), secure=False)),
        f"{name}={other.id}.{issued}.{signature}",
        f"{name}={user_id}.{int(issued) + 1}.{signature}",
        f"{name}={user_id}.{issued}.{signature[:-1]}",
        f"{name}={user_id}.{issued}.{signature.upper()}",
        f"{name}={user_id}.{issued}",
        f"other={value}",
    ):
        assert SESSIONS.user(forged) is None


def test_the_signature_of_another_purpose_is_none() -> None:
    """A webhook's token is no session."""
    issued = int(time.time())
    value = f"g_someone.{issued}"
    assert SESSIONS.user(f"hexwave={value}.{sign(SECRET.key('webhook'), value)}") is None
    assert SESSIONS.user(f"hexwave={value}.{sign(SECRET.key('session'), value)}") == User("g_someone", issued)


def test_a_year_is_the_end_of_a_cookie() -> None:
    """A second before it is still good."""
    now = int(time.time())
    assert SESSIONS.user(pair(made_at(now - MAX_AGE - 1))) is None
    assert SESSIONS.user(pair(made_at(now - MAX_AGE + 60))) is not None


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "=",
        ";;;",
        "hexwave",
        "hexwave=",
        "hexwave=..",
        "hexwave=é.é.é",
        "hexwave=a.b.c",
        "\x00",
        "hexwave=" + "x" * 9999,
    ],
)
def test_garbage_is_nobody(garbage: str) -> None:
    """Whatever a header holds, reading it raises nothing."""
    assert SESSIONS.user(garbage) is None


@pytest.mark.parametrize("odd", ['a={"b":1}', "a=é", "a=ü; b", "[=]", "a b=c", 'a="', "a=\\"])
def test_the_odd_cookies_of_others_do_not_hide_ours(odd: str) -> None:
    """Cookies know no ports: on one machine those of every app come along."""
    user = User.guest()
    assert SESSIONS.user(f"{odd}; {pair(user)}") == user
    assert SESSIONS.user(f"{pair(user)}; {odd}") == user


class Seen:
    """An app that answers 200 and remembers what it was called with."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        if scope["type"] == "http":
            await send(
                {"type": "http.response.start", "status": 200, "headers": [(b"cache-control", b"public")]}
            )
            await send({"type": "http.response.body"})
        else:
            await send({"type": "websocket.accept"})

    @property
    def state(self) -> dict[str, Any]:
        return self.scopes[-1]["state"]


@pytest.fixture
def app() -> Seen:
    return Seen()


@pytest_asyncio.fixture
async def client(app: Seen) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(SessionMiddleware(app, SESSIONS))
    async with httpx.AsyncClient(transport=transport, base_url="http://hexwave") as client:
        yield client


async def test_the_first_answer_brings_a_session(app: Seen, client: httpx.AsyncClient) -> None:
    """Any path's; the second request is the same user, no longer fresh, and needs no new cookie."""
    first = await client.get("/")
    guest = app.state["user"]
    assert app.state["fresh"]
    assert first.headers["cache-control"] == "private, no-store"
    second = await client.get("/api/processes")
    assert (app.state["user"].id, app.state["fresh"]) == (guest.id, False)
    assert "set-cookie" not in second.headers
    assert second.headers["cache-control"] == "public"


async def test_a_forged_session_becomes_a_new_guest(app: Seen, client: httpx.AsyncClient) -> None:
    """Who claims to be someone is not."""
    answer = await client.get("/", headers={"Cookie": "hexwave=g_victim.1.0"})
    assert app.state["user"].id != "g_victim"
    assert app.state["fresh"]
    assert "set-cookie" in answer.headers


async def test_an_old_session_is_renewed(app: Seen, client: httpx.AsyncClient) -> None:
    """After a month the same user gets a cookie that lasts another year."""
    old = made_at(int(time.time()) - MONTH - 60)
    answer = await client.get("/", headers={"Cookie": pair(old)})
    assert (app.state["user"].id, app.state["fresh"]) == (old.id, False)
    renewed = SESSIONS.user(answer.headers["set-cookie"].partition(";")[0])
    assert renewed is not None
    assert renewed.id == old.id
    assert renewed.issued > old.issued


async def test_a_session_of_an_old_secret_is_renewed_under_the_first(app: Seen) -> None:
    """Its user stays the same; once the old secret is dropped, the renewed one is still good."""
    rotated, after = Secret("t" * 32, ["s" * 32]), Secret("t" * 32)
    user = User.guest()
    transport = httpx.ASGITransport(SessionMiddleware(app, Sessions(rotated, secure=False)))
    async with httpx.AsyncClient(transport=transport, base_url="http://hexwave") as client:
        answer = await client.get("/", headers={"Cookie": pair(user)})
        assert (app.state["user"].id, app.state["fresh"]) == (user.id, False)
        renewed = answer.headers["set-cookie"].partition(";")[0]
        again = await client.get("/", headers={"Cookie": renewed})
    assert "set-cookie" not in again.headers
    assert Sessions(after, secure=False).user(pair(user)) is None
    assert getattr(Sessions(after, secure=False).user(renewed), "id", None) == user.id


@pytest.mark.parametrize("path", ["/api/webhook/image", "/api/health"])
async def test_machines_get_no_cookie(client: httpx.AsyncClient, path: str) -> None:
    """Providers and monitors are no guests."""
    answer = await client.post(path)
    assert "set-cookie" not in answer.headers
    assert answer.headers["cache-control"] == "public"


async def websocket(app: Seen, *cookies: str) -> Message:
    """The first message that a websocket is answered with."""
    sent: list[Message] = []
    headers = [(b"cookie", cookie.encode("latin-1")) for cookie in cookies]

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await SessionMiddleware(app, SESSIONS)({"type": "websocket", "headers": headers}, receive, send)
    return sent[0]


@pytest.mark.parametrize("cookie", ["", "hexwave=g_victim.1.0", "hexwave=é"])
async def test_a_websocket_without_a_session_is_refused(app: Seen, cookie: str) -> None:
    """It never reaches the app."""
    answer = await websocket(app, cookie)
    assert (answer["type"], answer["code"]) == ("websocket.close", 4401)
    assert not app.scopes


async def test_a_websocket_with_a_session_passes(app: Seen) -> None:
    """Also when its cookies come in several headers, as HTTP/2 splits them."""
    assert (await websocket(app, "a=1", pair(User.guest())))["type"] == "websocket.accept"
    assert len(app.scopes) == 1
