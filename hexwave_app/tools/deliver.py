"""What a provider says becomes what a process is."""

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from zlib import crc32

from hexwave_app.background import BackgroundTasks
from hexwave_app.media.library import Library
from hexwave_app.media.origin import Origin
from hexwave_app.media.pictures import preview
from hexwave_app.media.results import Video, copied
from hexwave_app.media.workers import Workers
from hexwave_app.processes.errors import (
    HexwaveError,
    InvalidRequest,
    ProcessNotFound,
    ResultLost,
    ResultUnavailable,
    StoreUnavailable,
    WebhookRefused,
)
from hexwave_app.processes.lifecycle import Processes
from hexwave_app.processes.model import KeptPicture, Process, ProcessStatus, Source, Stage
from hexwave_app.processes.transition import (
    ANSWERED_PROGRESS,
    Answered,
    Completed,
    Failed,
    Progressed,
    Update,
)
from hexwave_app.processes.work import Work, doing
from hexwave_app.tools.provider import ErrorCode, Provider, Report

log = logging.getLogger(__name__)

FETCH_PATIENCE = 60.0
"""Seconds that one result may take to arrive."""

_KEPT_PROGRESS = 99

RAW = "raw-"

_IN_THE_MAKING = ("preview-", RAW)
"""How the names of files begin that are of no use once the results are kept."""

_REFUSALS: Mapping[ErrorCode, str] = {
    "provider_refused": "The provider did not accept this request.",
    "content_refused": "The provider's safety filter declined this. Other words may pass.",
    "provider_failed": "The provider could not finish this. Try again in a moment.",
    "result_lost": "The pictures were made, but could not be fetched.",
}
"""What people read; a provider's own words are for the log."""


class InvalidJson(InvalidRequest):
    code = "invalid_json"
    status = 400


@dataclass(frozen=True)
class _Kept:
    url: str
    picture: KeptPicture


