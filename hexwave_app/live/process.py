"""One process, live in a Reflex State: the counterpart of a React hook."""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import reflex as rx

from hexwave_app.live.hooks import Hooks, without_request
from hexwave_app.live.serving import served
from hexwave_app.live.tab import RESCAN, feed_of, patiently, present
from hexwave_app.processes.errors import ProcessNotFound, StoreUnavailable
from hexwave_app.processes.model import Process, ProcessData
from hexwave_app.processes.observer import Act, Deed

log = logging.getLogger(__name__)

IDLE = "idle"
"""The status of a State that follows nothing."""


class LiveProcess(Hooks, mixin=True):
    """Follows one process at a time, live.

        class Report(LiveProcess, rx.State):
            @rx.event
            async def begin(self):
                process = await processes.create(Process.begin(user_id=self._user_id(), ...))
                return self._follow(process)

            def on_complete(self, data):
                return rx.toast("Your report is ready")

    Its vars are read-only, so that no browser can set them. Give `watch` to the page's `on_load`: it takes
    up what was followed before a reload or a lost connection.
    """

    # A browser can be made to send a value for a var, never for one of these.
    _process: Process | None = None

    @rx.var
    def process_id(self) -> str:
        """Empty while nothing is followed."""
        return "" if self._process is None else self._process.process_id

    @rx.var
    def status(self) -> str:
        """`idle`, `processing`, `completed` or `failed`."""
        return IDLE if self._process is None else self._process.status.value

    @rx.var
    def data(self) -> ProcessData:
        """How far it is, and what it came to; without what was asked for."""
        return ProcessData() if self._process is None else without_request(self._process)

    @rx.var
    def error(self) -> str:
        """Why it failed, as a sentence a person may read; empty unless it did."""
        return "" if self._process is None else self._process.data.error or ""

    @rx.var
    def is_loading(self) -> bool:
        """Whether it is under way."""
        return self._process is not None and not self._process.terminal

    def on_complete(self, data: ProcessData) -> Any:
        """What is to happen, once, when the process is completed; may return events, such as a toast.

        Once for a process and a browser tab, across reloads and reconnects. What had ended before it was
        followed is not told.
        """

    def on_error(self, error: str) -> Any:
        """The same when it failed; `error` is a sentence."""

    def _user_id(self) -> str:
        """Whose tab this is, as the app's `serving` knows it."""
        return served().user_of(self.router)

    def _follow(self, process: Process) -> Any:
        """Follow this process in place of any other; return the answer from the handler that calls it.

        Make sure that it is the user's: `Processes.get` with `_user_id` does.
        """
        known = self._process
        # Followed again, it is as it was known: its end would else be told twice, or never.
        if known is None or known.process_id != process.process_id:
            self._process = process
        # Not type(self), which in a background handler is the proxy that locks the State.
        return self.__class__.watch

    @rx.event(background=True, supersedes=True)
    async def watch(self) -> AsyncIterator[Any]:
        """One follower a State and tab. It ends with the process, or the tab's connection."""
        async for event in patiently(self, self._followed, self.__class__.watch):
            yield event

    async def _followed(self) -> AsyncIterator[Any]:
        async with self:
            token, user_id, process_id = self.router.session.client_token, self._user_id(), self.process_id
            followed = self.is_loading
        if not followed:
            return
        async with feed_of(f"{token} {self.get_full_name()}") as feed:
            news = await _look(process_id, user_id)
            while not feed.ended and present(token):
                async with self:
                    events = self._take(process_id, news)
                    followed = self.is_loading and self.process_id == process_id
                for event in events:
                    yield event
                if not followed:
                    return
                feed.add(process_id)
                # Read outside the lock: a slow store must not hold up the tab's own events.
                changed = await feed.next(RESCAN)
                news = _News(changed[-1]) if changed else await _look(process_id, user_id)

    def _take(self, process_id: str, news: "_News") -> list[Any]:
        """Take what is newer than what is known; call it under the state lock."""
        known = self._process
        if known is None or known.process_id != process_id:
            return []
        if news.gone:
            self._process = None
        process = news.process
        if process is None or process.sequence <= known.sequence:
            return []
        served().observer.observe(Act(Deed.DELIVERED, process))
        self._process = process
        # Known to run until this moment, and to have ended from this moment on: told once.
        return self._call_hook(process) if process.terminal else []


@dataclass(frozen=True)
class _News:
    """A version of the process; none while the store does not answer, or where it is `gone`."""

    process: Process | None = None
    gone: bool = False


async def _look(process_id: str, user_id: str) -> _News:
    try:
        return _News(await served().processes.get(process_id, user_id))
    except ProcessNotFound:
        return _News(gone=True)
    except StoreUnavailable as error:
        log.warning("process %s: cannot be read for the moment: %s", process_id, error)
        return _News()
