"""The server under test: the app as it is, with a provider that may be hurried, and faults at its seams.

python -m tests.faults.server PORT EXTERNAL_URL SEED
"""

import io
import os
import random
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import fields, replace
from functools import partial
from pathlib import Path

import httpx
import uvicorn
from PIL import Image

from hexwave_app import services
from hexwave_app.identity.limits import Allowed
from hexwave_app.processes import ProviderJob, StatusMessage
from hexwave_app.processes.errors import ChannelUnavailable, ProviderUnavailable, SubmissionUnknown
from hexwave_app.providers.plain_contract import parse_plain
from hexwave_app.realtime.ably import AblyChannel
from hexwave_app.tools import reconcile, submit
from hexwave_app.tools.image_generator import IMAGE_GENERATOR, ImageRequest
from hexwave_app.tools.model import ANY, Model
from hexwave_app.tools.provider import Job, Report

DIE_BEFORE_PUBLISHING = 0.0005
FAIL_AFTER_PUBLISHING = 0.05

_picture = io.BytesIO()
Image.new("RGB", (8, 8), "teal").save(_picture, "WEBP")


class External:
    """Speaks the plain contract with `tests.faults.external`."""

    name = "external"
    title = "External"
    caption = "Faulty"
    models = (
        Model("external", "External", IMAGE_GENERATOR.name, dict.fromkeys(ImageRequest.model_fields, ANY)),
    )

    def __init__(self, url: str) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=5)

    @asynccontextmanager
    async def open(self, _directory: Path, _models: Sequence[Model]) -> AsyncGenerator["External", None]:
        yield self

    async def submit(self, job: Job) -> str:
        body = {"key": job.key, "prompt": "x", "webhook_url": job.webhook_url}
        answer = await self._client.post("/jobs", json=body)
        if answer.is_error:
            # It may have taken the job before it broke: asked, never sent again.
            found = await self.find(job.key)
            if found is None:
                raise SubmissionUnknown("The provider broke while it was asked.")
            return found
        return answer.json()["id"]

    async def find(self, key: str) -> str | None:
        return (await self._client.get(f"/keys/{key}")).json()["id"]

    async def status(self, job: ProviderJob) -> Report:
        try:
            return parse_plain((await self._client.get(f"/jobs/{job.job_id}")).json())
        except httpx.HTTPError as error:
            raise ProviderUnavailable("The provider does not answer.") from error

    async def cancel(self, job: ProviderJob) -> None:
        await self._client.delete(f"/jobs/{job.job_id}")

    async def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """The token of the URL is proof enough."""

    def parse(self, body: object) -> Report:
        return parse_plain(body)

    async def fetch(self, url: str) -> bytes:
        return _picture.getvalue()


def break_publishing(chance: random.Random) -> None:
    """Die between save and publish now and then, or say that a publication failed which did not."""
    publish = AblyChannel.publish

    async def faulty(self: AblyChannel, message: StatusMessage) -> None:
        if chance.random() < DIE_BEFORE_PUBLISHING:
            os.kill(os.getpid(), 9)
        await publish(self, message)
        if chance.random() < FAIL_AFTER_PUBLISHING:
            raise ChannelUnavailable("The answer was lost; the message was not.")

    AblyChannel.publish = faulty


def hurry() -> None:
    """Patience for tests: everything happens as it would, only sooner."""
    tool = replace(IMAGE_GENERATOR, patience=1.0, deadline=30.0)
    services.lifespan = partial(services.lifespan, tools={tool.name: tool})
    reconcile.INTERVAL = 0.3
    reconcile.PUBLISH_PATIENCE = 1.5
    submit.SUBMIT_PATIENCE, reconcile.RECOVER_PATIENCE = 2.0, 4.0
    submit.RECOVER_LEASE = reconcile.RECOVER_LEASE = 8.0


def unlimit() -> None:
    """No limits: few guests, all at one address, do in a minute what people do in a day."""
    for each in fields(Allowed):
        os.environ[f"HEXWAVE_{each.name.upper()}"] = "0"


def main(port: int, external: str, seed: int) -> None:
    hurry()
    unlimit()
    break_publishing(random.Random(seed))
    services.DemoPainter = External(external)
    from hexwave_app.hexwave_app import app

    uvicorn.run(app(), port=port, log_level="error", ws="websockets-sansio", timeout_graceful_shutdown=2)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
