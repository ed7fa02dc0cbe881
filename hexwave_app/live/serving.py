"""What the States of the running app follow processes with."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from reflex.istate.data import RouterData

from hexwave_app.processes.feed import Feed
from hexwave_app.processes.lifecycle import Processes
from hexwave_app.processes.observer import Observer, Observers

log = logging.getLogger(__name__)

UserOf = Callable[[RouterData], str]
"""The id of the user whose tab this is, from what its connection brought along; never from a var."""

_PATIENCE = 3.0
"""Seconds that the end waits for those that follow."""


@dataclass(frozen=True)
class Serving:
    processes: Processes
    user_of: UserOf
    observer: Observer
    """Is told of what reached a page."""
    feeds: dict[str, Feed] = field(default_factory=dict[str, Feed])
    """What the tabs that are here follow with. Not on their States: what a State holds is pickled."""

    async def _end(self) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                # Again and again: a tab may come while others leave.
                while self.feeds:
                    for feed in self.feeds.values():
                        feed.end()
                    await asyncio.sleep(0.01)
        except TimeoutError:
            log.warning("%d still follow after %.0f s, and are not waited for", len(self.feeds), _PATIENCE)


class _Current:
    """Reflex builds States by itself, so they cannot be handed it."""

    serving: Serving | None = None


def by_tab(router: RouterData) -> str:
    """Each browser tab as a user of its own: it knows its token, and no other tab does."""
    return router.session.client_token


@asynccontextmanager
async def serving(
    processes: Processes, user_of: UserOf = by_tab, observer: Observer | None = None
) -> AsyncGenerator[Serving, None]:
    """Let the app's States follow these processes while the block is open: a part of the app's lifespan.

    Its end has those that follow leave before what they follow is closed.
    """
    opened = _Current.serving = Serving(processes, user_of, observer or Observers())
    try:
        yield opened
    finally:
        await opened._end()
        _Current.serving = None


def served() -> Serving:
    """What is open. RuntimeError where the app's lifespan has no open `serving`."""
    if _Current.serving is None:
        raise RuntimeError("Processes are followed only within `serving`, in the app's lifespan.")
    return _Current.serving
