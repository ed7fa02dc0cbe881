"""Pictures of the procedural painter."""

import numpy as np
import pytest
from PIL import Image

from hexwave_app.providers.demo.painting import paint
from hexwave_app.providers.demo.scene import LIGHTS, Scene, read

PROMPTS = [
    "Low winter sun over a fishing village, snow on the boats",
    "Cold harbour at dawn, mountains far behind",
    "Neon city across the bay, after rain",
    "Pine forest at dusk, snowfall",
    "Storm over a grey sea",
    "Arctic lake, first sun on the ridge",
    "Night sea, one path of moonlight",
    "desert dunes",
    "aurora over a river",
    "a nebula",
    "island with a lighthouse at night, birds",
    "lavender field",
    "misty mountains",
    "the milky way over the hills",
    "a cat in a hat",
]
RATIOS = [(128, 128), (128, 160), (96, 144), (144, 96), (160, 90), (90, 160)]


def _pixels(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture, np.float32)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_same_order_same_pixels(prompt: str) -> None:
    """A scene, a seed and a size always give the same pixels."""
    scene = read(prompt)
    assert paint(scene, 11, 96, 64).tobytes() == paint(scene, 11, 96, 64).tobytes()


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_preview_shows_the_final_composition(prompt: str) -> None:
    """A 128 px picture is close to the 512 px one scaled down, and much closer than another seed's."""
    scene = read(prompt)
    small, other = _pixels(paint(scene, 5, 128, 128)), _pixels(paint(scene, 6, 128, 128))
    final = _pixels(paint(scene, 5, 512, 512).resize((128, 128), Image.Resampling.BOX))
    assert np.abs(small - final).mean() < 7
    assert np.abs(small - final).mean() * 2 < np.abs(other - final).mean()


@pytest.mark.parametrize("prompt", PROMPTS)
def test_every_shape_is_filled_with_varied_colour(prompt: str) -> None:
    """Each ratio gives an RGB picture of the asked size without black, flat or burnt-out ground."""
    scene = read(prompt)
    for seed, (width, height) in enumerate(RATIOS):
        picture = paint(scene, seed, width, height)
        pixels = _pixels(picture)
        assert (picture.mode, picture.size) == ("RGB", (width, height))
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 700
        assert pixels.std() > 6
        assert 6 < pixels.mean() < 236


@pytest.mark.parametrize("light", LIGHTS)
@pytest.mark.parametrize("place", ["sea", "mountains", "city", "desert"])
def test_every_light_on_every_ground(place: str, light: str) -> None:
    """Places take every light, and no warning of a number out of range escapes."""
    with np.errstate(divide="raise", invalid="raise", over="raise"):
        paint(Scene(place, light, elements=("water",) if place == "sea" else ()), 3, 64, 64)


@pytest.mark.parametrize("size", [(64, 64), (64, 1536), (1536, 64)])
def test_extreme_sizes(size: tuple[int, int]) -> None:
    """The smallest and the most stretched sizes are painted."""
    assert paint(read("Cold harbour at dawn, mountains, lighthouse, birds, rain"), 1, *size).size == size


def test_smooth_sky_is_not_banded() -> None:
    """Grain breaks up the steps of eight bits: no row of a clear night sky is one colour."""
    sky = _pixels(paint(read("night sea", "clouds, stars, moon"), 2, 256, 256))[20:80]
    assert (sky.std(axis=1).max(axis=1) > 0.3).all()


def test_leaving_out_clouds_changes_only_the_sky() -> None:
    """A left-out thing disappears and the land stays where it was."""
    with_clouds = _pixels(paint(read("desert dunes, clouds"), 4, 128, 128))
    without = _pixels(paint(read("desert dunes, clouds", "clouds"), 4, 128, 128))
    difference = np.abs(with_clouds - without).mean(axis=(1, 2))
    assert difference[:40].mean() > 2
    assert difference[100:].mean() < 1.5


@pytest.mark.parametrize("seed", [0, -1, 2**63, 2**80])
def test_any_whole_number_is_a_seed(seed: int) -> None:
    """Seeds have no range."""
    assert paint(read("sea"), seed, 64, 64).size == (64, 64)
