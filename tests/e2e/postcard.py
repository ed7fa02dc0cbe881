"""A tool of every kind of input and without a prompt, for the checkout of the tests."""

from typing import Annotated, Any, Literal

from pydantic import Field

from hexwave_app.tools.image_generator import random_seed
from hexwave_app.tools.model import ANY, Limit, Model
from hexwave_app.tools.request import Reference, ToolRequest
from hexwave_app.tools.tool import Tool

_NAME = "postcard-maker"


class PostcardRequest(ToolRequest):
    place: Annotated[str, Field(min_length=1, max_length=80, description="A town, a coast, a street")]
    greeting: Annotated[str | None, Field(max_length=400, description="Written on the back")] = None
    aspect_ratio: Literal["3:2", "2:3"] = "3:2"
    season: Annotated[
        Literal["spring", "high-summer", "winter"] | None, Field(description="Left alone, any")
    ] = None
    stamps: Annotated[int, Field(ge=1, le=4)] = 1
    grain: Annotated[float, Field(ge=0, le=1, description="From 0, smooth, to 1")] = 0.5
    border: Annotated[bool, Field(title="White border", description="As on old prints")] = True
    picture: Annotated[Reference | None, Field(description="It is made of this one")] = None
    seed: Annotated[int, Field(strict=True, ge=0, default_factory=random_seed)]


def _painter(request: PostcardRequest) -> dict[str, Any]:
    size = {"count": 1, "width": 1216, "height": 832}
    return {"kind": "pictures", "prompt": request.place, "seed": request.seed, **size}


_ALL = dict.fromkeys(PostcardRequest.model_fields.keys() - ToolRequest.model_fields.keys(), ANY)
_FEW = {"place": ANY, "season": Limit(("spring",), needed=True), "stamps": Limit(most=2)}

POSTCARD = Tool(
    name=_NAME,
    title="Postcard",
    action="postcard",
    category="image",
    request=PostcardRequest,
    patience=8,
    deadline=600,
    models={
        "demo": [
            Model("painter", "Demo painter", _NAME, _ALL, ai=False, ask=_painter),
            Model("small", "Small painter", _NAME, _FEW, ai=False, ask=_painter),
        ]
    },
)
