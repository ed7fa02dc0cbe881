"""The worker processes that paint, so that the server's event loop never waits for a picture."""

import asyncio
import os
import signal
import threading
from collections.abc import Generator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from pathlib import Path

from hexwave_app.providers.demo.scene import Scene

WORKERS = 2

_NICENESS = 5


class PainterPool:
    """Two processes. A worker that dies takes its pool along: the next picture gets a fresh one."""

    def __init__(self) -> None:
        self._executor = _executor()

    @classmethod
    @contextmanager
    def open(cls) -> Generator["PainterPool", None, None]:
        pool = cls()
        try:
            yield pool
        finally:
            pool._executor.shutdown(wait=False, cancel_futures=True)

    async def paint(self, scene: Scene, seed: int, size: tuple[int, int], path: Path) -> None:
        """Paint into the file `path` as WebP; tried once more where a worker died of it.

        FileNotFoundError where its folder is deleted, before work is spent on it or after.
        """
        executor = self._executor
        try:
            await self._run(executor, scene, seed, size, path)
        except BrokenProcessPool:
            if self._executor is executor:
                self._executor = _executor()
            await self._run(self._executor, scene, seed, size, path)

    async def _run(
        self, executor: ProcessPoolExecutor, scene: Scene, seed: int, size: tuple[int, int], path: Path
    ) -> None:
        await asyncio.get_running_loop().run_in_executor(executor, _paint, scene, seed, size, path)


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
    # Loaded here: numpy never is in the server.
    import hexwave_app.providers.demo.painting  # noqa: F401  # pyright: ignore[reportUnusedImport]


def _end_with_parent() -> None:
    # A killed server closes no pool; without this its workers would wait for work for ever.
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(0)


def _paint(scene: Scene, seed: int, size: tuple[int, int], path: Path) -> None:
    from hexwave_app.providers.demo.painting import paint

    # The name is this process's own: one whose server was killed may still paint the same picture.
    unfinished = path.with_suffix(f".{os.getpid()}.part")
    # Opened before it is painted: a job that was called off has no folder, and costs nothing more.
    with unfinished.open("wb") as file:
        paint(scene, seed, *size).save(file, "WEBP", quality=95, method=1)
    # Renamed when whole: a reader never sees half a file.
    unfinished.replace(path)
