"""Files that no process names any more: what a crash between two deletions leaves behind."""

import asyncio
import logging
from contextlib import AbstractAsyncContextManager

from hexwave_app.background import running
from hexwave_app.media.library import Library
from hexwave_app.processes.errors import ProcessNotFound, StoreUnavailable
from hexwave_app.processes.lifecycle import Processes

log = logging.getLogger(__name__)

INTERVAL = 3600.0
"""Seconds between two sweeps of a worker."""


class Orphans:
    """Deletes them. Several workers may: what is gone is gone."""

    def __init__(self, processes: Processes, library: Library) -> None:
        self._processes = processes
        self._library = library

    def swept(self) -> AbstractAsyncContextManager[None]:
        """Sweep at once, then every hour, until the block is left."""
        return running(self._run(), "orphans")

    async def sweep(self) -> None:
        await self._library.sweep(self._known)

    async def _run(self) -> None:
        while True:
            try:
                await self.sweep()
            except StoreUnavailable as error:
                log.warning("files without a process are looked for later: %s", error)
            await asyncio.sleep(INTERVAL)

    async def _known(self, process_id: str) -> bool:
        try:
            await self._processes.load(process_id)
        except ProcessNotFound:
            return False
        return True
