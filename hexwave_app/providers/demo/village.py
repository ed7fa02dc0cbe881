"""A village on a bank: gabled houses, a church, windows lit one by one."""

from dataclasses import dataclass

import numpy as np

from .canvas import Canvas, Pen
from .land import tinted
from .noise import Array, line
from .palette import Palette, hexed, mix
from .sky import Sky


@dataclass(frozen=True, slots=True)
class House:
    """A house in units: left wall, width, heights of eaves and foot, rise of roof; `long` turns it."""

    left: float
    width: float
    eaves: float
    foot: float
    roof: float
    long: bool = False
    chimney: float = 0.0


def paint(
    canvas: Canvas, palette: Palette, sky: Sky, rng: np.random.Generator, white: float, lit: float
) -> None:
    """Houses on a bank; `lit` is the chance of a lit window, `white` lays snow on the roofs."""
    crest = _bank(canvas, sky, int(rng.integers(1 << 30)))
    houses = [house for house in _houses(canvas, crest, rng) if house.foot < sky.horizon + 0.004]
    top, foot = float(crest.min()) - 0.2, sky.horizon + 0.004
    edge = np.array([[canvas.wide, foot + 0.05], [0, foot + 0.05]])
    ground = np.concatenate([np.stack([canvas.x, crest], 1), edge]).astype(np.float32)

    cover, rows = canvas.stencil(top, foot, lambda pen: pen.polygons([ground, *map(_walls, houses)]))
    canvas.lay(tinted(canvas, sky, palette.near, 0.8, rows), cover, rows)
    if white:
        bank = np.clip(1 - np.abs(canvas.y[rows, None] - crest[None, :] - 0.007) / 0.009, 0, 1)
        canvas.lay(mix(palette.shade, palette.lit, 0.45), bank * cover * np.float32(0.8), rows)
    cover, rows = canvas.stencil(top, foot, lambda pen: pen.polygons([_roof(house) for house in houses]))
    snow = mix(mix(palette.lit, palette.shade, 0.25), palette.high, 0.15)
    tile = tinted(canvas, sky, mix(palette.near, hexed("8a4630"), 0.35), 0.8, rows)
    canvas.lay(snow if white else tile, cover * np.float32(0.95), rows)
    _windows(canvas, palette, rng, houses, lit, (top, foot))


def _bank(canvas: Canvas, sky: Sky, key: int) -> Array:
    # The village stands away from the light, so that the light's path on the water stays open.
    at = canvas.x / np.float32(canvas.wide)
    slope = (1 - at) if sky.x > canvas.wide / 2 else at
    rise = 0.075 * np.clip(slope * 1.35 - 0.3, 0, 1) ** 1.1
    return (sky.horizon + 0.012 - rise - 0.006 * line(canvas.x * 4 + key % 41, key, 3)).astype(np.float32)


def _houses(canvas: Canvas, crest: Array, rng: np.random.Generator) -> list[House]:
    houses: list[House] = []
    x = rng.uniform(0, 0.03)
    church = canvas.wide * (0.22 if crest[0] < crest[-1] else 0.78) * rng.uniform(0.85, 1.1)
    while x < canvas.wide:
        long = bool(rng.random() < 0.4)
        width = rng.uniform(0.05, 0.078) if long else rng.uniform(0.03, 0.045)
        ground = float(np.interp(x + width / 2, canvas.x, crest)) + 0.007
        if church <= x + width:
            houses.append(House(x + 0.004, 0.02, ground - 0.068, ground, 0.062))
            church, width = canvas.wide * 2, 0.07
            houses.append(House(x + 0.02, 0.05, ground - 0.032, ground, 0.024, True))
        else:
            roof = rng.uniform(0.015, 0.024) if long else width * rng.uniform(0.42, 0.6)
            eaves = ground - rng.uniform(0.018, 0.036)
            houses.append(
                House(
                    x, width, eaves, ground, roof, long, rng.uniform(0.2, 0.75) if rng.random() < 0.6 else 0
                )
            )
        x += width * (rng.uniform(0.85, 1.15) if rng.random() < 0.72 else rng.uniform(1.4, 2.6))
    return houses


def _walls(h: House) -> Array:
    middle, right, ridge = h.left + h.width / 2, h.left + h.width, h.eaves - h.roof
    if not h.long:
        top = [(h.left, h.eaves), (middle, ridge), (right, h.eaves)]
    else:
        top = [(h.left, h.eaves), (h.left + 0.005, ridge), (right - 0.005, ridge), (right, h.eaves)]
    if h.chimney and h.long:
        at = h.left + h.width * h.chimney
        top[2:2] = [(at, ridge), (at, ridge - 0.011), (at + 0.006, ridge - 0.011), (at + 0.006, ridge)]
    return np.array([(h.left, h.foot), *top, (right, h.foot)], np.float32)


def _roof(h: House) -> Array:
    middle, right, ridge = h.left + h.width / 2, h.left + h.width, h.eaves - h.roof
    if h.long:
        low = h.eaves + 0.002
        points = [
            (h.left - 0.002, low),
            (h.left + 0.004, ridge - 0.001),
            (right - 0.004, ridge - 0.001),
            (right + 0.002, low),
        ]
        return np.array(points, np.float32)
    over, thick = h.width * 0.08, min(h.width * 0.24, 0.008)
    low = h.eaves + thick * 0.5
    upper = [(h.left - over, low), (middle, ridge - thick * 0.4), (right + over, low)]
    return np.array([*upper, (right - over, low), (middle, ridge + thick), (h.left + over, low)], np.float32)


def _windows(
    canvas: Canvas,
    palette: Palette,
    rng: np.random.Generator,
    houses: list[House],
    lit: float,
    span: tuple[float, float],
) -> None:
    panes: list[tuple[float, float]] = []
    for house in houses:
        many = max(1, round(house.width / 0.016))
        for k in range(many):
            if rng.random() < lit:
                x = house.left + house.width * (k + 0.5) / many
                panes.append((x, house.eaves + (house.foot - house.eaves) * 0.4))
    if not panes:
        return

    def draw(pen: Pen) -> None:
        for x, y in panes:
            pen.polygon(
                np.array(
                    [
                        (x - 0.0026, y - 0.0034),
                        (x + 0.0026, y - 0.0034),
                        (x + 0.0026, y + 0.0034),
                        (x - 0.0026, y + 0.0034),
                    ],
                    np.float32,
                )
            )

    cover, rows = canvas.stencil(*span, draw, 4)
    warm = mix(palette.lamp, hexed("ffb85c"), 0.5)
    canvas.glow(warm, cover * np.float32(0.95), rows)
    at = np.array(panes, np.float32)
    radius = np.full(len(panes), 0.014, np.float32)
    canvas.glow(warm, canvas.splat(at[:, 0], at[:, 1], radius, np.full_like(radius, 0.16)))
