"""The processes that decode and encode: no picture holds up the event loop, or takes the server down."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from typing import TypeVar

from hexwave_app.processes.errors import ResultUnavailable

T = TypeVar("T")

WORKERS = 2

PATIENCE = 30.0
"""Seconds that one piece of work may take."""

_NICENESS = 5


class Workers:
    """Two processes. One that dies takes its pool along, and the next picture gets a fresh one."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._executor = _executor()
        self._free = asyncio.Semaphore(WORKERS)

    @classmethod
    @contextmanager
    def open(cls, patience: float = PATIENCE) -> Generator["Workers", None, None]:
        workers = cls(patience)
        try:
            yield workers
        finally:
            workers._executor.shutdown(wait=False, cancel_futures=True)

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises in a worker, to which it is pickled: a `functools.partial`.

        Raises `ResultUnavailable` when it took too long, or its worker, or the one beside it, died.
        """
        async with self._free:
            executor = self._executor
            try:
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(executor, _timed, work, self._patience)
            except BrokenProcessPool as error:
                if self._executor is executor:
                    self._executor = _executor()
                raise ResultUnavailable("The picture could not be copied at the moment.") from error


def _executor() -> ProcessPoolExecutor:
    # Spawned, not forked: a fork would copy the server's locks as they happen to be held.
    executor = ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn"), initializer=_prepare)
    # Workers start with the first work: without this the first picture would wait for them.
    for _ in range(WORKERS):
        executor.submit(int)
    return executor


def _prepare() -> None:
    os.nice(_NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import hexwave_app.media.pictures  # noqa: F401  # pyright: ignore[reportUnusedImport]


def _end_with_parent() -> None:
    # A killed server closes no pool; without this its workers would wait for work for ever.
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(0)


def _timed(work: Callable[[], T], patience: float) -> T:
    # Nobody catches this alarm: a decoder that is led round in circles ends with its process.
    signal.setitimer(signal.ITIMER_REAL, patience)
    try:
        return work()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
