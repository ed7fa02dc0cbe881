"""What nobody else will ever finish: lost webhooks, deadlines, cut-off submissions, unpublished changes."""

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from hexwave_app.background import running
from hexwave_app.processes.errors import ChannelUnavailable, HexwaveError, StatusTooLarge
from hexwave_app.processes.lifecycle import Processes
from hexwave_app.processes.model import EventType, Process, Source, utc_now
from hexwave_app.processes.transition import Failed
from hexwave_app.processes.work import Work, doing, working_on
from hexwave_app.tools.deliver import Deliveries
from hexwave_app.tools.provider import Provider
from hexwave_app.tools.start import Runs
from hexwave_app.tools.submit import RECOVER_LEASE, RECOVER_PATIENCE
from hexwave_app.tools.tool import Tool

log = logging.getLogger(__name__)

INTERVAL = 2.0
"""Seconds between two sweeps of a worker."""

PUBLISH_PATIENCE = 10.0
"""Seconds after which a change that is not marked as published is published again."""

UNKNOWN_LEASE = 600.0
"""Seconds for which a process of an unknown tool is put aside: a newer server may know it and come to it."""

_ASK_PATIENCE = 10.0
_BATCH = 100


@dataclass(frozen=True)
class Sweep:
    """What a look found, how many `seconds` it took, and when it ended on the monotonic clock."""

    silent: int
    overdue: int
    untold: int
    seconds: float
    ended: float


