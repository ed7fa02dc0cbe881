"""Files that no process names any more: what a crash leaves behind, and pictures that nobody used."""

import asyncio
import logging
from contextlib import AbstractAsyncContextManager
from datetime import datetime

from hexwave_app.background import running
from hexwave_app.media.library import Library
from hexwave_app.processes.errors import StoreUnavailable
from hexwave_app.processes.lifecycle import Processes
from hexwave_app.tools.references import exists, is_reference, needed

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

    async def _known(self, folder: str, touched: datetime) -> bool:
        if is_reference(folder):
            return await needed(folder, touched, self._library, self._processes)
        return await exists(folder, self._processes)
