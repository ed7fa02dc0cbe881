"""The processes that decode and encode: no picture holds up the event loop, or takes the server down."""

import asyncio
import signal
from collections.abc import AsyncGenerator, Callable
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager
from typing import TypeVar

from hexwave_app.processes.errors import ResultUnavailable
from hexwave_app.worker_processes import WORKERS, WorkerProcesses

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds that one piece of work may take."""


class Workers:
    """No more work at once than there are processes, so that none waits with its time running."""

    def __init__(self, processes: WorkerProcesses, patience: float) -> None:
        self._processes = processes
        self._patience = patience
        self._free = asyncio.Semaphore(WORKERS)

    @classmethod
    @asynccontextmanager
    async def open(cls, patience: float = PATIENCE) -> AsyncGenerator["Workers", None]:
        async with WorkerProcesses.open() as processes:
            yield cls(processes, patience)

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises in a worker, to which it is pickled: a `functools.partial`.

        Raises `ResultUnavailable` when it took too long, or its worker, or the one beside it, died.
        """
        async with self._free:
            try:
                return await self._processes.run(_timed, work, self._patience)
            except BrokenProcessPool as error:
                raise ResultUnavailable("The picture could not be copied at the moment.") from error


def _timed(work: Callable[[], T], patience: float) -> T:
    # Nobody catches this alarm: a decoder that is led round in circles ends with its process.
    signal.setitimer(signal.ITIMER_REAL, patience)
    try:
        return work()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
