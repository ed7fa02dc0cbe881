"""Live process status in the States of our pages."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import reflex as rx
from reflex.istate.data import RouterData

from hexwave_app.live import page
from hexwave_app.live.newest import NewestProcesses
from hexwave_app.live.tab import RESCAN, feed_of, patiently, present
from hexwave_app.processes.errors import HexwaveError
from hexwave_app.services import current

T = TypeVar("T")

__all__ = ["RESCAN", "LivePage", "ProcessStatus", "feed_of", "patiently", "present", "user_of"]


def user_of(router: RouterData) -> str:
    """The id of the user whose tab this is; `NotSignedIn` when there is none."""
    # From the cookie of the websocket's handshake, never from a var: a var can be forged.
    sessions = current().sessions
    return sessions.admit(sessions.of_websocket(router.headers.cookie)).id


class LivePage(page.LivePage, mixin=True):
    """What each page of ours knows besides."""

    def _address(self) -> str:
        """Whom a click counts for, besides its user."""
        forwarded_for = self.router.headers.raw_headers.get("x-forwarded-for", "")
        return current().proxies.client(self.router.session.client_ip, forwarded_for)

    async def _attempt(
        self, ask: Callable[[str, str], Awaitable[T]], take: Callable[[T], list[Any] | None]
    ) -> list[Any]:
        """Ask for something in the user's name, and take the answer under the state lock; the events to send.

        `ask` is given the user's id and address. Where it is refused, its sentence is a toast.
        """
        async with self:
            user_id, address = self._user_id(), self._address()
        try:
            answer = await ask(user_id, address)
        except HexwaveError as error:
            return [rx.toast(error.message)]
        async with self:
            return take(answer) or []


class ProcessStatus(LivePage, NewestProcesses, mixin=True):
    """Follows all of the user's newest processes, live: see `NewestProcesses`."""
