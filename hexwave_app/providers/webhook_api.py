"""Any external API that keeps the plain contract: it is asked with a webhook's URL, and reports there.

We POST `{prompt, webhook_url, key, ...}`, the rest of the inputs under their wire names, and `key` as the
header Idempotency-Key too; it may answer with the job's `id` or `jobId`. What it reports is in
`plain_contract`. It cannot be asked how a job is, nor to stop one.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx

from hexwave_app.media.fetch import Fetcher
from hexwave_app.processes.errors import SubmissionUnknown
from hexwave_app.processes.model import ProviderJob
from hexwave_app.providers.exchange import open_client, post, refusal
from hexwave_app.providers.plain_contract import JOB_ID_LIMIT, parse_plain
from hexwave_app.tools.image_generator import IMAGE_GENERATOR, ImageRequest
from hexwave_app.tools.model import ANY, Model
from hexwave_app.tools.provider import Job, Report
from hexwave_app.tools.tool import ToolRequest

_ANSWER_PATIENCE = 9.0


class WebhookApi:
    name = "external"
    title = "External API"
    caption = "The API that this server was given"
    models = (
        Model(
            "default",
            "External API",
            IMAGE_GENERATOR.name,
            {name: ANY for name in ImageRequest.model_fields if name not in ToolRequest.model_fields},
        ),
    )

    def __init__(self, client: httpx.AsyncClient, fetcher: Fetcher, url: str) -> None:
        self._client = client
        self._fetcher = fetcher
        self._url = url

    @classmethod
    @asynccontextmanager
    async def open(
        cls, fetcher: Fetcher, url: str, key: str | None = None
    ) -> AsyncGenerator["WebhookApi", None]:
        """The API at `url`; `key`, where there is one, is sent as a bearer token."""
        async with open_client(key=key, read=_ANSWER_PATIENCE) as client:
            yield cls(client, fetcher, url)

    async def submit(self, job: Job) -> str:
        inputs = job.request.model_dump(
            mode="json", by_alias=True, exclude_none=True, exclude=set(ToolRequest.model_fields)
        )
        body = inputs | {"webhook_url": job.webhook_url, "key": job.key}
        answer = await post(self._client, self._url, body, headers={"Idempotency-Key": job.key})
        if not answer.success:
            raise refusal(answer)
        return _job_id(answer.json()) or job.key

    async def find(self, key: str) -> str | None:
        raise SubmissionUnknown("The provider cannot say whether it has this job.")

    async def status(self, job: ProviderJob) -> Report:
        return Report("processing", job.job_id)

    async def cancel(self, job: ProviderJob) -> None:
        """The contract has no word for it: what still comes is late news."""

    async def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """The token of the webhook's URL, which only this API was told, is the contract's whole proof."""

    def parse(self, body: object) -> Report:
        return parse_plain(body)

    async def fetch(self, url: str) -> bytes:
        return await self._fetcher.fetch(url, origin=self._url)


def _job_id(answer: Any) -> str | None:
    if not isinstance(answer, dict):
        return None
    said = cast(dict[str, object], answer)
    job_id = said.get("id") or said.get("jobId")
    return str(job_id) if isinstance(job_id, str | int) and len(str(job_id)) <= JOB_ID_LIMIT else None
