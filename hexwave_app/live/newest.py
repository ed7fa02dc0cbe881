"""All of a user's newest processes, live in a Reflex State."""

import logging
import time
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import Any, ClassVar

import reflex as rx

from hexwave_app.live.page import LivePage
from hexwave_app.live.serving import served
from hexwave_app.live.tab import RESCAN, feed, feed_of, patiently, present
from hexwave_app.processes.errors import StoreUnavailable
from hexwave_app.processes.feed import Feed
from hexwave_app.processes.lifecycle import PAGE_LIMIT, Page
from hexwave_app.processes.model import Process
from hexwave_app.processes.observer import Act, Deed
from hexwave_app.processes.ports import Filter

log = logging.getLogger(__name__)

_STEP = 20

_Version = tuple[int, bool]
"""What tells two versions apart on a page: the sequence, and its owner's mark, which moves no sequence."""

_NEVER: _Version = (0, False)


class NewestProcesses(LivePage, mixin=True):
    """Follows all of the user's newest processes, live.

    One follower a tab: where another page's State begins its `watch`, the earlier page's ends.

    A page's State mixes it in, starts `watch` in `on_load`, and says in `_show` what to do with each newer
    version of a process and in `_ended` what to do, once, when one ends that this session saw running.
    """

    more: bool = False
    """True while there are older processes than those shown."""

    _narrow: ClassVar[Filter] = Filter()
    """Which of them; all, unless a page says otherwise."""

    _seen: dict[str, _Version] = {}
    _running: set[str] = set()
    _window: int = _STEP

    def _show(self, process: Process) -> None:
        raise NotImplementedError

    def _ended(self, process: Process) -> list[Any]:
        """Events to send, such as a toast."""
        return []

    def _forget(self, process_ids: set[str]) -> None:
        """What was deleted in another tab."""

    @rx.event(background=True, supersedes=True)
    async def watch(self) -> AsyncIterator[Any]:
        """One follower a tab. Reflex ends it when the tab's connection does; a reconnect starts another."""
        async for event in patiently(self, self._followed, self.__class__.watch):
            yield event

    async def _followed(self) -> AsyncIterator[Any]:
        async with self:
            token, user_id, window = self.router.session.client_token, self._user_id(), self._window
            self._seen = {}
        async with feed_of(token) as feed:
            scan = _Scan(self._narrow)
            while True:
                # Read outside the lock: a slow store must not hold up the tab's own events.
                wait = scan.due_in(window)
                changed = await feed.next(wait) if wait > 0 else await scan.read(user_id, window, feed)
                if feed.ended or not present(token):
                    return
                # To lock a State and to compare it costs more than to see that nothing has changed.
                if not scan.tells(changed) and not feed.woken:
                    continue
                feed.woken = False
                async with self:
                    window = self._window
                    self._say(loaded=True, behind=scan.failed, more=scan.more)
                    gone = scan.take_gone()
                    self._forget(gone)
                    if gone:
                        # Restored, it is news again.
                        self._seen = {id_: seen for id_, seen in self._seen.items() if id_ not in gone}
                    delivered = [process for process in changed if self._awaits(process)]
                    events = self._receive(changed)
                for process in delivered:
                    served().observer.observe(Act(Deed.DELIVERED, process))
                for event in events:
                    yield event

    @rx.event
    def show_older(self) -> None:
        """Show more of the past, up to a hundred processes."""
        self._window = min(self._window + _STEP, PAGE_LIMIT)
        self._wake()

    def _awaits(self, process: Process) -> bool:
        """Whether it is news of something on the page, and no first look at it."""
        return 0 < self._seen.get(process.process_id, _NEVER)[0] < process.sequence

    def _receive(self, processes: Iterable[Process]) -> list[Any]:
        """Take what is newer than what was shown; call it under the state lock."""
        events: list[Any] = []
        for process in processes:
            process_id = process.process_id
            if not _differs(process, self._seen.get(process_id, _NEVER)):
                continue
            self._seen[process_id] = _version(process)
            self._show(process)
            known = process_id in self._running
            if not known and not process.terminal:
                self._running = {*self._running, process_id}
            elif known and process.terminal:
                self._running = {*self._running} - {process_id}
                events += self._ended(process)
        return events

    def _follow(self, process: Process) -> list[Any]:
        """Show a process that this tab has just begun, and follow it; call it under the state lock."""
        events = self._receive([process])
        opened = feed(self.router.session.client_token)
        if opened is None:
            # Not type(self), which in a background handler is the proxy that locks the State.
            return [*events, self.__class__.watch]
        opened.add(process.process_id)
        return events


class _Scan:
    """The regular look at the store: what began or was deleted elsewhere, and what Ably missed."""

    def __init__(self, narrow: Filter) -> None:
        self._narrow = narrow
        self.failed = False
        self.more = False
        self._at = 0.0
        self._window = 0
        self._listed: dict[str, datetime] = {}
        self._gone: set[str] = set()
        self._said: tuple[bool, bool] | None = None
        self._told: dict[str, _Version] = {}

    def due_in(self, window: int) -> float:
        """Seconds until the next look; none when more is to be seen than at the last one."""
        return self._at - time.monotonic() if window == self._window else 0

    async def read(self, user_id: str, window: int, feed: Feed) -> list[Process]:
        """The user's newest processes, oldest first; those that run are added to `feed`."""
        self._at, self._window = time.monotonic() + RESCAN, window
        try:
            page = await served().processes.list(user_id, narrow=self._narrow, limit=window)
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

    def tells(self, changed: Iterable[Process]) -> bool:
        """Whether there is anything in `changed`, or in the last look, that was not told before."""
        said = self.failed, self.more
        newer = {
            process.process_id: _version(process)
            for process in changed
            if _differs(process, self._told.get(process.process_id, _NEVER))
        }
        if not newer and not self._gone and said == self._said:
            return False
        self._told |= newer
        self._said = said
        return True

    def take_gone(self) -> set[str]:
        """The ids that the last look no longer found."""
        gone, self._gone = self._gone, set()
        for process_id in gone:
            self._told.pop(process_id, None)
        return gone

    def _compare(self, page: Page) -> None:
        listed = {process.process_id: process.created_at for process in page.processes}
        # What only fell off the end of a full page is not gone.
        oldest = min(listed.values(), default=None) if page.cursor else None
        missing = {id_: at for id_, at in self._listed.items() if id_ not in listed}
        self._gone |= {id_ for id_, at in missing.items() if oldest is None or at >= oldest}
        self._listed = listed


def _version(process: Process) -> _Version:
    return process.sequence, process.favourite


def _differs(process: Process, seen: _Version) -> bool:
    """Whether there is anything in it that was not seen, and nothing that is older."""
    return process.sequence >= seen[0] and _version(process) != seen
