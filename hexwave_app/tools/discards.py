"""What its owner has deleted: kept for a while, so that it can be undone, and then no more."""

import asyncio
import logging
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

from hexwave_app.background import running
from hexwave_app.media.library import Library
from hexwave_app.processes.errors import StoreUnavailable
from hexwave_app.processes.lifecycle import Processes
from hexwave_app.processes.model import utc_now

log = logging.getLogger(__name__)

INTERVAL = 60.0
"""Seconds between two sweeps of a worker."""

KEPT = timedelta(minutes=10)
"""Pages offer to undo for seconds; the rest is for one that had no connection at that moment."""

_BATCH = 100


class Discards:
    """Purges them, files included. Several workers may: only one forgets a process."""

    def __init__(self, processes: Processes, library: Library) -> None:
        self._processes = processes
        self._library = library

    def swept(self) -> AbstractAsyncContextManager[None]:
        """Sweep at once, then every minute, until the block is left."""
        return running(self._run(), "discards")

    async def sweep(self) -> None:
        while doomed := await self._processes.deleted(utc_now() - KEPT, _BATCH):
            for process in doomed:
                # The process first: files that a crash leaves behind are the orphans' to find.
                if await self._processes.purge(process):
                    await self._library.delete(process.process_id)

    async def _run(self) -> None:
        while True:
            try:
                await self.sweep()
            except StoreUnavailable as error:
                log.warning("what was deleted is purged later: %s", error)
            await asyncio.sleep(INTERVAL)
