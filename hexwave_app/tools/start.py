"""A run begins, is called off, begins again, or is forgotten."""

import asyncio
import logging
import time
from collections.abc import Mapping
from weakref import WeakValueDictionary

from pydantic.alias_generators import to_camel

from hexwave_app.background import BackgroundTasks
from hexwave_app.draining import Draining
from hexwave_app.identity.limits import Allowed, Limits
from hexwave_app.media.library import Library
from hexwave_app.processes.errors import (
    InvalidRequest,
    ProcessConflict,
    ProcessNotFound,
    ProviderUnavailable,
    SubmissionUnknown,
)
from hexwave_app.processes.lifecycle import Processes
from hexwave_app.processes.model import Process, ProviderJob, Source
from hexwave_app.processes.transition import Failed
from hexwave_app.processes.work import Work, doing, working_on
from hexwave_app.tools.model import Model
from hexwave_app.tools.provider import Job, Provider, chosen
from hexwave_app.tools.references import References
from hexwave_app.tools.request import NamedPicture, Original, OwnPicture, Reference, ToolRequest
from hexwave_app.tools.submit import Submissions
from hexwave_app.tools.tool import Tool
from hexwave_app.tools.webhooks import Webhooks

log = logging.getLogger(__name__)


class Runs:
    """Starts, cancels, repeats and forgets the work of tools.

    The first provider is the default one, `fallback` that of `Submissions`. `limits` are kept here, since
    whatever begins a process passes here, and so is `draining`.
    """

    def __init__(
        self,
        processes: Processes,
        tools: Mapping[str, Tool],
        providers: Mapping[str, Provider],
        webhooks: Webhooks,
        library: Library,
        references: References,
        tasks: BackgroundTasks,
        fallback: str | None = None,
        limits: Limits | None = None,
        draining: Draining | None = None,
    ) -> None:
        self._limits = limits or Limits(Allowed())
        self._draining = draining or Draining()
        self._processes = processes
        self._tools = tools
        self._providers = providers
        self._webhooks = webhooks
        self._library = library
        self._references = references
        self._tasks = tasks
        self._submissions = Submissions(processes, tools, providers, fallback)
        self._beginning: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def submitting(self) -> int:
        """How many jobs are being submitted by this worker, or wait for a provider to take them."""
        return len(self._submissions)

    async def start(
        self,
        tool: Tool,
        request: ToolRequest,
        user_id: str,
        *,
        idempotency_key: str | None = None,
        retry_of: str | None = None,
        address: str = "",
    ) -> Process:
        """Save the process, then submit it behind the caller's back; returns the saved process.

        One idempotency key of a user is one process, and one submission; asking for it again is no creation
        that `TooManyRequests` or `ServerDraining` could refuse. `address` is who asks, for limits; empty
        where nobody does.
        """
        began = time.time_ns()
        provider = self._provider(tool, request)
        model = chosen(provider, tool, request.model)
        model.check(request)
        originals = await self._originals(request, user_id)
        request = request.settled(originals)
        fresh = Process.begin(
            user_id=user_id,
            tool_name=tool.name,
            category=tool.category,
            req=model.asked(request),
            provider=ProviderJob(name=provider.name, model=model.name),
            idempotency_key=idempotency_key,
            retry_of=retry_of,
        )
        with doing(Work(fresh.process_id, "start", began=began)):
            for picture in request.pictures().values():
                if isinstance(picture, Reference):
                    # Before there is the process, which is never to be without it.
                    await self._references.use(picture, fresh.process_id)
            process = await self._create(fresh, address)
            if process.process_id == fresh.process_id:
                self._submit(process, provider, self._job(process, model, request, originals))
        return process

    async def cancel(self, process_id: str, user_id: str) -> Process:
        """Call the user's process off. Once it has ended otherwise, `ProcessConflict`."""
        with doing(Work(process_id, "cancel")):
            before = await self._processes.get(process_id, user_id)
            process = await self.fail(before, Failed(_cancelled(before), "cancelled"), Source.USER)
        if process.data.error_code != "cancelled":
            raise ProcessConflict("This process has already ended, so there is nothing to cancel.")
        return process

    async def fail(self, before: Process, failed: Failed, source: Source) -> Process:
        """End a running process, stop its job and delete its files; one that has ended stays as it is."""
        process = await self._processes.update(before.process_id, failed, before, source)
        if not before.terminal and process.data.error_code == failed.error_code:
            self._call_off(process)
            await self._library.delete(process.process_id)
        return process

    async def retry(
        self, process_id: str, user_id: str, *, idempotency_key: str | None = None, address: str = ""
    ) -> Process:
        """A fresh process with the request of one that has ended, naming it as `retryOf`."""
        earlier = await self._processes.get(process_id, user_id)
        if not earlier.terminal:
            raise ProcessConflict("This process is still running. Wait for it, or cancel it first.")
        tool = self._tool(earlier)
        request = tool.request.read(earlier.data.req)
        return await self.start(
            *(tool, request, user_id),
            idempotency_key=idempotency_key,
            retry_of=process_id,
            address=address,
        )

    async def retry_once(self, process_id: str, user_id: str, *, address: str = "") -> Process:
        """The retry of a process; asked for again, the same one, or its own retry once it has ended too."""
        process = await self.retry(
            process_id, user_id, idempotency_key=f"retry-{process_id}", address=address
        )
        if not process.terminal:
            return process
        return await self.retry_once(process.process_id, user_id, address=address)

    async def vary(self, process_id: str, user_id: str, *, address: str = "") -> Process:
        """The same once more, with another seed where there is one."""
        earlier = await self._processes.get(process_id, user_id)
        tool, req = self._tool(earlier), earlier.data.req
        request = tool.request.read({name: value for name, value in req.items() if name != "seed"})
        return await self.start(tool, request, user_id, address=address)

    async def delete(self, process_id: str, user_id: str) -> None:
        """Forget the user's process and its files. `ProcessConflict` while it runs."""
        with working_on(process_id):
            await self._processes.delete(process_id, user_id)
            await self._library.delete(process_id)

    async def recover(self, process: Process) -> None:
        """Clear up a submission that was cut short, by a crash or a time-out.

        The provider is asked. Where there surely is no job, it is submitted; where nobody can say, never
        again: the process fails with `submission_unknown`. One that this worker is submitting is left alone.
        """
        if process.process_id in self._submissions:
            return
        provider = self._providers[process.provider.name]
        try:
            job_id = await self._submissions.find(provider, process.process_id)
        except SubmissionUnknown as error:
            await self._processes.update(process.process_id, Failed(error.message, error.code))
            return
        if job_id is not None:
            await self._submissions.accept(process, provider, job_id)
            return
        tool = self._tools[process.tool_name]
        request = tool.request.read(process.data.req)
        try:
            model = chosen(provider, tool, process.provider.model)
            originals = await self._originals(request, process.user_id)
        except InvalidRequest as error:
            await self._processes.update(process.process_id, Failed(error.message, ProviderUnavailable.code))
        else:
            # Its turn may take longer than others can wait for whoever asks.
            self._submit(process, provider, self._job(process, model, request, originals))

    async def _create(self, fresh: Process, address: str) -> Process:
        user_id, key = fresh.user_id, fresh.idempotency_key
        # One at a time for a user, or many that come at once would all see the same number running. Another
        # worker does not wait: there, as many may begin in excess as there are workers.
        async with self._beginning.setdefault(user_id, asyncio.Lock()):
            earlier = None if key is None else await self._processes.begun(user_id, key)
            if earlier is not None:
                return earlier
            self._draining.check()
            limit = self._limits.running
            running = await self._processes.running(user_id, limit) if limit else 0
            await self._limits.creation(user_id, address, running)
            return await self._processes.create(fresh)

    async def _originals(self, request: ToolRequest, user_id: str) -> Mapping[str, Original]:
        """The pictures that the request names. `InvalidRequest` for what is none of the user's."""
        originals = dict[str, Original]()
        for name, picture in request.pictures().items():
            try:
                original = await self._original(picture, user_id)
            except (ProcessNotFound, IndexError):
                original = None
            if original is None:
                raise _no_picture(name, picture)
            originals[name] = original
        return originals

    async def _original(self, picture: NamedPicture, user_id: str) -> Original | None:
        """`ProcessNotFound` or IndexError, or `None`, where there is no such picture of the user's."""
        if isinstance(picture, OwnPicture):
            process = await self._processes.get(picture.process_id, user_id)
            req, url = process.data.req, (process.data.generations or ())[picture.place]
            if process.category != "image":
                return None
            content = await self._library.get(picture.process_id, url.rpartition("/")[2])
        else:
            req, content = {}, await self._references.content(picture, user_id)
        return None if content is None else Original(content, req)

    def _job(
        self, process: Process, model: Model, request: ToolRequest, originals: Mapping[str, Original]
    ) -> Job:
        webhook_url = self._webhooks.url(process.category, process.process_id)
        return Job(process.process_id, request, model, webhook_url, originals)

    def _submit(self, process: Process, provider: Provider, job: Job) -> None:
        work = self._submissions.submit(process, provider, job)
        self._tasks.spawn(work, f"submit {process.process_id}")

    def _call_off(self, process: Process) -> None:
        # Without a job id it is still being submitted: who submits it stops it when the id is known.
        provider = self._providers.get(process.provider.name)
        if process.provider.job_id is not None and provider is not None:
            self._tasks.spawn(
                self._submissions.stop(provider, process.provider), f"cancel {process.process_id}"
            )

    def _tool(self, process: Process) -> Tool:
        tool = self._tools.get(process.tool_name)
        if tool is None:
            raise ProcessConflict("The tool of this process is no longer here, so it cannot be repeated.")
        return tool

    def _provider(self, tool: Tool, request: ToolRequest) -> Provider:
        if request.provider is None:
            able = (each for each in self._providers.values() if _serves(each, tool))
            provider = next(able, None)
        else:
            provider = self._providers.get(request.provider)
        if provider is None:
            known = ", ".join(self._providers)
            raise InvalidRequest(
                f"provider {request.provider!r} is not set up here. There is: {known}.", field="provider"
            )
        return provider


def _no_picture(name: str, picture: NamedPicture) -> InvalidRequest:
    field = to_camel(name)
    if isinstance(picture, Reference):
        return InvalidRequest("That reference is no longer here. Choose the picture again.", field=field)
    return InvalidRequest(f"{field} names no finished picture of yours.", field=field)


def _serves(provider: Provider, tool: Tool) -> bool:
    return any(model.tool == tool.name for model in provider.models)


def _cancelled(process: Process) -> str:
    figure = "" if process.data.progress is None else f" at {process.data.progress}%"
    return f"You stopped this one{figure}. Nothing was saved."
