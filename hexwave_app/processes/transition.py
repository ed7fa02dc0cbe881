"""The one rule of change."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hexwave_app.processes.model import (
    EVENTS_KEPT,
    EventType,
    Process,
    ProcessEvent,
    ProcessStatus,
    Stage,
)

ANSWERED_PROGRESS = 94
"""Per cent done once only the keeping of the results is left."""

_STAGES = tuple(Stage)


@dataclass(frozen=True)
class Submitted:
    """The provider accepted the job under `job_id`."""

    job_id: str


@dataclass(frozen=True)
class Progressed:
    """How far the work is. `None` says nothing about that part; a `None` preview keeps the one there is."""

    progress: int | None = None
    stage: Stage | None = None
    preview: tuple[str | None, ...] | None = None
    notice: str | None = None


@dataclass(frozen=True)
class Answered:
    """The provider is done; `answer` says where its results are, for whoever keeps them."""

    answer: dict[str, Any]


@dataclass(frozen=True)
class Completed:
    """The results are kept; `generations` are our own URLs."""

    generations: tuple[str, ...]
    notice: str | None = None


@dataclass(frozen=True)
class Failed:
    """It ended without a result; `error` is a sentence a person may read."""

    error: str
    error_code: str


Update = Submitted | Progressed | Answered | Completed | Failed


def transition(process: Process, update: Update, at: datetime) -> Process:
    """The process after `update`; the same object when it says nothing new.

    A terminal status is final. Progress that lags behind what is known is late news and says nothing.
    """
    if process.terminal:
        return process
    match update:
        case Submitted():
            return _submitted(process, update, at)
        case Progressed():
            return _progressed(process, update, at)
        case Answered():
            return _answered(process, update, at)
        case Completed(generations, notice):
            data: dict[str, Any] = {
                "generations": generations,
                "progress": 100,
                "stage": None,
                "preview": None,
            }
            data["notice"] = notice or process.data.notice
            return _next(
                process, at, EventType.COMPLETED, None, data, status=ProcessStatus.COMPLETED, answer=None
            )
        case Failed(error, error_code):
            event = EventType.CANCELLED if error_code == "cancelled" else EventType.FAILED
            data = {"error": error, "error_code": error_code, "stage": None, "preview": None}
            return _next(process, at, event, error_code, data, status=ProcessStatus.FAILED, answer=None)


def _submitted(process: Process, update: Submitted, at: datetime) -> Process:
    if process.provider.job_id is not None:
        return process
    provider = process.provider.model_copy(update={"job_id": update.job_id})
    return _next(process, at, EventType.SUBMITTED, provider.name, {}, provider=provider)


def _answered(process: Process, update: Answered, at: datetime) -> Process:
    if process.answer is not None:
        return process
    data = {"progress": max(process.data.progress or 0, ANSWERED_PROGRESS), "stage": Stage.SAVING}
    return _next(process, at, EventType.ANSWERED, None, data, answer=update.answer)


def _progressed(process: Process, update: Progressed, at: datetime) -> Process:
    known = process.data
    if _lags(process, update):
        return process
    said = {
        "progress": update.progress if update.progress is not None else known.progress,
        "stage": update.stage or _begun(known.stage, update.progress),
        "preview": _overlaid(known.preview, update.preview),
        "notice": update.notice or known.notice,
    }
    if all(getattr(known, name) == value for name, value in said.items()):
        return process
    return _next(process, at, EventType.PROGRESS, _progress_detail(update), said)


def _begun(stage: Stage | None, progress: int | None) -> Stage | None:
    # A figure means that work has begun, whether the provider says so or not.
    return Stage.PAINTING if stage is Stage.QUEUED and progress is not None else stage


def _lags(process: Process, update: Progressed) -> bool:
    known = process.data
    behind = known.progress is not None and update.progress is not None and update.progress < known.progress
    earlier = update.stage is not None and known.stage is not None
    return behind or (earlier and _STAGES.index(update.stage) < _STAGES.index(known.stage))  # pyright: ignore[reportArgumentType]


def _overlaid(
    known: tuple[str | None, ...] | None, said: tuple[str | None, ...] | None
) -> tuple[str | None, ...] | None:
    if said is None:
        return known
    before = known or ()
    return tuple(
        url or (before[i] if i < len(before) else None) for i, url in enumerate(said + before[len(said) :])
    )


def _progress_detail(update: Progressed) -> str | None:
    figure = None if update.progress is None else f"{update.progress}%"
    return figure or update.stage


def _next(
    process: Process, at: datetime, event: EventType, detail: str | None, data: dict[str, Any], **fields: Any
) -> Process:
    sequence = process.sequence + 1
    told = ProcessEvent(type=event, at=at, sequence=sequence, detail=detail)
    return process.model_copy(
        update={
            **fields,
            "sequence": sequence,
            "data": process.data.model_copy(update=data),
            "events": _bounded((*process.events, told)),
            "updated_at": max(at, process.updated_at),
        }
    )


def _bounded(events: tuple[ProcessEvent, ...]) -> tuple[ProcessEvent, ...]:
    # The first event tells when it began; what is dropped is the oldest of the rest.
    return events if len(events) <= EVENTS_KEPT else (events[0], *events[-(EVENTS_KEPT - 1) :])
