"""A process's timeline as its page tells it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from hexwave_app.processes.model import EventType, Process, ProcessEvent, Source, Stage
from hexwave_app.ui.words import ending

_FIGURE = re.compile(r"\d+%")
_STAGES = {Stage.QUEUED: "Waiting for the provider", Stage.SAVING: "Saving"}


@dataclass
class Step:
    """One of the updates that are folded into a line; `at` is ISO 8601 in UTC."""

    key: str = ""
    title: str = ""
    ignored: bool = False
    delta: str = ""
    at: str = ""


@dataclass
class Line:
    """One node. `kind` is done, ignored, failed, cancelled, running or screen.

    `at` is ISO 8601 in UTC, empty while it runs; `delta` is the time since the last line that mattered,
    "+0.117". `steps` are the updates it stands for.
    """

    key: str = ""
    kind: str = "done"
    title: str = ""
    detail: str = ""
    delta: str = ""
    at: str = ""
    steps: list[Step] = field(default_factory=list)


@dataclass
class Part:
    """A part of the whole time: `seconds` to be read, `share` to be drawn."""

    name: str = ""
    seconds: str = ""
    share: float = 0


def timeline(process: Process, provider: str, on_screen: datetime | None = None) -> list[Line]:
    """The lines, oldest first. `provider` is its title; `on_screen` is when the page showed the end."""
    lines: list[Line] = []
    since: datetime | None = None
    told = set[int]()
    for events in _folded(process.events):
        first, last = events[0], events[-1]
        line = _line(process, first, provider) if len(events) == 1 else _progress(events, since)
        if first.type is EventType.PUBLISHED and first.sequence in told:
            line.kind, line.title, line.detail = "ignored", "Published again", "Duplicate, ignored"
        told |= {first.sequence} if first.type is EventType.PUBLISHED else set()
        line.key, line.at = f"{len(lines)}-{first.type}", last.at.isoformat()
        if line.kind != "ignored":
            line.delta = _delta(since, last.at)
            since = last.at
        lines.append(line)
    if not process.terminal:
        lines.append(
            Line("running", "running", _STAGES.get(process.data.stage or Stage.PAINTING, "Painting"))
        )
    elif on_screen is not None:
        at = on_screen.isoformat()
        lines.append(Line("screen", "screen", "On your screen", "", _delta(since, on_screen), at))
    return lines


def parts(process: Process, on_screen: datetime | None = None) -> list[Part]:
    """What the time of a completed process went into, in order; nothing of one that is not completed."""
    answered = _first(process, EventType.WEBHOOK)
    painted = [
        event.at
        for event in process.events
        if event.type is EventType.PROGRESS and answered is not None and event.at <= answered
    ]
    # Without progress nobody knows when the painting was done, only when it was told.
    marks = [
        ("Send", _first(process, EventType.SUBMITTED)),
        ("Paint", painted[-1] if painted else answered),
        ("Webhook", answered if painted else None),
        ("Save", _first(process, EventType.SAVED)),
        ("Deliver", on_screen or _published(process)),
    ]
    found: list[Part] = []
    since = process.created_at
    for name, at in marks if process.data.generations else ():
        if at is not None:
            seconds = _seconds(since, at)
            found.append(Part(name, f"{seconds:.2f}", seconds))
            since = max(since, at)
    return found


def whole(process: Process, on_screen: datetime | None = None) -> tuple[str, str]:
    """How long it all took and what that was, "6.05 s" and "from click to screen"; empty while it runs."""
    if not process.terminal:
        return "", ""
    ends = [event.at for event in process.events if event.type is not EventType.IGNORED]
    if process.data.error_code == "cancelled":
        end, words = process.updated_at, "until it was cancelled"
    elif process.data.error_code:
        end, words = process.updated_at, "until it failed"
    elif on_screen is not None:
        end, words = on_screen, "from click to screen"
    else:
        end, words = _published(process) or ends[-1], "from click to published"
    return f"{_seconds(process.created_at, end):.2f} s", words


def _folded(events: tuple[ProcessEvent, ...]) -> Iterator[list[ProcessEvent]]:
    """Progress that follows progress is one, with what was ignored in between; all else stands alone."""
    run: list[ProcessEvent] = []
    for event in events:
        run.append(event)
        if _is_figure(event) or (event.type is EventType.IGNORED and _is_figure(run[0])):
            continue
        yield from _split(run[:-1])
        yield [event]
        run = []
    yield from _split(run)


def _split(run: list[ProcessEvent]) -> Iterator[list[ProcessEvent]]:
    """A run without what was ignored after its last progress, then those, each alone."""
    end = max((i + 1 for i, event in enumerate(run) if _is_figure(event)), default=0)
    if end:
        yield run[:end]
    yield from ([event] for event in run[end:])


def _is_figure(event: ProcessEvent) -> bool:
    # What is no figure and no stage, such as a job that was passed on, is a line of its own.
    return event.type is EventType.PROGRESS and (
        event.detail is None or event.detail in tuple(Stage) or _FIGURE.fullmatch(event.detail) is not None
    )


def _progress(events: list[ProcessEvent], since: datetime | None) -> Line:
    figures = [event.detail for event in events if event.detail and _FIGURE.fullmatch(event.detail)]
    title = f"Progress {figures[0][:-1]} → {figures[-1]}" if len(figures) > 1 else "Progress"
    steps: list[Step] = []
    for number, event in enumerate(events):
        ignored, at = event.type is EventType.IGNORED, event.at.isoformat()
        words = f"{event.detail}, ignored" if ignored else event.detail or "An update"
        steps.append(Step(str(number), words, ignored, "" if ignored else _delta(since, event.at), at))
        since = since if ignored else event.at
    lost = sum(1 for step in steps if step.ignored)
    updates = f"{len(steps) - lost} updates"
    return Line(title=title, detail=f"{updates}, {lost} ignored" if lost else updates, steps=steps)


def _line(process: Process, event: ProcessEvent, provider: str) -> Line:
    detail = event.detail or ""
    match event.type:
        case EventType.CREATED:
            return Line(title="Created", detail="Begun again" if process.retry_of else "")
        case EventType.SUBMITTED:
            return Line(title="Sent to provider", detail=f"{provider} accepted the job")
        case EventType.PROGRESS:
            return Line(title=f"Progress {detail}" if _FIGURE.fullmatch(detail) else detail or "Progress")
        case EventType.WEBHOOK if event.source is Source.WEBHOOK:
            return Line(title="Webhook received", detail=_joined("Token checked", detail))
        case EventType.WEBHOOK:
            return Line(title="Answer received", detail=_joined(detail, "without a webhook"))
        case EventType.SAVED:
            return Line(title="Saved", detail=detail)
        case EventType.PUBLISHED:
            late = event.source is Source.RECONCILER
            return Line(title="Published", detail="Made up for afterwards" if late else "")
        case EventType.IGNORED:
            return Line(kind="ignored", title=_ignored(event), detail=f"{detail}, ignored")
        case EventType.RECONCILED:
            return Line(title="Checked with the provider", detail=detail)
        case EventType.CANCELLED:
            sentence = ending(process.data.error_code, process.data.error).sentence
            return Line(kind="cancelled", title="Cancelled", detail=sentence)
        case EventType.FAILED:
            sentence = ending(process.data.error_code, process.data.error).sentence
            return Line(kind="failed", title="Failed", detail=f"{detail} · {sentence}")
        case _:
            return Line(title=event.type.capitalize(), detail=detail)


def _ignored(event: ProcessEvent) -> str:
    if event.source is Source.USER:
        return "Asked to cancel"
    return "Webhook received late" if event.detail == "Late news" else "Webhook received again"


def _joined(*words: str) -> str:
    return ", ".join(word for word in words if word)


def _first(process: Process, type_: EventType) -> datetime | None:
    return next((event.at for event in process.events if event.type is type_), None)


def _published(process: Process) -> datetime | None:
    """When the end was first told; what was told on the way does not count."""
    told = (event for event in process.events if event.type is EventType.PUBLISHED)
    return next((event.at for event in told if event.sequence >= process.sequence), None)


def _delta(since: datetime | None, at: datetime) -> str:
    return "" if since is None else f"+{_seconds(since, at):.3f}"


def _seconds(since: datetime, at: datetime) -> float:
    # Two servers' clocks may differ by a little; time does not run backwards for that.
    return max((at - since).total_seconds(), 0)
