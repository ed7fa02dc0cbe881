"""Boats on the water, with their reflections."""

import numpy as np

from .canvas import Canvas, Pen
from .noise import Array
from .palette import Colour, Palette, mix
from .sky import Sky
from .water import Swell


def _points(*pairs: tuple[float, float]) -> Array:
    return np.array(pairs, np.float32)


def paint(
    canvas: Canvas,
    palette: Palette,
    sky: Sky,
    swell: Swell,
    rng: np.random.Generator,
    many: int,
    white: float,
    sails: bool,
) -> None:
    """Boats on the water, each with a wavering reflection; snow on the gunwales when `white`."""
    room = canvas.high - sky.horizon
    for place in np.sort(rng.uniform(0.07, 0.42, many)) * room:
        x = canvas.wide * rng.uniform(0.1, 0.9)
        if abs(x - sky.x) < 0.1:
            x += 0.16 if x < canvas.wide / 2 else -0.16
        size = 0.035 + 0.3 * float(place) + rng.uniform(0, 0.012)
        shapes = _yacht(rng) if sails else _trawler(rng)
        # Under way the way it faces, and up and down with the waves.
        way = 0.05 * size * float(canvas.time) * (1.0 if sky.x > x else -1.0)
        heave = 0.03 * size * float(np.sin(1.9 * canvas.time + 20 * place) - np.sin(20 * place))
        _float(canvas, palette, sky, swell, x + way, sky.horizon + float(place) + heave, size, shapes, white)


_Shapes = list[tuple[Array, str]]


def _trawler(rng: np.random.Generator) -> _Shapes:
    """Outlines in lengths of the hull, the waterline at 0, up positive; each with the part it is."""
    cabin = rng.uniform(-0.32, -0.1)
    hull = _points((-0.5, 0.17), (-0.44, -0.02), (0.36, -0.02), (0.56, 0.24), (0.3, 0.15), (-0.2, 0.13))
    house = _points((cabin, 0.12), (cabin, 0.36), (cabin + 0.24, 0.36), (cabin + 0.28, 0.12))
    roof = _points((cabin - 0.03, 0.36), (cabin - 0.03, 0.385), (cabin + 0.28, 0.385), (cabin + 0.28, 0.36))
    mast = _points((0.14, 0.12), (0.145, 0.74), (0.158, 0.74), (0.165, 0.12))
    boom = _points((0.15, 0.3), (-0.02, 0.62), (-0.012, 0.63), (0.16, 0.32))
    stay = _points((0.15, 0.735), (0.54, 0.23), (0.548, 0.235), (0.156, 0.745))
    rim = _points(
        (-0.5, 0.17),
        (-0.2, 0.13),
        (0.3, 0.15),
        (0.56, 0.24),
        (0.555, 0.268),
        (0.3, 0.178),
        (-0.2, 0.157),
        (-0.5, 0.197),
    )
    return [
        (hull, "dark"),
        (house, "dark"),
        (mast, "dark"),
        (boom, "dark"),
        (stay, "dark"),
        (roof, "rim"),
        (rim, "rim"),
    ]


def _yacht(rng: np.random.Generator) -> _Shapes:
    belly = rng.uniform(0.0, 0.06)
    hull = _points((-0.42, 0.1), (-0.36, -0.02), (0.34, -0.02), (0.5, 0.12), (0, 0.085))
    mast = _points((0.045, 0.08), (0.052, 1.2), (0.062, 1.2), (0.068, 0.08))
    main = _points((0.03, 0.2), (0.04, 1.16), (-0.12 - belly, 0.8), (-0.28 - belly, 0.45), (-0.38, 0.2))
    jib = _points((0.08, 1.02), (0.26 + belly, 0.55), (0.46, 0.16), (0.1, 0.2))
    return [(hull, "dark"), (mast, "dark"), (main, "sail"), (jib, "sail")]


def _float(
    canvas: Canvas,
    palette: Palette,
    sky: Sky,
    swell: Swell,
    x: float,
    y: float,
    size: float,
    shapes: _Shapes,
    white: float,
) -> None:
    facing = 1.0 if sky.x > x else -1.0
    reach = 1.3 * size
    depth = min(0.98, 0.74 + (y - sky.horizon) * 0.8)
    colours: dict[str, Colour] = {
        "dark": palette.near,
        "sail": mix(palette.shade, palette.lit, 0.55),
        "rim": mix(palette.near, palette.glow, 0.4),
    }
    if white:
        colours["rim"] = mix(palette.lit, (1.0, 1.0, 1.0), 0.35)
    for part in ("dark", "sail", "rim"):
        outlines = [shape for shape, name in shapes if name == part]
        if not outlines:
            continue

        def draw(pen: Pen, outlines: list[Array] = outlines) -> None:
            for shape in outlines:
                pen.polygon((shape * np.array([facing, -1.0]) * size + np.array([x, y])).astype(np.float32))

        cover, rows = canvas.stencil(y - reach, y + 0.03 * size, draw, 4)
        colour = mix(palette.horizon, colours[part], depth)
        canvas.lay(colour, cover, rows)
        _reflect(canvas, swell, cover, rows, y, mix(palette.deep, colour, 0.75))


def _reflect(canvas: Canvas, swell: Swell, cover: Array, rows: slice, y: float, colour: Colour) -> None:
    foot = canvas.row(y)
    last = min(canvas.height, 2 * foot - rows.start)
    if last <= foot or foot < swell.first:
        return
    height, slope = (
        swell.height[foot - swell.first : last - swell.first],
        swell.slope[foot - swell.first : last - swell.first],
    )
    down = np.arange(last - foot, dtype=np.float32)[:, None]
    waver = 0.012 * canvas.unit * np.clip(down / (0.05 * canvas.unit), 0, 1)
    row = np.clip(foot - rows.start - down + height * np.float32(0.6) * waver, 0, cover.shape[0] - 1).astype(
        np.int32
    )
    column = np.clip(
        np.arange(canvas.width)[None, :] + slope * waver * np.float32(0.8), 0, canvas.width - 1
    ).astype(np.int32)
    share = cover.reshape(-1).take(row * canvas.width + column) * np.float32(0.72)
    fade = np.clip(1 - down / max(1.0, float(last - foot)), 0, 1)
    canvas.lay(colour, share * fade, slice(foot, last))
