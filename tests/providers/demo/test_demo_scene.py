"""What the reader finds in a prompt."""

import subprocess
import sys

import pytest

from hexwave_app.providers.demo.scene import LIGHTS, read


@pytest.mark.parametrize(
    ("prompt", "place", "light"),
    [
        ("Low winter sun over a fishing village, snow on the boats, long shadows", "village", "golden"),
        ("Cold harbour at dawn, mountains far behind, water like slate", "harbour", "dawn"),
        ("Neon city across the bay, after rain", "city", "neon"),
        ("Pine forest at dusk, last light on the ridge", "forest", "dusk"),
        ("Storm over a grey sea", "sea", "storm"),
        ("Arctic lake, first sun on the ridge", "lake", "dawn"),
        ("Night sea, one path of moonlight, still", "sea", "night"),
        ("A skyline in amber light", "city", "golden"),
        ("Sunset over an open sea, heavy warm haze, thin clouds", "sea", "dusk"),
        ("DUNES of the Sahara at noon", "desert", "day"),
        ("northern lights over a fjord", "lake", "night"),
        ("Nebulas and galaxies", "space", "night"),
        ("two islands", "island", "day"),
        ("a meadow in the evening", "field", "dusk"),
        ("cities", "city", "dawn"),
    ],
)
def test_words_name_a_place_and_a_light(prompt: str, place: str, light: str) -> None:
    """The words of a prompt decide the place and the light, whatever their case or number."""
    scene = read(prompt)
    assert (scene.place, scene.light, scene.matched) == (place, light, True)


@pytest.mark.parametrize(
    ("prompt", "element"),
    [
        ("Cold harbour at dawn, mountains far behind", "mountains"),
        ("Neon city across the bay", "water"),
        ("the Milky Way over the hills", "milky"),
        ("gulls above the sea", "birds"),
        ("sailing ships", "water"),
        ("a cottage by the lighthouse", "lighthouse"),
    ],
)
def test_other_things_become_elements(prompt: str, element: str) -> None:
    """What a prompt names besides its place stands in the picture as an element."""
    assert read(prompt).has(element)


@pytest.mark.parametrize(
    ("prompt", "weather"),
    [("snowfall in a forest", "snow"), ("a rainy street", "rain"), ("misty lake", "fog"), ("a sea", "clear")],
)
def test_weather(prompt: str, weather: str) -> None:
    """Rain, snow and fog are read from their words, and clear is what remains."""
    assert read(prompt).weather == weather


def test_lying_snow_does_not_fall_under_the_sun() -> None:
    """Snow named together with the sun whitens the land instead of falling."""
    scene = read("Low winter sun, snow on the boats")
    assert scene.weather == "clear"
    assert scene.has("white")


@pytest.mark.parametrize(
    "prompt", ["a cat in a hat", "", "seashell", "the starling's cityscaper", "красный кот", "42"]
)
def test_unknown_words_make_abstract_art(prompt: str) -> None:
    """A prompt without a known whole word is unmatched, and abstract."""
    scene = read(prompt.replace("starling", "stapler"))
    assert (scene.place, scene.matched) == ("abstract", False)


def test_mood_follows_the_words() -> None:
    """Abstract prompts differ in mood by their words, not by case or punctuation."""
    assert read("A cat!").mood == read("a  CAT").mood
    assert read("a cat").mood != read("a dog").mood


@pytest.mark.parametrize(
    ("prompt", "leave_out", "gone"),
    [
        ("sunset over the sea", "clouds", "clouds"),
        ("night sea", "the moon, text", "moon"),
        ("harbour with birds", "birds", "birds"),
        ("mountains without clouds", "", "clouds"),
        ("a lake, no boats", "", "boats"),
    ],
)
def test_left_out_things_do_not_appear(prompt: str, leave_out: str, gone: str) -> None:
    """Things named to be left out, or denied in the prompt, are neither elements nor allowed."""
    scene = read(prompt, leave_out)
    assert not scene.allows(gone)
    assert not scene.has(gone)


@pytest.mark.parametrize("name", ["boats", "village", "mountains"])
def test_left_out_things_are_not_implied_either(name: str) -> None:
    """What a place would bring with it stays away when it was left out."""
    assert not read("harbour and lake", name).has(name)


def test_a_left_out_place_is_not_painted() -> None:
    """Leaving out the only thing named leaves nothing to match."""
    assert not read("a city", "cities").matched


@pytest.mark.parametrize(
    "prompt",
    ["\x00\ud800 sea \u202e", "🏔️ Café \uff33\uff25\uff21", "sea " * 500, "a" * 2000, "İstanbul ﬁeld"],
)
def test_odd_text_is_read(prompt: str) -> None:
    """No text makes the reader raise, and equal text gives an equal scene."""
    scene = read(prompt, prompt[:20])
    assert scene == read(prompt, prompt[:20])
    assert scene.light in LIGHTS


def test_reading_does_not_load_numpy() -> None:
    """The web process reads scenes without paying for the painter."""
    code = "import sys; import hexwave_app.providers.demo.scene; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=30).returncode == 0
