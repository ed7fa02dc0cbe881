"""What falls or hangs in the air before the picture: snow, rain, fog."""

import numpy as np

from .canvas import Canvas, Pen
from .noise import Array, sample, smoothstep, texture
from .palette import Palette, mix
from .sky import Sky


def snow(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """Flakes at three depths: a fine veil, flakes in focus, and a few large soft ones close by."""
    bright = mix(palette.lit, (1.0, 1.0, 1.0), 0.6)
    for many, small, large, power in (
        (900, 0.0012, 0.0022, 0.45),
        (240, 0.0022, 0.0042, 0.75),
        (26, 0.008, 0.02, 0.2),
    ):
        x, y = rng.uniform(0, canvas.wide, many), rng.uniform(0, canvas.high, many)
        radius, light = rng.uniform(small, large, many), rng.uniform(0.4, 1.0, many) * power
        y = (y + canvas.time * (0.05 + 12 * radius)) % canvas.high
        x = (x + canvas.time * 3 * radius + 2 * radius * np.sin(canvas.time + 900 * light)) % canvas.wide
        flakes = canvas.splat(*(value.astype(np.float32) for value in (x, y, radius, light)))
        canvas.lay(bright, np.minimum(flakes, 0.95))


def rain(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """Slanting streaks at two depths."""
    slant = rng.uniform(-0.22, 0.22)
    bright = mix(palette.horizon, (1.0, 1.0, 1.0), 0.35)
    for many, length, width, power in ((420, 0.035, 0.0009, 0.2), (110, 0.09, 0.0016, 0.2)):
        starts = rng.uniform(-0.1, 1.0, (many, 2)) * np.array([canvas.wide + 0.2, canvas.high + 0.1])
        runs = length * rng.uniform(0.6, 1.3, many)
        fallen = canvas.time * 14 * length
        starts[:, 1] = (starts[:, 1] + 0.1 + fallen) % (canvas.high + 0.2) - 0.1
        values = rng.integers(90, 255, many)

        def draw(
            pen: Pen, starts: Array = starts, runs: Array = runs, values: Array = values, width: float = width
        ) -> None:
            for (x, y), run, value in zip(starts.tolist(), runs.tolist(), values.tolist(), strict=True):
                pen.stroke(np.array([[x, y], [x + slant * run, y + run]], np.float32), width, int(value))

        cover, rows = canvas.stencil(0, canvas.high, draw, 2)
        canvas.lay(bright, cover * np.float32(power), rows)


def fog(canvas: Canvas, palette: Palette, sky: Sky, rng: np.random.Generator, power: float) -> None:
    """Drifting banks, thickest about the horizon."""
    off = rng.random(2).astype(np.float32) + canvas.time * np.float32(0.006)
    base = texture(2)

    def field(u: Array, v: Array) -> Array:
        drift = sample(base, u * 0.16 + off[0], v * 0.7 + off[1]) + 0.5 * sample(
            base, u * 0.4 + off[1], v * 1.6
        )
        band = np.exp(-(((v - sky.horizon - 0.03) / 0.16) ** 2))
        return (band * (0.5 + 0.5 * smoothstep(-1.2, 1.4, drift)) * power).astype(np.float32)

    canvas.lay(mix(palette.horizon, palette.low, 0.35), canvas.soft(field, 256))


def lightning(canvas: Canvas, sky: Sky, rng: np.random.Generator) -> None:
    """A forked bolt from the clouds to the horizon, and the flash about it; in a clip it strikes again."""
    strike, power = _strike(float(canvas.time))
    if strike:
        rng = np.random.default_rng((strike, int(rng.integers(1 << 30))))
    x = sky.x + rng.uniform(-0.12, 0.12)
    trunk = _bolt(np.array([x + rng.uniform(-0.1, 0.1), 0.0]), np.array([x, sky.horizon]), rng)
    branches = [trunk]
    for start in rng.integers(8, 26, 4):
        end = trunk[start] + np.array([rng.uniform(-0.16, 0.16), rng.uniform(0.06, 0.2)])
        branches.append(_bolt(trunk[start], end, rng)[::2])

    def draw(pen: Pen) -> None:
        for k, bolt in enumerate(branches):
            pen.stroke(bolt.astype(np.float32), 0.0024 if k == 0 else 0.0012, 255 if k == 0 else 170)

    cover, rows = canvas.stencil(0, sky.horizon, draw)
    canvas.glow((1.3, 1.35, 1.6), cover * np.float32(power), rows)
    spine = np.interp(canvas.y, trunk[:, 1], trunk[:, 0]).astype(np.float32)

    def flash(u: Array, v: Array) -> Array:
        away = np.abs(u - np.interp(v[:, 0], canvas.y, spine)[:, None].astype(np.float32))
        return 0.32 / (1 + (away / 0.03) ** 1.5) + 0.2 / (1 + (away / 0.2) ** 2)

    canvas.glow((0.62, 0.66, 1.0), canvas.soft(flash, 200)[rows] * np.float32(power), rows)


def _strike(time: float) -> tuple[int, float]:
    """Which bolt is the last one, and how much of its light is left; the first is at its brightest at 0."""
    last = max(k for k, at in enumerate(_STRIKES) if at <= time)
    since = time - _STRIKES[last]
    return last, float(np.exp(-since / 0.16) + (0.7 * np.exp(-(since - 0.25) / 0.1) if since > 0.25 else 0))


_STRIKES = (0.0, 1.6, 2.2, 4.1, 5.3, 7.0)
"""Seconds."""


def _bolt(start: Array, end: Array, rng: np.random.Generator) -> Array:
    """A jagged path of 33 points by midpoint displacement."""
    points = np.stack([start, end])
    for _ in range(5):
        reach = np.linalg.norm(points[1:] - points[:-1], axis=1)[:, None]
        middle = (points[1:] + points[:-1]) / 2 + rng.normal(0, 1, (len(points) - 1, 2)) * reach * np.array(
            [0.16, 0.05]
        )
        joined = np.empty((len(points) * 2 - 1, 2))
        joined[0::2], joined[1::2] = points, middle
        points = joined
    return points
