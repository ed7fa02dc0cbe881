"""What the Inspector shows, in words and figures."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hexwave_app.activity.latency import WebhookLatency
from hexwave_app.activity.log import Line
from hexwave_app.activity.samples import Samples
from hexwave_app.activity.webhooks import Delivery, Verdict
from hexwave_app.health.check import Check, State
from hexwave_app.processes.model import EventType, Process, ProcessEvent, ProcessStatus

WIDTH, HEIGHT = 120, 36
"""Of a tile's sparkline, in pixels."""

WIDE, HIGH = 368, 72
TARGET = 1.0
"""Seconds from a webhook to a page that are meant not to be exceeded."""

_INSET = 3
_TONES = {
    State.HEALTHY: "well",
    State.CONNECTED: "well",
    State.SLOW: "slow",
    State.RECONNECTING: "slow",
    State.NOT_SET_UP: "unset",
    State.DOWN: "down",
}


@dataclass
class Tile:
    """A check. `tone` is well, slow, unset or down; `points` are a polyline's, which ends at `end`."""

    key: str = ""
    name: str = ""
    word: str = ""
    tone: str = "well"
    figure: str = ""
    unit: str = ""
    detail: str = ""
    remedy: str = ""
    points: str = ""
    end: str = "0"
    label: str = ""

    @classmethod
    def of(cls, check: Check, times: Samples) -> "Tile":
        figure, unit = _figure(times.median if check.well else None)
        values = times.values[-60:]
        points = sparkline(values, WIDTH, HEIGHT)
        p95 = f"p95 {duration(times.p95)}, " if times.p95 is not None and check.well else ""
        return cls(
            key=check.key,
            name=check.name,
            word=check.state.value,
            tone=_TONES[check.state],
            figure=figure,
            unit=f"{unit} median" if figure else "",
            detail=f"{p95}{check.detail[0].lower() if p95 else check.detail[0]}{check.detail[1:]}",
            remedy=check.remedy if _TONES[check.state] in ("slow", "down") else "",
            points=points,
            end=_height(points),
            label=_spoken(times),
        )


@dataclass
class Chart:
    """From a webhook to a page. `target` is where the line of one second is, from the top."""

    median: str = ""
    p95: str = ""
    published: str = ""
    points: str = ""
    area: str = ""
    end: str = "0"
    target: str = "0"
    label: str = ""

    @classmethod
    def of(cls, latency: WebhookLatency) -> "Chart":
        values = latency.shown.values
        if not values:
            return cls()
        most = max(TARGET * 1.15, *values)
        points = sparkline(values[-60:], WIDE, HIGH, most)
        published = latency.published.median
        return cls(
            median=duration(latency.shown.median),
            p95=duration(latency.shown.p95),
            published="" if published is None else duration(published),
            points=points,
            area=f"0,{HIGH} {points} {WIDE},{HIGH}" if points else "",
            end=_height(points),
            target=str(_y(TARGET, HIGH, most)),
            label=_spoken(latency.shown),
        )


@dataclass
class Step:
    """A line of the short timeline. `tone` is done, ignored, failed or live; `at` is since the first."""

    key: int = 0
    title: str = ""
    tone: str = "done"
    at: str = ""


@dataclass
class Found:
    """A process that was looked up. `document` is JSON; `picture` is empty where there is none to show."""

    id: str = ""
    prompt: str = ""
    summary: str = ""
    picture: str = ""
    owner: str = ""
    steps: list[Step] = field(default_factory=list)
    document: str = ""

    @classmethod
    def of(cls, process: Process, picture: str) -> "Found":
        return cls(
            id=process.process_id,
            prompt=str(process.data.req.get("prompt", "")),
            summary=_summary(process),
            picture=picture,
            owner=process.user_id,
            steps=_steps(process),
            document=json.dumps(_document(process), indent=2, ensure_ascii=False),
        )


@dataclass
class Received:
    """A webhook. `at` is ISO 8601 in UTC; `replay` says whether its body is still there."""

    number: int = 0
    at: str = ""
    process_id: str = ""
    verdict: str = ""
    tone: str = ""
    detail: str = ""
    size: str = ""
    replay: bool = False

    @classmethod
    def of(cls, delivery: Delivery) -> "Received":
        again = f"Replay of {delivery.replay_of}. " if delivery.replay_of is not None else ""
        return cls(
            number=delivery.number,
            at=delivery.at.isoformat(),
            process_id=delivery.process_id,
            verdict=delivery.verdict.value.capitalize(),
            tone={Verdict.ACCEPTED: "changed", Verdict.IGNORED: "ignored"}.get(delivery.verdict, "failed"),
            detail=f"{again}{delivery.reason}".strip(),
            size=_size(delivery.size),
            replay=delivery.body is not None and delivery.verdict is not Verdict.REFUSED,
        )


