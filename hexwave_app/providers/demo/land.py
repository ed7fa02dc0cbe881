"""Land: ridges in layers of air, hills, dunes, and ground seen in perspective."""

import numpy as np

from .canvas import Canvas
from .noise import Array, crags, line, sample, smoothstep, texture
from .palette import Colour, Palette, hexed, mix
from .sky import Sky


def ridge_cover(canvas: Canvas, crest: Array, rows: slice) -> Array:
    """How much of each pixel of the rows lies below the crest, a height in units for each column."""
    slope = np.gradient(crest) * np.float32(canvas.unit)
    steep = (np.float32(canvas.unit) / np.sqrt(1 + slope * slope)).astype(np.float32)
    return np.clip((canvas.y[rows, None] - crest[None, :]) * steep[None, :] + np.float32(0.5), 0, 1)


def tinted(canvas: Canvas, sky: Sky, near: Colour, depth: float, rows: slice) -> Array:
    """The air of the rows mixed with the near dark by `depth` in 0..1 (0 is far away)."""
    planes = [
        air[rows] * np.float32(1 - depth) + np.float32(c * depth)
        for air, c in zip(sky.air, near, strict=True)
    ]
    return np.stack(planes)


def mountains(
    canvas: Canvas,
    palette: Palette,
    sky: Sky,
    rng: np.random.Generator,
    white: float,
    tall: float,
    foot: float | None = None,
) -> None:
    """Ranges behind ranges, the nearer the darker, with mist in the valleys and snow (`white` 0..1) above.

    `tall` is the height of the farthest range in units. The ranges stand on the horizon, or step forward
    from it down to `foot` when that is given.
    """
    layers = int(rng.integers(4, 6)) if foot else int(rng.integers(3, 5))
    lean = rng.uniform(-0.35, 0.35)
    last = sky.horizon if foot is None else foot
    bases = [sky.horizon + (last - sky.horizon) * (k / (layers - 1)) ** 1.2 for k in range(layers)]
    for k, base in enumerate(bases):
        share = k / (layers - 1)
        key = int(rng.integers(1 << 30))
        height = (
            tall
            * (1 - (0.5 if foot else 0.72) * share)
            * rng.uniform(0.8, 1.15)
            * min(1.0, sky.horizon / 0.5)
        )
        with canvas.seen_from_afar(0.15 + 0.5 * share):
            crest = _range(canvas, base, key, height, 1.9 + 1.3 * share, lean * (1 - share) * (-1) ** k)
        bottom = canvas.high if foot and k == layers - 1 else bases[min(k + 1, layers - 1)]
        depth = 0.2 + (0.72 if foot else 0.52) * share**1.1
        with canvas.seen_from_afar(0.15 + 0.5 * share):
            face(canvas, palette, sky, crest, key, depth, white * (1 - 0.8 * share), height, base, bottom)


def _range(canvas: Canvas, base: float, key: int, height: float, pace: float, lean: float) -> Array:
    x = canvas.x * np.float32(pace) + np.float32(key % 199)
    swell = np.clip(0.5 + 0.5 * line(x * np.float32(0.5), key, 2), 0, 1)
    peaks = (crags(x * np.float32(1.1), key + 1, 8) - np.float32(0.36)) * np.float32(1.75)
    peaks = np.maximum(peaks, peaks * np.float32(0.3))
    tilt = lean * (canvas.x / canvas.wide - 0.5)
    shape = 0.13 + 0.2 * swell + peaks * (0.42 + 0.55 * swell + tilt)
    return (base - height * np.clip(shape, 0.0, 1.5)).astype(np.float32)


def face(
    canvas: Canvas,
    palette: Palette,
    sky: Sky,
    crest: Array,
    key: int,
    depth: float,
    white: float,
    height: float,
    base: float,
    bottom: float,
) -> None:
    """Rock below a crest that rises `height` over `base`, down to `bottom`, lit from the light's side."""
    rows = slice(canvas.row(float(crest.min()) - 0.004), canvas.row(bottom + 0.004))
    cover = ridge_cover(canvas, crest, rows)
    below = np.clip(canvas.y[rows, None] - crest[None, :], 0, None)
    lit = _faces(canvas, crest, below, key, -1.0 if sky.x > canvas.wide / 2 else 1.0)
    mist = smoothstep(0.15, 1.3, below / np.float32(height + bottom - base)) * np.float32(0.62 - 0.3 * depth)
    colour = tinted(canvas, sky, palette.near, depth, rows)
    sunny = mix(palette.glow, palette.lit, 0.3)
    warm = lit * np.float32(0.46 * (1 - depth * 0.85)) * (1 - mist)
    cool = (1 - lit) * np.float32(0.26)
    for plane, light, dark in zip(colour, sunny, palette.near, strict=True):
        plane += warm * (np.float32(light) - plane)
        plane += cool * (np.float32(dark) - plane)
    if white > 0.05:
        snow = _snow_line(
            canvas, below, lit, key, white, np.float32(base - height * (0.85 - 0.85 * white)), rows
        )
        _snowy(colour, palette, snow * np.float32(min(1.0, 0.9 * white)), lit, depth)
    level = max(canvas.row(sky.horizon) - 1, 0)
    for plane, air in zip(colour, sky.air, strict=True):
        plane += mist * (air[level][None, :] - plane) * np.float32(0.8)
    canvas.lay(colour, cover, rows)


