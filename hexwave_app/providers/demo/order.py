"""What the painter can be asked for. Sizes are in pixels, `webhook_url` is where to report.

`picture` and `reference` are files in base64: pydantic keeps it so in the order's JSON too.
"""

from typing import Annotated, Literal

from pydantic import Base64Bytes, BaseModel, Field, TypeAdapter

from hexwave_app.providers.demo.work import Camera

PREVIEW_SIDES = (128, 512)
"""The longer side of a picture's two previews, in pixels; the same composition as the picture's."""


class Pictures(BaseModel):
    """Pictures of a scene, or of `reference` in the scene's light; the one at `i` has the seed `seed + i`."""

    kind: Literal["pictures"] = "pictures"
    prompt: str
    leave_out: str = ""
    seed: int
    count: int
    width: int
    height: int
    styles: tuple[str, ...] = ()
    reference: Base64Bytes | None = None
    webhook_url: str

    def sizes(self) -> list[tuple[int, int]]:
        """The previews and the picture, small to large, all of one shape."""
        longer = max(self.width, self.height)
        scaled = [(self.width * side / longer, self.height * side / longer) for side in PREVIEW_SIDES]
        return [*((round(width), round(height)) for width, height in scaled), (self.width, self.height)]


class Clip(BaseModel):
    """A scene that moves, or the camera's way over a picture."""

    kind: Literal["clip"]
    prompt: str
    leave_out: str = ""
    seed: int
    width: int
    height: int
    seconds: int
    camera: Camera = "still"
    picture: Base64Bytes | None = None
    webhook_url: str

    @property
    def size(self) -> tuple[int, int]:
        return self.width, self.height


class Enlargement(BaseModel):
    """A picture, `scale` times as wide and high."""

    kind: Literal["enlargement"]
    picture: Base64Bytes
    scale: int
    webhook_url: str


Order = Pictures | Clip | Enlargement
ORDERS = TypeAdapter[Order](Annotated[Order, Field(discriminator="kind")])
