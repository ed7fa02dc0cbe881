"""A tab's State is its owner's: for anybody else it begins anew."""

from typing import Any

import reflex as rx
from reflex.middleware.middleware import Middleware
from reflex.state import BaseState, StateUpdate

from hexwave_app.services import current


class Ownership(rx.State):
    """Whose the tab's State is, by the cookie of the connection that it was made for."""

    _owner: str = ""


class OwnState(Middleware):
    """Resets the State before the first event of another owner, so that nothing of the former's is told.

    The browser names the State it wants, and keeps that name when somebody signs in or out.
    """

    async def preprocess(self, app: Any, state: BaseState, event: Any) -> StateUpdate | None:
        user = current().sessions.of_websocket(state.router.headers.cookie)
        owner = "" if user is None else user.id
        ownership = await state.get_state(Ownership)
        if ownership._owner != owner:
            if ownership._owner:
                state._get_root_state().reset()
            ownership._owner = owner
        return None
