"""A process as a row of the stream shows it."""

import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hexwave_app.processes.model import KeptPicture, Process, ProcessStatus, Stage
from hexwave_app.tools.filename import slug
from hexwave_app.tools.model import listed
from hexwave_app.ui.form_input import FormInput, form_inputs, text_of
from hexwave_app.ui.routes import FORMS, MADE
from hexwave_app.ui.words import ending

_KEPT = re.compile(r"(/\d)\.(webp|png|jpg|mp4)$")
_SPOKEN = 120
_NOUNS = {"video": "clip"}

INPUTS: Mapping[str, list[FormInput]] = {tool.name: form_inputs(tool.request) for tool in MADE}
"""The inputs of each form that is made from its tool's request, by the tool's name."""


@dataclass
class Frame:
    """One picture's place in a row: empty, then a preview, then the picture.

    URLs are our own and may be empty: `shown` is the preview, or the 512 px thumbnail of the picture `full`,
    which is a video where it is a `clip`. `colour` is the picture's average, `#rrggbb`, and `blur` the
    picture in a few pixels as a data URI, where they are known; `duration` is a clip's, as 0:04.
    """

    shown: str = ""
    full: str = ""
    clip: bool = False
    colour: str = ""
    blur: str = ""
    duration: str = ""


@dataclass
class Job:
    """What a process was asked for, ready to show: what stays the same from its beginning.

    `seed` is digits, or empty where its model has none; `model` is a ModelOption's id. `name` is the prompt,
    short enough to be read out, and `slug` what its files are saved as. `noun` is what its results are
    called: image or clip. `form` is the page where the like is asked for, empty where there is none.
    `reference` is the picture that it is made of or begins with, `seconds` a clip's length; `values` is what
    a form that is made from its tool's request had, by wire name. `started` is ISO 8601 in UTC, and
    `expected` the seconds that it is likely to take from there, 0 where nobody knows.
    """

    id: str = ""
    prompt: str = ""
    name: str = ""
    slug: str = ""
    noun: str = "image"
    form: str = ""
    leave_out: str = ""
    shape: str = ""
    count: int = 1
    seed: str = ""
    styles: list[str] = field(default_factory=list)
    reference: str = ""
    seconds: int = 0
    camera: str = ""
    values: dict[str, str] = field(default_factory=dict)
    model: str = ""
    parameters: str = ""
    width: int = 1
    height: int = 1
    started: str = ""
    expected: int = 0

    @classmethod
    def of(cls, process: Process, expected: int = 0) -> "Job":
        # Each tool has inputs of its own.
        req, prompt = process.data.req, _prompt(process)
        width, height = _size(process)
        return cls(
            id=process.process_id,
            prompt=prompt,
            name=_short(prompt),
            slug=slug(prompt),
            noun=noun(process),
            form=FORMS.get(process.tool_name, ""),
            leave_out=req.get("negativePrompt", ""),
            shape=req.get("aspectRatio", "1:1"),
            count=req.get("count", 1),
            seed=str(req.get("seed", "")),
            styles=[*listed(req.get("style", ""))],
            reference=_reference(process),
            seconds=req.get("seconds", 0),
            camera=req.get("camera", ""),
            values={each.name: text_of(req.get(each.name)) for each in own_inputs(process)},
            model=f"{process.provider.name}|{process.provider.model}",
            parameters=_parameters(process),
            width=width,
            height=height,
            started=process.created_at.isoformat(),
            expected=expected,
        )


@dataclass
class Standing:
    """How a process is, in words and figures ready to show: what moves.

    `state` is queued, painting, saving, done, failed or cancelled. `percent` is -1 while there is no
    figure. `ended` is ISO 8601 in UTC, empty while it runs. `remedy` is the button of a slim row: retry,
    edit, again, or empty.
    """

    state: str = "queued"
    word: str = "Queued"
    figure: str = ""
    took: str = ""
    percent: int = -1
    ended: str = ""
    sentence: str = ""
    notice: str = ""
    remedy: str = ""
    favourite: bool = False

    @classmethod
    def of(cls, process: Process) -> "Standing":
        return cls(
            favourite=process.favourite,
            percent=-1 if process.data.progress is None else process.data.progress,
            ended=process.updated_at.isoformat() if process.terminal else "",
            notice=_notice(process),
            **_state(process),
        )

    @property
    def running(self) -> bool:
        return self.ended == ""


def frames(process: Process) -> list[Frame]:
    """The places of its pictures, in their order."""
    data = process.data
    shown = data.generations or data.preview or ()
    # Fewer results than asked for: what was not kept has no place held for it.
    count = len(shown) if data.generations else data.req.get("count", 1)
    kept = data.pictures or ()
    return [
        _frame(shown[i] if i < len(shown) else None, kept[i] if i < len(kept) else None) for i in range(count)
    ]


def noun(process: Process) -> str:
    """What its results are called: image or clip."""
    return _NOUNS.get(process.category, "image")


def counted(count: int, noun: str) -> str:
    """`1 image`, `4 images`."""
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"


