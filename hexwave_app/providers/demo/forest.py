"""Conifers: every tree has its own boughs; rows of them recede into the air."""

import numpy as np

from .canvas import Canvas, Pen
from .land import tinted
from .noise import Array, line, smoothstep
from .palette import Colour, Palette, mix
from .sky import Sky

_BOUGHS = 11


def conifers(x: Array, foot: Array, height: Array, rng: np.random.Generator) -> Array:
    """Outlines of trees as polygons (trees, points, 2) in units; lengths vary by tree, bough and side."""
    many = len(x)
    step = np.linspace(0.04, 0.93, _BOUGHS)[None, :] + rng.uniform(-0.022, 0.022, (many, _BOUGHS))
    girth = height[:, None] * rng.uniform(0.13, 0.2, (many, 1))
    lean = rng.uniform(-0.02, 0.02, (many, 1)) * height[:, None]

    def side(sign: float) -> Array:
        out = girth * step**0.85 * rng.uniform(0.62, 1.12, (many, _BOUGHS))
        tip_y = step + 0.035 + 0.02 * rng.random((many, _BOUGHS))
        inner = out * rng.uniform(0.32, 0.5, (many, _BOUGHS))
        points = np.empty((many, _BOUGHS * 2, 2), np.float32)
        centre = x[:, None] + lean * (1 - step)
        points[:, 0::2, 0], points[:, 0::2, 1] = (
            centre + sign * out,
            foot[:, None] - height[:, None] * (1 - tip_y),
        )
        points[:, 1::2, 0], points[:, 1::2, 1] = (
            centre + sign * inner,
            foot[:, None] - height[:, None] * (1 - step),
        )
        return points

    top = np.stack([x + lean[:, 0], foot - height], 1)[:, None, :].astype(np.float32)
    trunk = (
        np.stack([x + 0.03 * height, foot + 0.012], 1)[:, None, :],
        np.stack([x - 0.03 * height, foot + 0.012], 1)[:, None, :],
    )
    right, left = side(1.0), side(-1.0)[:, ::-1]
    return np.concatenate([top, right, *trunk, left], 1).astype(np.float32)


def row_of_trees(
    canvas: Canvas, crest: Array, tall: float, gap: float, rng: np.random.Generator, bottom: float
) -> tuple[Array, slice]:
    """The cover of a row of trees on a crest (units by column), filled down to `bottom`, and its rows."""
    x = np.arange(-0.04, canvas.wide + 0.04, gap)
    x = (x + rng.uniform(-0.6, 0.6, len(x)) * gap).astype(np.float32)
    height = tall * (0.45 + 0.75 * rng.random(len(x)) ** 1.5)
    height *= 1 + 0.35 * line((x * 5).astype(np.float32), int(rng.integers(1 << 20)))
    foot = np.interp(x, canvas.x, crest).astype(np.float32) + 0.004
    trees = conifers(x, foot, height.astype(np.float32), rng)
    ground = np.concatenate(
        [
            np.stack([canvas.x, crest], 1),
            [
                [canvas.wide + 0.01, crest[-1]],
                [canvas.wide + 0.01, bottom + 0.1],
                [-0.01, bottom + 0.1],
                [-0.01, crest[0]],
            ],
        ]
    )

    def draw(pen: Pen) -> None:
        pen.alike(trees)
        pen.polygon(ground.astype(np.float32))

    return canvas.stencil(float((foot - height).min()) - 0.005, bottom, draw, 2)


def stands(
    canvas: Canvas,
    palette: Palette,
    sky: Sky,
    rng: np.random.Generator,
    top: float,
    foot: float,
    layers: int,
    white: float,
    start: float = 0.0,
) -> None:
    """Forest in layers from the haze at `top` to the near dark at `foot`, mist lying between them.

    `start` is how near the first layer stands: 0 in the far haze, 1 in the foreground.
    """
    level = canvas.row(sky.horizon) - 1
    veil = mix(palette.shade, palette.low, 0.45)
    haze = [
        air[level][None, :] * np.float32(0.36) + np.float32(0.64 * c)
        for air, c in zip(sky.air, veil, strict=True)
    ]
    if start == 0:
        rows = slice(canvas.row(top), canvas.height)
        canvas.lay(np.stack(haze), np.ones((rows.stop - rows.start, 1), np.float32), rows)
    for k in range(layers):
        near = start + (1 - start) * k / max(1, layers - 1)
        key = int(rng.integers(1 << 30))
        base = top + (foot - top) * k / max(1, layers - 1)
        crest = (base - (0.05 + 0.03 * near) * line(canvas.x * np.float32(1.8) + key % 61, key, 3)).astype(
            np.float32
        )
        tall = 0.035 + 0.17 * near**1.6
        bottom = foot + 0.08 if k < layers - 1 else canvas.high
        cover, rows = row_of_trees(
            canvas, crest, tall, tall * (0.13 + 0.05 * near), rng, min(bottom, canvas.high)
        )
        below = np.clip(canvas.y[rows, None] - crest[None, :] + np.float32(tall * 0.55), 0, None)
        clear = (1 - smoothstep(0.0, tall + 0.07, below) * np.float32(0.62 * (1 - near) ** 0.8)) * np.float32(
            0.42 + 0.56 * near**0.8
        )
        needles = _needles(palette, white)
        canvas.lay(
            np.stack([far + clear * (np.float32(c) - far) for far, c in zip(haze, needles, strict=True)]),
            cover,
            rows,
        )


