"""A model as the settings panel offers it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, get_args

from hexwave_app.tools.image_generator import SIZES
from hexwave_app.tools.model import Limit, Model
from hexwave_app.tools.provider import Provider
from hexwave_app.tools.video_generator import CLIP_SIZES, VIDEO_GENERATOR, Camera

COUNTS = ["1", "2", "3", "4"]
CAMERAS: list[str] = [*get_args(Camera)]
_SECONDS = range(2, 13)


@dataclass
class ModelOption:
    """`id` is both names, the provider's first; `label` tells models of one title apart; `reason` says why it
    cannot be chosen ("Needs a key"). `shapes`, `counts` and `styles` are those it can make, and of clips
    `lengths`, in seconds, and `cameras`; `seed`, `leave_out`, `reference` and `first_frame` say whether it
    has a use for them.
    """

    id: str = ""
    title: str = ""
    label: str = ""
    caption: str = ""
    reason: str = ""
    shapes: list[str] = field(default_factory=lambda: list(SIZES))
    counts: list[str] = field(default_factory=lambda: list(COUNTS))
    styles: list[str] = field(default_factory=list)
    lengths: list[str] = field(default_factory=list)
    cameras: list[str] = field(default_factory=list)
    seed: bool = True
    leave_out: bool = True
    reference: bool = False
    first_frame: bool = False
    first_frame_needed: bool = False


def model_option(provider: Provider, model: Model) -> ModelOption:
    sizes = CLIP_SIZES if model.tool == VIDEO_GENERATOR.name else SIZES
    styles, first_frame = model.inputs.get("style"), model.inputs.get("first_frame")
    return ModelOption(
        id=f"{provider.name}|{model.name}",
        title=model.title,
        label=f"{model.title} · {provider.title}" if model.title != provider.title else model.title,
        caption=_caption(provider, model),
        shapes=_admitted(model.inputs.get("aspect_ratio"), sizes) or ["1:1"],
        counts=[str(each) for each in _admitted(model.inputs.get("count"), map(int, COUNTS))] or ["1"],
        styles=list(styles.choices) if styles is not None else [],
        lengths=[str(each) for each in _admitted(model.inputs.get("seconds"), _SECONDS)],
        cameras=_admitted(model.inputs.get("camera"), CAMERAS),
        seed="seed" in model.inputs,
        leave_out="negative_prompt" in model.inputs,
        reference="reference" in model.inputs,
        first_frame=first_frame is not None,
        first_frame_needed=first_frame is not None and first_frame.needed,
    )


def _admitted(limit: Limit | None, known: Iterable[Any]) -> list[Any]:
    """Those that the model takes; none where it does not know the input."""
    return [] if limit is None else [each for each in known if limit.admits(each)]


def _caption(provider: Provider, model: Model) -> str:
    seconds = f"about {model.seconds:.0f} s" if model.seconds else None
    if not model.ai:
        return " · ".join(part for part in (provider.caption, seconds) if part)
    return " · ".join(part for part in (provider.title, seconds, model.price) if part)
