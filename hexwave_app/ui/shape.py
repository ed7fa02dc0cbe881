"""The shapes a picture can have."""

from dataclasses import dataclass

from hexwave_app.tools.image_generator import SIZES


@dataclass(frozen=True)
class Shape:
    """A preset: its ratio as people write it, its size in pixels, and what it is called aloud."""

    ratio: str
    width: int
    height: int
    spoken: str


def _spoken(width: int, height: int) -> str:
    if width == height:
        return "square"
    return "landscape" if width > height else "portrait"


SHAPES = [Shape(ratio, *size, _spoken(*size)) for ratio, size in SIZES.items()]
