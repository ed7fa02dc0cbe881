"""The video generator: a sentence, or a picture and a sentence, becomes a clip.

Replicate's inputs are those of https://replicate.com/bytedance/seedance-1.5-pro/api and
https://replicate.com/prunaai/p-video/api; fal's those of
https://fal.ai/models/fal-ai/bytedance/seedance/v1.5/pro/text-to-video/api, and image-to-video beside it.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from hexwave_app.tools.image_generator import PROMPT_LIMIT, SEED_LIMIT, random_seed
from hexwave_app.tools.model import ANY, Limit, Model
from hexwave_app.tools.request import AnyPicture, ToolRequest
from hexwave_app.tools.tool import Tool

ClipRatio = Literal["16:9", "1:1", "9:16"]
Camera = Literal["still", "pan-left", "pan-right", "push-in", "pull-out"]

CLIP_SIZES: dict[ClipRatio, tuple[int, int]] = {"16:9": (768, 432), "1:1": (576, 576), "9:16": (432, 768)}
"""Width and height in pixels, of the demo painter's clips."""

LENGTHS = (4, 6, 8)
"""Seconds that the page offers, where the model has them."""

_NAME = "video-generator"
_MOVES: dict[Camera, str] = {
    "pan-left": "The camera pans slowly to the left.",
    "pan-right": "The camera pans slowly to the right.",
    "push-in": "The camera moves slowly closer.",
    "pull-out": "The camera moves slowly back.",
}


class VideoRequest(ToolRequest):
    """A clip of `prompt`, `seconds` long. With `firstFrame`, a picture of yours, it begins with that.

    That is a finished one, or one that was brought along.
    """

    prompt: Annotated[str, Field(min_length=1, max_length=PROMPT_LIMIT)]
    negative_prompt: Annotated[str | None, Field(max_length=PROMPT_LIMIT)] = None
    aspect_ratio: ClipRatio = "16:9"
    seconds: Annotated[int, Field(strict=True, ge=2, le=12)] = 4
    camera: Camera = "still"
    seed: Annotated[int, Field(strict=True, ge=0, le=SEED_LIMIT, default_factory=random_seed)]
    first_frame: Annotated[
        AnyPicture | None,
        Field(description="`{processId}/{index}`, or as `POST /api/references` answers with it"),
    ] = None


def _painter(request: VideoRequest) -> dict[str, Any]:
    width, height = CLIP_SIZES[request.aspect_ratio]
    return {
        "kind": "clip",
        "prompt": request.prompt,
        "leave_out": request.negative_prompt or "",
        "seed": request.seed,
        "width": width,
        "height": height,
        "seconds": request.seconds,
        "camera": request.camera,
        "picture": request.first_frame,
    }


def _told(request: VideoRequest) -> str:
    """The prompt, and how the camera moves: these models read it in the prompt."""
    move = _MOVES.get(request.camera)
    return request.prompt if move is None else f"{request.prompt} {move}"


def _seedance(request: VideoRequest) -> dict[str, Any]:
    return {
        "prompt": _told(request),
        "aspect_ratio": request.aspect_ratio,
        "duration": request.seconds,
        "camera_fixed": request.camera == "still",
        "seed": request.seed,
        "image": request.first_frame,
    }


def _p_video(request: VideoRequest) -> dict[str, Any]:
    return {
        "prompt": _told(request),
        "aspect_ratio": request.aspect_ratio,
        "seconds": request.seconds,
        "seed": request.seed,
        "image": request.first_frame,
    }


def _fal_seedance(request: VideoRequest) -> dict[str, Any]:
    return {
        "prompt": _told(request),
        "aspect_ratio": request.aspect_ratio,
        # Among the choices of an enumeration, which are strings.
        "duration": str(request.seconds),
        "camera_fixed": request.camera == "still",
        "seed": request.seed,
        "image_url": request.first_frame,
    }


_INPUTS = {"prompt": ANY, "aspect_ratio": ANY, "seconds": ANY, "camera": ANY, "seed": ANY}
_FROM_PICTURE = {"first_frame": ANY}
_SEEDANCE = "fal-ai/bytedance/seedance/v1.5/pro"
_SEEDANCE_PRICE = "about $0.26 for 5 s"
_SEEDANCE_INPUTS = _INPUTS | {"seconds": Limit(choices=tuple(range(4, 13)))}

VIDEO_GENERATOR = Tool(
    name=_NAME,
    title="Video",
    action="video",
    category="video",
    request=VideoRequest,
    patience=15,
    deadline=1800,
    models={
        "replicate": [
            Model(
                *("bytedance/seedance-1.5-pro", "Seedance 1.5 Pro", _NAME, _INPUTS | _FROM_PICTURE),
                ask=_seedance,
            ),
            Model(
                *("prunaai/p-video", "P-Video", _NAME),
                _INPUTS | _FROM_PICTURE | {"seconds": Limit(choices=tuple(range(3, 11)))},
                ask=_p_video,
            ),
        ],
        "fal": [
            Model(
                *(f"{_SEEDANCE}/text-to-video", "Seedance 1.5 Pro", _NAME, _SEEDANCE_INPUTS),
                price=_SEEDANCE_PRICE,
                ask=_fal_seedance,
            ),
            Model(
                *(f"{_SEEDANCE}/image-to-video", "Seedance 1.5 Pro, from a picture", _NAME),
                _SEEDANCE_INPUTS | {"first_frame": Limit(needed=True)},
                price=_SEEDANCE_PRICE,
                ask=_fal_seedance,
            ),
        ],
        "demo": [
            Model(
                name="painter",
                title="Demo painter",
                tool=_NAME,
                inputs=_INPUTS
                | _FROM_PICTURE
                | {"negative_prompt": ANY, "seconds": Limit(choices=(2, 3, 4, 5, 6))},
                seconds=20,
                price="Free",
                ai=False,
                ask=_painter,
            )
        ],
    },
)
