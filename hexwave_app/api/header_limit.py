"""A cap on request headers, before anything reads them."""

from starlette.types import ASGIApp, Receive, Scope, Send

from hexwave_app.api.errors import answer

HEADER_LIMIT = 2**15
"""Bytes of all names and values. Cookies know no ports, so those of every app on this host come along."""


class HeaderLimitMiddleware:
    """431 over the limit; a websocket is refused. The server's own, far higher limit comes before it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if sum(len(name) + len(value) for name, value in scope.get("headers", ())) <= HEADER_LIMIT:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            message = f"The headers are over {HEADER_LIMIT} bytes. Delete this site's cookies and try again."
            await answer(431, "headers_too_large", message)(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "The headers are too large."})
