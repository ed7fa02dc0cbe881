"""The image generator: a sentence becomes one to four pictures.

Replicate's inputs are those of each model's page, such as https://replicate.com/black-forest-labs/flux-dev/api;
fal's those of https://fal.ai/models/fal-ai/flux/dev/api.
"""

import secrets
from typing import Annotated, Any, Literal

from pydantic import Field

from hexwave_app.tools.model import ANY, Limit, Model, listed
from hexwave_app.tools.request import Reference, ToolRequest
from hexwave_app.tools.tool import Tool

AspectRatio = Literal["1:1", "4:5", "2:3", "3:2", "16:9", "9:16"]

SIZES: dict[AspectRatio, tuple[int, int]] = {
    "1:1": (1024, 1024),
    "4:5": (896, 1120),
    "2:3": (832, 1216),
    "3:2": (1216, 832),
    "16:9": (1344, 768),
    "9:16": (768, 1344),
}
"""Width and height in pixels: about one megapixel in steps of 32, as image models like them."""

PROMPT_LIMIT = 2000
SEED_LIMIT = 2**32 - 1

_NAME = "image-generator"


def random_seed() -> int:
    """Eight digits: enough to be different each time, short enough to read out."""
    return secrets.randbelow(90_000_000) + 10_000_000


class ImageRequest(ToolRequest):
    """`count` pictures of `prompt`. The same seed gives the same pictures where the model can.

    `style` is one name, or several with commas. With `reference` they are made of that picture too.
    """

    prompt: Annotated[str, Field(min_length=1, max_length=PROMPT_LIMIT)]
    negative_prompt: Annotated[str | None, Field(max_length=PROMPT_LIMIT)] = None
    aspect_ratio: AspectRatio = "1:1"
    count: Annotated[int, Field(strict=True, ge=1, le=4)] = 1
    seed: Annotated[int, Field(strict=True, ge=0, le=SEED_LIMIT, default_factory=random_seed)]
    style: Annotated[str | None, Field(max_length=200)] = None
    reference: Annotated[Reference | None, Field(description="as `POST /api/references` answers with it")] = (
        None
    )

    @property
    def size(self) -> tuple[int, int]:
        return SIZES[self.aspect_ratio]

    @property
    def styles(self) -> tuple[str, ...]:
        return listed(self.style or "")


def _painter(request: ImageRequest) -> dict[str, Any]:
    width, height = request.size
    return {
        "kind": "pictures",
        "prompt": request.prompt,
        "leave_out": request.negative_prompt or "",
        "seed": request.seed,
        "count": request.count,
        "width": width,
        "height": height,
        "styles": request.styles,
        "reference": request.reference,
    }


def _replicate(request: ImageRequest) -> dict[str, Any]:
    return {
        "prompt": request.prompt,
        "aspect_ratio": request.aspect_ratio,
        "seed": request.seed,
        "output_format": "png",
    }


def _flux(request: ImageRequest) -> dict[str, Any]:
    # Their fast way, which is the default, gives other pictures each time, whatever the seed.
    return _replicate(request) | {"num_outputs": request.count, "go_fast": False}


def _flux_dev(request: ImageRequest) -> dict[str, Any]:
    # With an image the shape is the image's.
    return _flux(request) | {"image": request.reference}


def _flux_pro(request: ImageRequest) -> dict[str, Any]:
    return _replicate(request) | {"image_prompt": request.reference}


def _stable_diffusion(request: ImageRequest) -> dict[str, Any]:
    return _replicate(request) | {"negative_prompt": request.negative_prompt}


def _fal(request: ImageRequest) -> dict[str, Any]:
    width, height = request.size
    return {
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt,
        "image_size": {"width": width, "height": height},
        "num_images": request.count,
        "seed": request.seed,
        "output_format": "png",
    }


_INPUTS = {"prompt": ANY, "aspect_ratio": ANY, "seed": ANY}
_BATCHES = _INPUTS | {"count": Limit(most=4)}
_LEFT_OUT = {"negative_prompt": ANY}
_FROM_PICTURE = {"reference": ANY}
_PAINTED = ("film grain", "ink", "watercolour", "low poly", "blueprint")

_ON_REPLICATE = (
    ("black-forest-labs/flux-schnell", "FLUX.1 [schnell]", _BATCHES, "$0.003 a picture", _flux),
    (
        "black-forest-labs/flux-dev",
        "FLUX.1 [dev]",
        _BATCHES | _FROM_PICTURE,
        "$0.025 a picture",
        _flux_dev,
    ),
    (
        "black-forest-labs/flux-1.1-pro",
        "FLUX1.1 [pro]",
        _INPUTS | _FROM_PICTURE,
        "$0.04 a picture",
        _flux_pro,
    ),
    (
        "stability-ai/stable-diffusion-3.5-large",
        "Stable Diffusion 3.5 Large",
        _INPUTS | _LEFT_OUT,
        "$0.065 a picture",
        _stable_diffusion,
    ),
)
_ON_FAL = (
    ("fal-ai/flux/schnell", "FLUX.1 [schnell]", _BATCHES, "$0.003 a megapixel"),
    ("fal-ai/flux/dev", "FLUX.1 [dev]", _BATCHES, "$0.025 a megapixel"),
    (
        "fal-ai/stable-diffusion-v35-medium",
        "Stable Diffusion 3.5 Medium",
        _BATCHES | _LEFT_OUT,
        "$0.02 a megapixel",
    ),
)

IMAGE_GENERATOR = Tool(
    name=_NAME,
    title="Image",
    action="image",
    category="image",
    request=ImageRequest,
    patience=8,
    deadline=600,
    models={
        "replicate": [
            Model(name, title, _NAME, inputs, price=price, ask=ask)
            for name, title, inputs, price, ask in _ON_REPLICATE
        ],
        "fal": [
            Model(name, title, _NAME, inputs, price=price, ask=_fal) for name, title, inputs, price in _ON_FAL
        ],
        "demo": [
            Model(
                name="painter",
                title="Demo painter",
                tool=_NAME,
                inputs=_BATCHES | _LEFT_OUT | _FROM_PICTURE | {"style": Limit(_PAINTED, joined=True)},
                seconds=1,
                price="Free",
                ai=False,
                ask=_painter,
            )
        ],
    },
)
