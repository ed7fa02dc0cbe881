"""Runs and deliveries over a real store and library, with a provider that does as it is told."""

import asyncio
import io
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio
from PIL import Image

from hexwave_app.background import BackgroundTasks
from hexwave_app.identity.limits import Allowed, Limits
from hexwave_app.media.library import Library
from hexwave_app.media.workers import Workers
from hexwave_app.processes import Process, Processes
from hexwave_app.processes.errors import ResultLost
from hexwave_app.processes.model import ProviderJob
from hexwave_app.providers.plain_contract import parse_plain
from hexwave_app.stores.sql import SqlStore
from hexwave_app.tools import submit
from hexwave_app.tools.deliver import Deliveries
from hexwave_app.tools.image_generator import IMAGE_GENERATOR, ImageRequest
from hexwave_app.tools.model import ANY, Model
from hexwave_app.tools.provider import Job, Report
from hexwave_app.tools.reconcile import Reconciler
from hexwave_app.tools.references import References
from hexwave_app.tools.start import Runs
from hexwave_app.tools.tool import Tool
from hexwave_app.tools.webhooks import Webhooks
from tests.conftest import eventually
from tests.processes.memory import FaultyChannel

REQUEST = ImageRequest(prompt="sea", seed=7)
MODEL = Model(
    name="scripted-1",
    title="Scripted",
    tool=IMAGE_GENERATOR.name,
    inputs=dict.fromkeys(("prompt", "negative_prompt", "aspect_ratio", "count", "seed"), ANY),
)


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(buffer, "PNG")
    return buffer.getvalue()


class Threads:
    """In the place of `Workers`, whose processes take longer to start than most of these tests."""

    async def run(self, work: Callable[[], Any]) -> Any:
        return await asyncio.to_thread(work)


@dataclass
class Scripted:
    """A provider whose every answer the test decides; the gates hold its answers back while clear.

    `refusals` are raised one by one, `refusal` each time; `accepted` are its jobs by their keys, `words` what
    it says of each, `trouble` what asking for one raises.
    """

    name: str = "scripted"
    title: str = "Scripted"
    caption: str = "For tests"
    models: tuple[Model, ...] = (MODEL,)
    refusal: Exception | None = None
    refusals: list[Exception] = field(default_factory=list[Exception])
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

    async def check(self) -> None:
        if self.refusal is not None:
            raise self.refusal

    async def submit(self, job: Job) -> str:
        self.jobs.append(job)
        job_id = f"job-{len(self.jobs)}"
        await self.taking.wait()
        if self.refusals:
            raise self.refusals.pop(0)
        if self.refusal is not None:
            raise self.refusal
        self.accepted[job.key] = job_id
        return job_id

    async def find(self, key: str) -> str | None:
        await self.saying.wait()
        if self.doubt is not None:
            raise self.doubt
        return self.accepted.get(key)

    async def status(self, job: ProviderJob) -> Report:
        job_id = job.job_id or ""
        self.asked.append(job_id)
        await self.saying.wait()
        if job_id in self.trouble:
            raise self.trouble[job_id]
        return self.words.get(job_id, Report("processing", job_id))

    async def cancel(self, job: ProviderJob) -> None:
        self.cancelled.append(job.job_id or "")

    async def verify(self, headers: Mapping[str, str], body: bytes) -> None:
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
    references: References
    runs: Runs
    deliveries: Deliveries
    reconciler: Reconciler
    store: SqlStore
    channel: FaultyChannel
    database: Path
    media: Path

    async def start(self, user_id: str = "g_a") -> Process:
        return await self.runs.start(IMAGE_GENERATOR, REQUEST, user_id)

    async def submitted(self) -> Process:
        """A started process whose job id is known."""
        started = await self.start()
        return await self.until(started, lambda process: process.provider.job_id is not None)

    async def aged(self, process: Process, seconds: float) -> Process:
        """The process as if everything of it, its lease too, had happened so much earlier."""
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
        with closing(sqlite3.connect(self.database, isolation_level=None)) as database:
            database.execute(
                "UPDATE processes SET lease_until = lease_until - ? WHERE process_id = ?",
                (seconds * 1000, process.process_id),
            )
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
    data_dir: Path,
    provider: Scripted,
    channel: FaultyChannel | None = None,
    tools: tuple[Tool, ...] = (IMAGE_GENERATOR,),
    fallback: Scripted | None = None,
) -> AsyncIterator[Bench]:
    """A server process's own, as far as `data_dir` is not shared with another."""
    channel = channel or FaultyChannel()
    database, media = data_dir / "hexwave.db", data_dir / "media"
    async with SqlStore.open(database) as store, BackgroundTasks.open() as tasks:
        processes, library = Processes(store, channel), Library(media)
        providers = {each.name: each for each in (provider, fallback) if each is not None}
        known = {tool.name: tool for tool in tools}
        webhooks = Webhooks("http://127.0.0.1:3000", b"k" * 32)
        second = None if fallback is None else fallback.name
        references = References(library, cast(Workers, Threads()), Limits(Allowed()), b"k" * 32)
        runs = Runs(processes, known, providers, webhooks, library, references, tasks, second)
        deliveries = Deliveries(processes, providers, library, cast(Workers, Threads()), tasks)
        reconciler = Reconciler(processes, known, providers, runs, deliveries)
        yield Bench(
            provider,
            processes,
            library,
            references,
            runs,
            deliveries,
            reconciler,
            store,
            channel,
            database,
            media,
        )


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that took nothing is asked again soon."""
    monkeypatch.setattr(submit, "_PAUSES", (0.01, 0.01, 0.01))


@pytest_asyncio.fixture
async def bench(data_dir: Path) -> AsyncIterator[Bench]:
    async with open_bench(data_dir, Scripted()) as bench:
        yield bench
