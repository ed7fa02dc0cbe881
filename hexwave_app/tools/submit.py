"""A job on its way to its provider: in turn, again where nobody took it, and never twice."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from hexwave_app.processes.errors import (
    HexwaveError,
    InvalidRequest,
    ProcessNotFound,
    ProviderBusy,
    ProviderUnavailable,
    SubmissionUnknown,
)
from hexwave_app.processes.lifecycle import Processes
from hexwave_app.processes.model import Process, ProcessStatus, ProviderJob
from hexwave_app.processes.transition import Failed, PassedOn, Submitted
from hexwave_app.processes.work import Work, doing
from hexwave_app.tools.provider import Job, Provider, chosen
from hexwave_app.tools.tool import Tool

log = logging.getLogger(__name__)

SUBMIT_PATIENCE = 10.0
"""Seconds a provider has to accept a job, and as many to say whether it did."""

RECOVER_PATIENCE = 2 * SUBMIT_PATIENCE
"""The age in seconds from which nobody is submitting a process any more, unless it is under a lease."""

RECOVER_LEASE = 4 * SUBMIT_PATIENCE
"""Seconds: longer than it takes to find, submit and find again."""

CANCEL_PATIENCE = 10.0

LONGEST_WAIT = 60.0
"""Seconds that a busy provider may ask us to wait; one that asks for more is unavailable."""

AT_ONCE = 32
"""Jobs on their way to one provider together. More, and each would be too slow for its own patience."""

_PAUSES = (1.0, 4.0, 15.0)
"""Seconds after which a provider that surely took nothing is asked again."""


class Submissions:
    """Hands jobs to their providers; `fallback` is asked where another is unavailable."""

    def __init__(
        self,
        processes: Processes,
        tools: Mapping[str, Tool],
        providers: Mapping[str, Provider],
        fallback: str | None = None,
    ) -> None:
        self._processes = processes
        self._tools = tools
        self._providers = providers
        self._fallback = fallback
        self._turns = defaultdict[str, asyncio.Semaphore](lambda: asyncio.Semaphore(AT_ONCE))
        self._submitting: set[str] = set()

    def __len__(self) -> int:
        """How many jobs this worker is submitting, or has waiting for a provider to take them."""
        return len(self._submitting)

    def __contains__(self, process_id: str) -> bool:
        return process_id in self._submitting

    async def submit(self, process: Process, provider: Provider, job: Job) -> None:
        """Until the provider has the job, or the process has ended."""
        self._submitting.add(job.key)
        try:
            with doing(Work(job.key, "submit", provider.name)):
                job_id = await self._accepted(provider, job)
        except ProviderUnavailable as error:
            await self._pass_on(process, job, error)
        except HexwaveError as error:
            await self._processes.update(job.key, Failed(error.message, error.code))
        else:
            if job_id is not None:
                await self.accept(process, provider, job_id)
        finally:
            self._submitting.discard(job.key)

    async def accept(self, process: Process, provider: Provider, job_id: str) -> None:
        """Save the job's id; stop the job where nobody wants it any more."""
        if await self._unwanted(process, job_id):
            await self.stop(provider, process.provider.model_copy(update={"job_id": job_id}))

    async def stop(self, provider: Provider, job: ProviderJob) -> None:
        async with asyncio.timeout(CANCEL_PATIENCE):
            await provider.cancel(job)

    async def find(self, provider: Provider, key: str) -> str | None:
        """What `Provider.find` says, within its patience."""
        try:
            async with asyncio.timeout(SUBMIT_PATIENCE):
                return await provider.find(key)
        except TimeoutError as error:
            raise SubmissionUnknown("The provider does not say whether it has this job.") from error

    async def _unwanted(self, process: Process, job_id: str) -> bool:
        try:
            after = await self._processes.update(process.process_id, Submitted(job_id), process)
        except ProcessNotFound:
            # Cancelled and deleted while it was being submitted.
            return True
        return after.status is ProcessStatus.FAILED

    async def _pass_on(self, process: Process, job: Job, reason: ProviderUnavailable) -> None:
        """Ask the fallback for the same, where there is one and it can; it is saved before it is asked."""
        provider = self._providers.get(self._fallback or "")
        try:
            if provider is None or provider.name == process.provider.name:
                raise reason
            model = chosen(provider, self._tools[process.tool_name], None)
            model.check(job.request)
        except (ProviderUnavailable, InvalidRequest):
            await self._processes.update(job.key, Failed(reason.message, reason.code))
            return
        process = await self._processes.update(job.key, PassedOn(provider.name, model.name))
        if not process.terminal:
            await self.submit(process, provider, replace(job, model=model))

    async def _accepted(self, provider: Provider, job: Job) -> str | None:
        """The job's id, asked for again while surely nothing was taken; `None` once nobody wants it."""
        for pause in _PAUSES:
            try:
                return await self._in_turn(provider, job)
            except ProviderUnavailable as error:
                wait = max(pause, error.retry_after or 0) if isinstance(error, ProviderBusy) else pause
                if wait > LONGEST_WAIT:
                    raise
                log.info("process %s: asked again in %.0f s: %s", job.key, wait, error)
            if not await self._waited(job.key, wait):
                return None
        return await self._in_turn(provider, job)

    async def _in_turn(self, provider: Provider, job: Job) -> str | None:
        turn = self._turns[provider.name]
        waited = turn.locked()
        while True:
            try:
                async with asyncio.timeout(SUBMIT_PATIENCE):
                    await turn.acquire()
                break
            except TimeoutError:
                if not await self._claimed(job.key, RECOVER_LEASE):
                    return None
        try:
            # Older than it looks to whoever asks for its age, and under no lease unless the wait was long.
            if waited and not await self._waited(job.key, 0):
                return None
            return await self._asked(provider, job)
        finally:
            turn.release()

    async def _waited(self, process_id: str, seconds: float) -> bool:
        """False where it is not to be submitted here after all."""
        if not await self._claimed(process_id, seconds + RECOVER_LEASE):
            return False
        await asyncio.sleep(seconds)
        return await self._wanted(process_id)

    async def _claimed(self, process_id: str, seconds: float) -> bool:
        # Without the lease, another worker would take the submission for one that a crash cut short.
        return await self._processes.claim(process_id, seconds)

    async def _wanted(self, process_id: str) -> bool:
        try:
            return not (await self._processes.load(process_id)).terminal
        except ProcessNotFound:
            return False

    async def _asked(self, provider: Provider, job: Job) -> str:
        try:
            async with asyncio.timeout(SUBMIT_PATIENCE):
                return await provider.submit(job)
        except TimeoutError as error:
            # It may have the job all the same.
            job_id = await self.find(provider, job.key)
            if job_id is None:
                raise SubmissionUnknown("The provider did not confirm this job.") from error
            return job_id
        except HexwaveError:
            raise
        except Exception as error:
            # Whatever broke, the process must end: nobody else would ever say a word about it.
            log.exception("%s failed to take a job", provider.name)
            raise SubmissionUnknown("The provider could not be asked. Try again in a moment.") from error
