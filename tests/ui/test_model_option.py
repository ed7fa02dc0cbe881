"""Models as the settings panel offers them."""

from hexwave_app.providers.demo.provider import DemoPainter
from hexwave_app.tools.image_generator import IMAGE_GENERATOR, SIZES
from hexwave_app.tools.model import ANY, Limit, Model
from hexwave_app.ui.model_option import model_option
from tests.tools.conftest import Scripted


def test_only_what_a_model_can_do_is_offered() -> None:
    """Shapes and counts within its limits, no field that it has no use for, and what it costs."""
    inputs = {"prompt": ANY, "aspect_ratio": Limit(("16:9", "1:1")), "count": Limit(most=2)}
    model = Model("small", "Small", IMAGE_GENERATOR.name, inputs, seconds=3, price="$0.01 a picture")
    option = model_option(Scripted(), model)
    assert (option.shapes, option.counts) == (["1:1", "16:9"], ["1", "2"])
    assert (option.seed, option.leave_out) == (False, False)
    assert option.caption == "Scripted · about 3 s · $0.01 a picture"
    assert option.label == "Small · Scripted"


def test_what_a_model_does_not_know_has_one_value() -> None:
    option = model_option(Scripted(), Model("bare", "Bare", IMAGE_GENERATOR.name))
    assert (option.shapes, option.counts) == (["1:1"], ["1"])


def test_the_painter_says_that_it_is_no_ai() -> None:
    option = model_option(DemoPainter, IMAGE_GENERATOR.models["demo"][0])  # type: ignore[arg-type]
    assert "not AI" in option.caption
    assert (option.shapes, option.counts) == (list(SIZES), ["1", "2", "3", "4"])
