"""Who a request is from: by its bearer token, else by the session cookie, for HTTP and websocket alike."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hexwave_app.identity.bearer import Bearers, bearer_token
from hexwave_app.identity.clerk import SignedIn
from hexwave_app.identity.secret import Secret, sign, signed
from hexwave_app.identity.user import User
from hexwave_app.processes.errors import HexwaveError, NotSignedIn

MAX_AGE = 365 * 24 * 3600
SIGNED_IN = 60
"""Seconds for which a sign-in cookie lasts at most; the page renews it while it lives."""

_RENEW_AFTER = 30 * 24 * 3600
# Shared pages are for anybody, with what they are drawn with.
_SHARED = ("/s/", "/shared/", "/shared.css", "/fonts/", "/favicon.")
_UNATTENDED = ("/api/webhook/", "/api/health", "/api/ready", "/metrics", *_SHARED)
_REFUSED = 4401

Ended = Callable[[SignedIn], Awaitable[None]]
"""Returns once the session of who is signed in is over."""


class Sessions:
    """Reads and writes the cookies: the guest's, `userId.issuedAt.signature`, and, where `sign_in` says that
    people can, `userId.sessionId.until.signature`, which comes first. Times are in seconds since the epoch.

    The two are signed under keys of their own, so that neither passes for the other.
    """

    def __init__(self, secret: Secret, secure: bool, sign_in: bool = False) -> None:
        self._keys = secret.keys("session")
        self._sign_in_keys = secret.keys("sign-in")
        self._secure = secure
        self._sign_in = sign_in
        # The prefix makes browsers refuse the cookie from a sibling domain or over plain HTTP.
        self.cookie_name = "__Host-hexwave" if secure else "hexwave"
        self.sign_in_cookie_name = f"{self.cookie_name}-sign-in"

    def user(self, cookie_header: str) -> User | None:
        """The user a `Cookie` header speaks for; `None` when it is missing, forged or too old."""
        signed_in = self.signed_in(cookie_header)
        return self.guest(cookie_header) if signed_in is None else _user(signed_in)

    def of_websocket(self, cookie_header: str) -> User | None:
        """The user of an open websocket, whose cookie is the handshake's, and may have lapsed by now.

        `SessionMiddleware` let it in while the cookie was good, and closes it when the session ends.
        """
        signed_in = self._signed_in(cookie_header)
        return self.guest(cookie_header) if signed_in is None else _user(signed_in)

    def lapsed(self, cookie_header: str) -> bool:
        """Whether there is a sign-in cookie that was good once."""
        return self._signed_in(cookie_header) is not None and self.signed_in(cookie_header) is None

    def admit(self, user: User | None) -> User:
        """The user, who may have work of their own; `NotSignedIn` for a guest where people can sign in."""
        if user is None:
            raise NotSignedIn("There is no session. Load the page again.")
        if self._sign_in and not user.signed_in:
            raise NotSignedIn("Sign in first.")
        return user

    def guest(self, cookie_header: str) -> User | None:
        """The guest of this browser, whoever is signed in there."""
        # Not http.cookies: one odd cookie of another app on this host would make it drop ours as well.
        value = cookie_parser(cookie_header).get(self.cookie_name)
        return None if value is None else self._verified(value)

    def signed_in(self, cookie_header: str) -> SignedIn | None:
        """Who is signed in, while the cookie lasts."""
        signed_in = self._signed_in(cookie_header)
        return signed_in if signed_in is not None and signed_in.until > time.time() else None

    def without_sign_in(self, cookie_header: str) -> str:
        """The guest's cookie of a `Cookie` header alone."""
        value = cookie_parser(cookie_header).get(self.cookie_name)
        return "" if value is None else f"{self.cookie_name}={value}"

    def cookie(self, user: User) -> str:
        """The `Set-Cookie` value that makes the browser `user`, a guest."""
        value = f"{user.id}.{user.issued}"
        return self._set(self.cookie_name, f"{value}.{sign(self._keys[0], value)}", MAX_AGE)

    def sign_in_cookie(self, signed_in: SignedIn) -> str:
        """The `Set-Cookie` value by which the browser is signed in for a minute, or less if the token is."""
        until = min(signed_in.until, int(time.time()) + SIGNED_IN)
        value = f"{signed_in.user_id}.{signed_in.session}.{until}"
        signature = sign(self._sign_in_keys[0], value)
        return self._set(self.sign_in_cookie_name, f"{value}.{signature}", max(0, until - int(time.time())))

    def sign_out_cookie(self) -> str:
        """The `Set-Cookie` value by which it is not."""
        return self._set(self.sign_in_cookie_name, "", 0)

    def _set(self, name: str, value: str, max_age: int) -> str:
        secure = "; Secure" if self._secure else ""
        return f"{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}"

    def _verified(self, value: str) -> User | None:
        user_id, _, rest = value.partition(".")
        issued, _, signature = rest.partition(".")
        accepted = [key for key in self._keys if signed(key, f"{user_id}.{issued}", signature)]
        if not accepted or (age := time.time() - int(issued)) >= MAX_AGE:
            return None
        return User(user_id, int(issued), stale=age > _RENEW_AFTER or self._keys[0] not in accepted)

    def _signed_in(self, cookie_header: str) -> SignedIn | None:
        value = cookie_parser(cookie_header).get(self.sign_in_cookie_name) if self._sign_in else None
        said, _, signature = (value or "").rpartition(".")
        if not any(signed(key, said, signature) for key in self._sign_in_keys):
            return None
        user_id, session, until = said.split(".")
        return SignedIn(user_id, session, int(until))


