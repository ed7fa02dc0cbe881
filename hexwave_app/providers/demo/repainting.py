"""Repaints a picture: in the colours of a Scene, and in brush strokes or a style. Arithmetic again."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from .noise import Array
from .painting import paint
from .scene import Scene
from .style import STYLES, styled

_BRUSHES = (0.045, 0.024, 0.013, 0.0075)
"""Widths of the strokes in units, each laid over the one before."""

_LENGTH = 3.4
"""Of a stroke, in widths."""

_CLOSE = 14
"""Of 255: strokes are laid where the picture is farther than this from what is painted."""

_TINT = 0.35
"""How far the picture's colours are moved to the scene's."""

_STUDY = 96
"""Pixels a side of the scene that is looked at for its colours."""


def repaint(
    picture: Image.Image, scene: Scene, seed: int, width: int, height: int, styles: Sequence[str] = ()
) -> Image.Image:
    """The RGB picture, cut to width x height pixels, drawn in `styles`, or in brush strokes without one.

    A scene that is known tints it. The same of everything gives the same pixels, and sizes of one aspect
    ratio show one composition.
    """
    seed &= 0xFFFF_FFFF
    fitted = ImageOps.fit(picture, (width, height), Image.Resampling.LANCZOS)
    if scene.matched:
        fitted = _tinted(fitted, paint(scene, seed, _STUDY, _STUDY))
    if not any(style in STYLES for style in styles):
        return _stroked(fitted, np.random.default_rng((seed, 31)))
    return styled(fitted, styles, seed)


def _tinted(picture: Image.Image, study: Image.Image) -> Image.Image:
    """The picture's mean and spread, channel by channel, moved towards the study's."""
    rgb, wanted = np.asarray(picture, np.float32), np.asarray(study, np.float32)
    mean = rgb.mean((0, 1))
    # A flat scene would flatten the picture, and a bold one tear it.
    ratio = np.clip((wanted.std((0, 1)) + 5) / (rgb.std((0, 1)) + 5), 0.7, 1.3)
    moved = (rgb - mean) * ratio + wanted.mean((0, 1))
    tinted = np.clip(rgb + (moved - rgb) * np.float32(_TINT), 0, 255)
    return Image.fromarray(tinted.astype(np.uint8))


def _stroked(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    width, height = picture.size
    unit = float(np.sqrt(width * height))
    # Twice the size: Pillow's lines have hard edges.
    canvas = picture.resize((1, 1), Image.Resampling.BOX).resize((2 * width, 2 * height))
    draw = ImageDraw.Draw(canvas)
    for brush in _BRUSHES:
        blur = ImageFilter.GaussianBlur(brush * unit * 0.5)
        soft = picture.filter(blur)
        away = ImageChops.difference(soft, canvas.reduce(2)).convert("L").filter(blur)
        _lay(draw, np.asarray(soft), np.asarray(away), brush, unit, rng)
    return canvas.reduce(2)


def _lay(
    draw: ImageDraw.ImageDraw, soft: Array, away: Array, brush: float, unit: float, rng: np.random.Generator
) -> None:
    """Strokes of one width, along the picture's edges; the first brush covers all of it."""
    height, width = away.shape
    step = brush * 0.6
    x, y = np.meshgrid(np.arange(0, width / unit + step, step), np.arange(0, height / unit + step, step))
    # Drawn for every place, so that each size has the same strokes.
    right, down = rng.uniform(-0.5, 0.5, (2, *x.shape)) * step
    bend, shade, order = rng.normal(0, 0.22, x.shape), rng.normal(1, 0.028, x.shape), rng.permutation(x.size)
    x, y = (x + right) * unit, (y + down) * unit
    column, row = np.clip(x.astype(int), 0, width - 1), np.clip(y.astype(int), 0, height - 1)
    fall, slope = np.gradient(soft.mean(-1))
    # Across the slope runs the edge; where there is none, a stroke lies nearly level.
    angle = np.arctan2(slope[row, column], -fall[row, column] - 0.02) + bend
    reach = brush * unit * _LENGTH / 2
    across, up = np.cos(angle) * reach, np.sin(angle) * reach
    ends = np.stack([x - across, y - up, x + across, y + up], -1).reshape(-1, 4) * 2
    colours = np.clip(soft[row, column] * shade[..., None], 0, 255).astype(int).reshape(-1, 3)
    laid = (away[row, column] > _CLOSE).ravel() | (brush == _BRUSHES[0])
    chosen = order[laid[order]]
    for end, colour in zip(ends[chosen].tolist(), colours[chosen].tolist(), strict=True):
        _stroke(draw, end, max(2, round(2 * brush * unit)), tuple(colour))


def _stroke(draw: ImageDraw.ImageDraw, ends: list[float], thick: int, colour: tuple[int, ...]) -> None:
    draw.line(ends, colour, thick)
    radius = thick / 2
    for x, y in (ends[:2], ends[2:]):
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), colour)
