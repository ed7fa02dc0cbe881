"""Any OpenAI-compatible `/images/generations`: OpenAI itself, LocalAI, vLLM-Omni and others.

The call answers when the pictures are made, so a task of this worker waits for it and then reports to our
own webhook. What the call brought is kept with the report before that, so that any worker knows of it. A
call that a stop cut short is lost, and never made again.
See https://platform.openai.com/docs/api-reference/images/create.
"""

import asyncio
import base64
import contextlib
import json
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import httpx
from pydantic import BaseModel, Field, ValidationError

from hexwave_app.background import BackgroundTasks
from hexwave_app.media.fetch import Fetcher
from hexwave_app.media.library import Library
from hexwave_app.processes.errors import (
    ContentRefused,
    HexwaveError,
    ProviderBusy,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
    ResultLost,
    StoreUnavailable,
    SubmissionUnknown,
)
from hexwave_app.processes.model import ProviderJob, Stage
from hexwave_app.providers.exchange import Answer, open_client, post, reach, refusal, spent
from hexwave_app.providers.own_webhook import Reports
from hexwave_app.providers.plain_contract import parse_plain, plain_body
from hexwave_app.providers.raw_files import RawFiles
from hexwave_app.tools.image_generator import IMAGE_GENERATOR, SIZES, AspectRatio, ImageRequest
from hexwave_app.tools.model import ANY, Limit, Model
from hexwave_app.tools.provider import ErrorCode, Job, Report

log = logging.getLogger(__name__)

OPENAI_URL = "https://api.openai.com/v1"
DEFAULT_MODELS = ("gpt-image-2.6-flare",)

_ANSWER_PATIENCE = 300.0
_ANSWER_LIMIT = 96 * 2**20
_REPORT_PATIENCE = 10.0
_TOGETHER = 16
"""Calls at once; the rest wait for their turn."""

_PAUSES = (2.0, 8.0, 30.0)
"""Seconds after which a call that surely did nothing is made again."""

_LONGEST_PAUSE = 60.0
_CONTENT_CODES = {"moderation_blocked", "content_policy_violation"}
_SPENT = "insufficient_quota"
_END = "end"


@dataclass(frozen=True)
class _Family:
    """Models whose names begin alike: their sizes by aspect ratio, the most pictures of a call."""

    prefix: str
    sizes: Mapping[AspectRatio, tuple[int, int]]
    most: int = 4
    format: str | None = "b64_json"
    """What to ask for as `response_format`; the GPT image models know only one, and refuse the word."""


_FAMILIES = (
    _Family("gpt-image-1", {"1:1": (1024, 1024), "3:2": (1536, 1024), "2:3": (1024, 1536)}, format=None),
    # Multiples of 16, within 1:3 and 3:1.
    _Family("gpt-image-", SIZES, format=None),
    _Family("dall-e-3", {"1:1": (1024, 1024), "16:9": (1792, 1024), "9:16": (1024, 1792)}, most=1),
    _Family("", SIZES),
)


class _Image(BaseModel):
    b64_json: str | None = None
    url: Annotated[str | None, Field(max_length=2048)] = None


class _Made(BaseModel):
    data: Annotated[list[_Image], Field(min_length=1, max_length=16)]


class _Error(BaseModel):
    code: str | int | None = None
    type: str | None = None


class _Refused(BaseModel):
    error: _Error


