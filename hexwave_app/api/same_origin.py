"""What another site's page may not do with the cookie of whoever looks at it."""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from hexwave_app.api.body_limit import PICTURES
from hexwave_app.api.errors import answer, not_a_picture, not_an_object

_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_SAFE = ("GET", "HEAD", "OPTIONS")
_SIGNED = "/api/webhook/"
_PICTURES = ("image/png", "image/jpeg", "image/webp")
_DOWNLOADS = ("/api/zip",)


class SameOriginMiddleware:
    """Refuses what would change something when it comes from a page that is not one of ours.

    Browsers name the origin of such a request in `Origin`, and pages cannot forge it; scripts and servers
    send none. A form of another site can send no JSON either, which is the second lock on the same door; a
    download that our own pages ask for by a form changes nothing, and has the first lock alone. A picture is
    sent under its own type, which no form can name either.
    Webhooks pass: they carry a signature, and no cookie counts there. So does a bearer token that was found
    good: no cookie counts beside it, no browser adds one by itself, and a page of another site would have to
    know it, and to be let send it by an answer to its preflight, which it never is.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in _SAFE and not scope["path"].startswith(_SIGNED):
            headers = Headers(scope=scope)
            foreign = "origin" in headers and headers["origin"] not in self._origins
            if foreign and not scope.get("state", {}).get("bearer"):
                message = "This came from another site's page. HEXWAVE_PUBLIC_URL is where our own pages are."
                await _unread(answer(403, "cross_site", message))(scope, receive, send)
                return
            refused = _refused(scope["path"], headers)
            if refused is not None:
                await _unread(refused)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _unread(response: Response) -> Response:
    """The answer to a request whose body nobody has read."""
    # The server closes such a connection: unwarned, a client may send its next request into it and lose that.
    response.headers["Connection"] = "close"
    return response


def _refused(path: str, headers: Headers) -> Response | None:
    """The answer to a body that is of none of the types that the path takes."""
    if path == PICTURES:
        return None if _type(headers.get("content-type", "")) in _PICTURES else not_a_picture()
    wanted = _FORM if path in _DOWNLOADS else _JSON
    if "content-type" in headers and _type(headers["content-type"]) != wanted:
        return not_an_object()
    return None


def _type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
