"""Replicate (https://replicate.com/docs/reference/http): predictions of its official models."""

import asyncio
import math
import re
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from hexwave_app.identity.signing_keys import SigningKeys
from hexwave_app.media.fetch import Fetcher
from hexwave_app.processes.errors import (
    InvalidRequest,
    ProviderUnavailable,
    SubmissionUnknown,
    WebhookRefused,
)
from hexwave_app.processes.model import ProviderJob, Stage
from hexwave_app.processes.transition import ANSWERED_PROGRESS
from hexwave_app.providers.api import JOB_ID, Api
from hexwave_app.providers.batch import batch
from hexwave_app.providers.data_uri import data_uri
from hexwave_app.providers.exchange import without_queries
from hexwave_app.tools.model import Model
from hexwave_app.tools.provider import Job, Report
from hexwave_app.tools.registry import TOOLS
from hexwave_app.tools.tool import offered

URL = "https://api.replicate.com/v1"
HOSTS = ("replicate.delivery", ".replicate.delivery")
MODELS = offered(TOOLS.values(), "replicate")

_EVENTS = ["start", "output", "logs", "completed"]

# As its models say it: cog's safety checker, and the error code of those that are run elsewhere.
_FLAG = re.compile(r"NSFW|flagged as sensitive|\bE005\b", re.IGNORECASE)
_DECLINED = "NSFW content detected in image "
# A progress bar of tqdm: " 75%|███████▌  | 21/28 [00:01<00:00, 14.02it/s]".
_BAR = re.compile(r"\b(\d{1,3})%\|")

_Url = Annotated[str, Field(max_length=2048)]


class _Created(BaseModel):
    id: Annotated[str, Field(pattern=JOB_ID)]


class _Prediction(_Created):
    status: Literal["starting", "processing", "succeeded", "failed", "canceled", "aborted"]
    output: _Url | Annotated[list[_Url], Field(max_length=16)] | None = None
    error: Any = None
    logs: str | None = None

    @property
    def pictures(self) -> list[str]:
        return [self.output] if isinstance(self.output, str) else self.output or []


class _Secret(BaseModel):
    key: Annotated[str, Field(pattern=r"^whsec_[A-Za-z0-9+/]{4}")]


class Replicate:
    """`open` it with an API token; without a webhook secret, the account's is fetched when it is needed."""

    name = "replicate"
    title = "Replicate"
    caption = "AI models, hosted"

    def __init__(
        self,
        api: Api,
        fetcher: Fetcher,
        secret: str | None,
        clock: Callable[[], float],
        models: Sequence[Model],
    ) -> None:
        self.models = models
        self._api = api
        self._fetcher = fetcher
        self._given = secret
        self._keys = SigningKeys(self._webhook, math.inf, clock)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        token: str,
        fetcher: Fetcher,
        webhook_secret: str | None = None,
        url: str = URL,
        clock: Callable[[], float] = time.monotonic,
        models: Sequence[Model] = MODELS,
    ) -> AsyncGenerator["Replicate", None]:
        """`clock` says in seconds how long ago the secret was read."""
        async with Api.open(cls.title, url, f"Bearer {token}", _FLAG) as api:
            yield cls(api, fetcher, webhook_secret, clock, models)

    async def check(self) -> None:
        await self._api.check("account")

    async def submit(self, job: Job) -> str:
        asked = await asyncio.to_thread(job.body, data_uri)
        body: dict[str, Any] = {"version": job.model.name, "input": asked}
        # Replicate takes no other, and refuses the prediction. The reconciler asks instead.
        if job.webhook_url.startswith("https://"):
            body |= {"webhook": job.webhook_url, "webhook_events_filter": _EVENTS}
        answer = await self._api.submit("predictions", body)
        try:
            return _Created.model_validate(answer).id
        except ValidationError as error:
            raise self._api.unconfirmed() from error

    async def find(self, key: str) -> str | None:
        """Predictions carry no key of ours, and their list does not tell their webhooks."""
        raise SubmissionUnknown(
            "Replicate cannot say whether it has this job. Look at your account there before you try again."
        )

    async def status(self, job: ProviderJob) -> Report:
        answer = self._api.decoded(await self._api.ask("GET", f"predictions/{job.job_id}"))
        try:
            return self.parse(answer)
        except InvalidRequest as error:
            raise ProviderUnavailable(f"Replicate's answer cannot be read: {error}") from error

    async def cancel(self, job: ProviderJob) -> None:
        await self._api.ask("POST", f"predictions/{job.job_id}/cancel", also={400, 404, 409, 410, 422})

    async def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """Standard Webhooks, symmetric: https://github.com/standard-webhooks/standard-webhooks.

        The same webhook again, within its five minutes, passes: it says nothing new. Raises
        `ProviderUnavailable` while the secret cannot be read.
        """
        if not await self._keys.fit(lambda webhook: _signed(webhook, headers, body)):
            raise WebhookRefused("The webhook's signature is missing, wrong or more than 5 minutes old.")

    def parse(self, body: object) -> Report:
        """A prediction as its webhooks and its URL give it."""
        try:
            prediction = _Prediction.model_validate(body)
        except ValidationError as error:
            raise InvalidRequest.of(error.errors(include_url=False)[0]) from error
        return _report(prediction)

    async def fetch(self, url: str) -> bytes:
        return await self._fetcher.fetch(url, hosts=HOSTS)

    async def _webhook(self) -> Webhook:
        answer = {"key": self._given}
        if self._given is None:
            answer = self._api.decoded(await self._api.ask("GET", "webhooks/default/secret"))
        try:
            return Webhook(_Secret.model_validate(answer).key)
        except ValueError as error:
            raise ProviderUnavailable("Replicate's webhook secret is none.") from error


def _signed(webhook: Webhook, headers: Mapping[str, str], body: bytes) -> bool:
    try:
        webhook.verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError):
        # ValueError: what is no base64, no UTF-8, or has no comma.
        return False
    return True


def _report(prediction: _Prediction) -> Report:
    match prediction.status:
        case "starting":
            return Report("processing", prediction.id, stage=Stage.QUEUED)
        case "processing":
            return Report(
                "processing",
                prediction.id,
                progress=_progress(prediction.logs or ""),
                stage=Stage.PAINTING,
                previews=tuple(prediction.pictures) or None,
            )
        case "succeeded":
            declined = (prediction.logs or "").count(_DECLINED)
            if prediction.pictures or declined:
                return batch(prediction.id, prediction.pictures, declined)
            # Replicate forgets the output an hour after.
            error = "The prediction has no output any more."
            return Report("failed", prediction.id, error=error, error_code="result_lost")
        case "failed" | "canceled" | "aborted":
            error = without_queries(str(prediction.error or prediction.status))
            code = "content_refused" if _FLAG.search(error) else "provider_failed"
            return Report("failed", prediction.id, error=error, error_code=code)


def _progress(logs: str) -> int | None:
    bars = _BAR.findall(logs)
    return min(int(bars[-1]), ANSWERED_PROGRESS) if bars else None
