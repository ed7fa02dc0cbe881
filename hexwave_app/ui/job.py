"""A process as a row of the stream shows it."""

import re
import textwrap
from dataclasses import dataclass, field
from typing import Any

from hexwave_app.processes.model import Process, ProcessStatus, Stage
from hexwave_app.tools.image_generator import SIZES
from hexwave_app.ui.words import ending

_KEPT = re.compile(r"(/\d)\.(webp|png|jpg)$")
_SPOKEN = 120


@dataclass
class Frame:
    """One picture's place in a row: empty, then a preview, then the picture.

    URLs are our own and may be empty. `src` is the 512 px thumbnail, `full` the picture itself, `save`
    downloads it as `name`.
    """

    key: str = ""
    preview: str = ""
    src: str = ""
    full: str = ""
    alt: str = ""
    name: str = ""
    save: str = ""


@dataclass
class Job:
    """What the stream needs of a process, in words and figures ready to show.

    `state` is queued, painting, saving, done, failed or cancelled. `percent` is -1 while there is no
    figure. `started` and `ended` are ISO times in UTC, `ended` empty while running. `remedy` is the
    button of a slim row: retry, edit, again, or empty. `seed` is digits, or empty where its model has
    none; `model` is a ModelOption's id. `name` is the prompt, short enough to be read out.
    """

    id: str = ""
    state: str = "queued"
    word: str = "Queued"
    figure: str = ""
    took: str = ""
    percent: int = -1
    prompt: str = ""
    name: str = ""
    leave_out: str = ""
    shape: str = ""
    count: int = 1
    seed: str = ""
    model: str = ""
    parameters: str = ""
    width: int = 1
    height: int = 1
    started: str = ""
    ended: str = ""
    frames: list[Frame] = field(default_factory=list)
    sentence: str = ""
    notice: str = ""
    remedy: str = ""

    @classmethod
    def of(cls, process: Process) -> "Job":
        req, data = process.data.req, process.data
        width, height = SIZES[req["aspectRatio"]]
        frames = _frames(process)
        return cls(
            id=process.process_id,
            percent=-1 if data.progress is None else data.progress,
            prompt=req["prompt"],
            name=_short(req["prompt"]),
            leave_out=req.get("negativePrompt", ""),
            shape=req["aspectRatio"],
            count=req["count"],
            seed=str(req.get("seed", "")),
            model=f"{process.provider.name}|{process.provider.model}",
            parameters=_parameters(req),
            width=width,
            height=height,
            started=process.created_at.isoformat(),
            ended=process.updated_at.isoformat() if process.terminal else "",
            frames=frames,
            notice=_notice(process),
            **_state(process, frames),
        )

    @property
    def running(self) -> bool:
        return self.ended == ""


def images(count: int) -> str:
    """`1 image`, `4 images`."""
    return "1 image" if count == 1 else f"{count} images"


def _state(process: Process, frames: list[Frame]) -> dict[str, str]:
    data = process.data
    if process.status is ProcessStatus.FAILED:
        end = ending(data.error_code, data.error)
        state = "cancelled" if data.error_code == "cancelled" else "failed"
        return {"state": state, "word": end.word, "sentence": end.sentence, "remedy": end.remedy}
    if process.status is ProcessStatus.COMPLETED:
        seconds = (process.updated_at - process.created_at).total_seconds()
        return {"state": "done", "word": "Done", "took": f"in {_duration(seconds)}"}
    if data.stage is Stage.SAVING:
        kept = sum(1 for frame in frames if frame.src)
        return {
            "state": "saving",
            "word": "Saving",
            "figure": f"{min(kept + 1, len(frames))} of {len(frames)}",
        }
    if data.stage is Stage.QUEUED:
        return {"state": "queued", "word": "Queued"}
    figure = "" if data.progress is None else f"{data.progress}%"
    return {"state": "painting", "word": "Painting", "figure": figure}


def _notice(process: Process) -> str:
    kept, asked = len(process.data.generations or ()), process.data.req["count"]
    lost = f"{kept} of {asked} kept." if 0 < kept < asked else ""
    return " ".join(words for words in (lost, process.data.notice) if words)


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


def _parameters(req: dict[str, Any]) -> str:
    said = [req["aspectRatio"], images(req["count"])]
    return " · ".join([*said, f"seed {req['seed']}"] if "seed" in req else said)


def _frames(process: Process) -> list[Frame]:
    data = process.data
    shown = data.generations or data.preview or ()
    # Fewer results than asked for: what was not kept has no place held for it.
    count = len(shown) if data.generations else data.req["count"]
    return [_frame(process, i, count, shown[i] if i < len(shown) else None) for i in range(count)]


def _frame(process: Process, index: int, count: int, url: str | None) -> Frame:
    prompt = process.data.req["prompt"]
    frame = Frame(
        key=f"{process.process_id}-{index}",
        alt=_short(prompt) if count == 1 else f"{_short(prompt)}, image {index + 1} of {count}",
    )
    if url is None:
        return frame
    kept = _KEPT.search(url)
    if kept is None:
        frame.preview = url
        return frame
    frame.full = url
    frame.src = _KEPT.sub(r"\1-512.webp", url)
    name = f"{_slug(prompt)}-{index + 1}"
    frame.name = f"{name}.{kept[2]}"
    # The name goes along: from a bucket's address, browsers would take none of ours.
    frame.save = f"{url}?download={name}"
    return frame


def _slug(prompt: str) -> str:
    words = re.findall(r"[a-z0-9]+", prompt.lower())
    return "-".join(words)[:48].rstrip("-") or "hexwave"


def _short(prompt: str) -> str:
    return textwrap.shorten(prompt, _SPOKEN, placeholder="…") if " " in prompt[:_SPOKEN] else prompt[:_SPOKEN]
