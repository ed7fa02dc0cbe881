"""The headers that tell browsers what our pages may do."""

import base64
import hashlib
import re
from collections.abc import Iterable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_INLINE = re.compile(r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)
_BOT_PROTECTION = "https://challenges.cloudflare.com"
_CLERK_PICTURES = "https://img.clerk.com"
_TWO_YEARS = 2 * 365 * 24 * 3600
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # For answers with a policy of their own, which says nothing of frames.
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def script_hashes(html: str) -> set[str]:
    """The CSP sources of the scripts written into `html` (CSP Level 3, 6.7.3.3)."""
    digests = (hashlib.sha256(script.encode()).digest() for script in _INLINE.findall(html))
    return {f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests}


def content_security_policy(
    scripts: Iterable[str] = (),
    connect: Iterable[str] = (),
    pictures: Iterable[str] = (),
    sign_in: str | None = None,
) -> str:
    """A policy for pages that are all our own; what is named is allowed besides.

    `scripts` are hashes or keywords, `connect` and `pictures` origins; `sign_in` is where Clerk is, which
    needs its bot protection (https://clerk.com/docs/guides/secure/best-practices/csp-headers). Styles may be
    inline: Radix and Sonner write them into attributes and elements as they go.
    """
    clerk = [] if sign_in is None else [sign_in]
    bots = [_BOT_PROTECTION for _ in clerk]
    directives = {
        "default-src": ["'self'"],
        "script-src": ["'self'", *sorted(scripts), *clerk, *bots],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:", "blob:", *pictures, *(_CLERK_PICTURES for _ in clerk)],
        "media-src": ["'self'", *pictures],
        "connect-src": ["'self'", *connect, *clerk],
        "frame-src": ["'self'", *bots],
        "worker-src": ["'self'", *("blob:" for _ in clerk)],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in directives.items())


class SecurityHeadersMiddleware:
    """Gives every answer these headers, less those that it has already.

    `https` says that browsers reach us over TLS: they are told to come by no other way.
    """

    def __init__(self, app: ASGIApp, policy: str, https: bool) -> None:
        self._app = app
        self._headers = _HEADERS | {"Content-Security-Policy": policy}
        if https:
            self._headers["Strict-Transport-Security"] = f"max-age={_TWO_YEARS}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, self._with_headers(send) if scope["type"] == "http" else send)

    def _with_headers(self, send: Send) -> Send:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        return answer
