"""The image generator: a sentence becomes one to four pictures."""

import secrets
from typing import Annotated, Literal

from pydantic import Field

from hexwave_app.tools.tool import Tool, ToolRequest

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


def random_seed() -> int:
    """Eight digits: enough to be different each time, short enough to read out."""
    return secrets.randbelow(90_000_000) + 10_000_000


class ImageRequest(ToolRequest):
    """`count` pictures of `prompt`. The same seed gives the same pictures where the model can."""

    prompt: Annotated[str, Field(min_length=1, max_length=PROMPT_LIMIT)]
    negative_prompt: Annotated[str | None, Field(max_length=PROMPT_LIMIT)] = None
    aspect_ratio: AspectRatio = "1:1"
    count: Annotated[int, Field(strict=True, ge=1, le=4)] = 1
    seed: Annotated[int, Field(strict=True, ge=0, le=SEED_LIMIT, default_factory=random_seed)]
    style: Annotated[str | None, Field(max_length=60)] = None

    @property
    def size(self) -> tuple[int, int]:
        return SIZES[self.aspect_ratio]


IMAGE_GENERATOR = Tool("image-generator", "Image", "image", ImageRequest, patience=8, deadline=600)
