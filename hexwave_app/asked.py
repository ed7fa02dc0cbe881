"""What somebody asked for by an event or a request: what the trace of a process begins with."""

from typing import Any

from reflex.middleware.middleware import Middleware
from reflex.state import BaseState, StateUpdate
from starlette.types import ASGIApp, Receive, Scope, Send

from hexwave_app.processes.work import asked


class AskedByRequest:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            asked(f"{scope['method']} {scope['path']}")
        await self._app(scope, receive, send)


class AskedByEvent(Middleware):
    async def preprocess(self, app: Any, state: BaseState, event: Any) -> StateUpdate | None:
        # Reflex's names have their modules in front: `..._studio____studio_state.generate`.
        asked(f"event {event.name.rpartition('____')[2]}")
        return None
