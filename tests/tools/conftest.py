"""Runs and deliveries over a real store and library, with a provider that does as it is told."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest_asyncio
from PIL import Image

from hexwave_app.background import BackgroundTasks
from hexwave_app.media.library import Library
from hexwave_app.processes import Process, Processes
from hexwave_app.processes.errors import ResultLost
from hexwave_app.providers.plain_contract import parse_plain
from hexwave_app.stores.sql import SqlStore
from hexwave_app.tools.deliver import Deliveries
from hexwave_app.tools.image_generator import IMAGE_GENERATOR, ImageRequest
from hexwave_app.tools.provider import Job, Report
from hexwave_app.tools.reconcile import Reconciler
from hexwave_app.tools.start import Runs
from hexwave_app.tools.tool import ToolRequest
from hexwave_app.tools.webhooks import Webhooks
from tests.conftest import eventually
from tests.processes.memory import FaultyChannel

REQUEST = ImageRequest(prompt="sea", seed=7)


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(buffer, "PNG")
    return buffer.getvalue()


@dataclass
class Scripted:
    """A provider whose every answer the test decides; the gates hold its answers back while clear.

    `accepted` are its jobs by their keys, `words` what it says of each, `trouble` what asking for one raises.
    """

    name: str = "scripted"
    title: str = "Scripted"
    caption: str = "For tests"
    refusal: Exception | None = None
    doubt: Exception | None = None
    trouble: dict[str, Exception] = field(default_factory=dict[str, Exception])
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    accepted: dict[str, str] = field(default_factory=dict[str, str])
    words: dict[str, Report] = field(default_factory=dict[str, Report])
    jobs: list[Job] = field(default_factory=list[Job])
    asked: list[str] = field(default_factory=list[str])
    cancelled: list[str] = field(default_factory=list[str])
    fetched: list[str] = field(default_factory=list[str])
    taking: asyncio.Event = field(default_factory=asyncio.Event)
    sending: asyncio.Event = field(default_factory=asyncio.Event)
    saying: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.taking.set()
        self.sending.set()
        self.saying.set()

    def check(self, request: ToolRequest) -> None:
        pass

    async def submit(self, job: Job) -> str:
        self.jobs.append(job)
        job_id = f"job-{len(self.jobs)}"
        await self.taking.wait()
        if self.refusal is not None:
            raise self.refusal
        self.accepted[job.key] = job_id
        return job_id

    async def find(self, key: str) -> str | None:
        await self.saying.wait()
        if self.doubt is not None:
            raise self.doubt
        return self.accepted.get(key)

    async def status(self, job_id: str) -> Report:
        self.asked.append(job_id)
        await self.saying.wait()
        if job_id in self.trouble:
            raise self.trouble[job_id]
        return self.words.get(job_id, Report("processing", job_id))

    async def cancel(self, job_id: str) -> None:
        self.cancelled.append(job_id)

    def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        pass

    def parse(self, body: object) -> Report:
        return parse_plain(body)

    async def fetch(self, url: str) -> bytes:
        self.fetched.append(url)
        await self.sending.wait()
        if url not in self.files:
            raise ResultLost("There is no such result.")
        return self.files[url]


@dataclass(frozen=True)
class Bench:
    """Everything that a run passes through."""

    provider: Scripted
    processes: Processes
    library: Library
    runs: Runs
    deliveries: Deliveries
    reconciler: Reconciler
    store: SqlStore
    channel: FaultyChannel
    media: Path

    async def start(self, user_id: str = "g_a") -> Process:
        return await self.runs.start(IMAGE_GENERATOR, REQUEST, user_id)

    async def submitted(self) -> Process:
        """A started process whose job id is known."""
        started = await self.start()
        return await self.until(started, lambda process: process.provider.job_id is not None)

    async def aged(self, process: Process, seconds: float) -> Process:
        """The process as if everything of it had happened so much earlier."""
        now, ago = await self.processes.load(process.process_id), timedelta(seconds=seconds)
        older = now.model_copy(
            update={
                "created_at": now.created_at - ago,
                "updated_at": now.updated_at - ago,
                "events": tuple(event.model_copy(update={"at": event.at - ago}) for event in now.events),
                "revision": now.revision + 1,
            }
        )
        assert await self.store.replace(older)
        return older

    async def until(self, process: Process, condition: Callable[[Process], bool]) -> Process:
        """The process once `condition` holds."""

        async def reached() -> Process | None:
            now = await self.processes.load(process.process_id)
            return now if condition(now) else None

        return await eventually(reached)

    async def ended(self, process: Process) -> Process:
        return await self.until(process, lambda now: now.terminal)

    async def files(self, process: Process, *names: str) -> None:
        """Wait until exactly these are kept of the process."""

        async def there() -> bool:
            return {path.name for path in (self.media / process.process_id).glob("*")} == set(names)

        await eventually(there)


@asynccontextmanager
async def open_bench(
    data_dir: Path, provider: Scripted, channel: FaultyChannel | None = None
) -> AsyncIterator[Bench]:
    """A server process's own, as far as `data_dir` is not shared with another."""
    channel = channel or FaultyChannel()
    async with SqlStore.open(data_dir / "hexwave.db") as store, BackgroundTasks.open() as tasks:
        processes, library = Processes(store, channel), Library(data_dir / "media")
        providers, tools = {provider.name: provider}, {IMAGE_GENERATOR.name: IMAGE_GENERATOR}
        webhooks = Webhooks("http://127.0.0.1:3000", b"k" * 32)
        runs = Runs(processes, tools, providers, webhooks, library, tasks)
        deliveries = Deliveries(processes, providers, library, tasks)
        reconciler = Reconciler(processes, tools, providers, runs, deliveries)
        media = data_dir / "media"
        yield Bench(provider, processes, library, runs, deliveries, reconciler, store, channel, media)


@pytest_asyncio.fixture
async def bench(data_dir: Path) -> AsyncIterator[Bench]:
    async with open_bench(data_dir, Scripted()) as bench:
        yield bench
