"""The one rule of change."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hexwave_app.processes.model import (
    EventType,
    KeptPicture,
    Process,
    ProcessEvent,
    ProcessStatus,
    ProviderJob,
    Source,
    Stage,
)

ANSWERED_PROGRESS = 94
"""Per cent done once only the keeping of the results is left."""

_STAGES = tuple(Stage)
_ENDED: dict[str, Any] = {"stage": None, "ahead": None, "preview": None}


@dataclass(frozen=True)
class Submitted:
    """The provider accepted the job under `job_id`."""

    job_id: str


@dataclass(frozen=True)
class PassedOn:
    """The provider was away, and took nothing: another one, and its model, are asked instead."""

    provider: str
    model: str


@dataclass(frozen=True)
class Progressed:
    """How far the work is. `None` says nothing about that part; an empty notice takes the last one back.

    `ahead` is how many jobs come first, and over once work has begun.
    """

    progress: int | None = None
    stage: Stage | None = None
    preview: tuple[str | None, ...] | None = None
    notice: str | None = None
    ahead: int | None = None


@dataclass(frozen=True)
class Answered:
    """The provider is done; `answer` says where its results are, for whoever keeps them."""

    answer: dict[str, Any]


@dataclass(frozen=True)
class Completed:
    """The results are kept; `generations` are our own URLs, `pictures` what is known of each.

    `result` is what is no picture: JSON-ready, and small enough for a message, 60 KB.
    """

    generations: tuple[str, ...] = ()
    notice: str | None = None
    pictures: tuple[KeptPicture, ...] | None = None
    result: dict[str, Any] | None = None


@dataclass(frozen=True)
class Failed:
    """It ended without a result; `error` is a sentence a person may read."""

    error: str
    error_code: str


Update = Submitted | PassedOn | Progressed | Answered | Completed | Failed


def transition(process: Process, update: Update, at: datetime, source: Source = Source.SERVER) -> Process:
    """The process after `update`; the same object when it says nothing new.

    A terminal status is final. Progress that lags behind what is known is late news and says nothing.
    The sequence grows where a status message would say something new, which it does not of the provider.
    """
    if ignored(process, update) is not None:
        return process
    change = _change(process, update)
    data = process.data.model_copy(update=change.data)
    told = data != process.data or "status" in change.fields
    sequence = process.sequence + 1 if told else process.sequence
    event = ProcessEvent(type=change.type, at=at, source=source, sequence=sequence, detail=change.detail)
    return process.amended(
        event,
        **change.fields,
        sequence=sequence,
        data=data,
        updated_at=max(at, process.updated_at),
    )


def ignored(process: Process, update: Update) -> str | None:
    """Why `update` says nothing new, in a few words; `None` when it does."""
    if process.terminal:
        return f"Already {'cancelled' if process.data.error_code == 'cancelled' else process.status}"
    match update:
        case Submitted() | PassedOn():
            return "Already submitted" if process.provider.job_id is not None else None
        case Answered():
            return "Duplicate" if process.answer is not None else None
        case Progressed():
            if _lags(process, update):
                return "Late news"
            same = all(getattr(process.data, name) == value for name, value in _said(process, update).items())
            return "Duplicate" if same else None
        case Completed() | Failed():
            return None


@dataclass(frozen=True)
class _Change:
    type: EventType
    detail: str | None = None
    data: dict[str, Any] = field(default_factory=dict[str, Any])
    fields: dict[str, Any] = field(default_factory=dict[str, Any])


def _change(process: Process, update: Update) -> _Change:
    match update:
        case Submitted(job_id):
            provider = process.provider.model_copy(update={"job_id": job_id})
            return _Change(EventType.SUBMITTED, provider.name, fields={"provider": provider})
        case PassedOn(name, model):
            provider = ProviderJob(name=name, model=model)
            return _Change(EventType.PROGRESS, f"Passed on to {name}", fields={"provider": provider})
        case Progressed():
            return _Change(EventType.PROGRESS, _progress_detail(update), _said(process, update))
        case Answered(answer):
            progress = max(process.data.progress or 0, ANSWERED_PROGRESS)
            data = {"progress": progress, "stage": Stage.SAVING, "ahead": None}
            return _Change(EventType.WEBHOOK, None, data, {"answer": answer})
        case Completed(generations, notice, pictures, result):
            data = _ENDED | {
                "generations": generations,
                "pictures": pictures,
                "result": result,
                "progress": 100,
                "notice": _overwritten(process.data.notice, notice),
            }
            fields = {"status": ProcessStatus.COMPLETED, "answer": None}
            return _Change(EventType.SAVED, f"{len(generations)} kept", data, fields)
        case Failed(error, error_code):
            type_ = EventType.CANCELLED if error_code == "cancelled" else EventType.FAILED
            data = _ENDED | {"error": error, "error_code": error_code}
            return _Change(type_, error_code, data, {"status": ProcessStatus.FAILED, "answer": None})


def _said(process: Process, update: Progressed) -> dict[str, Any]:
    known = process.data
    stage = update.stage or _begun(known.stage, update.progress)
    ahead = known.ahead if update.ahead is None else update.ahead
    return {
        "progress": update.progress if update.progress is not None else known.progress,
        "stage": stage,
        "ahead": ahead if stage is Stage.QUEUED else None,
        "preview": _overlaid(known.preview, update.preview),
        "notice": _overwritten(known.notice, update.notice),
    }


def _overwritten(known: str | None, said: str | None) -> str | None:
    return known if said is None else said or None


def _begun(stage: Stage | None, progress: int | None) -> Stage | None:
    # A figure means that work has begun, whether the provider says so or not.
    return Stage.PAINTING if stage is Stage.QUEUED and progress is not None else stage


def _lags(process: Process, update: Progressed) -> bool:
    known = process.data
    if known.progress is not None and update.progress is not None and update.progress < known.progress:
        return True
    if known.stage not in _STAGES or update.stage not in _STAGES:
        # Of a newer version's, nobody here knows the place.
        return False
    return _STAGES.index(update.stage) < _STAGES.index(known.stage)


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
