"""Live process status in a Reflex State: the counterpart of a React hook."""

import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import reflex as rx
from reflex.utils.prerequisites import get_app

from hexwave_app.processes.errors import NotSignedIn, StoreUnavailable
from hexwave_app.processes.feed import Feed
from hexwave_app.processes.lifecycle import PAGE_LIMIT, Page
from hexwave_app.processes.model import Process
from hexwave_app.services import current

log = logging.getLogger(__name__)

RESCAN = 3.0
"""Seconds after which a page looks for what other tabs began and what Ably missed."""

# The scan finds what a follower missed; its own look at the store is for what the scan no longer lists.
_FOLLOWER_REREAD = 5 * RESCAN
_STEP = 20

# One feed a browser tab that is here. Not on the State: what a State holds is pickled.
_feeds: dict[str, Feed] = {}


def feeds() -> int:
    """How many tabs this worker follows processes for."""
    return len(_feeds)


class ProcessStatus(rx.State, mixin=True):
    """Follows all of the user's newest processes, live.

    A page's State mixes it in, starts `watch` in `on_load`, and says in `_show` what to do with each newer
    version of a process and in `_ended` what to do, once, when one ends that this session saw running.
    """

    loaded: bool = False
    behind: bool = False
    """True while the store does not answer, so what is shown may be old."""
    more: bool = False
    """True while there are older processes than those shown."""

    _seen: dict[str, int] = {}
    _running: set[str] = set()
    _window: int = _STEP

    def _show(self, process: Process) -> None:
        raise NotImplementedError

    def _ended(self, process: Process) -> list[Any]:
        """Events to send, such as a toast."""
        return []

    def _forget(self, process_ids: set[str]) -> None:
        """What was deleted in another tab."""

    def _user_id(self) -> str:
        # From the cookie of the websocket's handshake, never from a var: a var can be forged.
        user = current().sessions.user(self.router.headers.cookie)
        if user is None:
            raise NotSignedIn("There is no session. Load the page again.")
        return user.id

    @rx.event(background=True, supersedes=True)
    async def watch(self) -> AsyncIterator[Any]:
        """One follower a tab. Reflex ends it when the tab's connection does; a reconnect starts another."""
        async with self:
            token, user_id, window = self.router.session.client_token, self._user_id(), self._window
            self._seen = {}
        async with _feed_of(token) as feed:
            scan = _Scan()
            while True:
                # Read outside the lock: a slow store must not hold up the tab's own events.
                wait = scan.due_in(window)
                changed = await feed.next(wait) if wait > 0 else await scan.read(user_id, window, feed)
                if not _present(token):
                    return
                async with self:
                    window = self._window
                    self._say(loaded=True, behind=scan.failed, more=scan.more)
                    self._forget(scan.take_gone())
                    events = self._receive(changed)
                for event in events:
                    yield event

    @rx.event
    def show_older(self) -> None:
        """Show more of the past, up to a hundred processes."""
        self._window = min(self._window + _STEP, PAGE_LIMIT)
        feed = _feeds.get(self.router.session.client_token)
        if feed is not None:
            feed.wake()

    def _say(self, **values: bool) -> None:
        # What is set is sent, changed or not: every tab would hear of nothing every few seconds.
        for name, value in values.items():
            if getattr(self, name) != value:
                setattr(self, name, value)

    def _receive(self, processes: Iterable[Process]) -> list[Any]:
        """Take what is newer than what was shown; call it under the state lock."""
        events: list[Any] = []
        for process in processes:
            process_id = process.process_id
            if process.sequence <= self._seen.get(process_id, 0):
                continue
            self._seen[process_id] = process.sequence
            self._show(process)
            if not process.terminal:
                self._running = {*self._running, process_id}
            elif process_id in self._running:
                self._running = {*self._running} - {process_id}
                events += self._ended(process)
        return events

    def _follow(self, process: Process) -> list[Any]:
        """Show a process that this tab has just begun, and follow it; call it under the state lock."""
        events = self._receive([process])
        feed = _feeds.get(self.router.session.client_token)
        if feed is None:
            return [*events, type(self).watch]
        feed.add(process.process_id)
        return events


class _Scan:
    """The regular look at the store: what began or was deleted elsewhere, and what Ably missed."""

    def __init__(self) -> None:
        self.failed = False
        self.more = False
        self._at = 0.0
        self._window = 0
        self._listed: dict[str, datetime] = {}
        self._gone: set[str] = set()

    def due_in(self, window: int) -> float:
        """Seconds until the next look; none when more is to be seen than at the last one."""
        return self._at - time.monotonic() if window == self._window else 0

    async def read(self, user_id: str, window: int, feed: Feed) -> list[Process]:
        """The user's newest processes, oldest first; those that run are added to `feed`."""
        self._at, self._window = time.monotonic() + RESCAN, window
        try:
            page = await current().processes.list(user_id, limit=window)
        except StoreUnavailable as error:
            log.warning("a page could not read its processes: %s", error)
            self.failed = True
            return []
        self.failed, self.more = False, page.cursor is not None and window < PAGE_LIMIT
        for process in page.processes:
            if not process.terminal:
                feed.add(process.process_id)
        self._compare(page)
        return page.processes[::-1]

    def take_gone(self) -> set[str]:
        """The ids that the last look no longer found."""
        gone, self._gone = self._gone, set()
        return gone

    def _compare(self, page: Page) -> None:
        listed = {process.process_id: process.created_at for process in page.processes}
        # What only fell off the end of a full page is not gone.
        oldest = min(listed.values(), default=None) if page.cursor else None
        missing = {id_: at for id_, at in self._listed.items() if id_ not in listed}
        self._gone |= {id_ for id_, at in missing.items() if oldest is None or at >= oldest}
        self._listed = listed


@asynccontextmanager
async def _feed_of(token: str) -> AsyncGenerator[Feed, None]:
    async with Feed.open(current().processes, _FOLLOWER_REREAD) as feed:
        _feeds[token] = feed
        try:
            yield feed
        finally:
            if _feeds.get(token) is feed:
                del _feeds[token]


def _present(token: str) -> bool:
    """Whether the tab is connected: what a click started would otherwise outlive it."""
    # Not its public `token_to_sid`: that is made anew, of all tabs there are, each time it is looked at.
    return token in get_app().app.event_namespace._token_manager.token_to_socket