async def _never(_signed_in: SignedIn) -> None:
    await asyncio.Event().wait()


class SessionMiddleware:
    """Knows the user of every request, `scope["state"]["user"]`; who has no session is a `fresh` guest.

    A bearer token comes before the cookie, which then counts for nothing: the state's `bearer` is true, and
    no cookie is brought. One that nobody knows is answered with what `refuse` makes of the error, and never
    makes a guest. A websocket cannot be given a cookie, so one without a session is refused: any page brings
    it. Pages cannot send a token there, so it opens none. That of who is signed in is closed when their
    session has `ended`; the page connects again as whoever it then is.
    """

    def __init__(
        self,
        app: ASGIApp,
        sessions: Sessions,
        bearers: Callable[[], Bearers],
        refuse: Callable[[HexwaveError], ASGIApp],
        ended: Ended = _never,
    ) -> None:
        self._app = app
        self._sessions = sessions
        self._bearers = bearers
        self._refuse = refuse
        self._ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Providers may send a token of their own to a webhook, which is none of ours to judge.
        unattended = scope["path"].startswith(_UNATTENDED)
        token = None if unattended else bearer_token(scope)
        if token is not None:
            await self._bearer(token, scope, receive, send)
            return
        cookies = _cookies(scope)
        known = self._sessions.guest(cookies)
        guest = _lasting(known)
        signed_in = self._sessions.signed_in(cookies)
        scope.setdefault("state", {}).update(
            user=guest if signed_in is None else _user(signed_in),
            guest=guest,
            signed_in=signed_in,
            fresh=known is None and signed_in is None,
            bearer=False,
        )
        renewed = guest is not known and not unattended
        await self._app(scope, receive, self._with_cookie(send, guest) if renewed else send)

    async def _bearer(self, token: str, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        try:
            user = await self._bearers().user(token, scope)
        except HexwaveError as error:
            app = self._refuse(error)
        else:
            scope.setdefault("state", {}).update(user=user, fresh=False, bearer=True)
        await app(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        cookies = _cookies(scope)
        signed_in = self._sessions.signed_in(cookies)
        end = None if signed_in is None else asyncio.ensure_future(self._ended(signed_in))
        # Lets it say that the session is over already: browsers keep the cookie until it lapses.
        await asyncio.sleep(0)
        if end is not None and end.done():
            cookies = self._sessions.without_sign_in(cookies)
        # One that has lapsed is none. Browsers forget it in the same second, and come again without it.
        if self._sessions.user(cookies) is None or self._sessions.lapsed(cookies):
            await receive()
            await send({"type": "websocket.close", "code": _REFUSED, "reason": "No session. Load the page."})
            return
        # As one header: whoever reads it behind us is to read the same cookies.
        others = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
        scope = {**scope, "headers": [*others, (b"cookie", cookies.encode("latin-1"))]}
        if end is None or end.done():
            await self._app(scope, receive, send)
            return
        try:
            await self._app(scope, _until(end, receive, send), send)
        finally:
            end.cancel()

    def _with_cookie(self, send: Send, user: User) -> Send:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.append("set-cookie", self._sessions.cookie(user))
                # A shared cache that kept this answer would hand one person's session to others.
                headers["cache-control"] = "private, no-store"
            await send(message)

        return answer


def _user(signed_in: SignedIn) -> User:
    return User(signed_in.user_id, int(time.time()))


def _lasting(guest: User | None) -> User:
    """The same guest, or one whose cookie is to be set."""
    if guest is None:
        return User.guest()
    return User(guest.id, int(time.time())) if guest.stale else guest


def _cookies(scope: Scope) -> str:
    return "; ".join(Headers(scope=scope).getlist("cookie"))


def _until(end: asyncio.Future[None], receive: Receive, send: Send) -> Receive:
    """`receive` until `end`, at which the websocket is closed."""

    async def received() -> Message:
        coming = asyncio.ensure_future(receive())
        try:
            await asyncio.wait({coming, end}, return_when=asyncio.FIRST_COMPLETED)
            if not end.done():
                return coming.result()
        finally:
            coming.cancel()
        await send({"type": "websocket.close", "code": _REFUSED, "reason": "The session has ended."})
        return {"type": "websocket.disconnect", "code": _REFUSED}

    return received
