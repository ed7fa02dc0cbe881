"""A city: towers in layers of air, with windows lit one by one."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .canvas import Canvas
from .noise import Array, smoothstep
from .palette import Palette, hexed, mix, scaled
from .scene import Scene
from .sky import Sky

_LIT = {
    "night": 0.42,
    "neon": 0.5,
    "dusk": 0.42,
    "dawn": 0.14,
    "storm": 0.34,
    "golden": 0.16,
    "grey": 0.2,
    "day": 0.0,
}


@dataclass(frozen=True, slots=True)
class Block:
    """A rectangle of a building in units; `cell` is the size of its windows, 0 for none."""

    left: float
    right: float
    top: float
    cell: float
    key: int
    cool: bool


def paint(
    canvas: Canvas, palette: Palette, scene: Scene, sky: Sky, foot: float, rng: np.random.Generator
) -> None:
    """Three layers of towers standing on `foot`, the nearest darkest, with street light between."""
    centre = canvas.wide * rng.uniform(0.3, 0.7)
    lit = _LIT[scene.light]
    for k, share in enumerate((0.0, 0.5, 1.0)):
        blocks = _blocks(canvas, rng, share, centre, foot)
        top = min(block.top for block in blocks)
        rows = slice(canvas.row(top - 0.002), canvas.row(foot))
        cover, windows = _planes(canvas, blocks, foot, rows, lit * (0.25 + 0.75 * share))
        colour = tinted_down(canvas, palette, sky, 0.3 + 0.64 * share**0.8, rows, foot, lit)
        canvas.lay(colour, cover, rows)
        _light(canvas, palette, scene, windows, rows, (0.3, 0.75, 1.0)[k])
        if k == 1 and lit > 0.3:
            _street_glow(canvas, palette, foot)
    _embankment(canvas, palette, sky, foot, rng, lit)


def tinted_down(
    canvas: Canvas, palette: Palette, sky: Sky, depth: float, rows: slice, foot: float, lit: float
) -> Array:
    """The colour of a layer of walls: air mixed with the near dark, hazier towards the street."""
    fall = smoothstep(foot - 0.3, foot, canvas.y[rows])[:, None] * np.float32(0.3 * (1 - depth * 0.7))
    strength = np.float32(depth) * (1 - fall)
    return np.stack(
        [
            air[rows] * (1 - strength) + strength * np.float32(c)
            for air, c in zip(sky.air, palette.near, strict=True)
        ]
    )


def _blocks(
    canvas: Canvas, rng: np.random.Generator, share: float, centre: float, foot: float
) -> list[Block]:
    blocks: list[Block] = []
    x = -0.03
    while x < canvas.wide + 0.03:
        width = rng.uniform(0.032, 0.07) * (0.75 + 0.5 * share)
        crowd = np.exp(-(((x - centre) / (0.24 + 0.1 * share)) ** 2))
        tall = min(foot, 0.66) * (
            0.1 + rng.random() ** 1.7 * 0.24 + crowd * (0.44 - 0.24 * share) * rng.uniform(0.35, 1.0)
        )
        blocks += _tower(rng, x, x + width, foot - tall, tall, share)
        x += width * rng.uniform(0.86, 1.25)
    return blocks


def _tower(
    rng: np.random.Generator, left: float, right: float, top: float, tall: float, share: float
) -> list[Block]:
    # The farthest towers are too deep in the air for their windows to show.
    cell = (0.006 + 0.0034 * share) * rng.uniform(0.85, 1.2) * (share > 0)
    key, cool = int(rng.integers(1 << 30)), bool(rng.random() < 0.35)
    width = right - left
    parts = [Block(left, right, top, cell, key, cool)]
    shape = rng.random()
    if shape < 0.32:
        inset = width * rng.uniform(0.14, 0.26)
        parts.append(
            Block(left + inset, right - inset, top - tall * rng.uniform(0.06, 0.2), cell, key + 1, cool)
        )
        if rng.random() < 0.5:
            parts.append(Block(left + inset * 1.7, right - inset * 1.7, parts[-1].top - 0.012, 0, key, cool))
        top = parts[-1].top
    elif shape < 0.55:
        edge = left + width * rng.uniform(0.1, 0.5)
        parts.append(Block(edge, edge + width * 0.3, top - rng.uniform(0.006, 0.014), 0, key, cool))
    if tall > 0.2 and rng.random() < 0.55:
        middle = (parts[-1].left + parts[-1].right) / 2
        parts.append(Block(middle - 0.0011, middle + 0.0011, top - rng.uniform(0.03, 0.075), 0, key, cool))
    return parts


def _planes(canvas: Canvas, blocks: list[Block], foot: float, rows: slice, lit: float) -> tuple[Array, Array]:
    """The cover of the walls (rows, width) and the light of warm and cool windows (2, rows, width)."""
    cover = np.zeros((rows.stop - rows.start, canvas.width), np.float32)
    windows = np.zeros((2, *cover.shape), np.float32)
    edge_y = np.arange(rows.start, rows.stop, dtype=np.float32)
    for block in blocks:
        a, b = canvas.column(block.left) - 1, canvas.column(block.right) + 2
        a, b, c = max(a, 0), min(b, canvas.width), max(canvas.row(block.top) - 1 - rows.start, 0)
        if a >= b:
            continue
        px = np.arange(a, b, dtype=np.float32)
        across = np.clip(
            np.minimum(px + 1 - block.left * canvas.unit, block.right * canvas.unit - px),
            0,
            min(1.0, (block.right - block.left) * canvas.unit),
        )
        down = np.clip(edge_y[c:] + 1 - np.float32(block.top * canvas.unit), 0, 1)
        wall = down[:, None] * across[None, :]
        part = (slice(c, None), slice(a, b))
        np.maximum(cover[part], wall, out=cover[part])
        windows[:, part[0], part[1]] *= 1 - wall
        if block.cell and lit and a + 1 < b:
            windows[int(block.cool)][part] += _windows(canvas, block, px, edge_y[c:], lit)
    return cover, windows


def _windows(canvas: Canvas, block: Block, px: Array, py: Array, lit: float) -> Array:
    pool, key = _pool(), block.key
    margin = block.cell * 0.6
    columns = max(1, min(40, int((block.right - block.left - 2 * margin) / block.cell)))
    wide = (block.right - block.left - 2 * margin) / columns
    one, two, three = pool[key % 199, :3].tolist()
    tall, duty, chance = block.cell * (1.15 + 0.45 * one), 0.5 + 0.2 * two, lit * (0.35 + three)
    first, left = key % 151, key % 83
    light = pool[first : first + _STOREYS, left : left + columns]
    light = np.where(
        light < chance, np.float32(0.35) + light * np.float32(0.65 / max(chance, 0.01)), np.float32(0)
    )
    across, column = _pulses(px, (block.left + margin) * canvas.unit, wide * canvas.unit, duty)
    down, storey = _pulses(py, (block.top + block.cell) * canvas.unit, tall * canvas.unit, duty)
    across *= (column >= 0) & (column < columns)
    down *= storey >= 0
    chosen = light.take(np.clip(storey, 0, _STOREYS - 1), 0).take(np.clip(column, 0, columns - 1), 1)
    return chosen * down[:, None] * across[None, :]


_STOREYS = 90


@lru_cache(maxsize=1)
def _pool() -> Array:
    """Chances that buildings share, each reading them from its own corner."""
    return np.random.default_rng(5).random((256, 128), dtype=np.float32)


def _pulses(
    at: Array, start: float, period: float, duty: float
) -> tuple[Array, np.ndarray[tuple[int, ...], np.dtype[np.int32]]]:
    """How much of each pixel a train of pulses covers, exactly, and the number of the pulse at its middle."""
    t = (np.concatenate([at, at[-1:] + 1]) - np.float32(start)) / np.float32(period)
    whole = np.floor(t)
    # Each pulse lies in the middle of its period, so that no pixel of it is counted to a neighbour.
    filled = whole * np.float32(duty) + np.clip(t - whole - np.float32((1 - duty) / 2), 0, np.float32(duty))
    middle = np.floor((at + np.float32(0.5 - start)) / np.float32(period)).astype(np.int32)
    return np.diff(filled) * np.float32(period), middle


def _light(canvas: Canvas, palette: Palette, scene: Scene, windows: Array, rows: slice, power: float) -> None:
    warm = hexed("ff6fc8") if scene.light == "neon" else hexed("ffc878")
    cool = palette.lamp if scene.light == "neon" else mix(palette.lamp, hexed("cfe4ff"), 0.75)
    strength = {"night": 1.05, "neon": 1.15, "dusk": 1.0, "golden": 0.85}.get(scene.light, 0.8) * power
    canvas.glow(scaled(warm, strength), windows[0], rows)
    canvas.glow(scaled(cool, strength), windows[1], rows)


def _street_glow(canvas: Canvas, palette: Palette, foot: float) -> None:
    rows = slice(canvas.row(foot - 0.22), canvas.row(foot))
    rise = np.clip(1 - (foot - canvas.y[rows]) / 0.22, 0, 1)[:, None] ** 2
    canvas.glow(mix(palette.lamp, palette.horizon, 0.6), rise * np.float32(0.24), rows)


def _embankment(
    canvas: Canvas, palette: Palette, sky: Sky, foot: float, rng: np.random.Generator, lit: float
) -> None:
    """A quay wall under the towers with a row of street lamps when there is light in the windows."""
    rows = slice(canvas.row(foot - 0.011), canvas.row(foot + 0.002))
    cover = np.clip(
        (canvas.y[rows, None] - np.float32(foot - 0.008)) * np.float32(canvas.unit), 0, 1
    ) * np.ones_like(canvas.x)
    canvas.lay(tinted_down(canvas, palette, sky, 0.9, rows, foot, lit), cover, rows)
    if lit <= 0:
        return
    x = np.arange(0.01, canvas.wide, 0.026).astype(np.float32)
    x += rng.uniform(-0.003, 0.003, len(x)).astype(np.float32)
    one = np.ones_like(x)
    lamps = canvas.splat(
        x, one * np.float32(foot - 0.0125), one * np.float32(0.0019), one * np.float32(0.55 + 1.2 * lit)
    )
    lamps += canvas.splat(
        x, one * np.float32(foot - 0.0125), one * np.float32(0.011), one * np.float32(0.3 * lit)
    )
    canvas.glow(mix(palette.lamp, hexed("ffd9a0"), 0.5), lamps)
