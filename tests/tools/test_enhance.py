"""Words for light and mood: they fit, the painter knows them, and none goes against what is there."""

import pytest

from hexwave_app.providers.demo import scene
from hexwave_app.tools import enhance as room
from hexwave_app.tools.enhance import enhance
from hexwave_app.tools.image_generator import PROMPT_LIMIT

PRESSES = range(20)


def variants(prompt: str, leave_out: str = "") -> set[str]:
    return {enhance(prompt, leave_out, press) for press in PRESSES}


def test_each_press_has_another_variant_and_the_same_each_time() -> None:
    """Of the prompt itself: words are never heaped up."""
    made = [enhance("A harbour", press=press) for press in range(3)]
    assert len(set(made)) == 3
    assert made == [enhance("A harbour", press=press) for press in range(3)]
    assert all(each.startswith("A harbour, ") and each.count(",") == 3 for each in made)


@pytest.mark.parametrize("atmosphere", room._ATMOSPHERES, ids=" ".join)
def test_the_painter_knows_every_word(atmosphere: tuple[str, str, str]) -> None:
    """It paints the light, the weather and the mood that are added, all three together."""
    light, weather, mood = atmosphere
    read = scene.read("A harbour, " + ", ".join(room._PHRASES[name] for name in atmosphere))
    assert (read.place, read.light, read.weather) == ("harbour", light, weather)
    assert mood in read.elements


def test_every_word_the_painter_knows_for_one_of_them_counts_as_said() -> None:
    for name in room._PHRASES:
        assert set(scene._LEXICON[name].split()) <= {word for word, of in room._NAMES.items() if of == name}


@pytest.mark.parametrize(
    ("prompt", "leave_out", "never"),
    [
        ("A street at night in the rain", "", ("sky", "midday", "snow", "mist", "light,", "soft rain")),
        ("Sunny hills", "", ("night", "overcast", "snow", "rain", "hour", "midday")),
        ("Dunes under the stars", "", ("rain", "snow", "mist", "midday", "hour", "overcast")),
        ("A forest without fog", "", ("mist",)),
        ("A forest", "snow, rain", ("snowfall", "soft rain")),
        ("A warm kitchen", "", ("cold", "sky", "mist", "snow", "soft rain", "tones")),
        ("A galaxy", "", ("midday", "first light", "hour", "overcast", "moonlit")),
    ],
)
def test_nothing_goes_against_what_is_said(prompt: str, leave_out: str, never: tuple[str, ...]) -> None:
    made = variants(prompt, leave_out)
    assert made != {prompt}
    added = [each.removeprefix(prompt) for each in made]
    assert [words for words in added if any(word in words for word in never)] == []


@pytest.mark.parametrize("prompt", ["", "  \n", "Calm sea at dusk, clear sky", "x" * PROMPT_LIMIT])
def test_where_nothing_can_be_added_the_prompt_stays(prompt: str) -> None:
    assert variants(prompt) == {prompt}


@pytest.mark.parametrize("length", [PROMPT_LIMIT - 40, PROMPT_LIMIT - 12])
def test_the_limit_of_a_prompt_is_kept(length: int) -> None:
    assert all(len(each) <= PROMPT_LIMIT for each in variants("x" * length))


def test_a_sentence_is_followed_by_another() -> None:
    assert enhance("A harbour.").endswith(".")
    assert enhance("A harbour.")[len("A harbour. ")].isupper()
