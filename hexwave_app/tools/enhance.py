"""More words for a prompt: a light, a weather and a mood that go with what it says. No model, no network."""

import re
import zlib
from collections.abc import Iterator

from hexwave_app.tools.image_generator import PROMPT_LIMIT

_PHRASES = {
    "dawn": "first light",
    "day": "bright midday",
    "golden": "golden hour",
    "dusk": "blue hour",
    "night": "moonlit night",
    "grey": "overcast",
    "storm": "stormy sky",
    "neon": "neon glow",
    "clear": "clear sky",
    "fog": "thin mist",
    "rain": "soft rain",
    "snow": "light snowfall",
    "calm": "calm and still",
    "warm": "warm tones",
    "cold": "cold air",
}

_ATMOSPHERES = (
    ("dawn", "fog", "calm"),
    ("golden", "clear", "warm"),
    ("dusk", "clear", "calm"),
    ("grey", "rain", "calm"),
    ("night", "clear", "calm"),
    ("golden", "fog", "warm"),
    ("dusk", "snow", "cold"),
    ("neon", "rain", "calm"),
    ("dawn", "clear", "cold"),
    ("storm", "rain", "cold"),
    ("day", "clear", "warm"),
    ("grey", "snow", "cold"),
    ("dusk", "fog", "calm"),
    ("day", "clear", "calm"),
    ("night", "fog", "cold"),
    ("neon", "fog", "cold"),
    ("dusk", "clear", "warm"),
    ("grey", "fog", "calm"),
    ("night", "clear", "cold"),
    ("night", "rain", "calm"),
    ("dusk", "rain", "calm"),
    ("dawn", "rain", "calm"),
    ("night", "snow", "calm"),
    ("day", "snow", "cold"),
)
"""A light, a weather and a mood that can be in one picture."""

_SAID = {
    "dawn": "dawn sunrise morning daybreak",
    "day": "day noon midday daylight afternoon summer sunny",
    "golden": "golden amber honey autumn",
    "dusk": "dusk sunset twilight evening sundown nightfall gloaming",
    "night": "night midnight nocturne nighttime moon moonlight moonlit moonrise crescent lunar star starry "
    "starlight starlit constellation aurora borealis galaxy nebula cosmos universe cosmic interstellar",
    "grey": "grey gray overcast gloomy dreary",
    "storm": "storm stormy tempest hurricane gale squall lightning thunder thunderstorm thunderbolt",
    "neon": "neon cyberpunk synthwave vaporwave",
    "clear": "clear cloudless",
    "fog": "fog mist foggy misty haze hazy smog",
    "rain": "rain rainy drizzle downpour shower raining",
    "snow": "snow snowfall blizzard snowing snowflake",
    "calm": "calm still quiet glassy mirror serene tranquil peaceful",
    "warm": "warm hot cosy",
    "cold": "cold wintry frosty frost slate chilly winter wintertime snowy frozen ice icy snowcapped arctic "
    "antarctic polar",
}
"""What says one of them in so many words, or as good as says it; it is not said again."""

_OTHER = (
    "candlelight candlelit backlit silhouette sepia monochrome noir spotlight space outer planet saturn "
    "asteroid supernova underwater",
    "wind windy breeze cloud cloudy cloudscape cumulus cirrus wet indoors inside interior room kitchen "
    "bedroom studio hall library greenhouse space outer planet saturn asteroid supernova underwater",
    "gloom dramatic eerie moody wild rough turbulent crashing",
)
"""Words that settle the light, the weather or the mood in a way of their own."""

_DRY = ("dawn", "day", "golden", "dusk", "night", "clear")
_WITHIN = {
    "sun": ("dawn", "day", "golden", "dusk", "clear"),
    "sunlight": ("dawn", "day", "golden", "clear"),
    "sunshine": ("day", "golden", "clear"),
    "sunbeam": ("dawn", "day", "golden"),
    "sunny": ("clear",),
    "summer": ("clear", "calm", "warm"),
    "desert": _DRY,
    "dune": _DRY,
    "palm": ("clear", "rain", "fog", "calm", "warm"),
    "tropical": ("clear", "rain", "fog", "calm", "warm"),
}
"""Words beside which not every light, weather or mood can be: those that can, where it is not all of them."""

_PARTS = tuple(frozenset(names) for names in zip(*_ATMOSPHERES, strict=True))
_NAMES = {word: name for name, words in _SAID.items() for word in words.split()}
_DENIED = re.compile(r"\b(?:no|without|minus)\s+([a-z]+)", re.IGNORECASE)


def enhance(prompt: str, leave_out: str = "", press: int = 0) -> str:
    """The prompt with a few words more; each `press` has another variant of the same.

    What the prompt says already is not said again and nothing goes against it, nor against `leave_out` or the
    limit of a prompt: where nothing can be added, it comes back as it is.
    """
    variants = list(dict.fromkeys(_variants(prompt, leave_out))) if prompt.strip() else []
    if not variants:
        return prompt
    return variants[(zlib.crc32(prompt.encode("utf-8", "replace")) + press) % len(variants)]


def _variants(prompt: str, leave_out: str) -> Iterator[str]:
    said_words = _words(_DENIED.sub("", prompt))
    denied = _named(_words(" ".join((leave_out, *_DENIED.findall(prompt)))))
    said = _named(said_words)
    narrowed = [frozenset(_WITHIN[word]) for word in said_words & _WITHIN.keys()]
    settled = [
        bool(said & part or said_words & {*other.split()}) for part, other in zip(_PARTS, _OTHER, strict=True)
    ]
    for atmosphere in _ATMOSPHERES:
        if denied & {*atmosphere} or not all(map(_goes, atmosphere, _PARTS, [[said, *narrowed]] * 3)):
            continue
        added = [_PHRASES[name] for name, done in zip(atmosphere, settled, strict=True) if not done]
        longer = _joined(prompt.rstrip(" ,;"), ", ".join(added))
        if added and len(longer) <= PROMPT_LIMIT:
            yield longer


def _goes(name: str, part: frozenset[str], demands: list[frozenset[str]]) -> bool:
    """Whether each demand that speaks of this part admits the name."""
    return all(name in demand for demand in demands if demand & part)


def _joined(prompt: str, words: str) -> str:
    if prompt.endswith((".", "!", "?")):
        return f"{prompt} {words[:1].upper()}{words[1:]}."
    return f"{prompt}, {words}"


def _words(text: str) -> frozenset[str]:
    """All words of a text, those in the plural also without their s."""
    words = frozenset(re.findall(r"[a-z]+", text.casefold()))
    return words | {word.removesuffix("s") for word in words}


def _named(words: frozenset[str]) -> frozenset[str]:
    return frozenset(_NAMES[word] for word in words & _NAMES.keys())