class Deliveries:
    """Takes reports, keeps what they bring, updates their processes.

    Everything here may be done twice: the same pictures have the same names, and a transition passes
    over old news.
    """

    def __init__(
        self,
        processes: Processes,
        providers: Mapping[str, Provider],
        library: Library,
        workers: Workers,
        tasks: BackgroundTasks,
    ) -> None:
        self._processes = processes
        self._providers = providers
        self._library = library
        self._workers = workers
        self._tasks = tasks
        self._saving: set[str] = set()

    @property
    def saving(self) -> int:
        """How many processes' results are being kept by this worker."""
        return len(self._saving)

    async def receive(self, process: Process, body: bytes) -> None:
        """`accept` the report in the body of a verified webhook. `InvalidRequest` when there is none."""
        provider = process.provider.name
        with doing(Work(process.process_id, "webhook", after=("submit", provider))):
            await self.accept(process, self._providers[provider].parse(_decoded(body)))

    async def accept(self, process: Process, report: Report, source: Source = Source.WEBHOOK) -> None:
        """Return as soon as the report cannot be lost any more; what it brings is kept behind.

        Raises `WebhookRefused` when it is of another job than the process's own.
        """
        expected = process.provider.job_id
        if expected is not None and report.job_id is not None and report.job_id != expected:
            raise WebhookRefused("This webhook is of another job than the process's.")
        match report.outcome:
            case "processing":
                work = self._progress(process, report, source)
                self._tasks.spawn(work, f"progress of {process.process_id}")
            case "failed":
                log.warning("process %s: the provider said: %s", process.process_id, report.error)
                refused = Failed(_REFUSALS[report.error_code], report.error_code)
                await self._update(process.process_id, refused, process, source)
            case "succeeded":
                answer = Answered({"results": report.results, "notice": report.notice})
                after = await self._processes.update(process.process_id, answer, process, source)
                if after.terminal:
                    # Called off at another worker: what its engine left for us is of no use any more.
                    await self._library.delete(process.process_id, RAW)
                self.keep(after)

    def keep(self, process: Process) -> None:
        """Keep what the process was answered, behind the caller's back, unless this worker is at it."""
        if process.answer is not None and process.process_id not in self._saving:
            self._saving.add(process.process_id)
            task = self._tasks.spawn(self._deliver(process), f"keep {process.process_id}")
            task.add_done_callback(lambda _: self._saving.discard(process.process_id))

    async def _progress(self, process: Process, report: Report, source: Source) -> None:
        with doing(Work(process.process_id, "progress")):
            previews = await self._previews(process, report)
            update = Progressed(report.progress, report.stage, previews, report.notice, report.ahead)
            await self._update(process.process_id, update, process, source)

    async def _previews(self, process: Process, report: Report) -> tuple[str | None, ...] | None:
        if report.previews is None:
            return None
        return tuple(
            await asyncio.gather(*(self._preview(process, i, url) for i, url in enumerate(report.previews)))
        )

    async def _preview(self, process: Process, index: int, url: str | None) -> str | None:
        if url is None:
            return None
        # Named by its URL: a preview that is repeated in each report is fetched once.
        name = f"preview-{index}-{crc32(url.encode()):08x}.webp"
        known = process.data.preview or ()
        if index < len(known) and (known[index] or "").endswith(name):
            return known[index]
        try:
            content = await self._workers.run(partial(preview, await self._fetched(process, url)))
            return await self._library.put(process.process_id, name, content)
        except HexwaveError as error:
            # A preview is a courtesy: without one, the work goes on.
            log.info("process %s: preview %d was lost: %s", process.process_id, index, error)
            return None

    async def _deliver(self, process: Process) -> None:
        with doing(Work(process.process_id, "deliver")):
            await self._keep_answer(process)

    async def _keep_answer(self, process: Process) -> None:
        answer = process.answer or {}
        try:
            results = await self._keep_all(process, answer["results"])
        except (ResultUnavailable, StoreUnavailable) as error:
            # The reconciler comes back to what was answered and is not kept, until its deadline.
            log.warning("process %s: its results are asked for again: %s", process.process_id, error)
            return
        kept = [each for each in results if each is not None]
        lost = len(results) - len(kept)
        if not kept:
            update = Failed(_REFUSALS["result_lost"], "result_lost")
        else:
            notice = f"{lost} of {len(results)} could not be fetched from the provider." if lost else None
            urls = tuple(each.url for each in kept)
            update = Completed(urls, notice or answer["notice"], tuple(each.picture for each in kept))
        await self._update(process.process_id, update, process)

    async def _keep_all(self, process: Process, results: list[str]) -> list[_Kept | None]:
        """What is ours, in the order of `results`; `None` for what is lost. Raises `ResultUnavailable`."""
        kept: list[_Kept | None] = [None] * len(results)
        done = 0

        async def keep(index: int, url: str) -> None:
            nonlocal done
            try:
                kept[index] = await self._keep(process, index, url)
            except ResultLost as error:
                log.warning("process %s: result %d is lost: %s", process.process_id, index, error)
            done += 1
            if done == len(results):
                # What it all came to is told at once.
                return
            share = (_KEPT_PROGRESS - ANSWERED_PROGRESS) * done // len(results)
            urls = tuple(each and each.url for each in kept)
            update = Progressed(ANSWERED_PROGRESS + share, Stage.SAVING, urls)
            await self._update(process.process_id, update)

        keeping = (keep(index, url) for index, url in enumerate(results))
        for outcome in await asyncio.gather(*keeping, return_exceptions=True):
            if outcome is not None:
                raise outcome
        return kept

    async def _keep(self, process: Process, index: int, url: str) -> _Kept:
        content, process_id = await self._fetched(process, url), process.process_id
        copy = await self._workers.run(partial(copied, process.category, content, self._origin(process)))
        poster = seconds = None
        if isinstance(copy, Video):
            poster = await self._library.put(process_id, f"{index}-poster.webp", copy.poster)
            seconds = copy.seconds
        await self._library.put(process_id, f"{index}-512.webp", copy.thumbnail)
        ours = await self._library.put(process_id, f"{index}.{copy.suffix}", copy.content)
        look = {"colour": copy.colour, "blur": copy.blur}
        place = KeptPicture(width=copy.width, height=copy.height, **look, poster=poster, seconds=seconds)
        return _Kept(ours, place)

    def _origin(self, process: Process) -> Origin:
        job, req = process.provider, process.data.req
        models = self._providers[job.name].models
        return Origin(
            prompt=req.get("prompt", ""),
            negative_prompt=req.get("negativePrompt"),
            seed=req.get("seed"),
            model=job.model,
            provider=job.name,
            process_id=process.process_id,
            created_at=process.created_at,
            # Only what surely is none is said to be none.
            ai=all(model.ai for model in models if job.model in (None, model.name)),
        )

    async def _fetched(self, process: Process, url: str) -> bytes:
        try:
            async with asyncio.timeout(FETCH_PATIENCE):
                return await self._providers[process.provider.name].fetch(url)
        except TimeoutError as error:
            raise ResultUnavailable(f"There was no result in {FETCH_PATIENCE:.0f} s.") from error

    async def _update(
        self,
        process_id: str,
        update: Update,
        known: Process | None = None,
        source: Source = Source.SERVER,
    ) -> None:
        """Update, then delete what a process that has ended has no use for.

        A file may come after the end: a late preview, or a picture of a process that was called off, and
        perhaps deleted too, while it was being saved.
        """
        try:
            after = await self._processes.update(process_id, update, known, source)
        except ProcessNotFound:
            await self._library.delete(process_id)
            return
        if after.terminal:
            of_no_use = _IN_THE_MAKING if after.status is ProcessStatus.COMPLETED else ()
            await self._library.delete(process_id, *of_no_use)


def _decoded(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidJson("The body is not valid JSON.") from error
