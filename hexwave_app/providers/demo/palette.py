"""Colours of each light, as display RGB in 0..1."""

from dataclasses import dataclass, fields, replace

import numpy as np

from .scene import Scene

Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Palette:
    """One grading of a picture: four stops of sky from the zenith down, light, clouds, and the near dark."""

    zenith: Colour
    high: Colour
    low: Colour
    horizon: Colour
    sun: Colour
    glow: Colour
    lit: Colour
    shade: Colour
    near: Colour
    deep: Colour
    lamp: Colour


def hexed(code: str) -> Colour:
    """The colour of six hexadecimal digits."""
    return (int(code[0:2], 16) / 255, int(code[2:4], 16) / 255, int(code[4:6], 16) / 255)


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """The colour `share` of the way from a to b."""
    return (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share)


def scaled(a: Colour, factor: float) -> Colour:
    """The colour made brighter or darker by a factor."""
    return (a[0] * factor, a[1] * factor, a[2] * factor)


# zenith high low horizon | sun glow | cloud lit, shade | near deep | lamp
_TABLE = {
    "dawn": (
        "34477c 7c7fb4 e0a2ae ffd2a6 fff3d8 ff9f6e ffc4ad 74698f 1d2340 24365c ffcf8a",
        "264f7c 6d98b8 d8bfb8 ffd6a4 fff4dc ffac70 ffd0b4 74889e 182c40 1f425a ffd896",
        "4a3f7d a877ae f2a0a4 ffc890 fff0d0 ff8f80 ffb6b4 7d5f8c 241c3c 332a5a ffc98a",
    ),
    "day": (
        "1a5cae 4a92d8 98c8ee dff0f8 fffdf0 fff0c4 ffffff 94abc4 16364a 0b4468 ffe9b0",
        "0f6aa8 3ea0cf 93d2dc e6f4ea fffbe6 fff3c0 ffffff 8fb0b8 113a40 07525f ffe9b0",
        "2f62b0 6f9bdc b4cff0 f3ecdf fff8e4 ffe4b4 fffaf2 a3abc8 1f3050 164478 ffe9b0",
    ),
    "golden": (
        "5c5364 9c7a68 e0a063 ffd48a fff6dc ffb04e ffd596 7c5f58 2c1c1c 4a3530 ffd27a",
        "4b4a6a a07878 f09a5c ffcb78 fff2cc ff9a3c ffc486 78586a 2a1826 46304a ffcf7a",
        "5a4a58 a87860 eba862 ffd890 fff6d8 ffb652 ffdca0 7a625c 2a1e20 463634 ffd88a",
        "3a4c70 8a7f8c e8a878 ffd49a fff6e0 ffa85c ffd2b0 66647c 20222e 34405a ffd28a",
    ),
    "dusk": (
        "1a1442 54286e cc4a6c ffa24e fff0c0 ff6a3c ff7a5c 4a2358 130c24 241440 ffc46a",
        "16204e 40407e b0607c ffb070 fff0d0 ff7f50 ff9a78 443a66 0e1226 18214a ffc878",
        "2a1238 7a2858 e4563c ffb43c fff2b4 ff5a2a ff7448 541c40 1a0a18 300f30 ffc05c",
    ),
    "night": (
        "03060f 07122a 122a50 27487a f1f4ff 6f97dc 5676a8 0b1730 02040a 05102a ffcf80",
        "050418 0f0d34 251f58 463c80 f4f0ff 9087e0 6c62a8 120f30 03030c 0a0a2a ffca7a",
        "020a10 051c28 0d3a48 1f5f6a f0fbf6 63b8b4 4a8a90 08202a 01060a 03161e ffd28a",
    ),
    "storm": (
        "12181f 2a343c 59666c 939a96 f0f0e0 c0c4b0 8d989c 1a2229 0c1216 16232a ffd08a",
        "16161f 302f3c 625d68 a09488 fff0d8 d0b890 989098 1e1c26 100e16 20202c ffcc80",
        "0d1a1a 24383a 567070 9ab0a0 f4f8e0 b8d0a8 8aa4a0 142626 081212 0e2626 ffd08a",
    ),
    "neon": (
        "0a0524 220e50 641a80 d03292 8ffaff c040c8 c83aa0 2a1058 08031c 120638 7df3ff",
        "060a2a 10205e 2e3ea0 b04cc8 ff8ad0 8050ff 7a58e0 141a58 04051e 080e40 ff7ad0",
        "12042a 3a0a4e 8c1468 ff5a5a ffd07a ff3a8a ff4a80 3a0a50 0c0218 1c0634 6ff0e0",
    ),
    "grey": (
        "6f7d8a 93a0aa b8c0c4 d6d8d4 ffffff e8e4d8 dfe2e2 7d8992 2a343c 3c4c58 ffdca0",
        "767480 9c98a2 c4bcbc e0d4c8 fffaf0 f0dcc4 e6dedc 85808c 302e38 484654 ffd8a0",
        "64807e 8ca6a0 b6c8be dce0d0 fffff4 e4ecd0 dce6de 76908c 243634 365450 ffdca0",
    ),
}


# The variant that suits cold weather, where one does.
_COLDEST = {"dawn": 1, "golden": 3, "dusk": 1, "grey": 0, "storm": 0}


def choose(scene: Scene, rng: np.random.Generator) -> Palette:
    """A palette for the scene's light, one of its variants with a slight shift of hue."""
    variant = int(rng.integers(len(_TABLE[scene.light])))
    if scene.has("cold") and scene.light in _COLDEST:
        variant = _COLDEST[scene.light]
    codes = _TABLE[scene.light][variant].split()
    shift = rng.uniform(-0.035, 0.035, 3)
    colours = [hexed(code) for code in codes]
    palette = Palette(*[_shift(colour, shift.tolist()) for colour in colours])
    if scene.has("cold") and scene.light in ("dawn", "day", "dusk", "grey"):
        return _pulled(palette, hexed("6f8ca6"), 0.15)
    return _pulled(palette, hexed("d8905a"), 0.14) if scene.has("warm") else palette


def _shift(colour: Colour, shift: list[float]) -> Colour:
    # Darks must stay dark: the shift scales with the colour.
    r, g, b = (value * (1 + delta) for value, delta in zip(colour, shift, strict=True))
    return (r, g, b)


def _pulled(palette: Palette, towards: Colour, share: float) -> Palette:
    """Every colour pulled towards a hue of its own brightness; lamps keep theirs."""
    changed = {
        field.name: _hued(getattr(palette, field.name), towards, share)
        for field in fields(palette)
        if field.name != "lamp"
    }
    return replace(palette, **changed)


def _hued(colour: Colour, towards: Colour, share: float) -> Colour:
    return mix(colour, scaled(towards, sum(colour) / sum(towards)), share)
