"""What can be done with a page's jobs, and what is said of them."""

import json
from collections.abc import Iterable
from typing import Any

import reflex as rx

from hexwave_app.processes.model import Process
from hexwave_app.services import current
from hexwave_app.ui.components.toast import ready_toast, undo_toast
from hexwave_app.ui.job import Job, Standing, outcome
from hexwave_app.ui.job_rows import JobRows
from hexwave_app.ui.status import ProcessStatus
from hexwave_app.ui.upscaling import Upscaling

_MILESTONES = {25: "a quarter done", 50: "half done", 75: "three quarters done"}


class JobActs(Upscaling, ProcessStatus, JobRows, mixin=True):
    """The buttons of the rows, toasts for what ended out of sight, and words for screen readers."""

    announcement: str = ""

    @rx.event(background=True)
    async def retry(self, process_id: str) -> list[Any]:
        runs = current().runs
        return await self._attempt(
            lambda user_id, address: runs.retry_once(process_id, user_id, address=address), self._begun
        )

    @rx.event(background=True)
    async def vary(self, process_id: str) -> list[Any]:
        """The same once more, with another seed."""
        runs = current().runs
        return await self._attempt(
            lambda user_id, address: runs.vary(process_id, user_id, address=address), self._begun
        )

    @rx.event(background=True)
    async def cancel(self, process_id: str) -> list[Any]:
        return await self._attempt(
            lambda user_id, _: current().runs.cancel(process_id, user_id),
            lambda process: self._receive([process]),
        )

    @rx.event(background=True)
    async def delete(self, process_id: str) -> list[Any]:
        """Hide a job; the toast takes it back."""
        return await self._attempt(
            lambda user_id, _: current().processes.discard([process_id], user_id), self._discarded
        )

    @rx.event(background=True)
    async def restore(self, process_id: str) -> list[Any]:
        return await self._attempt(
            lambda user_id, _: current().processes.restore([process_id], user_id), self._place_all
        )

    @rx.event(background=True)
    async def favour(self, process_id: str, on: bool) -> list[Any]:
        return await self._attempt(
            lambda user_id, _: current().processes.favour([process_id], user_id, on), self._place_all
        )

    @rx.event
    def announce_ready(self, job_id: str, on_screen: bool) -> Any:
        """A toast for a job that ended out of sight."""
        job, now = self._job(job_id), self._standing(job_id)
        if job is None or now is None or on_screen or now.state != "done":
            return None
        return ready_toast(job, self._pictures(job_id))

    def _begun(self, process: Process) -> list[Any]:
        return self._follow(process)

    def _discarded(self, processes: Iterable[Process]) -> list[Any]:
        ids = [process.process_id for process in processes]
        self._forget(set(ids))
        return [undo_toast("1 deleted", self.__class__.restore(id_)) for id_ in ids]

    def _place_all(self, processes: Iterable[Process]) -> None:
        for process in processes:
            self._place(process)

    def _show(self, process: Process) -> None:
        before = self._standing(process.process_id)
        self._place(process)
        said = _news(Job.of(process), before, Standing.of(process))
        if said is not None:
            self.announcement = said

    def _ended(self, process: Process) -> list[Any]:
        job, now = Job.of(process), Standing.of(process)
        self.announcement = f"{job.name}: {outcome(process)}."
        told = rx.run_script(f"window.hexwave?.ended?.({json.dumps(self.announcement)})")
        if now.state != "done":
            return [told]
        announce_ready = self.__class__.announce_ready
        seen = rx.call_script(
            f"window.hexwave.onScreen('job-{job.id}')",
            callback=lambda seen: announce_ready(job.id, seen),
        )
        return [told, seen]

    def _forget(self, process_ids: set[str]) -> None:
        self._remove(process_ids)


def _news(job: Job, before: Standing | None, after: Standing) -> str | None:
    """What is said aloud of a job that goes on, if anything."""
    if not after.running:
        return None
    if before is None:
        return f"Started: {job.name}."
    passed = [words for at, words in _MILESTONES.items() if before.percent < at <= after.percent]
    return f"{job.name}: {passed[-1]}." if passed else None
