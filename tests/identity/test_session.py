"""The cookie, and the middleware that reads and brings it."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hexwave_app.api.errors import refusal
from hexwave_app.identity.address import Proxies
from hexwave_app.identity.bearer import Bearers
from hexwave_app.identity.clerk import SignedIn
from hexwave_app.identity.limits import Allowed, Limits
from hexwave_app.identity.secret import Secret, sign
from hexwave_app.identity.session import MAX_AGE, SIGNED_IN, Ended, SessionMiddleware, Sessions
from hexwave_app.identity.user import User
from hexwave_app.processes.errors import NotSignedIn

SECRET = Secret("s" * 32)
SESSIONS = Sessions(SECRET, secure=False)
WITH_CLERK = Sessions(SECRET, secure=False, sign_in=True)
MONTH = 30 * 24 * 3600
BEARERS = Bearers((), Limits(Allowed()), Proxies())


async def never(_signed_in: SignedIn) -> None:
    await asyncio.Event().wait()


def known(app: ASGIApp, sessions: Sessions = SESSIONS, ended: Ended = never) -> SessionMiddleware:
    """`app` behind the middleware; no bearer token is any good there."""
    return SessionMiddleware(app, sessions, lambda: BEARERS, refusal, ended)


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
    transport = httpx.ASGITransport(known(app))
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
    transport = httpx.ASGITransport(known(app, Sessions(rotated, secure=False)))
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


async def websocket(app: Seen, *cookies: str, sessions: Sessions = SESSIONS) -> Message:
    """The first message that a websocket is answered with."""
    sent: list[Message] = []
    headers = [(b"cookie", cookie.encode("latin-1")) for cookie in cookies]

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await known(app, sessions)({"type": "websocket", "headers": headers}, receive, send)
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


def someone(seconds: float = SIGNED_IN) -> SignedIn:
    return SignedIn("user_a", "sess_a", int(time.time() + seconds))


def sign_in_pair(signed_in: SignedIn, sessions: Sessions = WITH_CLERK) -> str:
    """`name=value` of the cookie of who is signed in."""
    return sessions.sign_in_cookie(signed_in).partition(";")[0]


def test_who_is_signed_in_comes_before_the_guest_of_the_browser() -> None:
    """For as long as the cookie says; then the guest is back."""
    guest = User.guest()
    both = f"{pair(guest)}; {sign_in_pair(someone())}"
    user = WITH_CLERK.user(both)
    assert user is not None
    assert (user.id, user.signed_in) == ("user_a", True)
    assert WITH_CLERK.signed_in(both) == someone()
    assert WITH_CLERK.guest(both) == guest
    lapsed = f"{pair(guest)}; {sign_in_pair(someone(-1))}"
    assert WITH_CLERK.user(lapsed) == guest
    assert WITH_CLERK.lapsed(lapsed)


def test_a_sign_in_lasts_a_minute_at_most() -> None:
    """And no longer than the token it was exchanged for; the server alone can read it."""
    for lasts, expected in ((3600, SIGNED_IN), (20, 20)):
        cookie = WITH_CLERK.sign_in_cookie(someone(lasts))
        name, _, rest = cookie.partition("=")
        assert name == "hexwave-sign-in"
        assert {"HttpOnly", "SameSite=Lax", "Path=/", f"Max-Age={expected}"} <= set(rest.split("; "))
        read = WITH_CLERK.signed_in(cookie.partition(";")[0])
        assert read is not None
        assert read.until <= time.time() + expected
    over_tls = Sessions(SECRET, secure=True, sign_in=True).sign_in_cookie(someone())
    assert over_tls.startswith("__Host-hexwave-sign-in=")
    assert "; Secure" in over_tls


def test_where_people_can_sign_in_a_guest_has_no_work() -> None:
    """Where they cannot, everybody is a guest, and a sign-in cookie says nothing."""
    guest, signed_in = User.guest(), User("user_a", int(time.time()))
    assert SESSIONS.admit(guest) == guest
    assert WITH_CLERK.admit(signed_in) == signed_in
    for nobody in (guest, None):
        with pytest.raises(NotSignedIn):
            WITH_CLERK.admit(nobody)
    assert SESSIONS.user(sign_in_pair(someone())) is None


def test_a_forged_sign_in_is_nobody() -> None:
    """The two cookies do not pass for each other, whatever they are named."""
    name, _, value = sign_in_pair(someone()).partition("=")
    user_id, session, until, signature = value.split(".")
    guest_value = pair(User("user_a", int(time.time()))).partition("=")[2]
    for forged in (
        sign_in_pair(someone(), Sessions(Secret("t" * 32), secure=False, sign_in=True)),
        f"{name}=user_b.{session}.{until}.{signature}",
        f"{name}={user_id}.sess_b.{until}.{signature}",
        f"{name}={user_id}.{session}.{int(until) + 1}.{signature}",
        f"{name}={guest_value}",
        f"hexwave={value}",
        f"{name}=",
        f"{name}=é.é.é.é",
    ):
        assert WITH_CLERK.user(forged) is None
        assert WITH_CLERK.of_websocket(forged) is None


async def test_who_is_signed_in_keeps_a_guest_for_later(app: Seen) -> None:
    """The guest's cookie is renewed beside the other, so that the browser is somebody after signing out."""
    transport = httpx.ASGITransport(known(app, WITH_CLERK))
    async with httpx.AsyncClient(transport=transport, base_url="http://hexwave") as client:
        answer = await client.get("/", headers={"Cookie": sign_in_pair(someone())})
        assert app.state["user"].id == "user_a"
        assert not app.state["fresh"]
        assert app.state["guest"].id in answer.headers["set-cookie"]
        await client.get("/", headers={"Cookie": f"{pair(User.guest())}; {sign_in_pair(someone(-1))}"})
    assert not app.state["user"].signed_in
    assert app.state["signed_in"] is None


