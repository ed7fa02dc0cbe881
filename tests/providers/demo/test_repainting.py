"""A picture that is painted again."""

import numpy as np
import pytest
from PIL import Image

from hexwave_app.providers.demo.repainting import repaint
from hexwave_app.providers.demo.scene import read

UNKNOWN = read("zzz", "")


def halves() -> Image.Image:
    """Red on the left, blue on the right."""
    picture = Image.new("RGB", (200, 100), "red")
    picture.paste("blue", (100, 0, 200, 100))
    return picture


def mean(picture: Image.Image, left: float, right: float) -> list[float]:
    pixels = np.asarray(picture, np.float32)
    width = pixels.shape[1]
    return pixels[:, round(left * width) : round(right * width)].mean((0, 1)).tolist()


@pytest.mark.parametrize("size", [(96, 48), (128, 128), (64, 96)])
def test_it_keeps_the_composition_in_any_shape(size: tuple[int, int]) -> None:
    """What is left stays left."""
    painted = repaint(halves(), UNKNOWN, 5, *size)
    assert painted.size == size
    red, blue = mean(painted, 0, 0.35), mean(painted, 0.65, 1)
    assert red[0] > 180 > 60 > red[2]
    assert blue[2] > 180 > 60 > blue[0]


def test_the_same_is_the_same_and_another_seed_another() -> None:
    """Which is how a batch has several."""
    first, again, other = (repaint(halves(), UNKNOWN, seed, 96, 48).tobytes() for seed in (5, 5, 6))
    assert first == again != other


def test_the_words_tint_it() -> None:
    """A night is darker than a noon, in the same composition."""
    grey = Image.new("RGB", (96, 96), "#888888")
    night, day = (
        sum(mean(repaint(grey, read(f"snow on hills at {when}", ""), 5, 96, 96), 0, 1))
        for when in ("night", "noon")
    )
    assert night < day


def test_a_style_draws_it() -> None:
    """A blueprint of anything is blue."""
    red, _, blue = mean(repaint(halves(), UNKNOWN, 5, 128, 96, ("blueprint",)), 0, 1)
    assert blue > red
