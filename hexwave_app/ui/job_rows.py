"""A page's jobs, newest first, each in three rows: what it was asked for, how it is, and its pictures.

`components/job_row.py` draws them.
"""

import reflex as rx

from hexwave_app.processes.model import Process
from hexwave_app.services import current
from hexwave_app.ui.job import Frame, Job, Standing, frames
from hexwave_app.ui.rows import Rows


class JobRows(Rows, rx.State, mixin=True):
    """Of a job that moves, a page is sent its standing, or its pictures: a few hundred bytes."""

    ids: list[str] = []
    running: int = 0

    def _job(self, job_id: str) -> Job | None:
        return self._rows.get(f"{job_id}.job")

    def _standing(self, job_id: str) -> Standing | None:
        return self._rows.get(f"{job_id}.now")

    def _pictures(self, job_id: str) -> list[Frame]:
        return self._rows.get(f"{job_id}.frames", [])

    def _place(self, process: Process) -> None:
        """Put a job in its place, or in the state of its newest version."""
        id_, before, now = process.process_id, self._standing(process.process_id), Standing.of(process)
        job = Job.of(process, self._expected(process))
        self._put(f"{id_}.job", job)
        self._put(f"{id_}.now", now)
        self._put(f"{id_}.frames", frames(process))
        if id_ not in self.ids:
            newer = sum(1 for shown in self.ids if self._rows[f"{shown}.job"].started > job.started)
            self.ids.insert(newer, id_)
        self._count(now.running - (before is not None and before.running))

    def _expected(self, process: Process) -> int:
        """Seconds. What was said of a job stays, whatever others take meanwhile: its row is sent once."""
        before = self._job(process.process_id)
        if before is not None or process.terminal:
            return before.expected if before is not None else 0
        return round(current().expected_seconds(process) or 0)

    def _remove(self, job_ids: set[str]) -> None:
        gone = job_ids & set(self.ids)
        if gone:
            self.ids = [id_ for id_ in self.ids if id_ not in gone]
            self._count(-sum(self._rows[f"{id_}.now"].running for id_ in gone))
            self._drop(*(f"{id_}.{part}" for id_ in gone for part in ("job", "now", "frames")))

    def _count(self, more: int) -> None:
        # What is set is sent, changed or not.
        if more:
            self.running += more
