"""Whom the heart tells what it has just done: activity, metrics, traces."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from hexwave_app.processes.model import Process, Source

log = logging.getLogger(__name__)


class Deed(StrEnum):
    """What was done. Those of a timeline's line have its name.

    `UNPUBLISHED` is saved and not told, `DELIVERED` shown by a page; `TOKEN` a follower's token issued, and
    `REFUSED` a token or a webhook that was not taken.
    """

    CREATED = "created"
    SUBMITTED = "submitted"
    PROGRESS = "progress"
    WEBHOOK = "webhook"
    SAVED = "saved"
    PUBLISHED = "published"
    UNPUBLISHED = "unpublished"
    DELIVERED = "delivered"
    IGNORED = "ignored"
    RECONCILED = "reconciled"
    CANCELLED = "cancelled"
    FAILED = "failed"
    TOKEN = "token"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Act:
    """Something done a moment ago; `process` is as it is afterwards.

    Where there is no process at hand, `process_id` may name one. `seconds` is how long it took, where that
    was measured; `code` is that of the error which refused it.
    """

    deed: Deed
    process: Process | None = None
    source: Source = Source.SERVER
    detail: str | None = None
    seconds: float | None = None
    process_id: str = ""
    code: str = ""


class Observer(Protocol):
    def observe(self, act: Act) -> None:
        """Take note, within microseconds: whoever acted waits for it."""
        ...


class Observers:
    """Tells each of its observers; one that raises is logged, and harms nobody."""

    def __init__(self, observers: Iterable[Observer] = ()) -> None:
        self._observers = tuple(observers)

    def observe(self, act: Act) -> None:
        for observer in self._observers:
            try:
                observer.observe(act)
            except Exception:
                log.exception("%s could not take note of %s", type(observer).__name__, act.deed)