def _needles(palette: Palette, white: float) -> Colour:
    green = mix(
        palette.near, (palette.near[0] * 0.8, palette.near[1] * 1.15 + 0.008, palette.near[2] * 0.9), 0.7
    )
    return mix(green, mix(palette.shade, palette.near, 0.55), 0.3 * white)


def shore(canvas: Canvas, palette: Palette, sky: Sky, rng: np.random.Generator, white: float) -> None:
    """A wooded far bank standing on the horizon, to be mirrored in water."""
    for share in (0.0, 1.0):
        key = int(rng.integers(1 << 30))
        rise = 0.018 + 0.05 * (1 - share)
        shape = np.clip(
            line(canvas.x * np.float32(1.4) + key % 67, key, 3) + np.float32(0.35 - 0.3 * share), 0, None
        )
        crest = (sky.horizon - 0.004 - rise * shape).astype(np.float32)
        tall = 0.035 + 0.035 * share
        cover, rows = row_of_trees(canvas, crest, tall, 0.009 + 0.004 * share, rng, sky.horizon + 0.003)
        canvas.lay(tinted(canvas, sky, _needles(palette, white), 0.55 + 0.33 * share, rows), cover, rows)


def frame(canvas: Canvas, palette: Palette, rng: np.random.Generator, white: float) -> None:
    """A few tall near trees at one or both sides of the picture."""
    sides = [(-1.0, 1.0), (1.0,), (-1.0,)][int(rng.integers(3))]
    x: list[float] = []
    height: list[float] = []
    for side in sides:
        for k in range(int(rng.integers(2, 5))):
            inset = 0.02 + 0.055 * k + rng.uniform(-0.02, 0.02)
            x.append(inset if side < 0 else canvas.wide - inset)
            height.append(canvas.high * rng.uniform(0.4, 0.72) * (1 - 0.16 * k))
    at, tall = np.array(x, np.float32), np.array(height, np.float32)
    trees = conifers(at, np.full_like(at, canvas.high + 0.03), tall, rng)

    cover, rows = canvas.stencil(0, canvas.high, lambda pen: pen.alike(trees), 2)
    canvas.lay(_needles(palette, white * 0.4), cover * np.float32(0.97), rows)


def copses(
    canvas: Canvas, palette: Palette, sky: Sky, rng: np.random.Generator, crests: list[Array], leaf: Colour
) -> None:
    """Clumps of round trees along the crests of hills, larger near by, lit from the light's side."""
    side = 1.0 if sky.x > canvas.wide / 2 else -1.0
    for k, crest in enumerate(crests):
        share = (k + 1) / len(crests)
        leaves = [
            _crown(canvas, crest, rng, middle, 0.004 + 0.009 * share)
            for middle in rng.uniform(0, canvas.wide, int(rng.integers(2, 5)))
        ]
        crowns = np.concatenate(leaves)
        dark = mix(mix(leaf, palette.near, 0.78), palette.horizon, 0.45 * (1 - share))
        light = mix(mix(leaf, palette.glow, 0.2), palette.horizon, 0.4 * (1 - share))
        for shrink, colour, power in ((1.0, dark, 1.0), (0.55, mix(dark, light, 0.5), 0.8)):
            shift = 0.45 * (1 - shrink)
            spots = crowns * np.array([1, 1, shrink]) + crowns[:, 2:] * np.array(
                [side * shift, -shift * 1.4, 0]
            )

            def draw(pen: Pen, spots: Array = spots) -> None:
                for x, y, radius in spots.tolist():
                    pen.disc(x, y, radius)

            cover, rows = canvas.stencil(float(crest.min()) - 0.07, float(crest.max()) + 0.02, draw)
            canvas.lay(colour, cover * np.float32(power), rows)


def _crown(canvas: Canvas, crest: Array, rng: np.random.Generator, middle: float, size: float) -> Array:
    """Discs (n, 3) of x, y and radius that together make a clump of trees on a crest."""
    trees = int(rng.integers(1, 8))
    x = np.repeat(middle + rng.normal(0, 2.4 * size, trees), 16)
    scale = np.repeat(size * rng.uniform(0.6, 1.35, trees), 16)
    foot = np.interp(x, canvas.x, crest)
    turn, out = rng.uniform(0, 2 * np.pi, len(x)), np.sqrt(rng.random(len(x)))
    px = x + np.cos(turn) * out * scale * 0.75
    py = foot - scale * 0.95 + np.sin(turn) * out * scale * 0.8
    return np.stack([px, py, scale * rng.uniform(0.2, 0.38, len(x))], 1)
