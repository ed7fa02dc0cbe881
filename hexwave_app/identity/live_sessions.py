"""Sessions of signed-in people whose websockets are open in this worker, and their ends."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from hexwave_app.processes.errors import SignInUnavailable

CONFIRMED = 50
"""Seconds for which a session lives on the word of who signs in."""

ASK_BEFORE = 10
"""Seconds before its end at which a session is asked about: an answer takes a while."""

_ASK_AGAIN = 1.0
_COOKIE = 60
"""Seconds that a sign-in cookie may be good for after its session."""


@dataclass
class _Open:
    """A session with websockets; `until` is when it ends unless it is heard of before."""

    until: float
    sockets: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class LiveSessions:
    """Says when a session is over, within a minute of it.

    What its pages renew here is believed. Where another worker serves those, or no page renews, `active` is
    asked, and so each worker finds the end by itself.
    """

    def __init__(
        self, active: Callable[[str], Awaitable[bool]], clock: Callable[[], float] = time.time
    ) -> None:
        self._active = active
        self._clock = clock
        self._open: dict[str, _Open] = {}
        self._over: dict[str, float] = {}

    @property
    def open(self) -> int:
        """How many sessions have websockets here."""
        return len(self._open)

    def renew(self, session: str, until: float) -> None:
        """It lives until then at least."""
        self._over.pop(session, None)
        if (known := self._open.get(session)) is not None:
            known.until = max(known.until, until)

    def end(self, session: str) -> None:
        """Its person has signed out."""
        if (known := self._open.get(session)) is not None:
            self._end(session, known)

    async def ended(self, session: str, until: float) -> None:
        """Return once the session, of which a cookie was good until `until`, is over; at once when it is."""
        if self._clock() < self._over.get(session, 0):
            return
        known = self._open.setdefault(session, _Open(until))
        known.until = max(known.until, until)
        known.sockets += 1
        try:
            while not known.over.is_set():
                await self._next(session, known)
        finally:
            known.sockets -= 1
            if not known.sockets and self._open.get(session) is known:
                del self._open[session]

    async def _next(self, session: str, known: _Open) -> None:
        if (wait := known.until - ASK_BEFORE - self._clock()) > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(known.over.wait(), wait)
            return
        async with known.asking:
            # Another of its websockets may just have asked.
            if known.until - ASK_BEFORE <= self._clock():
                await self._ask(session, known)

    async def _ask(self, session: str, known: _Open) -> None:
        try:
            if await self._active(session):
                known.until = self._clock() + CONFIRMED
            else:
                self._end(session, known)
        except SignInUnavailable:
            if self._clock() >= known.until:
                known.over.set()
            else:
                await asyncio.sleep(_ASK_AGAIN)

    def _end(self, session: str, known: _Open) -> None:
        now = self._clock()
        # Until its last cookie has lapsed, so that nobody connects by it again.
        self._over = {each: until for each, until in self._over.items() if now < until}
        self._over[session] = now + _COOKIE
        known.over.set()
