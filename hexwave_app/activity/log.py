"""The last things that happened in this worker, as lines."""

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from hexwave_app.processes.model import EventType, Process, Source, utc_now
from hexwave_app.processes.observer import Act, Deed

LINES = 500

SLOW = 2.0
"""Seconds that a submission or a publication may take before it counts as slow."""

Tone = Literal["changed", "progress", "ignored", "slow", "failed"]
Kind = Literal["lifecycle", "progress", "webhooks"]

_FAILED = (Deed.FAILED, Deed.UNPUBLISHED, Deed.REFUSED)
_KINDS: dict[Deed, Kind] = {Deed.PROGRESS: "progress", Deed.WEBHOOK: "webhooks"}


@dataclass(frozen=True, slots=True)
class Line:
    """`number` grows by one a line, `took` is in seconds; lines are filtered by `kind` and `tone`."""

    number: int
    at: datetime
    process_id: str
    event: Deed
    detail: str
    took: float | None
    kind: Kind
    tone: Tone
    code: str = ""


class ActivityLog:
    """Five hundred lines, and who waits for the next."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._lines: deque[Line] = deque(maxlen=LINES)
        self._readers: set[asyncio.Event] = set()

    @property
    def readers(self) -> int:
        return len(self._readers)

    def since(self, number: int) -> list[Line]:
        """The kept lines after that number, the oldest first."""
        newer = itertools.takewhile(lambda line: line.number > number, reversed(self._lines))
        return list(newer)[::-1]

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[asyncio.Event, None]:
        """An event that is set at each line; its reader clears it."""
        news = asyncio.Event()
        self._readers.add(news)
        try:
            yield news
        finally:
            self._readers.discard(news)

    def observe(self, act: Act) -> None:
        if _repeats_progress(act):
            return
        process_id = act.process.process_id if act.process is not None else act.process_id
        took = _took(act)
        self._lines.append(
            Line(
                number=next(self._numbers),
                at=utc_now(),
                process_id=process_id,
                event=act.deed,
                detail=_detail(act),
                took=took,
                kind=_kind(act),
                tone=_tone(act, took),
                code=act.code,
            )
        )
        for news in self._readers:
            news.set()


def _repeats_progress(act: Act) -> bool:
    """Whether progress that has its line already is told or shown."""
    process = act.process
    told = act.deed in (Deed.PUBLISHED, Deed.DELIVERED)
    return told and process is not None and not process.terminal and process.data.progress is not None


def _kind(act: Act) -> Kind:
    if act.source is Source.WEBHOOK and act.deed in (Deed.IGNORED, Deed.REFUSED):
        return "webhooks"
    return _KINDS.get(act.deed, "lifecycle")


def _tone(act: Act, took: float | None) -> Tone:
    if act.deed in _FAILED:
        return "failed"
    if act.deed is Deed.IGNORED:
        return "ignored"
    if act.deed is Deed.PROGRESS:
        return "progress"
    slow = act.deed in (Deed.SUBMITTED, Deed.PUBLISHED) and took is not None and took > SLOW
    return "slow" if slow else "changed"


def _took(act: Act) -> float | None:
    process = act.process
    if act.seconds is not None or process is None:
        return act.seconds
    if act.deed in (Deed.SUBMITTED, Deed.FAILED, Deed.CANCELLED):
        return (process.updated_at - process.created_at).total_seconds()
    if act.deed is Deed.DELIVERED:
        return (utc_now() - process.updated_at).total_seconds()
    if act.deed is Deed.SAVED:
        answers = (event.at for event in process.events if event.type is EventType.WEBHOOK)
        return (process.updated_at - next(answers, process.updated_at)).total_seconds()
    return None


def _detail(act: Act) -> str:
    process = act.process
    if process is None:
        return act.detail or ""
    match act.deed:
        case Deed.CREATED:
            return f"{_asked(process)}, user {process.user_id[:8]}"
        case Deed.SUBMITTED:
            return f"{process.provider.name} accepted"
        case Deed.PROGRESS:
            return _progress(process, act.detail)
        case Deed.WEBHOOK:
            return f"accepted, {_results(process)}"
        case Deed.SAVED:
            return _pictures(process)
        case Deed.PUBLISHED:
            again = ", again" if act.source is Source.RECONCILER else ""
            return f"{process.status}, sequence {process.sequence}{again}"
        case Deed.DELIVERED:
            return f"sequence {process.sequence} on a page"
        case Deed.IGNORED:
            return f"{act.source}: {(act.detail or '').lower()}"
        case _:
            return act.detail or process.data.error or ""


def _asked(process: Process) -> str:
    req = process.data.req
    said = (process.category, req.get("aspectRatio"), _several(req.get("count", 1), process.category))
    return ", ".join(part for part in said if part)


def _progress(process: Process, detail: str | None) -> str:
    previews = sum(url is not None for url in process.data.preview or ())
    said = [f"sequence {process.sequence}", detail or process.data.stage or ""]
    return ", ".join([*said, _several(previews, "preview")] if previews else said)


def _results(process: Process) -> str:
    return _several(len((process.answer or {}).get("results", ())), "result")


def _pictures(process: Process) -> str:
    return f"{_several(len(process.data.generations or ()), process.category)}, sequence {process.sequence}"


def _several(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"
