"""ComfyUI, which runs a workflow of its operator's: `POST /prompt`, a websocket, `/history` and `/view`.

See https://docs.comfy.org/development/comfyui-server/comms_routes. A prompt's id is ours, made of the job's
key, so that any worker can look it up. ComfyUI keeps its queue and history in memory: a prompt that it does
not know was lost with them.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, uuid5

import httpx
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from hexwave_app.background import BackgroundTasks
from hexwave_app.media.fetch import Fetcher
from hexwave_app.media.library import Library
from hexwave_app.processes.errors import (
    ProviderNotReady,
    ProviderUnavailable,
    ResultLost,
    StoreUnavailable,
    SubmissionUnknown,
)
from hexwave_app.processes.model import ProviderJob, Stage
from hexwave_app.providers.comfyui.watch import Look, Preview, Progress, watch
from hexwave_app.providers.comfyui.workflow import SDXL, Workflow
from hexwave_app.providers.exchange import open_client, post, refusal
from hexwave_app.providers.own_webhook import Reports
from hexwave_app.providers.plain_contract import parse_plain, plain_body
from hexwave_app.providers.raw_files import RawFiles
from hexwave_app.tools.image_generator import IMAGE_GENERATOR, ImageRequest
from hexwave_app.tools.model import Model
from hexwave_app.tools.provider import Job, Report

log = logging.getLogger(__name__)

SDXL_CHECKPOINT = "sd_xl_base_1.0.safetensors"
PREVIEW_INTERVAL = 0.5
"""Seconds between two previews that are shown."""

_ANSWER_PATIENCE = 9.0
_REPORT_PATIENCE = 10.0
_WORDS = 1000
_RESULTS = 16
"""The most pictures of one prompt that are kept."""


class _Image(BaseModel):
    filename: Annotated[str, Field(max_length=255)]
    subfolder: Annotated[str, Field(max_length=500)] = ""
    type: str = "output"


class _Output(BaseModel):
    images: list[_Image] = []


class _Status(BaseModel):
    status_str: str = ""
    messages: list[Any] = []


class _Ended(BaseModel):
    """A prompt in the history."""

    outputs: dict[str, _Output] = {}
    status: _Status | None = None


class _Queue(BaseModel):
    """Each prompt in it is `[number, id, workflow, ...]`."""

    queue_running: list[list[Any]] = []
    queue_pending: list[list[Any]] = []

    def runs(self, prompt_id: str) -> bool:
        return any(prompt_id in prompt[1:2] for prompt in self.queue_running)

    def ahead(self, prompt_id: str) -> int | None:
        """How many prompts come before this one; `None` where it does not wait. The list is in no order."""
        numbers = {str(prompt[1]): prompt[0] for prompt in self.queue_pending if len(prompt) > 1}
        if prompt_id not in numbers:
            return None
        return len(self.queue_running) + sum(number < numbers[prompt_id] for number in numbers.values())


_History = TypeAdapter(dict[str, _Ended])


class ComfyUI:
    name = "comfyui"
    title = "ComfyUI"
    caption = "Your own workflow, on your own hardware"

    def __init__(
        self,
        client: httpx.AsyncClient,
        webhooks: httpx.AsyncClient,
        fetcher: Fetcher,
        raw: RawFiles,
        tasks: BackgroundTasks,
        base_url: str,
        workflow: Workflow,
    ) -> None:
        self.models = (Model(workflow.name, workflow.name, IMAGE_GENERATOR.name, workflow.inputs),)
        self._client = client
        self._webhooks = webhooks
        self._fetcher = fetcher
        self._raw = raw
        self._tasks = tasks
        self._base_url = base_url
        self._workflow = workflow
        self._followed: dict[str, asyncio.Task[None]] = {}

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        library: Library,
        fetcher: Fetcher,
        base_url: str,
        workflow: Path = SDXL,
        checkpoint: str = SDXL_CHECKPOINT,
    ) -> AsyncGenerator["ComfyUI", None]:
        """The ComfyUI at `base_url`; `checkpoint` is what fills the slot of that name.

        Raises `SettingsError` when the file `workflow` is no template that can be filled.
        """
        base_url, template = base_url.rstrip("/"), Workflow.read(workflow, checkpoint)
        async with (
            open_client(base_url, read=_ANSWER_PATIENCE) as client,
            open_client(read=_REPORT_PATIENCE) as webhooks,
            BackgroundTasks.open() as tasks,
        ):
            yield cls(client, webhooks, fetcher, RawFiles(library), tasks, base_url, template)

    async def check(self) -> None:
        await self._queue()

    async def submit(self, job: Job) -> str:
        assert isinstance(job.request, ImageRequest)
        prompt_id = _prompt_id(job.key)
        body = {
            "prompt": self._workflow.filled(job.request),
            "prompt_id": prompt_id,
            "client_id": prompt_id,
            "extra_data": {"preview_method": "auto"},
        }
        answer = await post(self._client, "prompt", body)
        if answer.status == 400:
            raise ProviderNotReady(
                "ComfyUI cannot run its workflow. Whoever runs this server has to check it."
            )
        if not answer.success:
            raise refusal(answer)
        if prompt_id.encode() not in answer.body:
            # Older versions choose the id themselves, and then no other worker could look the prompt up.
            raise ProviderNotReady("This ComfyUI is too old. Whoever runs this server has to update it.")
        task = self._tasks.spawn(self._follow(job, prompt_id), f"follow {prompt_id}")
        self._followed[prompt_id] = task
        task.add_done_callback(lambda _: self._followed.pop(prompt_id, None))
        return prompt_id

    async def find(self, key: str) -> str | None:
        prompt_id = _prompt_id(key)
        try:
            return None if await self._look(prompt_id) is None else prompt_id
        except ProviderUnavailable as error:
            raise SubmissionUnknown("ComfyUI does not say whether it has this job.") from error

    async def status(self, job: ProviderJob) -> Report:
        prompt_id = job.job_id or ""
        lost = "ComfyUI has no such prompt; it was restarted, or the prompt was taken from its queue."
        return await self._look(prompt_id) or Report(
            "failed", prompt_id, error=lost, error_code="provider_failed"
        )

    async def cancel(self, job: ProviderJob) -> None:
        prompt_id = job.job_id or ""
        task = self._followed.get(prompt_id)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        await post(self._client, "queue", {"delete": [prompt_id]})
        # Older versions interrupt whatever runs, so only this very prompt's turn is ended.
        if (await self._queue()).runs(prompt_id):
            await post(self._client, "interrupt", {"prompt_id": prompt_id})

    async def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """Only our own tasks know the webhook's URL: its token is proof enough."""

    def parse(self, body: object) -> Report:
        return parse_plain(body)

    async def fetch(self, url: str) -> bytes:
        if url.startswith("raw:"):
            return await self._raw.read(url)
        if not url.startswith(f"{self._base_url}/view?"):
            raise ResultLost("This is not a picture of ComfyUI's.")
        return await self._fetcher.fetch(url, origin=self._base_url)

    async def _follow(self, job: Job, prompt_id: str) -> None:
        """Report what is seen of the prompt, until it has ended or cannot be watched any more."""
        clock, said = asyncio.get_running_loop(), Report("processing", prompt_id, stage=Stage.PAINTING)
        shown, due = 0, clock.time()
        async with (
            Reports.open(self._webhooks, job.webhook_url) as reports,
            aclosing(watch(self._base_url, prompt_id)) as watched,
        ):
            async for news in watched:
                match news:
                    case Look():
                        if await self._told_end(prompt_id, reports):
                            return
                        continue
                    case Progress(percent):
                        said = replace(said, progress=percent)
                    case Preview(content) if clock.time() >= due:
                        due = clock.time() + PREVIEW_INTERVAL
                        with contextlib.suppress(StoreUnavailable):
                            url = await self._raw.keep(job.key, f"preview-{shown}", content)
                            said, shown = replace(said, previews=(url,)), shown + 1
                    case _:
                        continue
                reports.progress(plain_body(said))

    async def _told_end(self, prompt_id: str, reports: Reports) -> bool:
        try:
            report = await self._look(prompt_id)
        except ProviderUnavailable:
            return False
        if report is None or report.outcome == "processing":
            return False
        await reports.final(plain_body(report))
        return True

    async def _look(self, prompt_id: str) -> Report | None:
        """How the prompt is; `None` when ComfyUI does not know it."""
        # In this order: a prompt that leaves the queue is in the history at that moment.
        queue = await self._queue()
        ahead = queue.ahead(prompt_id)
        if ahead is not None:
            return Report("processing", prompt_id, stage=Stage.QUEUED, ahead=ahead)
        if queue.runs(prompt_id):
            return Report("processing", prompt_id, stage=Stage.PAINTING)
        try:
            history = _History.validate_python(await self._got(f"history/{prompt_id}"))
        except ValidationError as error:
            raise _unreadable() from error
        ended = history.get(prompt_id)
        return None if ended is None else self._report(prompt_id, ended)

    def _report(self, prompt_id: str, ended: _Ended) -> Report:
        if ended.status is not None and ended.status.status_str == "error":
            words = json.dumps(ended.status.messages[-1:])[:_WORDS]
            return Report("failed", prompt_id, error=words, error_code="provider_failed")
        images = [image for output in ended.outputs.values() for image in output.images]
        # What a workflow saves; one that only shows its pictures has but temporary ones.
        saved = [image for image in images if image.type == "output"] or images
        if not saved:
            words = "The workflow made no picture."
            return Report("failed", prompt_id, error=words, error_code="provider_failed")
        urls = [f"{self._base_url}/view?{urlencode(image.model_dump())}" for image in saved[:_RESULTS]]
        return Report("succeeded", prompt_id, results=tuple(urls))

    async def _queue(self) -> _Queue:
        try:
            return _Queue.model_validate(await self._got("queue"))
        except ValidationError as error:
            raise _unreadable() from error

    async def _got(self, path: str) -> Any:
        try:
            response = await self._client.get(path)
            response.raise_for_status()
            return response.json()
        except (httpx.HTTPError, ValueError, RecursionError) as error:
            raise ProviderUnavailable("ComfyUI does not answer. Try again in a moment.") from error


def _prompt_id(key: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"hexwave:{key}"))


def _unreadable() -> ProviderUnavailable:
    return ProviderUnavailable("ComfyUI's answer cannot be read.")
