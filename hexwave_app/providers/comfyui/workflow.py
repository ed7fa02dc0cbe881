"""A workflow as a template: slots such as "%prompt%" in its API format, filled for each request."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from hexwave_app.processes.errors import SettingsError
from hexwave_app.tools.image_generator import ImageRequest
from hexwave_app.tools.model import ANY, Limit

SDXL = Path(__file__).with_name("sdxl.json")
"""For any checkpoint of the kind of Stable Diffusion XL."""

_SLOT = re.compile(r"%([a-z_]+)%")
_INPUTS = {
    "prompt": "prompt",
    "negative_prompt": "negative_prompt",
    "width": "aspect_ratio",
    "height": "aspect_ratio",
    "count": "count",
    "seed": "seed",
    "style": "style",
}
"""The slots, each with the input that it needs of the request."""

_CHECKPOINT = "checkpoint"
# ComfyUI fills these itself, in the names of files.
_DATES = {"year", "month", "day", "hour", "minute", "second"}


@dataclass(frozen=True)
class Workflow:
    """A checked template; `name` is its file's."""

    name: str
    nodes: Mapping[str, Any]
    checkpoint: str

    @classmethod
    def read(cls, path: Path, checkpoint: str) -> "Workflow":
        """The template in the file. `SettingsError` says what is wrong with it."""
        try:
            nodes = json.loads(path.read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            raise _wrong(path, "cannot be read as JSON") from error
        if not _in_api_format(nodes):
            raise _wrong(path, "is not in the API format. Export it from ComfyUI with Export (API)")
        slots = set(_slots(nodes))
        unknown = sorted(slots - _INPUTS.keys() - {_CHECKPOINT} - _DATES)
        if unknown:
            known = ", ".join(f"%{slot}%" for slot in (*_INPUTS, _CHECKPOINT))
            raise _wrong(path, f"has the slot %{unknown[0]}%. There are {known}")
        if "prompt" not in slots:
            raise _wrong(path, 'has no "%prompt%" where the prompt belongs')
        if ("width" in slots) != ("height" in slots):
            raise _wrong(path, "has one of %width% and %height%. They go together")
        return cls(path.stem, nodes, checkpoint)

    @property
    def inputs(self) -> Mapping[str, Limit]:
        """What its slots take of a request."""
        slots = set(_slots(self.nodes))
        return {name: ANY for slot, name in _INPUTS.items() if slot in slots}

    def filled(self, request: ImageRequest) -> dict[str, Any]:
        """The workflow of one request. A slot that is a whole value keeps its type."""
        width, height = request.size
        values = {
            "prompt": request.prompt,
            "negative_prompt": request.negative_prompt or "",
            "width": width,
            "height": height,
            "count": request.count,
            "seed": request.seed,
            "style": request.style or "",
            _CHECKPOINT: self.checkpoint,
        }
        return _filled(self.nodes, values)


def _filled(part: Any, values: Mapping[str, Any]) -> Any:
    match part:
        case dict():
            items = cast(dict[str, Any], part).items()
            return {name: _filled(value, values) for name, value in items}
        case list():
            return [_filled(value, values) for value in cast(list[Any], part)]
        case str():
            whole = _SLOT.fullmatch(part)
            if whole and whole[1] in values:
                return values[whole[1]]
            # In one pass: a slot that somebody wrote into the prompt is only words.
            return _SLOT.sub(lambda slot: str(values.get(slot[1], slot[0])), part)
        case _:
            return part


def _slots(part: Any) -> Iterator[str]:
    match part:
        case dict():
            for value in cast(dict[str, Any], part).values():
                yield from _slots(value)
        case list():
            for value in cast(list[Any], part):
                yield from _slots(value)
        case str():
            yield from _SLOT.findall(part)
        case _:
            pass


def _in_api_format(nodes: object) -> bool:
    if not isinstance(nodes, dict) or not nodes:
        return False
    return all(
        isinstance(node, dict) and "class_type" in node and "inputs" in node
        for node in cast(dict[str, object], nodes).values()
    )


def _wrong(path: Path, reason: str) -> SettingsError:
    return SettingsError(f"COMFYUI_WORKFLOW cannot work: {path} {reason}.")
