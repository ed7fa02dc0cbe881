"""The demo painter as a provider like any other: it is submitted to, and reports by webhook."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from hexwave_app.processes.model import ProviderJob
from hexwave_app.providers.demo.engine import Engine, Order
from hexwave_app.providers.plain_contract import parse_plain
from hexwave_app.tools.image_generator import IMAGE_GENERATOR, ImageRequest
from hexwave_app.tools.model import ANY, Model
from hexwave_app.tools.provider import Job, Report


class DemoPainter:
    """Procedural pictures, no AI, no key, no network."""

    name = "demo"
    title = "Demo painter"
    caption = "Procedural, not AI · about 1 s"
    models = (
        Model(
            name="painter",
            title="Demo painter",
            tool=IMAGE_GENERATOR.name,
            inputs=dict.fromkeys(("prompt", "negative_prompt", "aspect_ratio", "count", "seed"), ANY),
            seconds=1,
            price="Free",
            ai=False,
        ),
    )

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    @asynccontextmanager
    async def open(cls, directory: Path) -> AsyncGenerator["DemoPainter", None]:
        async with Engine.open(directory) as engine:
            yield cls(engine)

    async def submit(self, job: Job) -> str:
        request = job.request
        assert isinstance(request, ImageRequest)
        width, height = request.size
        order = Order(
            prompt=request.prompt,
            leave_out=request.negative_prompt or "",
            seed=request.seed,
            count=request.count,
            width=width,
            height=height,
            webhook_url=job.webhook_url,
        )
        return self._engine.start(job.key, order)

    async def find(self, key: str) -> str | None:
        job_id = self._engine.job_id(key)
        return job_id if self._engine.knows(job_id) else None

    async def status(self, job: ProviderJob) -> Report:
        assert job.job_id is not None
        return self._engine.take_up(job.job_id)

    async def cancel(self, job: ProviderJob) -> None:
        assert job.job_id is not None
        await self._engine.cancel(job.job_id)

    async def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """The painter is on this machine: the token of its webhook URL is proof enough."""

    def parse(self, body: object) -> Report:
        return parse_plain(body)

    async def fetch(self, url: str) -> bytes:
        return await asyncio.to_thread(self._engine.result(url).read_bytes)
