"""A model as the settings panel offers it."""

from dataclasses import dataclass, field

from hexwave_app.tools.image_generator import SIZES
from hexwave_app.tools.model import Model
from hexwave_app.tools.provider import Provider

_COUNTS = ["1", "2", "3", "4"]


@dataclass
class ModelOption:
    """`id` is both names, the provider's first; `label` tells models of one title apart; `reason` says why it
    cannot be chosen ("Needs a key"). `shapes` and `counts` are those it can make; `seed` and `leave_out` say
    whether it has a use for them.
    """

    id: str = ""
    title: str = ""
    label: str = ""
    caption: str = ""
    reason: str = ""
    shapes: list[str] = field(default_factory=lambda: list(SIZES))
    counts: list[str] = field(default_factory=lambda: list(_COUNTS))
    seed: bool = True
    leave_out: bool = True


def model_option(provider: Provider, model: Model) -> ModelOption:
    shapes, counts = model.inputs.get("aspect_ratio"), model.inputs.get("count")
    return ModelOption(
        id=f"{provider.name}|{model.name}",
        title=model.title,
        label=f"{model.title} · {provider.title}" if model.title != provider.title else model.title,
        caption=_caption(provider, model),
        shapes=["1:1"] if shapes is None else [each for each in SIZES if shapes.admits(each)],
        counts=["1"] if counts is None else [each for each in _COUNTS if counts.admits(int(each))],
        seed="seed" in model.inputs,
        leave_out="negative_prompt" in model.inputs,
    )


def _caption(provider: Provider, model: Model) -> str:
    if not model.ai:
        return provider.caption
    seconds = f"about {model.seconds:.0f} s" if model.seconds else None
    return " · ".join(part for part in (provider.title, seconds, model.price) if part)
