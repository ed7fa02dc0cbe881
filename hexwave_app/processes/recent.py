"""The versions of running processes that this worker saved last."""

from hexwave_app.processes.model import Process

KEPT = 500
"""Processes. One takes about ten kilobytes, and a hundred with the longest timeline."""


class Recent:
    """Spares whoever changes a process a look at the store.

    What is kept is a guess: another worker may have saved a newer one, which compare-and-set finds out.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Process] = {}

    def get(self, process_id: str) -> Process | None:
        return self._kept.get(process_id)

    def keep(self, process: Process) -> None:
        """Keep what was just saved, unless a newer one is kept, or it has ended and will not change."""
        kept = self._kept.get(process.process_id)
        # Two are saved in one order, and their writers may be told so in the other.
        if kept is not None and kept.revision > process.revision:
            return
        # Last again: what is dropped for room is what was saved the longest ago.
        self._kept.pop(process.process_id, None)
        if not process.terminal:
            self._kept[process.process_id] = process
            if len(self._kept) > KEPT:
                del self._kept[next(iter(self._kept))]

    def drop_older(self, process: Process) -> None:
        """Forget what is kept of the process, unless that is at least as new as this version."""
        kept = self._kept.get(process.process_id)
        if kept is not None and kept.revision < process.revision:
            del self._kept[process.process_id]