def _size(count: int) -> str:
    """Empty for what was refused before it was read."""
    return "" if not count else f"{count} B" if count < 1024 else f"{count / 1024:.1f} KB"


def wire(lines: list[Line]) -> str:
    """The lines as JSON for inspector.js, the oldest first: small, since they are sent as they come."""
    rows: list[list[Any]] = [
        [
            line.number,
            round(line.at.timestamp() * 1000),
            line.process_id,
            line.event.value,
            line.detail,
            "" if line.took is None else duration(line.took),
            line.kind,
            line.tone,
        ]
        for line in lines
    ]
    return json.dumps(rows, separators=(",", ":"))


def duration(seconds: float | None) -> str:
    """`3 ms`, `2.1 s`, `60.0 s`; one below a tenth of a millisecond is `0.1 ms`."""
    return "" if seconds is None else " ".join(_figure(seconds))


def sparkline(values: list[float], width: float, height: float, most: float | None = None) -> str:
    """A polyline's points, from the left to the right edge; empty with fewer than two values."""
    if len(values) < 2:
        return ""
    top = most or max(values) or 1.0
    across = (width - _INSET) / (len(values) - 1)
    return " ".join(f"{i * across:.1f},{_y(value, height, top):.1f}" for i, value in enumerate(values))


def _y(value: float, height: float, most: float) -> float:
    return round(height - _INSET - (height - 2 * _INSET) * value / most, 1)


def _height(points: str) -> str:
    """Where a line ends."""
    return points.rpartition(",")[2] or "0"


def _figure(seconds: float | None) -> tuple[str, str]:
    if seconds is None:
        return "", ""
    if seconds < 1:
        milliseconds = seconds * 1000
        return (f"{milliseconds:.0f}" if milliseconds >= 10 else f"{max(milliseconds, 0.1):.1f}"), "ms"
    return f"{seconds:.1f}", "s"


def _spoken(times: Samples) -> str:
    median, p95 = times.median, times.p95
    if median is None or p95 is None:
        return "No measurements yet"
    return f"Median {median * 1000:.0f} milliseconds, 95th percentile {p95 * 1000:.0f}"


def _summary(process: Process) -> str:
    seconds = (process.updated_at - process.created_at).total_seconds()
    match process.status:
        case ProcessStatus.COMPLETED:
            said = f"Done in {seconds:.2f} s"
        case ProcessStatus.FAILED:
            said = f"Failed, {process.data.error_code}, after {seconds:.2f} s"
        case _:
            figure = f", {process.data.progress}%" if process.data.progress is not None else ""
            said = f"Running{figure}"
    ignored = sum(event.type is EventType.IGNORED for event in process.events)
    repeated = f" · {ignored} duplicate{'' if ignored == 1 else 's'} ignored" if ignored else ""
    deleted = " · deleted by its owner" if process.deleted_at is not None else ""
    return said + repeated + deleted


_TITLES = {
    EventType.CREATED: "Created",
    EventType.SUBMITTED: "Sent to provider",
    EventType.WEBHOOK: "Webhook received",
    EventType.SAVED: "Saved",
    EventType.PUBLISHED: "Published",
    EventType.RECONCILED: "Checked with the provider",
    EventType.CANCELLED: "Cancelled",
    EventType.FAILED: "Failed",
}


def _steps(process: Process) -> list[Step]:
    begun, steps = process.created_at, list[Step]()
    progress: list[ProcessEvent] = []
    for event in process.events:
        if event.type is EventType.PROGRESS:
            progress.append(event)
            continue
        if progress:
            steps.append(_progressed(progress, begun, len(steps)))
            progress = []
        steps.append(_step(event, begun, len(steps)))
    return [*steps, _progressed(progress, begun, len(steps))] if progress else steps


def _progressed(events: list[ProcessEvent], begun: datetime, key: int) -> Step:
    figures = [event.detail for event in events if event.detail and event.detail.endswith("%")]
    span = f" {figures[0].rstrip('%')} → {figures[-1]}" if len(figures) > 1 else f" {(figures or [''])[0]}"
    return Step(key, f"Progress{span}".strip(), "done", _since(events[-1].at, begun))


def _step(event: ProcessEvent, begun: datetime, key: int) -> Step:
    at = _since(event.at, begun)
    if event.type is EventType.IGNORED:
        return Step(key, f"{event.detail or 'Duplicate'}, ignored", "ignored", at)
    if event.type is EventType.FAILED:
        return Step(key, f"Failed, {event.detail}", "failed", at)
    return Step(key, _TITLES.get(event.type, event.type.value.capitalize()), "done", at)


def _since(at: datetime, begun: datetime) -> str:
    return f"+{(at - begun).total_seconds():.3f}"


def _document(process: Process) -> dict[str, Any]:
    """Without what is between us and the provider, and without the nonce that opens a shared link."""
    return process.model_copy(update={"answer": None, "share": None}).wire()
