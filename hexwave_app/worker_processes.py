"""Processes for work that would hold up the event loop: painting, decoding, encoding."""

import asyncio
import os
import signal
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

WORKERS = 2

# From a fork server, not forked: a fork would copy the server's locks as they happen to be held.
_CONTEXT = get_context("forkserver")

_LIBRARIES = ["av", "numpy", "PIL.Image"]
"""What takes long to import: the fork server does it once, and the server itself never."""

_NICENESS = 5


class WorkerProcesses:
    """`WORKERS` processes. One that dies takes the other along; the next work gets fresh ones."""

    def __init__(self, pool: "_Pool") -> None:
        self._pool: _Pool | None = pool

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncGenerator["WorkerProcesses", None]:
        """The processes end with the block, whatever they are at; those of a killed server end with it."""
        # The first process waits until the fork server has imported the libraries.
        processes = cls(await asyncio.to_thread(_Pool))
        try:
            yield processes
        finally:
            pool, processes._pool = processes._pool, None
            if pool is not None:
                await asyncio.to_thread(pool.end)

    async def run(self, work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """What `work`, a function of a module, returns or raises in a process, to which all is pickled.

        Raises `BrokenProcessPool` when its process, or the one beside it, died; RuntimeError after the end.
        """
        pool = self._pool
        if pool is None:
            raise RuntimeError("The worker processes have ended.")
        try:
            return await asyncio.wrap_future(pool.executor.submit(work, *given, **named))
        except BrokenProcessPool:
            if self._pool is pool:
                self._pool = _Pool()
                await asyncio.to_thread(pool.end)
            raise


class _Pool:
    """An executor, and the pipe by which its processes know that they are wanted."""

    def __init__(self) -> None:
        self._wanted, self._want = _CONTEXT.Pipe(duplex=False)
        _CONTEXT.set_forkserver_preload(_LIBRARIES)
        self.executor = ProcessPoolExecutor(
            WORKERS, mp_context=_CONTEXT, initializer=_prepare, initargs=(self._wanted,)
        )
        # Processes start with the first work: without this the first picture would wait for them.
        for _ in range(WORKERS):
            self.executor.submit(int)

    def end(self) -> None:
        # An executor asks its processes to end through a queue, which where this process is itself one of
        # multiprocessing's may be closed first; they would then be waited for without end.
        self._want.close()
        self.executor.shutdown(cancel_futures=True)
        self._wanted.close()


def _prepare(wanted: Connection) -> None:
    os.nice(_NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_when_unwanted, args=(wanted,), daemon=True).start()


def _end_when_unwanted(wanted: Connection) -> None:
    # Readable at its end only, since nothing is ever sent: that comes when the pool ends or the server dies.
    wanted.poll(None)
    os._exit(0)
