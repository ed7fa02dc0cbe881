"""A provider in the app's own hands: runs, deliveries and the reconciler over a real store and library."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from hexwave_app.background import BackgroundTasks
from hexwave_app.identity.limits import Allowed, Limits
from hexwave_app.media.library import Library
from hexwave_app.media.workers import Workers
from hexwave_app.processes import Process, Processes
from hexwave_app.stores.sql import SqlStore
from hexwave_app.tools.deliver import Deliveries
from hexwave_app.tools.image_generator import IMAGE_GENERATOR, ImageRequest
from hexwave_app.tools.provider import Provider
from hexwave_app.tools.reconcile import Reconciler
from hexwave_app.tools.references import References
from hexwave_app.tools.start import Runs
from hexwave_app.tools.webhooks import Webhooks
from tests.conftest import eventually
from tests.processes.memory import FaultyChannel
from tests.tools.conftest import Threads

USER = "g_a"


@dataclass(frozen=True)
class Life:
    provider: Provider
    processes: Processes
    runs: Runs
    deliveries: Deliveries
    reconciler: Reconciler

    async def submitted(self, **asked: Any) -> Process:
        """A started process whose job the provider has."""
        request = ImageRequest(prompt="sea", seed=7, **asked)
        started = await self.runs.start(IMAGE_GENERATOR, request, USER)
        return await self.until(started, lambda now: now.provider.job_id is not None)

    async def hear(self, process: Process, headers: Mapping[str, str], body: bytes) -> None:
        """What the webhook's route does with a body."""
        await self.provider.verify(headers, body)
        now = await self.processes.load(process.process_id)
        await self.deliveries.accept(now, self.provider.parse(json.loads(body)))

    async def until(self, process: Process, condition: Callable[[Process], bool]) -> Process:
        """The process once `condition` holds."""

        async def reached() -> Process | None:
            now = await self.processes.load(process.process_id)
            return now if condition(now) else None

        return await eventually(reached)

    async def ended(self, process: Process) -> Process:
        return await self.until(process, lambda now: now.terminal)


@asynccontextmanager
async def open_life(directory: Path, provider: Provider) -> AsyncIterator[Life]:
    async with SqlStore.open(directory / "hexwave.db") as store, BackgroundTasks.open() as tasks:
        processes, library = Processes(store, FaultyChannel()), Library(directory / "media")
        tools, providers = {IMAGE_GENERATOR.name: IMAGE_GENERATOR}, {provider.name: provider}
        webhooks = Webhooks("https://hexwave.example", b"k" * 32)
        references = References(library, cast(Workers, Threads()), Limits(Allowed()), b"k" * 32)
        runs = Runs(processes, tools, providers, webhooks, library, references, tasks)
        deliveries = Deliveries(processes, providers, library, cast(Workers, Threads()), tasks)
        yield Life(
            provider,
            processes,
            runs,
            deliveries,
            Reconciler(processes, tools, providers, runs, deliveries),
        )