def outcome(process: Process) -> str:
    """What is said aloud of one that has ended: `4 images ready`, or how it failed."""
    now = Standing.of(process)
    if now.state != "done":
        return now.word.lower()
    return f"{counted(len(process.data.generations or ()), noun(process))} ready"


def _state(process: Process) -> dict[str, str]:
    data = process.data
    if process.status is ProcessStatus.FAILED:
        end = ending(data.error_code, data.error)
        state = "cancelled" if data.error_code == "cancelled" else "failed"
        return {"state": state, "word": end.word, "sentence": end.sentence, "remedy": end.remedy}
    if process.status is ProcessStatus.COMPLETED:
        seconds = (process.updated_at - process.created_at).total_seconds()
        return {"state": "done", "word": "Done", "took": f"in {_duration(seconds)}"}
    if data.stage is Stage.SAVING:
        places = frames(process)
        kept = sum(1 for frame in places if frame.full)
        figure = f"{min(kept + 1, len(places))} of {len(places)}"
        return {"state": "saving", "word": "Saving", "figure": figure}
    if data.stage is Stage.QUEUED:
        return {"state": "queued", "word": "Queued", "figure": f"{data.ahead} ahead" if data.ahead else ""}
    figure = "" if data.progress is None else f"{data.progress}%"
    return {"state": "painting", "word": "Painting", "figure": figure}


def _notice(process: Process) -> str:
    kept, asked = len(process.data.generations or ()), process.data.req.get("count", 1)
    lost = f"{kept} of {asked} kept." if 0 < kept < asked else ""
    return " ".join(words for words in (lost, process.data.notice) if words)


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


def spoken(choice: str) -> str:
    """A choice of the API as people read it: `pan-left` is `pan left`."""
    return choice.replace("-", " ")


def own_inputs(process: Process) -> list[FormInput]:
    """The inputs of its form that only its tool has, in their order."""
    own = ("choice", "switch", "number", "text", "shape")
    return [each for each in INPUTS.get(process.tool_name, ()) if each.kind in own]


def told(each: FormInput, value: Any) -> str:
    """A value of an input as people read it, without the input's name; empty where there is none."""
    if each.kind == "switch":
        return {"true": "on", "false": "off"}.get(text_of(value), "")
    return spoken(text_of(value)) if each.kind == "choice" else text_of(value)


def _prompt(process: Process) -> str:
    """What it is called by: its prompt, where it has none its first text, and without words its tool."""
    texts = [each.name for each in own_inputs(process) if each.kind == "text"]
    said = (process.data.req.get(name) for name in ("prompt", *texts))
    return next((text for text in said if text), process.tool_name)


def _reference(process: Process) -> str:
    pictures = [each.name for each in INPUTS.get(process.tool_name, ()) if each.kind == "picture"]
    req = process.data.req
    return next((req[name] for name in ("reference", "firstFrame", *pictures) if req.get(name)), "")


def _short_inputs(process: Process) -> list[str]:
    """What is said in a row of the inputs that only its tool has: choices alone, figures with a name."""
    req, said = process.data.req, ("aspectRatio", "seconds", "camera", "scale", "count", "style")
    words: list[str] = []
    for each in own_inputs(process):
        value = told(each, req.get(each.name))
        if value and each.name not in said and each.kind != "text":
            alone = each.kind == "choice" and not each.whole
            words.append(value if alone else f"{each.title.lower()} {value}")
    return words


def _parameters(process: Process) -> str:
    req = process.data.req
    said = {
        "aspectRatio": "{}",
        "seconds": "{} s",
        "camera": "{}",
        "scale": "{} times as large",
        "seed": "seed {}",
    }
    words = [form.format(spoken(str(req[name]))) for name, form in said.items() if name in req]
    some = [counted(req["count"], "image")] if "count" in req else []
    reference = [
        *(["with a reference"] if "reference" in req else []),
        *(["from a picture"] if "firstFrame" in req else []),
    ]
    words[1:1] = [*some, *listed(req.get("style", "")), *reference]
    return " · ".join([*_short_inputs(process), *words])


def _size(process: Process) -> tuple[int, int]:
    """Width and height of its results, or of their shape until there are any."""
    if process.data.pictures:
        first = process.data.pictures[0]
        return first.width, first.height
    width, _, height = process.data.req.get("aspectRatio", "1:1").partition(":")
    return int(width), int(height)


def _frame(url: str | None, picture: KeptPicture | None) -> Frame:
    if url is None:
        return Frame()
    thumbnail, kept = _KEPT.subn(r"\1-512.webp", url)
    return Frame(
        shown=thumbnail,
        full=url if kept else "",
        clip=url.endswith(".mp4"),
        colour=picture.colour if picture else "",
        blur=f"data:image/webp;base64,{picture.blur}" if picture and picture.blur else "",
        duration=_clock(picture.seconds) if picture and picture.seconds else "",
    )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


def _short(prompt: str) -> str:
    return textwrap.shorten(prompt, _SPOKEN, placeholder="…") if " " in prompt[:_SPOKEN] else prompt[:_SPOKEN]