def _faces(canvas: Canvas, crest: Array, below: Array, key: int, side: float) -> Array:
    """Sun on the faces: the slope of the crest carried down, in broader planes the deeper it lies."""
    wander = sample(
        texture(7), canvas.x[None, :] * np.float32(0.7) + np.float32(key % 89 / 89), below * np.float32(1.2)
    )
    drift = below * (np.float32(side * 0.42) + wander * np.float32(0.2)) * np.float32(canvas.unit)
    at = np.clip(np.arange(canvas.width, dtype=np.float32)[None, :] + drift, 0, canvas.width - 1).astype(
        np.int32
    )
    fine, broad = _slopes(canvas, crest, 0.004).take(at), _slopes(canvas, crest, 0.028).take(at)
    deep = np.clip(below * np.float32(9), 0, 0.85)
    grain = sample(
        texture(8),
        canvas.x[None, :] * np.float32(2.1) + np.float32(key % 53 / 53) + below,
        below * np.float32(1.3),
    )
    slope = (fine + (broad - fine) * deep) * np.float32(side) + (
        np.float32(0.6) - np.abs(grain)
    ) * np.float32(0.3)
    return smoothstep(-0.35, 0.6, slope)


def _slopes(canvas: Canvas, crest: Array, reach: float) -> Array:
    spread = max(1, round(reach * canvas.unit))
    padded = np.pad(crest, spread, mode="edge")
    return (padded[2 * spread :] - padded[: -2 * spread]) * np.float32(canvas.unit / (2 * spread))


def _snow_line(
    canvas: Canvas, below: Array, lit: Array, key: int, white: float, level: np.float32, rows: slice
) -> Array:
    """Where snow lies: above a ragged line, thinner where the face is steep."""
    rough = sample(
        texture(9), canvas.x[None, :] * np.float32(1.3) + np.float32(key % 71 / 71), below * np.float32(2.0)
    )
    above = smoothstep(-0.03, 0.04, level - canvas.y[rows, None] + rough * np.float32(0.03))
    return above * (0.3 + 0.7 * smoothstep(-0.9, 0.5, rough + lit))


def _snowy(colour: Array, palette: Palette, snow: Array, lit: Array, depth: float) -> None:
    bright = mix(mix(palette.lit, (1.0, 1.0, 1.0), 0.3), palette.glow, 0.3)
    dim = mix(mix(palette.shade, palette.high, 0.5), palette.near, 0.35)
    for plane, light, dark in zip(colour, bright, dim, strict=True):
        plane += (
            snow * np.float32(0.6 + 0.3 * depth) * (np.float32(dark) + lit * np.float32(light - dark) - plane)
        )


def hills(
    canvas: Canvas, palette: Palette, sky: Sky, rng: np.random.Generator, colour: Colour, tall: float
) -> list[Array]:
    """Rolling land from the horizon to the lower edge, with a lit and a shadow side; returns the crests."""
    side = -1.0 if sky.x > canvas.wide / 2 else 1.0
    layers, crests = 5, list[Array]()
    for k in range(layers):
        share = k / (layers - 1)
        key = int(rng.integers(1 << 30))
        base = sky.horizon + (canvas.high - sky.horizon) * share**1.3 * 0.8
        rise = tall * (0.5 + 0.5 * share)
        x = (canvas.x + np.float32(canvas.pan * share)) * np.float32(2.6 - 1.3 * share) + np.float32(key % 97)
        crest = (base - rise * (0.3 + 0.75 * line(x, key, 3, 0.26))).astype(np.float32)
        bright = mix(mix(colour, palette.glow, 0.4), palette.horizon, 0.62 * (1 - share) ** 1.5)
        dark = mix(
            mix(colour, palette.near, 0.62), mix(palette.low, palette.horizon, 0.4), 0.55 * (1 - share) ** 1.5
        )
        _slope(canvas, crest, key, share, (bright, dark), side, rise, 0.02)
        crests.append(crest)
    return crests


