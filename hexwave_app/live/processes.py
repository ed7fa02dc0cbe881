"""Many processes, live in a Reflex State: the list form of `LiveProcess`."""

from dataclasses import dataclass
from typing import Any

import reflex as rx

from hexwave_app.live.hooks import Hooks, without_request
from hexwave_app.live.newest import NewestProcesses
from hexwave_app.processes.model import Process, ProcessData


@dataclass(frozen=True)
class ProcessView:
    """A process as a page shows it: what `LiveProcess` has in vars of their own."""

    process_id: str
    status: str
    data: ProcessData
    error: str
    is_loading: bool

    @classmethod
    def of(cls, process: Process) -> "ProcessView":
        data = without_request(process)
        return cls(process.process_id, process.status.value, data, data.error or "", not process.terminal)


class LiveProcesses(Hooks, NewestProcesses, mixin=True):
    """Follows the user's newest processes, live, those among them that other tabs begin.

    Give `watch` to the page's `on_load`. One list a tab: where another State's `watch` begins, this one ends.
    """

    _kept: dict[str, Process] = {}

    @rx.var
    def processes(self) -> list[ProcessView]:
        """The newest first."""
        newest = sorted(self._kept.values(), key=lambda process: process.created_at, reverse=True)
        return [ProcessView.of(process) for process in newest]

    @rx.var
    def running(self) -> int:
        """How many are under way."""
        return sum(not process.terminal for process in self._kept.values())

    def on_complete(self, process_id: str, data: ProcessData) -> Any:
        """What is to happen, once, when a process is completed that this tab saw running."""

    def on_error(self, process_id: str, error: str) -> Any:
        """The same when one failed; `error` is a sentence."""

    def _show(self, process: Process) -> None:
        self._kept = {**self._kept, process.process_id: process}

    def _ended(self, process: Process) -> list[Any]:
        return self._call_hook(process, process.process_id)

    def _forget(self, process_ids: set[str]) -> None:
        if process_ids & self._kept.keys():
            self._kept = {id_: kept for id_, kept in self._kept.items() if id_ not in process_ids}