class Reconciler:
    """Every worker may sweep: a lease on each process keeps two from taking it up at once."""

    def __init__(
        self,
        processes: Processes,
        tools: Mapping[str, Tool],
        providers: Mapping[str, Provider],
        runs: Runs,
        deliveries: Deliveries,
    ) -> None:
        self._processes = processes
        self._tools = tools
        self._providers = providers
        self._runs = runs
        self._deliveries = deliveries
        self._unknown: set[str] = set()
        self.last: Sweep | None = None
        """This worker's last sweep that came to its end."""

    def running(self) -> AbstractAsyncContextManager[None]:
        """Sweep until the block is left; the first sweep takes up whatever a stop left unfinished."""
        return running(self._run(), "reconciler")

    async def sweep(self, patience: float | None = None) -> None:
        """One look at everything unfinished; `patience` takes the place of the tools' own, in seconds."""
        now, tools, began = utc_now(), self._tools.values(), time.monotonic()
        silence = min(tool.patience for tool in tools) if patience is None else patience
        deadline = min(tool.deadline for tool in tools)
        # Looked up before anything is published: the leases that publishing takes would hide it.
        silent = await self._processes.unfinished(now - _seconds(silence), _BATCH)
        overdue = await self._processes.overdue(now - _seconds(deadline), _BATCH)
        untold = await self._publish(now - _seconds(PUBLISH_PATIENCE))
        found = {process.process_id: process for process in (*overdue, *silent)}
        await asyncio.gather(*(self._attended(process, now, patience) for process in found.values()))
        ended = time.monotonic()
        self.last = Sweep(len(silent), len(overdue), untold, ended - began, ended)

    async def _run(self) -> None:
        patience: float | None = 0.0
        while True:
            try:
                await self.sweep(patience)
                patience = None
            except HexwaveError as error:
                log.warning("the reconciler will look again: %s", error)
            except Exception:
                log.exception("the reconciler will look again")
            await asyncio.sleep(INTERVAL)

    async def _publish(self, before: datetime) -> int:
        """How many were found."""
        untold = await self._processes.unpublished(before, _BATCH)
        for process in untold:
            if await self._processes.claim(process.process_id, PUBLISH_PATIENCE):
                with working_on(process.process_id):
                    told = await self._told(process)
                # The rest would wait in vain as well, and what is silent waits for them.
                if not told:
                    break
        return len(untold)

    async def _told(self, process: Process) -> bool:
        """False where nobody can be told anything at the moment."""
        try:
            await self._processes.republish(process)
        except StatusTooLarge as error:
            log.warning("process %s: cannot be published: %s", process.process_id, error)
        except ChannelUnavailable as error:
            log.info("process %s: still not published: %s", process.process_id, error)
            return False
        return True

    async def _attended(self, process: Process, now: datetime, patience: float | None) -> None:
        with working_on(process.process_id):
            await self._attend(process, now, patience)

    async def _attend(self, process: Process, now: datetime, patience: float | None) -> None:
        process_id, tool = process.process_id, self._tools.get(process.tool_name)
        try:
            if tool is None:
                self._tell_of(process.tool_name)
                await self._processes.claim(process_id, UNKNOWN_LEASE)
            elif (early := _due(process, tool, patience) - now) > timedelta():
                # Out of the way till then, or enough of them would hide what is due.
                await self._processes.claim(process_id, early.total_seconds())
            elif await self._processes.claim(process_id, _lease(process, tool)):
                with doing(Work(process_id, "reconcile")):
                    # Read again: another worker may have dealt with it just before.
                    await self._take_up(await self._processes.load(process_id), tool, now)
        except (HexwaveError, TimeoutError) as error:
            log.warning("process %s: could not be reconciled: %r", process_id, error)
        except Exception:
            # Whatever a provider does, the others are attended to.
            log.exception("process %s: could not be reconciled", process_id)

    def _tell_of(self, tool_name: str) -> None:
        if tool_name not in self._unknown:
            self._unknown.add(tool_name)
            log.warning("there is no tool %r here: its running processes are left as they are", tool_name)

    async def _take_up(self, process: Process, tool: Tool, now: datetime) -> None:
        provider = self._providers.get(process.provider.name)
        if process.terminal:
            return
        if now >= _deadline(process, tool):
            await self._end(process, tool, provider)
        elif provider is None:
            await self._note(process, f"Provider {process.provider.name} is not set up")
        elif process.answer is not None:
            self._deliveries.keep(process)
        elif process.provider.job_id is not None:
            await self._ask(process, provider)
        else:
            try:
                await self._runs.recover(await self._note(process, "Submission looked up"))
            finally:
                # The rest of the long lease would hide a provider that is silent, or away.
                await self._processes.claim(process.process_id, tool.patience)

    async def _end(self, process: Process, tool: Tool, provider: Provider | None) -> None:
        """Fail what is past its deadline, unless the provider, asked a last time, says how it ended."""
        submitted = process.provider.job_id is not None
        if provider is not None and submitted and process.answer is None:
            try:
                await self._ask(process, provider)
            except Exception as error:
                log.warning("process %s: its provider has no last word: %r", process.process_id, error)
            process = await self._processes.load(process.process_id)
            if process.terminal or process.answer is not None:
                return
        code = "timeout" if process.answer is None else "result_lost"
        failed = Failed(f"There was no result in {tool.deadline:.0f} s.", code)
        await self._runs.fail(process, failed, Source.RECONCILER)

    async def _ask(self, process: Process, provider: Provider) -> None:
        try:
            async with asyncio.timeout(_ASK_PATIENCE):
                report = await provider.status(process.provider)
        except Exception:
            await self._note(process, f"{provider.title}: no answer")
            raise
        process = await self._note(process, f"{provider.title}: {report.outcome}")
        await self._deliveries.accept(process, report, Source.RECONCILER)

    async def _note(self, process: Process, detail: str) -> Process:
        return await self._processes.note(process, EventType.RECONCILED, Source.RECONCILER, detail)


def _due(process: Process, tool: Tool, patience: float | None) -> datetime:
    """When it is to be taken up, if nothing is heard of it."""
    silent = process.updated_at + _seconds(tool.patience if patience is None else patience)
    if process.provider.job_id is None and process.answer is None:
        silent = max(silent, process.created_at + _seconds(RECOVER_PATIENCE))
    return min(silent, _deadline(process, tool))


def _deadline(process: Process, tool: Tool) -> datetime:
    """When it fails; counted anew from the answer, whose results take their time to be kept."""
    answers = [event.at for event in process.events if event.type is EventType.WEBHOOK]
    return max([process.created_at, *answers]) + _seconds(tool.deadline)


def _lease(process: Process, tool: Tool) -> float:
    return RECOVER_LEASE if process.provider.job_id is None else tool.patience


def _seconds(count: float) -> timedelta:
    return timedelta(seconds=count)
