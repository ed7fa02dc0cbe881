"""Small things people look for: houses, boats, a lighthouse, birds."""

from dataclasses import dataclass

import numpy as np

from .canvas import Canvas, Pen
from .land import face, tinted
from .noise import Array, line
from .palette import Colour, Palette, hexed, mix
from .sky import Sky
from .water import Swell


def _points(*pairs: tuple[float, float]) -> Array:
    return np.array(pairs, np.float32)


@dataclass(frozen=True, slots=True)
class House:
    """A gabled house in units: its left wall, width, eaves and foot heights."""

    left: float
    width: float
    eaves: float
    foot: float
    roof: float


def village(
    canvas: Canvas, palette: Palette, sky: Sky, rng: np.random.Generator, white: float, lit: float
) -> None:
    """A bank with gabled houses and a church, windows lit by chance `lit`, snow on the roofs when `white`."""
    key = int(rng.integers(1 << 30))
    side = -1.0 if sky.x > canvas.wide / 2 else 1.0
    at = canvas.x / np.float32(canvas.wide)
    slope = (1 - at) if side < 0 else at
    crest = (
        sky.horizon
        + 0.012
        - 0.085 * np.clip(slope * 1.35 - 0.3, 0, 1) ** 1.1
        - 0.006 * line(canvas.x * 4 + key % 41, key, 3)
    ).astype(np.float32)
    houses = [house for house in _houses(canvas, crest, rng) if house.foot < sky.horizon + 0.004]
    foot = sky.horizon + 0.004

    def walls(pen: Pen) -> None:
        pen.polygon(
            np.concatenate(
                [np.stack([canvas.x, crest], 1), _points((canvas.wide, foot + 0.05), (0, foot + 0.05))]
            ).astype(np.float32)
        )
        for house in houses:
            pen.polygon(_outline(house))

    def roofs(pen: Pen) -> None:
        for house in houses:
            pen.polygon(_roof(house))

    cover, rows = canvas.stencil(float(crest.min()) - 0.16, foot, walls)
    canvas.lay(tinted(canvas, sky, palette.near, 0.8, rows), cover, rows)
    if white:
        bank = np.clip(1 - np.abs(canvas.y[rows, None] - crest[None, :] - 0.008) / 0.012, 0, 1)
        canvas.lay(mix(palette.shade, palette.lit, 0.35), bank * cover * np.float32(0.7), rows)
    cover, rows = canvas.stencil(float(crest.min()) - 0.16, foot, roofs)
    roof = (
        mix(mix(palette.lit, palette.shade, 0.3), palette.high, 0.2)
        if white
        else mix(palette.near, hexed("7a3b2c"), 0.25)
    )
    canvas.lay(roof if white else tinted(canvas, sky, roof, 0.8, rows), cover * np.float32(0.92), rows)
    _lamps(canvas, palette, rng, houses, lit)


def _houses(canvas: Canvas, crest: Array, rng: np.random.Generator) -> list[House]:
    houses: list[House] = []
    x = rng.uniform(0, 0.04)
    church = canvas.wide * (0.18 if crest[0] < crest[-1] else 0.82) * rng.uniform(0.85, 1.1)
    while x < canvas.wide:
        width = rng.uniform(0.03, 0.058)
        ground = float(np.interp(x + width / 2, canvas.x, crest)) + 0.007
        eaves = ground - rng.uniform(0.02, 0.038)
        if x < church <= x + width:
            houses.append(House(x, 0.022, ground - 0.062, ground, 0.055))
        houses.append(House(x, width, eaves, ground, width * rng.uniform(0.4, 0.62)))
        x += width * (rng.uniform(0.8, 1.15) if rng.random() < 0.72 else rng.uniform(1.5, 3.2))
    return houses


def _outline(h: House) -> Array:
    middle = h.left + h.width / 2
    return _points(
        (h.left, h.foot),
        (h.left, h.eaves),
        (middle, h.eaves - h.roof),
        (h.left + h.width, h.eaves),
        (h.left + h.width, h.foot),
    )


def _roof(h: House) -> Array:
    middle, over, thick = h.left + h.width / 2, h.width * 0.08, h.width * 0.24
    right = h.left + h.width
    return _points(
        (h.left - over, h.eaves + thick * 0.5),
        (middle, h.eaves - h.roof - thick * 0.4),
        (right + over, h.eaves + thick * 0.5),
        (right - over, h.eaves + thick * 0.5),
        (middle, h.eaves - h.roof + thick),
        (h.left + over, h.eaves + thick * 0.5),
    )


def _lamps(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, houses: list[House], lit: float
) -> None:
    x: list[float] = []
    y: list[float] = []
    for house in houses:
        for share in (0.3, 0.7):
            if rng.random() < lit:
                x.append(house.left + house.width * share)
                y.append(house.eaves + (house.foot - house.eaves) * 0.36)
    if x:
        radius = np.full(len(x), 0.0032, np.float32)
        light = rng.uniform(0.6, 1.15, len(x)).astype(np.float32)
        canvas.glow(
            palette.lamp, canvas.splat(np.array(x, np.float32), np.array(y, np.float32), radius, light)
        )
        canvas.glow(
            palette.lamp,
            canvas.splat(
                np.array(x, np.float32), np.array(y, np.float32), radius * 5, light * np.float32(0.14)
            ),
        )


def boats(
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
        _float(canvas, palette, sky, swell, x, sky.horizon + float(place), size, shapes, white)


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


def island(canvas: Canvas, palette: Palette, sky: Sky, rng: np.random.Generator) -> tuple[float, float]:
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
            lambda pen, shapes=shapes: [pen.polygon(s.copy()) for s in shapes] and None,
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
    def field(u: Array, v: Array) -> Array:
        dx, dy = u - x, v - y
        away = np.abs(dx) + 1e-4
        beam = np.exp(-(((dy - 0.05 * dx) / (0.006 + 0.07 * away)) ** 2)) / (1 + away * 3.5)
        halo = 0.7 / (1 + (dx * dx + dy * dy) / 0.0006) ** 1.2
        return (beam * 0.3 + halo).astype(np.float32)

    canvas.glow(palette.lamp, canvas.soft(field, 300))


def birds(canvas: Canvas, palette: Palette, sky: Sky, rng: np.random.Generator) -> None:
    """A loose flock far off, wings at every stage of the beat."""
    many = int(rng.integers(6, 13))
    cx, cy = canvas.wide * rng.uniform(0.25, 0.75), sky.horizon * rng.uniform(0.3, 0.6)
    places = np.stack([cx + rng.normal(0, 0.1, many), cy + rng.normal(0, 0.045, many)], 1)
    spans, beats = rng.uniform(0.009, 0.019, many), rng.uniform(-0.15, 0.6, many)

    def draw(pen: Pen) -> None:
        for (x, y), span, beat in zip(places.tolist(), spans.tolist(), beats.tolist(), strict=True):
            wing = np.linspace(0, 1, 6)
            rise = span * (beat * 1.2 * np.sin(wing * 2.0) - 0.25 * wing**2)
            thick = span * 0.085 * (1 - wing) ** 0.7 + 0.0004
            for sign in (-1, 1):
                upper = np.stack([x + sign * span * wing, y - rise], 1)
                lower = np.stack([x + sign * span * wing, y - rise + thick], 1)[::-1]
                pen.polygon(np.concatenate([upper, lower]).astype(np.float32))

    cover, rows = canvas.stencil(float(places[:, 1].min()) - 0.03, float(places[:, 1].max()) + 0.03, draw, 4)
    canvas.lay(mix(palette.near, palette.shade, 0.25), cover * np.float32(0.85), rows)
