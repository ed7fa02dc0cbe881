"""What a provider says becomes what a process is."""

import asyncio
import logging
from collections.abc import Mapping

from hexwave_app.media.library import Library
from hexwave_app.media.pictures import copied, preview
from hexwave_app.processes.errors import HexwaveError, ResultLost, WebhookRefused
from hexwave_app.processes.lifecycle import Processes
from hexwave_app.processes.model import Process, ProcessStatus, Stage
from hexwave_app.processes.transition import Completed, Failed, Progressed
from hexwave_app.tools.provider import Provider, Report

log = logging.getLogger(__name__)

FETCH_PATIENCE = 60.0
"""Seconds that one result may take to arrive."""

_SAVING_FROM = 94
_SAVING_TO = 99


class Deliveries:
    """Keeps what a report brings, then updates its process."""

    def __init__(self, processes: Processes, providers: Mapping[str, Provider], library: Library) -> None:
        self._processes = processes
        self._providers = providers
        self._library = library
        self._saving: set[str] = set()

    def expect(self, process: Process, report: Report) -> None:
        """Raise `WebhookRefused` when the report is of another job than the process's own."""
        expected = process.provider.job_id
        if expected is not None and report.job_id is not None and report.job_id != expected:
            raise WebhookRefused("This webhook is of another job than the process's.")

    async def deliver(self, process: Process, report: Report) -> None:
        """Update the process by the report, its pictures kept first.

        Safe to repeat: the same pictures have the same names, and the transition ignores old news.
        """
        if process.terminal:
            return
        match report.outcome:
            case "processing":
                await self._progress(process, report)
            case "failed":
                log.warning("process %s: the provider said: %s", process.process_id, report.error)
                await self._fail(process, "provider_refused", "The provider did not accept this request.")
            case "succeeded":
                await self._complete(process, report)

    async def _progress(self, process: Process, report: Report) -> None:
        stage = report.stage or Stage.PAINTING
        update = Progressed(report.progress, stage, await self._previews(process, report), report.notice)
        await self._processes.update(process.process_id, update)

    async def _previews(self, process: Process, report: Report) -> tuple[str | None, ...] | None:
        if report.previews is None:
            return None
        keep = [self._preview(process, i, url, report.progress) for i, url in enumerate(report.previews)]
        return tuple(await asyncio.gather(*keep))

    async def _preview(self, process: Process, index: int, url: str | None, progress: int | None) -> str | None:
        if url is None:
            return None
        try:
            raw = await self._fetched(process, url)
            content = await asyncio.to_thread(preview, raw)
        except HexwaveError as error:
            # A preview is a courtesy: without one, the work goes on.
            log.info("process %s: preview %d was lost: %s", process.process_id, index, error)
            return None
        return await self._library.put(process.process_id, f"preview-{index}-{progress or 0}.webp", content)

    async def _complete(self, process: Process, report: Report) -> None:
        if process.process_id in self._saving:
            return
        self._saving.add(process.process_id)
        try:
            urls = await self._keep_all(process, report.results)
            after = await self._processes.update(process.process_id, Completed(urls, report.notice))
            # Cancelled while saving: what was promised not to be kept is not kept.
            lost = after.status is ProcessStatus.FAILED
        except ResultLost as error:
            log.warning("process %s: %s", process.process_id, error)
            failed = Failed("The pictures were made, but could not be fetched.", error.code)
            await self._processes.update(process.process_id, failed)
            lost = True
        finally:
            self._saving.discard(process.process_id)
        await self._library.delete(process.process_id, "" if lost else "preview-")

    async def _keep_all(self, process: Process, results: tuple[str, ...]) -> tuple[str, ...]:
        if not results:
            raise ResultLost("The provider reported success without a picture.")
        await self._processes.update(process.process_id, Progressed(_SAVING_FROM, Stage.SAVING))
        kept: list[str] = []
        for index, url in enumerate(results):
            kept.append(await self._keep(process, index, url))
            progress = _SAVING_FROM + (_SAVING_TO - _SAVING_FROM) * len(kept) // len(results)
            await self._processes.update(process.process_id, Progressed(progress, Stage.SAVING, tuple(kept)))
        return tuple(kept)

    async def _keep(self, process: Process, index: int, url: str) -> str:
        picture = await asyncio.to_thread(copied, await self._fetched(process, url))
        await self._library.put(process.process_id, f"{index}-512.webp", picture.thumbnail)
        return await self._library.put(process.process_id, f"{index}.webp", picture.content)

    async def _fetched(self, process: Process, url: str) -> bytes:
        try:
            async with asyncio.timeout(FETCH_PATIENCE):
                return await self._providers[process.provider.name].fetch(url)
        except TimeoutError as error:
            raise ResultLost(f"The provider did not send a result in {FETCH_PATIENCE:.0f} s.") from error

    async def _fail(self, process: Process, code: str, reason: str) -> None:
        await self._processes.update(process.process_id, Failed(reason, code))
        await self._library.delete(process.process_id, "preview-")
