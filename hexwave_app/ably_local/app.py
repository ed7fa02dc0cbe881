"""The ASGI application: REST and realtime on one address."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute, WebSocketRoute

from .channel import Channels
from .credential import Authenticator
from .error import AblyError
from .limits import Limits
from .realtime import Realtime
from .rest import METHODS, Rest, refuse

Keys = Mapping[str, Mapping[str, Iterable[str]]]


@dataclass(frozen=True, slots=True)
class AppState:
    """A look inside for tests and tools."""

    channels: Channels
    realtime: Realtime

    @property
    def attachments(self) -> dict[str, int]:
        """Live attachments: channel name to the number of connections attached."""
        return self.channels.attachments


def create_app(keys: Keys, limits: Limits | None = None) -> Starlette:
    """Return the server for `keys`, which map `appId.keyId:secret` to a capability such as `{"*": ["*"]}`.

    Its `state.ably` is an AppState. Raises ValueError for a malformed key.
    """
    limits = limits or Limits()
    authenticator, channels = Authenticator(keys, limits), Channels(limits)
    realtime = Realtime(authenticator, channels, limits)
    routes: list[BaseRoute] = [WebSocketRoute("/", realtime.serve)]
    cors = Middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=METHODS,
        allow_headers=["*"],
        expose_headers=["Link", "X-Ably-Errorcode", "X-Ably-Errormessage"],
        max_age=86_400,
    )
    app = Starlette(
        routes=routes + Rest(authenticator, channels, limits).routes(),
        middleware=[cors],
        exception_handlers={AblyError: refuse, HTTPException: refuse},
    )
    app.state.ably = AppState(channels, realtime)
    return app