async def test_a_websocket_lasts_as_long_as_the_session(app: Seen) -> None:
    """At its end what waits for a message is told that there are no more, and the browser is, too."""
    ended = asyncio.Event()
    sent: list[Message] = []

    async def end(signed_in: SignedIn) -> None:
        assert signed_in.session == "sess_a"
        await ended.wait()

    async def listening(scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "websocket.connect"
        ended.set()
        assert (await receive())["type"] == "websocket.disconnect"

    messages = asyncio.Queue[Message]()
    messages.put_nowait({"type": "websocket.connect"})

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"cookie", sign_in_pair(someone()).encode())]
    middleware = known(listening, WITH_CLERK, end)
    await middleware({"type": "websocket", "headers": headers}, messages.get, send)
    assert [(message["type"], message["code"]) for message in sent] == [("websocket.close", 4401)]


async def test_a_websocket_with_a_lapsed_sign_in_is_refused(app: Seen) -> None:
    """Behind the door its cookie is taken as it was at the handshake, so it must have been good then."""
    cookies = f"{pair(User.guest())}; {sign_in_pair(someone(-1))}"
    assert (await websocket(app, cookies, sessions=WITH_CLERK))["type"] == "websocket.close"
    assert (await websocket(app, sign_in_pair(someone()), sessions=WITH_CLERK))["type"] == "websocket.accept"


async def test_cookies_in_several_headers_are_read_as_the_door_reads_them(app: Seen) -> None:
    """Another way of joining them could bring forth another user."""
    lapsed, good = sign_in_pair(someone(-1)), sign_in_pair(someone())
    await websocket(app, lapsed, good, sessions=WITH_CLERK)
    headers = [value.decode() for name, value in app.scopes[-1]["headers"] if name == b"cookie"]
    assert headers == [f"{lapsed}; {good}"]


async def test_a_session_that_is_over_brings_a_guest_whatever_its_cookie_says() -> None:
    """The browser keeps the cookie for a while yet; by it nobody is let in again."""

    async def over(_signed_in: SignedIn) -> None: ...

    app, guest = Seen(), User.guest()
    cookies = f"{pair(guest)}; {sign_in_pair(someone())}"
    middleware = known(app, WITH_CLERK, over)
    await middleware({"type": "websocket", "headers": [(b"cookie", cookies.encode())]}, _nothing, _nowhere)
    assert app.scopes[0]["headers"] == [(b"cookie", pair(guest).encode())]


async def _nothing() -> Message:
    return {"type": "websocket.connect"}


async def _nowhere(_message: Message) -> None: ...
