"""What an app's own State is called with when a process ends."""

import inspect
import logging
from collections.abc import Callable
from typing import Any

import reflex as rx

from hexwave_app.processes.model import Process, ProcessData, ProcessStatus

log = logging.getLogger(__name__)

_NAMES = ("on_complete", "on_error")


class Hooks(rx.State, mixin=True):
    """Keeps `on_complete` and `on_error` from being events, which any browser could send with any data."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        for name in _NAMES:
            own = cls.__dict__.get(name)
            if own is None:
                continue
            if not inspect.isfunction(own) or _waits(own):
                raise TypeError(
                    f"{cls.__name__}.{name} must be a plain method: it is called under the State's lock. "
                    "Work that waits goes into an event, which it can return."
                )
            # Reflex makes an event of each public method that does not say this of itself.
            own.__override_base_method__ = True  # pyright: ignore[reportFunctionMemberAccess]
        super().__init_subclass__(**kwargs)

    def _call_hook(self, process: Process, *arguments: Any) -> list[Any]:
        """The events that the hook for this end returns. Its mistakes are logged: it has been called."""
        completed = process.status is ProcessStatus.COMPLETED
        said = without_request(process) if completed else process.data.error or ""
        hook: Callable[..., Any] = getattr(self, _NAMES[0] if completed else _NAMES[1])
        try:
            events = hook(*arguments, said)
        except Exception:
            log.exception("process %s: %s failed", process.process_id, hook.__qualname__)
            return []
        if events is None:
            return []
        return list(events) if isinstance(events, list | tuple) else [events]


def _waits(function: Any) -> bool:
    kinds = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    return any(kind(function) for kind in kinds)


def without_request(process: Process) -> ProcessData:
    """What became of it, without what was asked for."""
    return process.data.model_copy(update={"req": {}})
