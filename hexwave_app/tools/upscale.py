"""Upscaling: a finished picture becomes twice or four times as wide and high.

Replicate's inputs are those of https://replicate.com/nightmareai/real-esrgan/api; fal's those of
https://fal.ai/models/fal-ai/clarity-upscaler/api.
"""

import io
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from PIL import Image
from pydantic import Field

from hexwave_app.media.pictures import PIXELS_LIMIT, SIDE_LIMIT
from hexwave_app.processes.errors import InvalidRequest
from hexwave_app.tools.image_generator import PROMPT_LIMIT
from hexwave_app.tools.model import ANY, Model
from hexwave_app.tools.request import Original, OwnPicture, ToolRequest
from hexwave_app.tools.tool import Tool

_NAME = "upscale"


class UpscaleRequest(ToolRequest):
    """`picture`, a finished one of yours as `{processId}/{index}`, `scale` times as wide and high."""

    picture: Annotated[OwnPicture, Field(description="`{processId}/{index}`, the index counted from 0")]
    scale: Literal[2, 4] = 2
    prompt: Annotated[
        str, Field(max_length=PROMPT_LIMIT, description="what the picture was made of, unless it is given")
    ] = ""
    aspect_ratio: Annotated[
        str, Field(pattern=r"^([0-9]{1,5}:[0-9]{1,5})?$", description="the picture's, unless it is given")
    ] = ""

    def settled(self, originals: Mapping[str, Original]) -> Self:
        original = originals["picture"]
        width, height = _size(original.content)
        wide, high = width * self.scale, height * self.scale
        if wide * high > PIXELS_LIMIT or max(wide, high) > SIDE_LIMIT:
            most = f"{PIXELS_LIMIT // 1_000_000} megapixels"
            raise InvalidRequest(f"It would have {wide} x {high} pixels. The limit is {most}.", field="scale")
        asked = {
            "prompt": self.prompt or str(original.req.get("prompt", "")),
            "aspect_ratio": self.aspect_ratio or str(original.req.get("aspectRatio", f"{width}:{height}")),
        }
        return self.model_copy(update=asked)


def _size(content: bytes) -> tuple[int, int]:
    # The header alone is read.
    with Image.open(io.BytesIO(content)) as image:
        return image.size


def _painter(request: UpscaleRequest) -> dict[str, Any]:
    return {"kind": "enlargement", "picture": request.picture, "scale": request.scale}


def _real_esrgan(request: UpscaleRequest) -> dict[str, Any]:
    return {"image": request.picture, "scale": request.scale, "face_enhance": False}


def _clarity(request: UpscaleRequest) -> dict[str, Any]:
    return {
        "image_url": request.picture,
        "upscale_factor": request.scale,
        "prompt": request.prompt or None,
    }


_INPUTS = {"picture": ANY, "scale": ANY, "prompt": ANY, "aspect_ratio": ANY}

UPSCALE = Tool(
    name=_NAME,
    title="Upscale",
    action="upscale",
    category="image",
    request=UpscaleRequest,
    patience=8,
    deadline=600,
    models={
        "replicate": [Model("nightmareai/real-esrgan", "Real-ESRGAN", _NAME, _INPUTS, ask=_real_esrgan)],
        "fal": [
            Model(
                *("fal-ai/clarity-upscaler", "Clarity Upscaler", _NAME, _INPUTS),
                price="$0.03 a megapixel",
                ask=_clarity,
            )
        ],
        "demo": [
            Model(
                name="lanczos",
                title="Lanczos",
                tool=_NAME,
                inputs=_INPUTS,
                seconds=2,
                price="Free",
                ai=False,
                ask=_painter,
            )
        ],
    },
)
