"""How often one may ask: counters in windows of time, by the library `limits`."""

import math
import time
from dataclasses import dataclass

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, Storage
from limits.aio.strategies import FixedWindowRateLimiter

from hexwave_app.processes.errors import TooManyRequests

_SOON = 5
"""Seconds until it is worth looking again whether a process has ended."""


@dataclass(frozen=True)
class Allowed:
    """How many of each; 0 is any number."""

    user_creations_per_minute: int = 0
    user_creations_per_day: int = 0
    user_running: int = 0
    address_creations_per_minute: int = 0
    user_references_per_minute: int = 0
    address_references_per_minute: int = 0
    user_tokens_per_minute: int = 0
    address_tokens_per_minute: int = 0
    process_webhooks_per_minute: int = 0
    address_webhooks_per_minute: int = 0
    user_sign_ins_per_minute: int = 0
    address_sign_ins_per_minute: int = 0


@dataclass(frozen=True)
class _Limit:
    """`said` is how its refusal begins."""

    name: str
    item: RateLimitItem
    said: str


class Limits:
    """Counts in `storage` and raises `TooManyRequests`, which says when to come again.

    A window begins with its first use and then ends at once, so that whoever waits as told is let in; across
    the edge of two windows twice the amount may pass. In memory, a restart begins all windows anew.
    """

    def __init__(self, allowed: Allowed, storage: Storage | None = None) -> None:
        self._windows = FixedWindowRateLimiter(storage or MemoryStorage())
        self.running = allowed.user_running
        minute = RateLimitItemPerMinute
        self._user_creations = _Limit(
            "user-creations",
            minute(allowed.user_creations_per_minute),
            "You have started as many jobs as a minute allows",
        )
        self._user_day = _Limit(
            "user-day",
            RateLimitItemPerDay(allowed.user_creations_per_day),
            "You have started as many jobs as a day allows",
        )
        self._address_creations = _Limit(
            "address-creations",
            minute(allowed.address_creations_per_minute),
            "Your network has started as many jobs as a minute allows",
        )
        self._user_references = _Limit(
            "user-references",
            minute(allowed.user_references_per_minute),
            "You have brought as many references as a minute allows",
        )
        self._address_references = _Limit(
            "address-references",
            minute(allowed.address_references_per_minute),
            "Your network has brought as many references as a minute allows",
        )
        self._user_tokens = _Limit(
            "user-tokens",
            minute(allowed.user_tokens_per_minute),
            "You have asked for as many tokens as a minute allows",
        )
        self._address_tokens = _Limit(
            "address-tokens",
            minute(allowed.address_tokens_per_minute),
            "Your network has asked for as many tokens as a minute allows",
        )
        self._process_webhooks = _Limit(
            "process-webhooks",
            minute(allowed.process_webhooks_per_minute),
            "This process was reported on as often as a minute allows",
        )
        self._address_webhooks = _Limit(
            "address-webhooks",
            minute(allowed.address_webhooks_per_minute),
            "Your network has sent as many webhooks as a minute allows",
        )
        self._user_sign_ins = _Limit(
            "user-sign-ins",
            minute(allowed.user_sign_ins_per_minute),
            "You have signed in as often as a minute allows",
        )
        self._address_sign_ins = _Limit(
            "address-sign-ins",
            minute(allowed.address_sign_ins_per_minute),
            "Your network has tried to sign in as often as a minute allows",
        )

    async def creation(self, user_id: str, address: str, running: int) -> None:
        """One more process of the user, who has so many running; without an `address`, for the user alone."""
        if 0 < self.running <= running:
            raise TooManyRequests(
                f"As many of your jobs are running as can at once: {self.running}. "
                "Wait until one ends, or cancel one.",
                _SOON,
            )
        await self._count(
            (self._user_creations, user_id), (self._user_day, user_id), (self._address_creations, address)
        )

    async def reference(self, user_id: str, address: str) -> None:
        """One more picture that the user brings along."""
        await self._count((self._user_references, user_id), (self._address_references, address))

    async def token(self, user_id: str, address: str) -> None:
        """One more token for the user."""
        await self._count((self._user_tokens, user_id), (self._address_tokens, address))

    async def webhook(self, address: str) -> None:
        """One more webhook from there, whether it is a provider's or not."""
        await self._count((self._address_webhooks, address))

    async def report(self, process_id: str) -> None:
        """One more webhook that has shown that it may report on the process."""
        await self._count((self._process_webhooks, process_id))

    async def sign_in(self, address: str, user_id: str = "") -> None:
        """One more try to be somebody, of the user where that is known."""
        await self._count((self._user_sign_ins, user_id), (self._address_sign_ins, address))

    async def _count(self, *uses: tuple[_Limit, str]) -> None:
        counted = [(limit, who) for limit, who in uses if limit.item.amount and who]
        # All are looked at before any is counted: what one refuses does not use up the others.
        for ask in (self._windows.test, self._windows.hit):
            for limit, who in counted:
                if not await ask(limit.item, limit.name, who):
                    raise await self._used_up(limit, who)

    async def _used_up(self, limit: _Limit, who: str) -> TooManyRequests:
        reset = (await self._windows.get_window_stats(limit.item, limit.name, who)).reset_time
        seconds = max(1, math.ceil(reset - time.time()))
        said = f"{limit.said}: {limit.item.amount}. Wait {_span(seconds)}, then try again."
        return TooManyRequests(said, seconds)


def _span(seconds: int) -> str:
    for size, unit in ((3600, "hours"), (60, "minutes")):
        if seconds > size:
            return f"{math.ceil(seconds / size)} {unit}"
    return "a second" if seconds == 1 else f"{seconds} seconds"
