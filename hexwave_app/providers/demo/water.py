"""Water: a wavering mirror of all that stands above the horizon, and the glitter under the light."""

from dataclasses import dataclass

import numpy as np

from .canvas import Canvas
from .noise import WAVE_COLUMNS, WAVE_ROWS, Array, smoothstep, waves
from .palette import Palette, mix
from .sky import Sky


@dataclass(frozen=True, slots=True)
class Swell:
    """The surface below the horizon: heights about -1..1 and their slopes along x, each (rows, width)."""

    first: int
    height: Array
    slope: Array


def paint(canvas: Canvas, palette: Palette, sky: Sky, rng: np.random.Generator, rough: float) -> Swell:
    """Lay water from the horizon to the lower edge; `rough` runs from 0, a mirror, to 1, a storm."""
    first = min(canvas.row(sky.horizon), canvas.height - 1)
    depth = np.clip(canvas.y[first:] - np.float32(sky.horizon), 0, None)
    swell = _swell(canvas, first, depth, rng)
    _mirror(canvas, sky, swell, depth, rough)
    _body(canvas, palette, swell, depth, rough)
    _glitter(canvas, palette, sky, swell, depth, rough)
    return swell


def _swell(canvas: Canvas, first: int, depth: Array, rng: np.random.Generator) -> Swell:
    near = (depth + np.float32(0.02)) / np.float32(0.47)
    reach = near ** np.float32(-0.8)
    v = np.float32(2670) * (depth + np.float32(0.02)) ** np.float32(-0.3)
    steep = np.float32(801) * (depth + np.float32(0.02)) ** np.float32(-1.3) / np.float32(canvas.unit)
    shifts = rng.uniform(0, WAVE_ROWS, 2) + np.array([-24.0, 17.0]) * canvas.time
    rows_a, rows_b = (_rows(v + np.float32(shift), steep) for shift in shifts)
    x = (canvas.x - np.float32(canvas.wide / 2))[None, :] * reach[:, None]
    a, slope_a = _along(
        rows_a, x * np.float32(690) + np.float32(rng.uniform(0, 999)) + canvas.time * np.float32(26)
    )
    b, slope_b = _along(
        rows_b, x * np.float32(-1117) + np.float32(rng.uniform(0, 999)) + canvas.time * np.float32(19)
    )
    return Swell(first, a * 0.62 + b * 0.38, slope_a - slope_b)


def _rows(v: Array, steep: Array) -> Array:
    """One line of waves for every picture row; octaves finer than a pixel row fade away."""
    i = np.floor(v)
    f = (v - i)[:, None]
    i = i.astype(np.int32) & (WAVE_ROWS - 1)
    total = np.zeros((len(v), WAVE_COLUMNS), np.float32)
    for k, octave in enumerate(waves()):
        pixels = (64 >> k) / steep
        weight = smoothstep(0.8, 2.6, pixels) if k else np.maximum(smoothstep(0.5, 2.6, pixels), 0.45)
        weight = weight * np.float32(0.78**k * 0.6)
        live = weight > 0
        if live.any():
            start = int(np.argmax(live))
            a, b = octave[i[start:]], octave[(i[start:] + 1) & (WAVE_ROWS - 1)]
            total[start:] += (a + (b - a) * f[start:]) * weight[start:, None]
    return total


def _along(rows: Array, u: Array) -> tuple[Array, Array]:
    i = np.floor(u)
    f = u - i
    at = i.astype(np.int32)
    at &= WAVE_COLUMNS - 1
    base = (np.arange(len(rows), dtype=np.int32) * WAVE_COLUMNS)[:, None]
    flat = rows.reshape(-1)
    a = flat.take(at + base)
    at += 1
    at &= WAVE_COLUMNS - 1
    slope = flat.take(at + base) - a
    return a + slope * f, slope


def _mirror(canvas: Canvas, sky: Sky, swell: Swell, depth: Array, rough: float) -> None:
    above = np.ascontiguousarray(canvas.rgb[:, : swell.first + 1])
    top, unit = swell.first, np.float32(canvas.unit)
    # A picture with more water than sky must still find something to mirror.
    squeeze = min(1.0, (sky.horizon - 0.01) / max(float(depth[-1]), 1e-3))
    amplitude = ((depth * np.float32(0.05 + 0.2 * rough) + np.float32(0.003 + 0.01 * rough)) * unit)[:, None]
    column = np.arange(canvas.width, dtype=np.float32)[None, :] + swell.slope * amplitude * np.float32(0.5)
    column = np.clip(column, 0, canvas.width - 1).astype(np.int32)
    mirrored = (top - depth * np.float32(squeeze) * unit)[:, None]
    lift = swell.height * amplitude
    total = np.zeros_like(canvas.rgb[:, swell.first :])
    for stretch, share in ((0.45, 0.5), (1.5, 0.5)):
        row = np.abs(mirrored - lift * np.float32(stretch))
        at = np.clip(row, 0, top - 1).astype(np.int32) * canvas.width + column
        for plane, source in zip(total, above, strict=True):
            plane += source.reshape(-1).take(at) * np.float32(share)
    canvas.rgb[:, swell.first :] = total


def _body(canvas: Canvas, palette: Palette, swell: Swell, depth: Array, rough: float) -> None:
    """The water's own colour shows more the steeper one looks down, and in the troughs."""
    look = 0.1 + 0.58 * smoothstep(0.0, 0.62, depth) + 0.08 * rough
    share = np.clip(look[:, None] - swell.height * np.float32(0.07 + 0.09 * rough), 0, 0.92)
    rows = slice(swell.first, canvas.height)
    canvas.lay(palette.deep, share, rows)
    crest = (
        np.clip(swell.height - np.float32(0.9), 0, 1.2)
        * np.float32(0.1 + 0.16 * rough)
        * smoothstep(0.0, 0.1, depth)[:, None]
    )
    canvas.lay(mix(palette.low, palette.horizon, 0.5), crest, rows)


def _glitter(canvas: Canvas, palette: Palette, sky: Sky, swell: Swell, depth: Array, rough: float) -> None:
    spread = np.float32(0.035 + 0.02 * rough) + depth * np.float32(0.2 + 0.3 * rough)
    away = (canvas.x[None, :] - np.float32(sky.x)) / spread[:, None]
    away *= away
    rise = max(sky.horizon - sky.y, 0.03)
    along = 1 / (1 + ((depth - rise * 0.5) / np.float32(rise * 0.5 + 0.24)) ** 2)
    spark = swell.height + swell.slope * np.float32(0.8) - (np.float32(0.15) + away * np.float32(0.5))
    light = np.clip(spark * np.float32(1.8), 0, 1.6) * along[:, None]
    sheen = np.exp(-np.minimum(away, 9)) * along[:, None] * np.float32(0.16)
    light += sheen
    light *= np.float32(sky.strength)
    canvas.glow(mix(palette.sun, palette.glow, 0.35), light, slice(swell.first, canvas.height))
