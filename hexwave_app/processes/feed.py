"""Many processes followed as one."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from hexwave_app.processes.errors import ProcessNotFound, StoreUnavailable
from hexwave_app.processes.lifecycle import Processes
from hexwave_app.processes.model import Process
from hexwave_app.processes.work import working_on

log = logging.getLogger(__name__)

_STORE_PAUSE = 1.0


class Feed:
    """The newest version of each process added, as it comes; older ones that nobody took are dropped."""

    def __init__(self, processes: Processes, reread: float | None) -> None:
        self._processes = processes
        self._reread = reread
        self._following: dict[str, asyncio.Task[None]] = {}
        self._newest: dict[str, Process] = {}
        self._news = asyncio.Event()
        self.ended = False
        self.woken = False
        """Set by `wake`, for whoever takes from the feed to clear."""

    @classmethod
    @asynccontextmanager
    async def open(cls, processes: Processes, reread: float | None = None) -> AsyncGenerator["Feed", None]:
        """A feed whose followers, which `reread` as `Processes.follow` does, end with the block."""
        feed = cls(processes, reread)
        try:
            yield feed
        finally:
            following = list(feed._following.values())
            feed.close()
            await asyncio.gather(*following, return_exceptions=True)

    def add(self, process_id: str) -> None:
        """Follow the process until it is finished; again and again is once."""
        if process_id not in self._following:
            task = asyncio.create_task(self._follow(process_id), name=f"follow {process_id}")
            self._following[process_id] = task
            task.add_done_callback(lambda _: self._following.pop(process_id, None))

    def wake(self) -> None:
        """Let `next` answer at once, though nothing has changed."""
        self.woken = True
        self._news.set()

    def end(self) -> None:
        """Tell whoever takes from the feed to leave it: another one is there in its place."""
        self.ended = True
        self.wake()

    def close(self) -> None:
        """Follow nothing any more."""
        for task in self._following.values():
            task.cancel()

    async def next(self, timeout: float) -> list[Process]:
        """What has changed since the last call, at least one; empty after `timeout` seconds of silence."""
        try:
            async with asyncio.timeout(timeout):
                await self._news.wait()
        except TimeoutError:
            return []
        self._news.clear()
        changed, self._newest = list(self._newest.values()), {}
        return changed

    async def _follow(self, process_id: str) -> None:
        with working_on(process_id):
            await self._followed(process_id)

    async def _followed(self, process_id: str) -> None:
        while True:
            try:
                async for process in self._processes.follow(process_id, self._reread):
                    self._newest[process_id] = process
                    self._news.set()
                return
            except ProcessNotFound:
                return
            except StoreUnavailable as error:
                log.warning("process %s: cannot be followed for the moment: %s", process_id, error)
                await asyncio.sleep(_STORE_PAUSE)
