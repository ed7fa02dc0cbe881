"""A picture being painted: three float planes in coordinates that do not depend on its size in pixels."""

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from math import sqrt

import numpy as np
from PIL import Image, ImageDraw

from .noise import Array
from .palette import Colour


class Canvas:
    """RGB planes of shape (3, height, width), float32, about 0..1 and brighter for light sources.

    Lengths are in units of the square root of the picture's area: the picture is `wide` x `high` units, the
    origin its upper left corner. The same geometry therefore serves every size of one aspect ratio.

    What moves is painted as it is at `time`, in seconds; at 0 it is the still picture. `pan` is how far the
    camera has gone to the right, in units, as the nearest layers see it.
    """

    def __init__(self, width: int, height: int, time: float = 0.0, pan: float = 0.0) -> None:
        self.time, self.pan = np.float32(time), pan
        self.width, self.height = width, height
        self.unit = sqrt(width * height)
        self.wide, self.high = width / self.unit, height / self.unit
        self.x: Array = (
            (np.arange(width, dtype=np.float32) + np.float32(0.5)) / np.float32(self.unit)
        ).astype(np.float32)
        self.y: Array = (
            (np.arange(height, dtype=np.float32) + np.float32(0.5)) / np.float32(self.unit)
        ).astype(np.float32)
        self.rgb: Array = np.zeros((3, height, width), np.float32)

    @contextmanager
    def seen_from_afar(self, nearness: float) -> Generator[None, None, None]:
        """Within, `x` is shifted as the camera's way shifts a layer: 0 the farthest, 1 the nearest."""
        x = self.x
        self.x = x + np.float32(self.pan * nearness)
        try:
            yield
        finally:
            self.x = x

    def row(self, y: float) -> int:
        """The pixel row at y units, kept inside the picture."""
        return min(max(round(y * self.unit), 0), self.height)

    def column(self, x: float) -> int:
        """The pixel column at x units, kept inside the picture."""
        return min(max(round(x * self.unit), 0), self.width)

    def soft(self, field: Callable[[Array, Array], Array], detail: int) -> Array:
        """A smooth field evaluated on a grid of at most `detail` points a side and enlarged to the full size.

        `field` takes x (1, columns) and y (rows, 1), and returns (rows, columns) or (n, rows, columns).
        """
        share = min(1.0, detail / max(self.width, self.height))
        columns, rows = max(8, round(self.width * share)), max(8, round(self.height * share))
        x = ((np.arange(columns, dtype=np.float32) + 0.5) * (self.wide / columns)).astype(np.float32)[None, :]
        y = ((np.arange(rows, dtype=np.float32) + 0.5) * (self.high / rows)).astype(np.float32)[:, None]
        return self.enlarged(field(x, y))

    def enlarged(self, small: Array) -> Array:
        """The field, (rows, columns) or (n, rows, columns), resampled to the full size."""
        if small.ndim == 3:
            return np.stack([self.enlarged(plane) for plane in small])
        if small.shape == (self.height, self.width):
            return small
        image = Image.fromarray(np.ascontiguousarray(small, np.float32))
        return np.asarray(
            image.resize(
                (self.width, self.height),
                Image.Resampling.BILINEAR if small.shape[0] * 2 >= self.height else Image.Resampling.BICUBIC,
            )
        )

    def lay(self, colour: Colour | Array, cover: Array, rows: slice = slice(None)) -> None:
        """Paint a colour, or planes of colour (3, rows, columns), over the rows by its cover in 0..1."""
        for plane, value in zip(self.rgb, colour, strict=True):
            part = plane[rows]
            part += cover * (value - part)

    def glow(self, colour: Colour, light: Array, rows: slice = slice(None)) -> None:
        """Add light of a colour to the rows."""
        for plane, value in zip(self.rgb, colour, strict=True):
            plane[rows] += light * np.float32(value)

    def stencil(
        self, top: float, bottom: float, draw: Callable[["Pen"], None], finer: int = 3
    ) -> tuple[Array, slice]:
        """The cover, antialiased by supersampling, of what `draw` puts between two heights, and its rows."""
        first, last = self.row(top), self.row(bottom)
        if last <= first:
            return np.zeros((0, self.width), np.float32), slice(first, first)
        finer = finer if self.unit > 400 else finer + 1
        image = Image.new("L", (self.width * finer, (last - first) * finer))
        draw(Pen(image, self.unit * finer, first * finer))
        return np.asarray(image.reduce(finer), np.float32) * np.float32(1 / 255), slice(first, last)

    def splat(self, x: Array, y: Array, radius: Array, light: Array) -> Array:
        """A plane of soft round points; `light` is the peak. Those smaller than a pixel keep their energy."""
        plane = np.zeros(self.height * self.width, np.float32)
        px, py = x * np.float32(self.unit) - 0.5, y * np.float32(self.unit) - 0.5
        size = radius * np.float32(self.unit)
        width = np.maximum(size, np.float32(0.6))
        peak = light * (size / width) ** 2
        cx, cy = np.rint(px).astype(np.int32), np.rint(py).astype(np.int32)
        reach = int(np.ceil(width.max() * 2)) if len(width) else 0
        step = np.arange(-reach, reach + 1, dtype=np.int32)
        column, row = cx[:, None, None] + step[None, None, :], cy[:, None, None] + step[None, :, None]
        square = (column - px[:, None, None]) ** 2 + (row - py[:, None, None]) ** 2
        value = peak[:, None, None] * np.exp(-square / (width**2)[:, None, None])
        inside = (column >= 0) & (column < self.width) & (row >= 0) & (row < self.height)
        index = np.where(inside, row * self.width + column, 0)
        np.add.at(plane, index.reshape(-1), np.where(inside, value, 0).astype(np.float32).reshape(-1))
        return plane.reshape(self.height, self.width)

    def finished(self, seed: int, grain: float = 2.6) -> Image.Image:
        """The picture as 8-bit RGB: bloom, a soft shoulder, a vignette and film grain that hides banding.

        `grain` is its deviation, in 255ths.
        """
        fall = 1 - 0.2 * ((self.x / self.wide * 2 - 1) ** 2)[None, :] ** 1.5
        fall = (fall * (1 - 0.16 * ((self.y / self.high * 2 - 1) ** 2)[:, None] ** 1.5)).astype(
            np.float32
        ) * np.float32(255)
        noise = np.random.default_rng((seed, 9)).random((self.height, self.width), dtype=np.float32)
        noise += np.random.default_rng((seed, 10)).random((self.height, self.width), dtype=np.float32)
        noise -= np.float32(1)
        noise *= np.float32(grain)
        noise += np.float32(0.5)
        bloom = self._bloom()
        planes = [
            self._developed(plane, halo, fall, noise) for plane, halo in zip(self.rgb, bloom, strict=True)
        ]
        return Image.merge("RGB", [Image.fromarray(plane) for plane in planes])

    def _bloom(self) -> list[Array]:
        step = max(1, round(self.unit / 128))
        halos: list[Array] = []
        for plane in self.rgb:
            small = np.asarray(Image.fromarray(np.maximum(plane - np.float32(0.82), 0)).reduce(step))
            near, far = _blurred(small, 0.007 * self.unit / step), _blurred(small, 0.04 * self.unit / step)
            halos.append(self.enlarged((near * 0.25 + far * 0.35).astype(np.float32)))
        return halos

    def _developed(
        self, plane: Array, halo: Array, fall: Array, grain: Array
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        value = plane + halo
        over = np.maximum(value - np.float32(0.74), 0)
        value -= over
        over /= over + np.float32(0.26)
        over *= np.float32(0.26)
        value += over
        value *= fall
        value += grain
        np.clip(value, 0, 255, out=value)
        return value.astype(np.uint8)


def _blurred(small: Array, sigma: float) -> Array:
    """Gaussian blur by two small matrix products; edges repeat no light."""
    return _kernel(small.shape[0], sigma) @ small @ _kernel(small.shape[1], sigma)


def _kernel(size: int, sigma: float) -> Array:
    at = np.arange(size, dtype=np.float32)
    weights = np.exp(-((at[:, None] - at[None, :]) ** 2) / (2 * max(sigma, 0.3) ** 2))
    return (weights / (max(sigma, 0.3) * 2.5066)).astype(np.float32)


class Pen:
    """Draws shapes given in units on a supersampled mask."""

    def __init__(self, image: Image.Image, scale: float, offset: int) -> None:
        self._draw = ImageDraw.Draw(image)
        self._scale, self._offset = scale, offset

    def polygon(self, points: Array, value: int = 255) -> None:
        """Fill a polygon of points (n, 2) in units."""
        at = points * np.float32(self._scale)
        at[:, 1] -= np.float32(self._offset)
        self._draw.polygon(at.reshape(-1).tolist(), fill=value)

    def polygons(self, shapes: Iterable[Array]) -> None:
        """Fill polygons."""
        for points in shapes:
            self.polygon(points)

    def alike(self, shapes: Array) -> None:
        """Fill many polygons of one number of points, (polygons, points, 2); faster than one by one."""
        at = shapes * np.float32(self._scale)
        at[:, :, 1] -= np.float32(self._offset)
        for points in at.reshape(len(at), -1).tolist():
            self._draw.polygon(points, fill=255)

    def stroke(self, points: Array, width: float, value: int = 255) -> None:
        """Draw an open line through points (n, 2) of a width in units."""
        at = points * np.float32(self._scale)
        at[:, 1] -= np.float32(self._offset)
        self._draw.line(
            at.reshape(-1).tolist(), fill=value, width=max(1, round(width * self._scale)), joint="curve"
        )

    def disc(self, x: float, y: float, radius: float, value: int = 255) -> None:
        """Fill a disc."""
        s, o = self._scale, self._offset
        box = ((x - radius) * s, (y - radius) * s - o, (x + radius) * s, (y + radius) * s - o)
        self._draw.ellipse(box, fill=value)
