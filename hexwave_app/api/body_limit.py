"""A cap on request bodies, before anything parses them."""

import asyncio

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hexwave_app.api.errors import answer, not_json
from hexwave_app.api.json_depth import json_depth

BODY_LIMIT = 2**20
"""Bytes of a request to the API; results travel by URL, so a larger one is a mistake or an attack."""

PICTURES = "/api/references"
"""The one path that takes a file, which nobody parses as JSON."""

PICTURE_LIMIT = 10 * 2**20

DEPTH_LIMIT = 64
"""Arrays and objects within each other; the deepest webhook of a provider has about ten."""

_DRAINED = 16 * BODY_LIMIT
"""Bytes that are read and dropped, so that who sends too much gets to read why."""

_READ_PATIENCE = 30.0
_PICTURE_PATIENCE = 120.0
"""Seconds; a phone sends ten megabytes in them."""


_TOO_LARGE = f"The body is over {BODY_LIMIT} bytes. Send URLs, not contents."
_PICTURE_TOO_LARGE = f"That picture is over {PICTURE_LIMIT // 2**20} MB."


class BodyLimitMiddleware:
    """Reads a body of the API whole, then hands it on; 413 over the limit, 408 when it does not come.

    400 when it is nested too deep for any JSON that is meant for us, before a parser recurses into it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        picture = scope["path"] == PICTURES
        limit = PICTURE_LIMIT if picture else BODY_LIMIT
        try:
            async with asyncio.timeout(_PICTURE_PATIENCE if picture else _READ_PATIENCE):
                body = await _body(scope, receive, limit)
        except ClientDisconnect:
            return
        except TimeoutError:
            await answer(408, "request_timeout", "The body did not arrive in time.")(scope, receive, send)
            return
        if body is None:
            message = _PICTURE_TOO_LARGE if picture else _TOO_LARGE
            await answer(413, "request_too_large", message, Connection="close")(scope, receive, send)
            return
        if not picture and json_depth(body) > DEPTH_LIMIT:
            await not_json()(scope, receive, send)
            return
        await self._app(scope, _replayed(body, receive), send)


async def _body(scope: Scope, receive: Receive, limit: int) -> bytes | None:
    if int(Headers(scope=scope).get("content-length", "0")) > _DRAINED:
        return None
    body, size, more = bytearray(), 0, True
    while more and size <= _DRAINED:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= limit:
            body += chunk
        more = message.get("more_body", False)
    return bytes(body) if size <= limit else None


def _replayed(body: bytes, receive: Receive) -> Receive:
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay
