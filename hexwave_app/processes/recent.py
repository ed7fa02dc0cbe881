"""The versions of running processes that this worker saved last."""

from hexwave_app.processes.model import Process

KEPT = 2_000
"""Processes; one takes a few kilobytes."""


class Recent:
    """Spares whoever changes a process a look at the store: saving finds out what was outdated meanwhile."""

    def __init__(self) -> None:
        self._kept: dict[str, Process] = {}

    def newer(self, process_id: str, known: Process | None) -> Process | None:
        """What is kept, or `known` where that is newer; `None` where there is neither."""
        kept = self._kept.get(process_id)
        if kept is None or (known is not None and known.revision > kept.revision):
            return known
        return kept

    def keep(self, process: Process) -> None:
        """Keep what was just saved; what has ended is not going to change."""
        process_id = process.process_id
        # Saved in one order, and perhaps told of it in another.
        if self.newer(process_id, process) is not process:
            return
        # Last again: what is dropped for room is what was saved the longest ago.
        self._kept.pop(process_id, None)
        if not process.terminal:
            self._kept[process_id] = process
            if len(self._kept) > KEPT:
                del self._kept[next(iter(self._kept))]

    def outdated(self, process_id: str, revision: int) -> None:
        """Forget what is kept, unless it is newer than that revision."""
        kept = self._kept.get(process_id)
        if kept is not None and kept.revision <= revision:
            del self._kept[process_id]
