"""The session cookie, for HTTP and websocket alike."""

import secrets
import time
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hexwave_app.identity.secret import Secret, sign, signed

MAX_AGE = 365 * 24 * 3600
_RENEW_AFTER = 30 * 24 * 3600
_UNATTENDED = ("/api/webhook/", "/api/health")
_REFUSED = 4401


@dataclass(frozen=True)
class User:
    """Who is asking; `id` is `g_` and 22 characters for a guest.

    `stale` is one whose cookie should be made anew: it is a month old, or signed under an old secret.
    """

    id: str
    issued: int
    stale: bool = False

    @classmethod
    def guest(cls) -> "User":
        return cls(f"g_{secrets.token_urlsafe(16)}", int(time.time()))


class Sessions:
    """Reads and writes the cookie: `userId.issuedAt.signature`, issuedAt in seconds since the epoch."""

    def __init__(self, secret: Secret, secure: bool) -> None:
        self._keys = secret.keys("session")
        self._secure = secure
        # The prefix makes browsers refuse the cookie from a sibling domain or over plain HTTP.
        self.cookie_name = "__Host-hexwave" if secure else "hexwave"

    def user(self, cookie_header: str) -> User | None:
        """The user a `Cookie` header speaks for; `None` when it is missing, forged or over a year old."""
        # Not http.cookies: one odd cookie of another app on this host would make it drop ours as well.
        value = cookie_parser(cookie_header).get(self.cookie_name)
        return None if value is None else self._verified(value)

    def cookie(self, user: User) -> str:
        """The `Set-Cookie` value that makes the browser `user`."""
        value = f"{user.id}.{user.issued}"
        secure = "; Secure" if self._secure else ""
        return (
            f"{self.cookie_name}={value}.{sign(self._keys[0], value)}"
            f"; Path=/; Max-Age={MAX_AGE}; HttpOnly; SameSite=Lax{secure}"
        )

    def _verified(self, value: str) -> User | None:
        user_id, _, rest = value.partition(".")
        issued, _, signature = rest.partition(".")
        accepted = [key for key in self._keys if signed(key, f"{user_id}.{issued}", signature)]
        if not accepted or (age := time.time() - int(issued)) >= MAX_AGE:
            return None
        return User(user_id, int(issued), stale=age > _RENEW_AFTER or self._keys[0] not in accepted)


class SessionMiddleware:
    """Knows the user of every request, `scope["state"]["user"]`; who has no session is a `fresh` guest.

    A websocket cannot be given a cookie, so one without a session is refused: any page brings it.
    """

    def __init__(self, app: ASGIApp, sessions: Sessions) -> None:
        self._app = app
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket" and self._user(scope) is None:
            await receive()
            await send({"type": "websocket.close", "code": _REFUSED, "reason": "No session. Load the page."})
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        user = self._user(scope)
        fresh = user is None
        stale = user is None or user.stale
        if user is None:
            user = User.guest()
        elif stale:
            user = User(user.id, int(time.time()))
        scope.setdefault("state", {}).update(user=user, fresh=fresh)
        unattended = scope["path"].startswith(_UNATTENDED)
        await self._app(scope, receive, self._with_cookie(send, user) if stale and not unattended else send)

    def _user(self, scope: Scope) -> User | None:
        return self._sessions.user("; ".join(Headers(scope=scope).getlist("cookie")))

    def _with_cookie(self, send: Send, user: User) -> Send:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.append("set-cookie", self._sessions.cookie(user))
                # A shared cache that kept this answer would hand one person's session to others.
                headers["cache-control"] = "private, no-store"
            await send(message)

        return answer
