"""What a process's pictures were made with, as its page lists it."""

from dataclasses import dataclass

from hexwave_app.processes.model import Process
from hexwave_app.tools.image_generator import SIZES
from hexwave_app.ui.job import own_inputs, spoken, told


@dataclass
class Fact:
    """A setting's name and its value; `mono` is for what is a figure to copy."""

    name: str = ""
    value: str = ""
    mono: bool = False


def facts(process: Process, model: str) -> list[Fact]:
    """The settings that were made or filled in; `model` is the model's title."""
    # Each tool has inputs of its own.
    req = process.data.req
    said = [
        Fact("Model", model),
        Fact("Shape", _shape(process)),
        Fact("Images", str(req.get("count", ""))),
        Fact("Length", f"{req['seconds']} s" if "seconds" in req else ""),
        Fact("Camera", spoken(str(req.get("camera", "")))),
        Fact("Enlarged", f"{req['scale']} times" if "scale" in req else ""),
        *_own(process),
        Fact("Seed", str(req.get("seed", "")), mono=True),
        Fact("Style", req.get("style", "")),
        Fact("Leave out", req.get("negativePrompt", "")),
    ]
    return [fact for fact in said if fact.value]


def _own(process: Process) -> list[Fact]:
    """The settings that only its tool has."""
    known = ("aspectRatio", "count", "seconds", "camera", "scale", "style")
    req = process.data.req
    own = [each for each in own_inputs(process) if each.name not in known]
    return [Fact(each.title, told(each, req.get(each.name))) for each in own]


def _shape(process: Process) -> str:
    ratio = process.data.req.get("aspectRatio", "")
    known = process.data.pictures
    size = (known[0].width, known[0].height) if known else SIZES.get(ratio)
    return ", ".join(part for part in (ratio, f"{size[0]} × {size[1]}" if size else "") if part)


def as_text(prompt: str, settings: list[Fact]) -> str:
    """The prompt and the settings, a line each, to be pasted elsewhere."""
    return "\n".join([f"Prompt: {prompt}", *(f"{fact.name}: {fact.value}" for fact in settings)])
