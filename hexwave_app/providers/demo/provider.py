"""The demo painter as a provider like any other: it is submitted to, and reports by webhook."""

import asyncio
import base64
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from hexwave_app.processes.model import ProviderJob
from hexwave_app.providers.demo.engine import Engine
from hexwave_app.providers.demo.order import ORDERS
from hexwave_app.providers.plain_contract import parse_plain
from hexwave_app.tools.model import Model
from hexwave_app.tools.provider import Job, Report
from hexwave_app.tools.registry import TOOLS
from hexwave_app.tools.tool import offered

MODELS = offered(TOOLS.values(), "demo")


class DemoPainter:
    """Procedural pictures, no AI, no key, no network."""

    name = "demo"
    title = "Demo painter"
    caption = "Procedural, not AI"

    def __init__(self, engine: Engine, models: Sequence[Model]) -> None:
        self._engine = engine
        self.models = models

    @classmethod
    @asynccontextmanager
    async def open(
        cls, directory: Path, models: Sequence[Model] = MODELS
    ) -> AsyncGenerator["DemoPainter", None]:
        async with Engine.open(directory) as engine:
            yield cls(engine, models)

    async def check(self) -> None:
        """It is a part of this program."""

    async def submit(self, job: Job) -> str:
        asked = await asyncio.to_thread(job.body, _base64)
        order = ORDERS.validate_python(asked | {"webhook_url": job.webhook_url})
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


def _base64(picture: bytes) -> str:
    return base64.b64encode(picture).decode()
