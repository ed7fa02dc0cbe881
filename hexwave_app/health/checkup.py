"""The checks of the running app, made while somebody asks for them."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from hexwave_app.activity.jobs import JobTimes
from hexwave_app.activity.samples import Samples
from hexwave_app.health.check import Check
from hexwave_app.health.checks import (
    check_channel,
    check_library,
    check_provider,
    check_reconciler,
    check_store,
)
from hexwave_app.media.library import Library
from hexwave_app.processes.model import utc_now
from hexwave_app.processes.ports import ProcessStore
from hexwave_app.realtime.ably import AblyChannel
from hexwave_app.settings import Settings
from hexwave_app.tools.provider import Provider
from hexwave_app.tools.reconcile import Reconciler

INTERVAL = 4.0
"""Seconds between two rounds, however many look on."""

_SELDOM = 60.0
"""Seconds between two questions to a provider, which counts them."""


@dataclass(frozen=True)
class Report:
    """A round's checks, in the order in which they are shown, and when it was made."""

    checks: tuple[Check, ...]
    at: datetime = field(default_factory=utc_now)
    made: float = field(default_factory=time.monotonic)


class Checkup:
    """One round at a time."""

    def __init__(
        self,
        settings: Settings,
        store: ProcessStore,
        channel: AblyChannel,
        library: Library,
        provider: Provider,
        jobs: JobTimes,
        reconciler: Reconciler,
    ) -> None:
        self._times: defaultdict[str, Samples] = defaultdict(Samples)
        self._provider = provider
        self._jobs = jobs
        self._reconciler = reconciler
        self._looks: tuple[Callable[[], Awaitable[Check]], ...] = (
            lambda: check_store(store, settings),
            lambda: check_channel(channel, settings),
            lambda: check_library(library, settings),
        )
        self._round = asyncio.Lock()
        self._last: Report | None = None
        self._asked: tuple[float, Check] | None = None

    async def report(self, *, fresh: bool = False) -> Report:
        """The last round where that is recent, else another; with `fresh` another in any case."""
        called = time.monotonic()
        async with self._round:
            since = called if fresh else called - INTERVAL
            if self._last is None or self._last.made < since:
                self._last = await self._examined(fresh)
            return self._last

    def times(self, check: Check) -> Samples:
        """The last times of what was checked: those of a provider are its jobs'."""
        provider = f"provider.{self._provider.name}"
        return self._jobs.of(self._provider.name) if check.key == provider else self._times[check.key]

    async def _examined(self, fresh: bool) -> Report:
        store, channel, library, provider = await asyncio.gather(
            *(look() for look in self._looks), self._provider_check(fresh)
        )
        checks = (store, channel, provider, library, check_reconciler(self._reconciler.last))
        for check in checks:
            if check.seconds is not None:
                self._times[check.key].add(check.seconds)
        return Report(checks)

    async def _provider_check(self, fresh: bool) -> Check:
        if self._asked is None or fresh or time.monotonic() - self._asked[0] > _SELDOM:
            check = await check_provider(self._provider, self._jobs)
            self._asked = (time.monotonic(), check)
        return self._asked[1]
