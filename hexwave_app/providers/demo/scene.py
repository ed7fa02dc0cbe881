"""What a prompt names: a place, a light, a weather, and the things that stand in it.

The reader knows single words and a few phrases; it does not understand sentences. It imports no numpy, so the
web process can read a scene without paying for the painter.
"""

import re
import unicodedata
import zlib
from dataclasses import dataclass
from itertools import pairwise

LIGHTS = ("dawn", "day", "golden", "dusk", "night", "storm", "neon", "grey")

_LEXICON = {
    "sea": "sea ocean wave surf tide coast coastline beach shore seaside seascape marine cove",
    "lake": "lake pond lagoon loch fjord reservoir tarn water",
    "river": "river stream creek brook canal estuary delta",
    "harbour": "harbour harbor port marina dock quay pier jetty wharf",
    "bay": "bay waterfront",
    "island": "island isle islet atoll archipelago",
    "mountains": "mountain ridge peak alp summit range himalaya andes cliff volcano fell glacier highland",
    "hills": "hill valley moor downs countryside tuscany dale",
    "forest": "forest wood woodland pine fir spruce conifer taiga jungle grove tree treeline redwood cedar",
    "field": "field meadow grass grassland prairie farm farmland steppe savanna savannah pasture",
    "lavender": "lavender",
    "wheat": "wheat barley cornfield",
    "desert": "desert dune sand sahara gobi wadi namib",
    "city": "city skyline town downtown skyscraper metropolis cityscape tower building street urban tokyo "
    "manhattan megacity rooftop apartment",
    "village": "village hamlet house cottage cabin hut church settlement fishing",
    "space": "space galaxy nebula planet cosmos universe cosmic interstellar supernova asteroid saturn",
    "aurora": "aurora borealis",
    "boats": "boat ship sail sailboat yacht dinghy trawler ferry schooner canoe vessel",
    "lighthouse": "lighthouse beacon",
    "birds": "bird gull seagull goose crane swallow flock starling",
    "sun": "sun sunlight sunshine sunbeam sunray",
    "moon": "moon moonlight moonlit moonrise crescent lunar",
    "stars": "star starry starlight starlit constellation",
    "milky": "milkyway",
    "clouds": "cloud cloudy cloudscape cumulus cirrus",
    "rain": "rain rainy drizzle downpour shower raining",
    "snow": "snow snowfall blizzard snowing snowflake",
    "white": "snowy frozen ice icy snowcapped",
    "arctic": "arctic antarctic polar",
    "fog": "fog mist foggy misty haze hazy smog",
    "clear": "clear cloudless",
    "dawn": "dawn sunrise morning daybreak",
    "day": "day noon midday daylight afternoon summer sunny",
    "golden": "golden amber honey autumn",
    "dusk": "dusk sunset twilight evening sundown nightfall gloaming",
    "night": "night midnight nocturne nighttime",
    "storm": "storm stormy tempest hurricane gale squall",
    "lightning": "lightning thunder thunderstorm thunderbolt",
    "neon": "neon cyberpunk synthwave vaporwave",
    "grey": "grey gray overcast gloomy dreary",
    "winter": "winter wintertime",
    "cold": "cold wintry frosty frost slate chilly",
    "warm": "warm",
    "calm": "calm still quiet glassy mirror serene tranquil",
}
_NAMES = {word: name for name, words in _LEXICON.items() for word in words.split()}
_PHRASES = {
    "milky way": "milkyway",
    "northern light": "aurora",
    "southern light": "aurora",
    "polar light": "aurora",
    "golden hour": "golden",
    "amber": "golden warm",
    "blue hour": "dusk",
    "first light": "dawn",
    "first sun": "dawn sun",
    "last light": "dusk",
    "last sun": "dusk sun",
    "low sun": "golden sun",
    "outer space": "space",
    "after rain": "wet",
    "after the rain": "wet",
    "science fiction": "space",
    "sea of cloud": "mountains fog",
    "grey sea": "sea greyish",
    "gray sea": "sea greyish",
    "water like slate": "water slate",
}
# The order settles which name is the place when several are given; the others stand in it as elements.
_PLACES = ("space", "desert", "city", "harbour", "village", "forest", "island")
_BACKGROUNDS = ("lake", "river", "sea", "field", "mountains", "hills")
_WATERS = {"sea", "lake", "river", "harbour", "bay", "island", "boats"}
_HINTS = {"cold", "winter", "warm", "calm", "clear", "grey", "white"}
# What is painted when only light, weather or the sky is named; the first that fits.
_DEFAULTS = {
    "lightning": "sea",
    "lighthouse": "sea",
    "boats": "sea",
    "aurora": "lake",
    "milky": "mountains",
    "bay": "sea",
    "lavender": "field",
    "wheat": "field",
    "arctic": "lake",
    "neon": "city",
    "stars": "mountains",
    "moon": "sea",
    "birds": "sea",
    "snow": "forest",
    "storm": "sea",
    "rain": "lake",
    "fog": "forest",
    "dusk": "sea",
    "golden": "hills",
    "clouds": "mountains",
    "night": "mountains",
    "dawn": "mountains",
    "sun": "sea",
    "day": "hills",
}


