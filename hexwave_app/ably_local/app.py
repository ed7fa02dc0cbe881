"""The ASGI application: REST and realtime on one address."""

from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import WebSocketRoute

from .connection import serve
from .credential import Keys
from .error import AblyError
from .limits import Limits
from .rest import METHODS, Rest, refuse
from .state import AppState


def create_app(keys: Keys, limits: Limits | None = None) -> Starlette:
    """Return the server for `keys`; its `state.ably` is an AppState.

    Raises ValueError for a malformed key.
    """
    state = AppState.create(keys, limits or Limits())
    cors = Middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=METHODS,
        allow_headers=["*"],
        expose_headers=["Link", "X-Ably-Errorcode", "X-Ably-Errormessage"],
        max_age=86_400,
    )
    app = Starlette(
        routes=[WebSocketRoute("/", partial(serve, state)), *Rest(state).routes()],
        middleware=[cors],
        exception_handlers={AblyError: refuse, HTTPException: refuse},
    )
    app.state.ably = state
    return app
