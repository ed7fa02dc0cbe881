"""What a finished picture is drawn as: a grain, a wash, a pen. Arithmetic over its pixels, at any size."""

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw

from .noise import Array, sample, smoothstep, texture

_INK = (0.10, 0.11, 0.14)
_PAPER = (0.97, 0.955, 0.92)
_BLUE = (0.055, 0.20, 0.42)
_CHALK = (0.90, 0.95, 1.0)

_GRAINS = 620
"""Grains of film a unit, whatever the size in pixels."""

_FACETS = 24
"""Facets a unit."""


class Sheet:
    """A picture as planes of shape (3, height, width), float32 in 0..1, in the units of a Canvas."""

    def __init__(self, image: Image.Image, seed: int) -> None:
        self.width, self.height = image.size
        self.unit = float(np.sqrt(self.width * self.height))
        self.seed = seed
        self.x: Array = ((np.arange(self.width, dtype=np.float32) + 0.5) / self.unit).astype(np.float32)
        self.y: Array = ((np.arange(self.height, dtype=np.float32) + 0.5) / self.unit).astype(np.float32)
        self.rgb: Array = np.asarray(image, np.float32).transpose(2, 0, 1) / np.float32(255)
        self.washed = False
        self.painted: Array = np.ones((self.height, self.width), np.float32)

    @property
    def wide(self) -> float:
        return self.width / self.unit

    @property
    def high(self) -> float:
        return self.height / self.unit

    @property
    def light(self) -> Array:
        """Luma, (height, width)."""
        red, green, blue = self.rgb
        return (0.299 * red + 0.587 * green + 0.114 * blue).astype(np.float32)

    def noise(self, key: int, scale: float, turn: float = 0.0) -> Array:
        """Smooth noise of about unit deviation, a period of which is 1 / `scale` units long."""
        shift = np.float32((self.seed * 0.618 + key * 0.37) % 1)
        u = (self.x[None, :] + turn * self.y[:, None]) * np.float32(scale) + shift
        v = self.y[:, None] * np.float32(scale) + np.float32(1) - shift
        return sample(texture(key), u, v)

    def image(self) -> Image.Image:
        planes = (np.clip(self.rgb, 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)
        return Image.fromarray(np.ascontiguousarray(planes.transpose(1, 2, 0)))


def blurred(plane: Array, radius: float) -> Array:
    """About a Gaussian blur by `radius` pixels; the edges are repeated."""
    reach = max(1, round(radius * 0.95))
    for _ in range(2):
        for axis in (0, 1):
            plane = _averaged(plane, reach, axis)
    return plane


def _averaged(plane: Array, reach: int, axis: int) -> Array:
    padding = [(0, 0), (0, 0)]
    padding[axis] = (reach + 1, reach)
    total = np.cumsum(np.pad(plane, padding, mode="edge"), axis=axis, dtype=np.float64)
    span, length = 2 * reach + 1, plane.shape[axis]
    late = np.take(total, range(span, span + length), axis=axis)
    return ((late - np.take(total, range(length), axis=axis)) / span).astype(np.float32)


def lines(light: Array, width: float, sharp: float = 22.0) -> Array:
    """Where a pen would draw the edges of `light`, 0..1: an extended difference of Gaussians.

    `width` is a line's in pixels.
    """
    near, far = blurred(light, width), blurred(light, width * 1.6)
    return np.clip(np.tanh((far - near - np.float32(0.006)) * np.float32(sharp * 6)), 0, 1)


def film_grain(sheet: Sheet) -> None:
    """Silver grain, most in the middle tones; lifted blacks, warm lights, cool shadows."""
    light = sheet.light
    rows, columns = max(8, round(_GRAINS * sheet.high)), max(8, round(_GRAINS * sheet.wide))
    rng = np.random.default_rng((sheet.seed, 21))
    grain = rng.standard_normal((rows, columns), dtype=np.float32)
    grain = blurred(grain, 0.8) * np.float32(1.9) + grain * np.float32(0.35)
    size = (sheet.width, sheet.height)
    grain = np.asarray(Image.fromarray(grain).resize(size, Image.Resampling.BICUBIC))
    grain = grain * (np.float32(0.022) + np.float32(0.062) * np.sqrt(np.clip(light * (1 - light), 0, 1)))
    halo = blurred(np.maximum(light - np.float32(0.78), 0), sheet.unit * 0.012)
    toned = light + (sheet.rgb - light) * np.float32(0.86)
    toned = 0.035 + toned * 0.93 + (toned - 0.5) * (1 - np.abs(toned - 0.5) * 2) * 0.12
    warmth = light - np.float32(0.45)
    for plane, tint, glow in zip(toned, (0.055, 0.012, -0.06), (0.9, 0.35, 0.1), strict=True):
        plane += warmth * np.float32(tint) + halo * np.float32(glow) + grain
    sheet.rgb = toned.astype(np.float32)


def ink(sheet: Sheet) -> None:
    """A pen's lines and hatching on paper, or over the wash that is there."""
    light = blurred(sheet.light, sheet.unit * 0.0016)
    pen = lines(light, sheet.unit * 0.0018)
    tone = _levelled(light)
    wobble = sheet.noise(3, 1.6) * np.float32(0.0016)
    x, y = sheet.x[None, :] + wobble, sheet.y[:, None] + wobble
    strokes = np.zeros_like(light)
    for angle, below in ((0.7, 0.62), (-0.6, 0.40), (0.08, 0.22)):
        across = (x * np.float32(np.sin(angle)) + y * np.float32(np.cos(angle))) * np.float32(118)
        wave = np.abs((across % 1) * 2 - 1).astype(np.float32)
        weight = smoothstep(0, 0.30, below - tone) * np.float32(0.62)
        strokes = np.maximum(strokes, smoothstep(-0.12, 0.16, weight - wave) * (weight > 0.01))
    solid = 1 - smoothstep(0.035, 0.10, tone)
    pressure = np.clip(0.86 + 0.12 * sheet.noise(5, 3.0), 0, 1)
    cover = np.clip(np.maximum(np.maximum(pen, strokes * np.float32(0.82)), solid) * pressure, 0, 1)
    if sheet.washed:
        cover = np.clip(np.maximum(pen, strokes * np.float32(0.35)) * pressure, 0, 1)
        # Not along the bare rim, where the wash ends and nothing was drawn.
        cover *= smoothstep(0.85, 1.0, blurred(sheet.painted, sheet.unit * 0.005))
    else:
        sheet.rgb = _paper(sheet)
    sheet.rgb = _laid(sheet.rgb, _INK, cover)


def watercolour(sheet: Sheet) -> None:
    """Flat washes with dark rims on cold-pressed paper, which is left bare at the edges."""
    bleed = sheet.noise(7, 2.2) * np.float32(0.006)
    drawn = _moved(sheet.rgb, sheet, bleed, sheet.noise(8, 2.2) * np.float32(0.006))
    flat = _flattened(drawn, max(1, round(sheet.unit * 0.0062)))
    light = flat.mean(0)
    rim = lines(blurred(light, sheet.unit * 0.001), sheet.unit * 0.004, 9)
    rim = np.maximum(rim, lines(1 - light, sheet.unit * 0.004, 9) * np.float32(0.7))
    pool = sheet.noise(9, 1.1) * np.float32(0.10) + sheet.noise(11, 3.4) * np.float32(0.045)
    tooth = sheet.noise(13, 9.0) * np.float32(0.05)
    # Pigment is laid in density: what is light stays transparent, and pools are darker.
    vivid = light + (flat - light) * np.float32(1.25)
    density = -np.log(np.clip(vivid * 0.86 + 0.14, 0.05, 1)) * np.float32(0.72)
    density *= np.clip(1 + pool + tooth + rim * np.float32(0.5), 0.3, 2)
    sheet.painted = _painted(sheet)
    sheet.rgb = _paper(sheet) * np.exp(-density * sheet.painted)
    sheet.washed = True


def low_poly(sheet: Sheet) -> None:
    """Facets of one colour each, their corners drawn to where the picture has edges."""
    points = _corners(sheet)
    rows, columns = points.shape[:2]
    rng = np.random.default_rng((sheet.seed, 22))
    finer = 2 if sheet.unit < 1500 else 1
    image = Image.new("RGB", (sheet.width * finer, sheet.height * finer))
    draw = ImageDraw.Draw(image)
    small = np.stack([blurred(plane, sheet.unit * 0.004) for plane in sheet.rgb])
    weights = np.array([(4, 1, 1), (1, 4, 1), (1, 1, 4), (2, 2, 2), (3, 3, 1), (1, 3, 3), (3, 1, 3)], float)
    weights /= weights.sum(1, keepdims=True)
    for row in range(rows - 1):
        for column in range(columns - 1):
            a, b = points[row, column], points[row, column + 1]
            c, d = points[row + 1, column], points[row + 1, column + 1]
            for facet in ((a, b, c), (b, d, c)) if row % 2 else ((a, b, d), (a, d, c)):
                corners = np.array(facet)
                at = weights @ corners * sheet.unit
                px = np.clip(at[:, 0].astype(int), 0, sheet.width - 1)
                py = np.clip(at[:, 1].astype(int), 0, sheet.height - 1)
                lit = 1 + 0.035 * float(rng.standard_normal())
                colour = np.clip(small[:, py, px].mean(1) * lit, 0, 1) * 255
                outline = [tuple(point) for point in corners * sheet.unit * finer]
                draw.polygon(outline, tuple(int(value) for value in colour))
    faceted = image.reduce(finer) if finer > 1 else image
    sheet.rgb = np.asarray(faceted, np.float32).transpose(2, 0, 1) / np.float32(255)
    sheet.washed = True


def blueprint(sheet: Sheet) -> None:
    """Chalk-white lines and contours on blue, over a draughtsman's grid."""
    light = blurred(sheet.light, sheet.unit * 0.002)
    tone = _levelled(light)
    drawn = blurred(tone, sheet.unit * 0.001)
    pen = np.maximum(
        lines(drawn, sheet.unit * 0.0016), lines(1 - drawn, sheet.unit * 0.0016) * np.float32(0.6)
    )
    contours = np.zeros_like(light)
    smooth = blurred(tone, sheet.unit * 0.006)
    slope = np.hypot(*np.gradient(smooth)).astype(np.float32) + np.float32(1e-5)
    for level in (0.18, 0.32, 0.46, 0.6, 0.74, 0.88):
        away = np.abs(smooth - np.float32(level)) / slope
        contours = np.maximum(contours, np.clip(1.35 - away / max(0.55, sheet.unit * 0.0009), 0, 1))
    grid = np.maximum(_grid(sheet, 0.025) * np.float32(0.10), _grid(sheet, 0.125) * np.float32(0.22))
    mottle = 1 + sheet.noise(15, 1.3) * np.float32(0.05) + sheet.noise(17, 8.0) * np.float32(0.03)
    base = np.stack([np.full_like(light, value) for value in _BLUE]) * mottle
    base = _laid(base, _CHALK, tone * np.float32(0.10))
    cover = np.maximum(np.maximum(pen * np.float32(0.95), contours * np.float32(0.6)), grid)
    cover = np.maximum(cover * _inside(sheet, 0.035), _frame(sheet, 0.035) * np.float32(0.8))
    sheet.rgb = _laid(base, _CHALK, cover * np.clip(0.94 + 0.06 * sheet.noise(19, 6.0), 0, 1))
    sheet.washed = True


STYLES: dict[str, Callable[[Sheet], None]] = {
    "low poly": low_poly,
    "watercolour": watercolour,
    "ink": ink,
    "blueprint": blueprint,
    "film grain": film_grain,
}
"""By name, in the order in which they are laid over each other."""


def styled(image: Image.Image, styles: Sequence[str], seed: int) -> Image.Image:
    """The picture drawn in the styles that are named; those that are not known change nothing."""
    chosen = [draw for name, draw in STYLES.items() if name in styles]
    if not chosen:
        return image
    sheet = Sheet(image, seed)
    for draw in chosen:
        draw(sheet)
    return sheet.image()


def _laid(rgb: Array, colour: tuple[float, float, float], cover: Array) -> Array:
    return np.stack(
        [plane + cover * (np.float32(value) - plane) for plane, value in zip(rgb, colour, strict=True)]
    )


def _levelled(light: Array) -> Array:
    """Tone spread over 0..1: half way to what equal shares of the picture would have."""
    marks = np.quantile(light[::4, ::4], np.linspace(0, 1, 33)).astype(np.float32)
    even = np.interp(light, marks, np.linspace(0, 1, 33)).astype(np.float32)
    return light * np.float32(0.55) + even * np.float32(0.45)


def _paper(sheet: Sheet) -> Array:
    tooth = 1 + sheet.noise(23, 7.0) * np.float32(0.012) + sheet.noise(25, 1.2) * np.float32(0.008)
    return np.stack([np.float32(value) * tooth for value in _PAPER])


def _moved(rgb: Array, sheet: Sheet, dx: Array, dy: Array) -> Array:
    column = np.clip((sheet.x[None, :] + dx) * sheet.unit, 0, sheet.width - 1).astype(np.int32)
    row = np.clip((sheet.y[:, None] + dy) * sheet.unit, 0, sheet.height - 1).astype(np.int32)
    return rgb[:, row, column]


def _flattened(rgb: Array, reach: int) -> Array:
    """Kuwahara's filter: of the four squares that meet in a pixel, the mean of the calmest."""
    light = rgb.mean(0)
    best, out = np.full(light.shape, np.inf, np.float32), rgb.copy()
    mean, square = _box(light, reach), _box(light * light, reach)
    means = [_box(plane, reach) for plane in rgb]
    for down in (-reach, reach):
        for right in (-reach, reach):
            variance = _shifted(square, down, right) - _shifted(mean, down, right) ** 2
            calmer = variance < best
            best = np.where(calmer, variance, best)
            for plane, smooth in zip(out, means, strict=True):
                np.copyto(plane, _shifted(smooth, down, right), where=calmer)
    return out


def _box(plane: Array, reach: int) -> Array:
    return _averaged(_averaged(plane, reach, 0), reach, 1)


def _shifted(plane: Array, down: int, right: int) -> Array:
    height, width = len(plane), len(plane[0])
    rows = np.clip(np.arange(height) + down, 0, height - 1)
    columns = np.clip(np.arange(width) + right, 0, width - 1)
    return plane[rows][:, columns]


def _painted(sheet: Sheet) -> Array:
    """1 where there is paint, 0 at the bare rim, along a brush's ragged edge."""
    x = np.minimum(sheet.x, np.float32(sheet.wide) - sheet.x)[None, :]
    y = np.minimum(sheet.y, np.float32(sheet.high) - sheet.y)[:, None]
    ragged = sheet.noise(27, 1.0) * np.float32(0.008) + sheet.noise(29, 5.0) * np.float32(0.003)
    return smoothstep(0.026, 0.034, np.minimum(x, y) + ragged)


def _corners(sheet: Sheet) -> Array:
    """The facets' corners in units, (rows, columns, 2), reaching beyond the picture."""
    across, down = max(4, round(sheet.wide * _FACETS)), max(4, round(sheet.high * _FACETS * 1.1))
    rng = np.random.default_rng((sheet.seed, 24))
    x, y = np.meshgrid(np.arange(-1.0, across + 2), np.arange(-1.0, down + 2))
    x[1::2] += 0.5
    x += rng.uniform(-0.3, 0.3, x.shape)
    y += rng.uniform(-0.3, 0.3, y.shape)
    points = np.stack([x * (sheet.wide / across), y * (sheet.high / down)], axis=-1)
    return _drawn_to_edges(points, sheet, 0.42 / _FACETS)


def _drawn_to_edges(points: Array, sheet: Sheet, reach: float) -> Array:
    light = blurred(sheet.light, sheet.unit * 0.003)
    edge = np.hypot(*np.gradient(light)).astype(np.float32)
    around = np.array([(np.cos(a) * r, np.sin(a) * r) for r in (0, 0.5, 1) for a in np.arange(0, 6.2, 0.785)])
    tried = points[..., None, :] + around * reach
    px = np.clip((tried[..., 0] * sheet.unit).astype(int), 0, sheet.width - 1)
    py = np.clip((tried[..., 1] * sheet.unit).astype(int), 0, sheet.height - 1)
    best = edge[py, px].argmax(-1)
    return np.take_along_axis(tried, best[..., None, None], axis=2)[..., 0, :]


def _grid(sheet: Sheet, step: float) -> Array:
    half = max(0.5 / sheet.unit, 0.0006)
    x = np.abs((sheet.x / np.float32(step) + 0.5) % 1 - 0.5) * np.float32(step)
    y = np.abs((sheet.y / np.float32(step) + 0.5) % 1 - 0.5) * np.float32(step)
    return np.maximum(np.clip(1.5 - x / half, 0, 1)[None, :], np.clip(1.5 - y / half, 0, 1)[:, None])


def _inside(sheet: Sheet, margin: float) -> Array:
    x = np.minimum(sheet.x, np.float32(sheet.wide) - sheet.x)[None, :]
    y = np.minimum(sheet.y, np.float32(sheet.high) - sheet.y)[:, None]
    return (np.minimum(x, y) > margin).astype(np.float32)


def _frame(sheet: Sheet, margin: float) -> Array:
    x = np.minimum(sheet.x, np.float32(sheet.wide) - sheet.x)[None, :]
    y = np.minimum(sheet.y, np.float32(sheet.high) - sheet.y)[:, None]
    half = max(0.7 / sheet.unit, 0.0011)
    return np.clip(1.5 - np.abs(np.minimum(x, y) - np.float32(margin)) / half, 0, 1).astype(np.float32)
