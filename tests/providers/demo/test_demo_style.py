"""Styles of the procedural painter: honest ones, the same each time, and in the previews as well."""

import numpy as np
import pytest
from PIL import Image

from hexwave_app.providers.demo.painting import paint
from hexwave_app.providers.demo.scene import read
from hexwave_app.providers.demo.style import STYLES
from hexwave_app.tools.image_generator import IMAGE_GENERATOR

HARBOUR = read("Cold harbour at dawn, mountains far behind")
SCENES = [HARBOUR, read("neon city at night"), read("a nebula"), read("nothing that it knows")]


def painted(style: str, side: int = 256, seed: int = 5) -> np.ndarray:
    return np.asarray(paint(HARBOUR, seed, side, side, (style,)), np.float32)


def test_the_model_offers_what_can_be_drawn() -> None:
    """No chip without a style behind it, and no style that nobody can choose."""
    (model,) = IMAGE_GENERATOR.models["demo"]
    assert {*model.inputs["style"].choices} == STYLES.keys()


@pytest.mark.parametrize("style", STYLES)
def test_a_style_changes_the_picture_and_is_the_same_each_time(style: str) -> None:
    plain, drawn = np.asarray(paint(HARBOUR, 5, 256, 256), np.float32), painted(style)
    assert np.abs(plain - drawn).mean() > 4
    assert (drawn == painted(style)).all()


@pytest.mark.parametrize("style", STYLES)
def test_a_preview_is_in_the_style_of_the_picture(style: str) -> None:
    """Scaled down, the picture is nearer to its own preview than to another seed's."""
    picture = paint(HARBOUR, 5, 512, 512, (style,)).resize((128, 128), Image.Resampling.BOX)
    final = np.asarray(picture, np.float32)
    own, other = painted(style, 128), painted(style, 128, seed=6)
    assert np.abs(final - own).mean() < np.abs(final - other).mean()


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.place)
@pytest.mark.parametrize("styles", [(style,) for style in STYLES] + [tuple(STYLES)], ids="+".join)
def test_every_style_can_draw_every_kind_of_scene(scene: object, styles: tuple[str, ...]) -> None:
    """In any shape, and all of them over each other: neither black, nor flat, nor white."""
    for width, height in ((160, 90), (64, 113)):
        pixels = np.asarray(paint(scene, 3, width, height, styles), np.float32)  # type: ignore[arg-type]
        assert pixels.shape == (height, width, 3)
        assert 20 < pixels.mean() < 245
        assert pixels.std() > 6


def test_ink_is_without_colour_and_a_blueprint_is_blue() -> None:
    """What they are called is what they are."""
    red, green, blue = painted("ink").transpose(2, 0, 1)
    assert np.abs(red - blue).mean() < 20
    red, green, blue = painted("blueprint").transpose(2, 0, 1)
    assert blue.mean() > green.mean() > red.mean()