@dataclass(frozen=True, slots=True)
class Scene:
    """A prompt as the painter understands it.

    `place` is one of space, desert, city, harbour, village, forest, island, lake, river, sea, field,
    mountains, hills or abstract; `light` one of LIGHTS; `weather` rain, snow, fog or clear. `elements` holds,
    sorted, every other thing to show and `left_out` every thing that must not be shown. `mood` is a number
    from the prompt's text that picks the palette of abstract art. `matched` is false when no word named
    anything the painter knows.
    """

    place: str
    light: str
    weather: str = "clear"
    elements: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    mood: int = 0
    matched: bool = True

    def has(self, *names: str) -> bool:
        """True when any of the names is the place, the weather or an element."""
        return any(name == self.place or name == self.weather or name in self.elements for name in names)

    def allows(self, name: str) -> bool:
        """True unless the name was left out."""
        return name not in self.left_out


def read(prompt: str, leave_out: str = "") -> Scene:
    """Read the words of a prompt into a Scene. Never raises, whatever the text.

    `leave_out` names things to drop ("clouds, boats"); "no clouds" or "without clouds" in a prompt does too.
    """
    words = _words(prompt)
    denied = {name for before, word in pairwise(words) if before in _DENIALS for name in _name(word)}
    left_out = denied | {name for word in _words(leave_out) for name in _name(word)}
    names = {name for word in words for name in _name(word)} - left_out
    if "clear" in names:
        left_out.add("clouds")
    mood = zlib.crc32(" ".join(words).encode("utf-8", "replace"))
    if not names - _HINTS:
        return Scene("abstract", "day", left_out=tuple(sorted(left_out)), mood=mood, matched=False)
    place = _place(names)
    names = _implied(names, place) - left_out
    elements = names - {place, "clear"} - set(LIGHTS)
    return Scene(
        place, _light(names, place), _weather(names), tuple(sorted(elements)), tuple(sorted(left_out)), mood
    )


_DENIALS = {"no", "without", "minus"}


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    words = [_singular(word) for word in re.findall(r"[a-z]+", plain)]
    joined = f" {' '.join(words)} "
    for phrase, names in _PHRASES.items():
        joined = joined.replace(f" {phrase} ", f" {names} ")
    return joined.split()


def _singular(word: str) -> str:
    if word in _NAMES or not word.endswith("s"):
        return word
    if word.endswith("ies") and f"{word[:-3]}y" in _NAMES:
        return f"{word[:-3]}y"
    if word.endswith("es") and word[:-2] in _NAMES:
        return word[:-2]
    return word[:-1] if word[:-1] in _NAMES or word[:-1] in ("light",) else word


def _name(word: str) -> tuple[str, ...]:
    if word in ("wet", "greyish"):
        return (word,)
    name = _NAMES.get(word)
    return (name,) if name else ()


def _place(names: set[str]) -> str:
    for place in _PLACES + _BACKGROUNDS:
        if place in names:
            return place
    for name, place in _DEFAULTS.items():
        if name in names:
            return place
    return "sea"


def _implied(names: set[str], place: str) -> set[str]:
    """Add what the named things bring with them: boats need water, snow whitens the land."""
    more = set(names)
    if names & _WATERS:
        more.add("water")
    if names & {"arctic", "winter", "snow"}:
        more |= {"cold", "white"}
    if "lighthouse" in names and place not in ("space", "desert"):
        more.add("water")
    if place == "harbour":
        more |= {"boats", "village"}
    if "rain" in names:
        more.add("wet")
    if "lightning" in names:
        more.add("storm")
    if place in ("lake", "river") and not names & {"forest", "city", "village", "field", "desert"}:
        more.add("mountains")
    return more


def _light(names: set[str], place: str) -> str:
    if names & {"aurora", "milky"} or (place == "space"):
        return "night"
    for light in ("neon", "storm", "dawn", "dusk", "night", "golden"):
        if light in names:
            return light
    if names & {"grey", "greyish"}:
        return "grey"
    if names & {"moon", "stars"}:
        return "night"
    if "day" in names and "fog" not in names:
        return "day"
    if names & {"rain", "fog", "snow"} and "sun" not in names:
        return "grey"
    if "winter" in names and "sun" in names:
        return "golden"
    if place == "desert" and "day" not in names:
        return "golden"
    return "day" if names & {"day", "field", "hills", "mountains", "island", "clouds"} else "dawn"


def _weather(names: set[str]) -> str:
    for weather in ("snow", "rain", "fog"):
        if weather in names:
            # "Snow on the boats" lies; it falls only when nothing says the sky is open.
            return "clear" if weather == "snow" and names & {"sun", "clear"} else weather
    return "rain" if "storm" in names else "clear"