class OpenAIImages:
    name = "openai"
    caption = "Answers in one piece: no progress to show"

    def __init__(
        self,
        api: httpx.AsyncClient,
        webhooks: httpx.AsyncClient,
        fetcher: Fetcher,
        raw: RawFiles,
        tasks: BackgroundTasks,
        models: Sequence[str],
    ) -> None:
        self.title = "OpenAI" if _base(api) == OPENAI_URL else f"Images at {api.base_url.host}"
        self.models = tuple(_model(name) for name in models)
        self._api = api
        self._webhooks = webhooks
        self._fetcher = fetcher
        self._raw = raw
        self._tasks = tasks
        self._turns = asyncio.Semaphore(_TOGETHER)
        self._running: dict[str, asyncio.Task[None]] = {}

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        library: Library,
        fetcher: Fetcher,
        key: str | None = None,
        base_url: str = OPENAI_URL,
        models: Sequence[str] = DEFAULT_MODELS,
    ) -> AsyncGenerator["OpenAIImages", None]:
        """The API at `base_url`; one of your own may need no `key`."""
        async with (
            open_client(base_url, key, read=_ANSWER_PATIENCE) as api,
            open_client(read=_REPORT_PATIENCE) as webhooks,
            BackgroundTasks.open() as tasks,
        ):
            yield cls(api, webhooks, fetcher, RawFiles(library), tasks, models)

    async def check(self) -> None:
        await reach(self._api, "models")

    async def submit(self, job: Job) -> str:
        if job.key not in self._running:
            task = self._tasks.spawn(self._run(job), f"images of {job.key}")
            self._running[job.key] = task
            task.add_done_callback(lambda _: self._running.pop(job.key, None))
        return job.key

    async def find(self, key: str) -> str | None:
        if key in self._running or await self._raw.find(key, _END) is not None:
            return key
        raise SubmissionUnknown("The call to the provider was cut short. It is not made again.")

    async def status(self, job: ProviderJob) -> Report:
        """Its end, where it has come; what is not known here may be under way at another worker."""
        end = await self._raw.find(job.job_id or "", _END)
        return Report("processing", job.job_id) if end is None else parse_plain(json.loads(end))

    async def cancel(self, job: ProviderJob) -> None:
        task = self._running.get(job.job_id or "")
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """Only our own tasks know the webhook's URL: its token is proof enough."""

    def parse(self, body: object) -> Report:
        return parse_plain(body)

    async def fetch(self, url: str) -> bytes:
        if url.startswith("raw:"):
            return await self._raw.read(url)
        return await self._fetcher.fetch(url, origin=_base(self._api))

    async def _run(self, job: Job) -> None:
        async with Reports.open(self._webhooks, job.webhook_url) as reports, self._turns:
            reports.progress(plain_body(Report("processing", job.key, stage=Stage.PAINTING)))
            end = plain_body(await self._ended(job))
            # Kept before it is told: whatever becomes of the report, any worker can be asked.
            with contextlib.suppress(StoreUnavailable):
                await self._raw.keep(job.key, _END, json.dumps(end).encode())
            await reports.final(end)

    async def _ended(self, job: Job) -> Report:
        try:
            return await self._made(job, await self._called(_body(job)))
        except HexwaveError as error:
            return Report("failed", job.key, error=error.message, error_code=_code(error))
        except Exception:
            log.exception("the images of %s could not be made", job.key)
            return Report("failed", job.key, error="Our call failed.", error_code="provider_failed")

    async def _called(self, body: dict[str, Any]) -> Answer:
        for pause in _PAUSES:
            try:
                return await self._call(body)
            except ProviderUnavailable as error:
                asked = (error.retry_after if isinstance(error, ProviderBusy) else None) or 0.0
                if asked > _LONGEST_PAUSE:
                    raise
                await asyncio.sleep(max(pause, asked))
        return await self._call(body)

    async def _call(self, body: dict[str, Any]) -> Answer:
        answer = await post(self._api, "images/generations", body, limit=_ANSWER_LIMIT)
        if not answer.success:
            raise _refusal(answer)
        return answer

    async def _made(self, job: Job, answer: Answer) -> Report:
        assert isinstance(job.request, ImageRequest)
        contents = await asyncio.to_thread(_contents, answer.body)
        urls = [
            await self._raw.keep(job.key, str(index), content) if isinstance(content, bytes) else content
            for index, content in enumerate(contents)
        ]
        count, missing = job.request.count, job.request.count - len(urls)
        were = "was" if missing == 1 else "were"
        notice = f"{missing} of {count} pictures {were} not made." if missing > 0 else None
        return Report("succeeded", job.key, results=tuple(urls), notice=notice)


def _base(api: httpx.AsyncClient) -> str:
    return str(api.base_url).rstrip("/")


def _family(model: str) -> _Family:
    return next(family for family in _FAMILIES if model.startswith(family.prefix))


def _model(name: str) -> Model:
    family = _family(name)
    ratios = ANY if family.sizes is SIZES else Limit(choices=tuple(family.sizes))
    inputs = {"prompt": ANY, "aspect_ratio": ratios}
    if family.most > 1:
        inputs["count"] = Limit(most=family.most)
    return Model(name, name, IMAGE_GENERATOR.name, inputs)


def _body(job: Job) -> dict[str, Any]:
    request, family = job.request, _family(job.model.name)
    assert isinstance(request, ImageRequest)
    width, height = family.sizes[request.aspect_ratio]
    body = {
        "model": job.model.name,
        "prompt": request.prompt,
        "n": request.count,
        "size": f"{width}x{height}",
        "response_format": family.format,
    }
    return {name: value for name, value in body.items() if value is not None}


def _contents(body: bytes) -> list[bytes | str]:
    """The pictures of an answer, or the URLs where they are. Blocks for the decoding: call it in a thread."""
    try:
        images = _Made.model_validate_json(body).data
        contents = [
            base64.b64decode(image.b64_json, validate=True) if image.b64_json else image.url
            for image in images
        ]
    except (ValidationError, ValueError) as error:
        raise ResultLost("The provider's answer cannot be read.") from error
    made = [content for content in contents if content]
    if not made:
        raise ResultLost("The provider's answer has no pictures.")
    return made


def _refusal(answer: Answer) -> ProviderError:
    try:
        error = _Refused.model_validate_json(answer.body).error
    except ValidationError:
        return refusal(answer)
    if error.code in _CONTENT_CODES:
        return ContentRefused("The provider's safety filter declined this request.")
    if answer.status == 429 and _SPENT in (error.type, error.code):
        return spent()
    return refusal(answer)


def _code(error: HexwaveError) -> ErrorCode:
    match error:
        case ContentRefused():
            return "content_refused"
        case ProviderRefused():
            return "provider_refused"
        case ResultLost() | StoreUnavailable():
            return "result_lost"
        case _:
            return "provider_failed"
