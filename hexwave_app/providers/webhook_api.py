"""Any external API that keeps the plain contract: it is asked with a webhook's URL, and reports there.

We POST `{prompt, webhook_url, key, ...}`, the rest of the inputs under their wire names, and `key` as the
header Idempotency-Key too; it may answer with the job's `id` or `jobId`. What it reports is in
`plain_contract`. It cannot be asked how a job is, nor to stop one.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx

from hexwave_app.media.fetch import Fetcher
from hexwave_app.processes.errors import SubmissionUnknown
from hexwave_app.processes.model import ProviderJob
from hexwave_app.providers.data_uri import data_uri
from hexwave_app.providers.exchange import open_client, post, reach, refusal
from hexwave_app.providers.plain_contract import JOB_ID_LIMIT, parse_plain
from hexwave_app.tools.model import ANY, Model, own_fields
from hexwave_app.tools.provider import Job, Report
from hexwave_app.tools.registry import TOOLS
from hexwave_app.tools.tool import Tool

_ANSWER_PATIENCE = 9.0


class WebhookApi:
    name = "external"
    title = "External API"
    caption = "The API that this server was given"

    def __init__(self, client: httpx.AsyncClient, fetcher: Fetcher, url: str, tools: Iterable[Tool]) -> None:
        self.models = tuple(
            Model("default", self.title, tool.name, dict.fromkeys(own_fields(tool.request), ANY))
            for tool in tools
        )
        self._client = client
        self._fetcher = fetcher
        self._url = url

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        fetcher: Fetcher,
        url: str,
        key: str | None = None,
        tools: Iterable[Tool] = tuple(TOOLS.values()),
    ) -> AsyncGenerator["WebhookApi", None]:
        """The API at `url`; `key`, where there is one, is sent as a bearer token."""
        async with open_client(key=key, read=_ANSWER_PATIENCE) as client:
            yield cls(client, fetcher, url, tools)

    async def check(self) -> None:
        """A GET, which an address that takes jobs by POST answers with whatever it likes."""
        await reach(self._client, self._url)

    async def submit(self, job: Job) -> str:
        # Only pictures take long to write into a body.
        inputs = await asyncio.to_thread(job.body, data_uri) if job.originals else job.body(data_uri)
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
