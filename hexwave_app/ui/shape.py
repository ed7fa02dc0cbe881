"""The shapes a picture or a clip can have."""

from dataclasses import dataclass

from hexwave_app.tools.image_generator import SIZES
from hexwave_app.tools.video_generator import CLIP_SIZES


@dataclass(frozen=True)
class Shape:
    """A preset: its ratio as people write it, its size in any unit, and what it is called aloud."""

    ratio: str
    width: int
    height: int
    spoken: str


def _spoken(width: int, height: int) -> str:
    if width == height:
        return "square"
    return "landscape" if width > height else "portrait"


def shape_of(ratio: str) -> Shape:
    """The shape of a ratio such as 9:16."""
    width, _, height = ratio.partition(":")
    return Shape(ratio, int(width), int(height), _spoken(int(width), int(height)))


SHAPES = [Shape(ratio, *size, _spoken(*size)) for ratio, size in SIZES.items()]
CLIP_SHAPES = [Shape(ratio, *size, _spoken(*size)) for ratio, size in CLIP_SIZES.items()]
