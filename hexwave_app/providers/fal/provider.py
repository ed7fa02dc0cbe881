"""fal by its queue: https://fal.ai/docs/documentation/model-apis/inference/queue."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from pydantic import ValidationError

from hexwave_app.media.fetch import Fetcher
from hexwave_app.processes.errors import ProviderUnavailable, SubmissionUnknown
from hexwave_app.processes.model import ProviderJob
from hexwave_app.providers.api import ANSWER_PATIENCE, Api
from hexwave_app.providers.data_uri import data_uri
from hexwave_app.providers.exchange import open_client
from hexwave_app.providers.fal.answer import (
    FLAG,
    Accepted,
    Made,
    Queued,
    failed,
    parse_webhook,
    tells_failure,
)
from hexwave_app.providers.fal.signature import Signatures
from hexwave_app.tools.model import Model
from hexwave_app.tools.provider import Job, Report
from hexwave_app.tools.registry import TOOLS
from hexwave_app.tools.tool import offered

URL = "https://queue.fal.run"
JWKS_URL = "https://rest.fal.ai/.well-known/jwks.json"
HOSTS = ("fal.media", ".fal.media")
MODELS = offered(TOOLS.values(), "fal")

# The result of a request that failed is the model's own answer, its status included.
_FAILURES = {400, 422, 499, 500, 502, 503, 504}


class Fal:
    """`open` it with an API key."""

    name = "fal"
    title = "fal"
    caption = "AI models, hosted"

    def __init__(self, api: Api, fetcher: Fetcher, signatures: Signatures, models: Sequence[Model]) -> None:
        self.models = models
        self._api = api
        self._fetcher = fetcher
        self._signatures = signatures

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        key: str,
        fetcher: Fetcher,
        url: str = URL,
        jwks_url: str = JWKS_URL,
        clock: Callable[[], float] = time.monotonic,
        models: Sequence[Model] = MODELS,
    ) -> AsyncGenerator["Fal", None]:
        """`clock` says in seconds how old the JWKS is."""
        async with (
            Api.open(cls.title, url, f"Key {key}", FLAG) as api,
            open_client(read=ANSWER_PATIENCE) as http,
        ):
            yield cls(api, fetcher, Signatures(http, jwks_url, clock), models)

    async def check(self) -> None:
        """Whether it answers: its queue has no question that tries the key and begins nothing."""
        await self._api.check("")

    async def submit(self, job: Job) -> str:
        # Not in plain text: the URL has our token. The reconciler asks instead.
        query = {"fal_webhook": job.webhook_url} if job.webhook_url.startswith("https://") else None
        body = await asyncio.to_thread(job.body, data_uri)
        answer = await self._api.submit(job.model.name, body, query)
        try:
            return Accepted.model_validate(answer).request_id
        except ValidationError as error:
            raise self._api.unconfirmed() from error

    async def find(self, key: str) -> str | None:
        """Requests carry no key of ours."""
        raise SubmissionUnknown(
            "fal cannot say whether it has this job. Look at your account there before you try again."
        )

    async def status(self, job: ProviderJob) -> Report:
        answer = self._api.decoded(await self._api.ask("GET", f"{_path(job)}/status"))
        try:
            queued = Queued.model_validate(answer)
            if queued.status == "COMPLETED":
                return await self._result(job)
        except ValidationError as error:
            raise ProviderUnavailable("fal's answer cannot be read.") from error
        return queued.report(job.job_id or "")

    async def cancel(self, job: ProviderJob) -> None:
        await self._api.ask("PUT", f"{_path(job)}/cancel", also={400, 404})

    async def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """Raises `ProviderUnavailable` too: while fal's keys cannot be read."""
        await self._signatures.check(headers, body)

    def parse(self, body: object) -> Report:
        return parse_webhook(body)

    async def fetch(self, url: str) -> bytes:
        return await self._fetcher.fetch(url, hosts=HOSTS)

    async def _result(self, job: ProviderJob) -> Report:
        assert job.job_id is not None
        response = await self._api.ask("GET", _path(job), also=_FAILURES)
        answer = self._api.decoded(response)
        if response.is_success:
            return Made.model_validate(answer).report(job.job_id)
        if response.is_server_error and not tells_failure(answer):
            raise ProviderUnavailable(f"fal answered {response.status_code}.")
        return failed(job.job_id, answer)


def _path(job: ProviderJob) -> str:
    """Of a request: below its app, the first two parts of the model's name, as its status_url is."""
    assert job.model is not None
    return f"{'/'.join(job.model.split('/')[:2])}/requests/{job.job_id}"