def rows(canvas: Canvas, palette: Palette, sky: Sky, rng: np.random.Generator, colour: Colour) -> None:
    """A crop in rows that run to a vanishing point, over the near part of the ground."""
    key = int(rng.integers(1 << 30))
    top = sky.horizon + (canvas.high - sky.horizon) * 0.3
    crest = (top - 0.025 * line(canvas.x * np.float32(1.3) + key % 23, key, 2, 0.3)).astype(np.float32)
    area = slice(canvas.row(float(crest.min()) - 0.004), canvas.height)
    depth = np.clip(canvas.y[area, None] - np.float32(sky.horizon), 0.01, None)
    across = (canvas.x[None, :] - np.float32(canvas.wide * rng.uniform(0.3, 0.7))) / depth
    wind = canvas.time * np.float32(0.03)
    clump = sample(
        texture(8), across * np.float32(1.7) + np.float32(key % 47 / 47) + wind, np.float32(0.5) / depth
    )
    furrow = np.cos((across * np.float32(5.2) + clump * np.float32(0.025)) * np.float32(2 * np.pi))
    sharp = smoothstep(2.0, 5.0, depth * np.float32(canvas.unit / 5.2))
    crop = 0.58 + (0.42 * furrow + 0.1 * clump) * sharp
    far = np.clip(
        1 - (canvas.y[area, None] - crest[None, :]) / np.float32(canvas.high - top), 0, 1
    ) ** 3 * np.float32(0.5)
    bright, dark = mix(colour, palette.glow, 0.34), mix(colour, palette.near, 0.74)
    planes = [np.float32(d) + crop * np.float32(b - d) for b, d in zip(bright, dark, strict=True)]
    haze = mix(palette.low, palette.horizon, 0.5)
    planes = [plane + far * (np.float32(c) - plane) for plane, c in zip(planes, haze, strict=True)]
    canvas.lay(np.stack(planes), ridge_cover(canvas, crest, area), area)


_SANDS = {
    "dawn": "d9a083",
    "day": "e0b478",
    "golden": "dc9a58",
    "dusk": "b4583c",
    "night": "2a3a5c",
    "storm": "7c7060",
    "neon": "a03080",
    "grey": "b4a690",
}


def dunes(canvas: Canvas, palette: Palette, sky: Sky, rng: np.random.Generator, light: str) -> None:
    """Dunes with a lit and a shadow side divided by a sharp winding crest, and wind ripples close by."""
    sand = hexed(_SANDS[light])
    side = -1.0 if sky.x > canvas.wide / 2 else 1.0
    layers = 5
    for k in range(layers):
        share = k / (layers - 1)
        key = int(rng.integers(1 << 30))
        base = sky.horizon + (canvas.high - sky.horizon) * (share**1.35) * 0.74
        tall = 0.03 + 0.13 * share * rng.uniform(0.8, 1.2)
        with canvas.seen_from_afar(share):
            crest = _dune_crest(canvas, key, base, tall, 3.4 - 2.3 * share**0.7)
        bright = mix(mix(sand, palette.glow, 0.3), palette.horizon, 0.55 * (1 - share))
        dark = mix(mix(sand, palette.near, 0.66), mix(palette.low, palette.horizon, 0.5), 0.5 * (1 - share))
        _slope(canvas, crest, key, share, (bright, dark), side, tall, 0.05)


def _dune_crest(canvas: Canvas, key: int, base: float, tall: float, pace: float) -> Array:
    x = canvas.x * np.float32(pace) + np.float32(key % 101)
    sharp = 1 - np.abs(line(x, key)) ** np.float32(0.8)
    swell = line(x * np.float32(0.6), key + 1, 2, 0.3)
    return (base - tall * (0.75 * sharp + 0.45 * swell)).astype(np.float32)


def _slope(
    canvas: Canvas,
    crest: Array,
    key: int,
    share: float,
    colours: tuple[Colour, Colour],
    side: float,
    tall: float,
    ripple: float,
) -> None:
    """Land below a crest: the side of the crest that meets the light is carried down the slope."""
    rows = slice(canvas.row(float(crest.min()) - 0.004), canvas.height)
    if rows.start >= rows.stop:
        return
    below = np.clip(canvas.y[rows, None] - crest[None, :], 0, None)
    slope = _slopes(canvas, crest, 0.004)
    sway = line(below[:, canvas.width // 2] * np.float32(7), key + 4, 2)[:, None]
    column = np.arange(canvas.width, dtype=np.float32)[None, :]
    column = column + below * (np.float32(1.5 * side) + sway * np.float32(0.5)) * np.float32(canvas.unit)
    lit = smoothstep(
        -0.14, 0.16, slope.take(np.clip(column, 0, canvas.width - 1).astype(np.int32)) * np.float32(side)
    )
    lit += (np.float32(0.6) - lit) * np.clip(below * np.float32(1.6 / (tall + 0.08)), 0, 1)
    # Ripples follow the picture, not the crest: measured from it they would fold at every summit.
    v = (canvas.y[rows, None] + 0.03 * line(canvas.x * 3, key + 6, 2)[None, :]) * np.float32(
        5 + 8 * (1 - share)
    )
    blown = canvas.x[None, :] * np.float32(0.55) + v * np.float32(0.1) + canvas.time * np.float32(0.012)
    wind = sample(texture(8), blown, v + np.float32(key % 37 / 37))
    lit += wind * np.float32(ripple * share)
    bright, dark = colours
    planes = np.stack([np.float32(d) + lit * np.float32(b - d) for b, d in zip(bright, dark, strict=True)])
    canvas.lay(planes, ridge_cover(canvas, crest, rows), rows)
