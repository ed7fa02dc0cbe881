"""A rocky island, and the lighthouse that may stand on it."""

import numpy as np

from .canvas import Canvas
from .land import face, tinted
from .noise import Array, line
from .palette import Palette, mix
from .sky import Sky


def _points(*pairs: tuple[float, float]) -> Array:
    return np.array(pairs, np.float32)


def paint(canvas: Canvas, palette: Palette, sky: Sky, rng: np.random.Generator) -> tuple[float, float]:
    """A rocky island on the horizon; returns where its top stands, in units."""
    key = int(rng.integers(1 << 30))
    side = -1.0 if sky.x > canvas.wide / 2 else 1.0
    middle, half = canvas.wide * (0.5 + 0.24 * side), rng.uniform(0.16, 0.26)
    shape = np.clip(1 - ((canvas.x - middle) / half) ** 2, 0, 1)
    rough = 1 + 0.4 * line(canvas.x * 9 + key % 29, key, 5, 0.55)
    crest = (sky.horizon + 0.006 - rng.uniform(0.055, 0.09) * shape**0.6 * rough).astype(np.float32)
    face(canvas, palette, sky, crest, key, 0.66, 0, 0.3, sky.horizon, sky.horizon - 0.003)
    return middle, float(np.interp(middle, canvas.x, crest))


def lighthouse(canvas: Canvas, palette: Palette, sky: Sky, x: float, foot: float, lit: bool) -> None:
    """A tapering tower with a lantern; its lamp and beams shine when `lit`."""
    tall, half = 0.15, 0.0115
    top = foot - tall
    body = _points(
        (x - half, foot + 0.012), (x - half * 0.62, top), (x + half * 0.62, top), (x + half, foot + 0.012)
    )
    rail = _points(
        (x - half * 1.05, top),
        (x - half * 1.05, top - 0.005),
        (x + half * 1.05, top - 0.005),
        (x + half * 1.05, top),
    )
    room = _points(
        (x - half * 0.55, top - 0.004),
        (x - half * 0.55, top - 0.022),
        (x + half * 0.55, top - 0.022),
        (x + half * 0.55, top - 0.004),
    )
    dome = _points((x - half * 0.8, top - 0.021), (x, top - 0.036), (x + half * 0.8, top - 0.021))
    if lit:
        _beams(canvas, palette, x, top - 0.013)
    pale = mix(palette.shade, palette.lit, 0.35)
    for shapes, colour in (
        ([body], pale),
        ([_band(body, 0.28, 0.5), _band(body, 0.72, 0.9), rail, room, dome], palette.near),
    ):
        cover, rows = canvas.stencil(
            top - 0.05,
            foot + 0.012,
            lambda pen, shapes=shapes: pen.polygons(shapes),
            4,
        )
        canvas.lay(tinted(canvas, sky, colour, 0.86, rows), cover, rows)
    one, light = np.ones(1, np.float32), np.float32(1.6 if lit else 0.5)
    canvas.glow(
        palette.lamp,
        canvas.splat(
            one * np.float32(x), one * np.float32(top - 0.013), one * np.float32(0.005), one * light
        ),
    )


def _band(body: Array, start: float, stop: float) -> Array:
    left, right = body[0] - body[1], body[3] - body[2]
    return np.stack(
        [body[1] + left * start, body[2] + right * start, body[2] + right * stop, body[1] + left * stop]
    )


def _beams(canvas: Canvas, palette: Palette, x: float, y: float) -> None:
    # Seen from the side, a beam that goes round grows and shrinks.
    turned = np.float32(0.12 + 0.88 * abs(np.cos(1.3 * canvas.time)) ** 2)

    def field(u: Array, v: Array) -> Array:
        dx, dy = u - x, v - y
        away = np.abs(dx) + 1e-4
        beam = np.exp(-(((dy - 0.05 * dx) / (0.006 + 0.07 * away)) ** 2)) / (1 + away * 3.5)
        halo = 0.7 / (1 + (dx * dx + dy * dy) / 0.0006) ** 1.2
        return (beam * 0.3 * turned + halo).astype(np.float32)

    canvas.glow(palette.lamp, canvas.soft(field, 300))
