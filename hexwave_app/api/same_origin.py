"""What another site's page may not do with the cookie of whoever looks at it."""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from hexwave_app.api.errors import answer, not_an_object

_SAFE = ("GET", "HEAD", "OPTIONS")
_SIGNED = "/api/webhook/"


class SameOriginMiddleware:
    """Refuses what would change something when it comes from a page that is not one of ours.

    Browsers name the origin of such a request in `Origin`, and pages cannot forge it; scripts and servers
    send none. A form of another site can send no JSON either, which is the second lock on the same door.
    Webhooks pass: they carry a signature, and no cookie counts there.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in _SAFE and not scope["path"].startswith(_SIGNED):
            headers = Headers(scope=scope)
            if "origin" in headers and headers["origin"] not in self._origins:
                message = "This came from another site's page. HEXWAVE_PUBLIC_URL is where our own pages are."
                await answer(403, "cross_site", message)(scope, receive, send)
                return
            if "content-type" in headers and not _json(headers["content-type"]):
                await not_an_object()(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "application/json"
