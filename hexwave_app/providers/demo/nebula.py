"""Space: glowing gas and dust, a deep field of stars, and a planet with its atmosphere."""

import numpy as np

from .canvas import Canvas
from .noise import Array, sample, smoothstep, texture
from .palette import Colour, hexed
from .sky import starfield

_GASES = (
    ("03030a", "1c3f8f", "c2418f", "ffb27a"),
    ("02060a", "0f6a78", "3a52c8", "ffd9a0"),
    ("060208", "6a1f7a", "e2604c", "ffe0a8"),
    ("020408", "14507a", "2aa898", "f2f4d0"),
)


def paint(canvas: Canvas, rng: np.random.Generator) -> None:
    """Fill the canvas with a nebula; most seeds also show a planet lit from one side."""
    void, cold, warm, core = (hexed(code) for code in _GASES[int(rng.integers(len(_GASES)))])
    cx, cy = canvas.wide * rng.uniform(0.3, 0.7), canvas.high * rng.uniform(0.3, 0.6)
    _gas(canvas, rng, (void, cold, warm, core), cx, cy)
    starfield(canvas, 1700, canvas.high * 1.6, int(rng.integers(1 << 30)))
    _bright_stars(canvas, rng)
    if rng.random() < 0.75:
        _planet(canvas, rng, cx, cy, warm, core)


def _gas(
    canvas: Canvas,
    rng: np.random.Generator,
    colours: tuple[Colour, Colour, Colour, Colour],
    cx: float,
    cy: float,
) -> None:
    off = rng.random(4).astype(np.float32) + canvas.time * np.float32(0.0016) * np.array(
        [1, -1, 0.7, -0.5], np.float32
    )
    angle = rng.uniform(0, np.pi) + 0.012 * float(canvas.time)
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    void, cold, warm, core = (np.array(colour, np.float32)[:, None, None] for colour in colours)

    def field(u: Array, v: Array) -> Array:
        p, q = (u - cx) * c + (v - cy) * s, (v - cy) * c - (u - cx) * s
        w1 = sample(texture(11), p * 0.3 + off[0], q * 0.3 + off[1])
        w2 = sample(texture(12), p * 0.3 + off[1], q * 0.3 + off[2])
        a = sample(texture(13, 2.0), p * 0.34 + w1 * 0.03 + off[2], q * 0.34 + w2 * 0.03)
        b = sample(texture(11), p * 0.7 + w2 * 0.03 + off[3], q * 0.7 - w1 * 0.03 + off[0])
        band = np.exp(-((q / 0.34) ** 2) - (p / 0.75) ** 2)
        thin = smoothstep(-2.4, 2.4, a + 0.3 * b) * (0.22 + 0.9 * band)
        hot = smoothstep(-1.1, 2.0, w1 * 0.6 - a * 0.5 + b * 0.45 + band * 0.7) * band
        heart = np.exp(-(p * p + q * q * 2.2) / 0.03) * (0.7 + 0.3 * b)
        dust = (
            smoothstep(0.0, 2.2, sample(texture(12), p * 0.55 + w1 * 0.09, q * 0.55 + w2 * 0.07 + off[3]))
            * band
        )
        light = void + cold * thin * 0.85 + warm * hot * 0.95 + core * np.clip(heart, 0, 2) * 0.6
        filaments = np.exp(-((np.abs(b + 0.4 * w1) / 0.16) ** 2)) * hot
        return ((light + core * filaments * 0.22) * (1 - 0.85 * dust)).astype(np.float32)

    canvas.rgb[:] = canvas.soft(field, 560)


def _bright_stars(canvas: Canvas, rng: np.random.Generator) -> None:
    for _ in range(int(rng.integers(3, 7))):
        x, y, size = rng.uniform(0, canvas.wide), rng.uniform(0, canvas.high), rng.uniform(0.35, 1.0)
        across, down = _spike(canvas, canvas.x, x, size), _spike(canvas, canvas.y, y, size)
        spikes = across[0][None, :] * down[1][:, None] + across[1][None, :] * down[0][:, None]
        one = np.ones(1, np.float32)
        core = canvas.splat(
            one * np.float32(x), one * np.float32(y), one * np.float32(0.0028 * size), one * np.float32(1.2)
        )
        canvas.glow((0.88, 0.93, 1.0), spikes.astype(np.float32) * np.float32(0.75) + core)


def _spike(canvas: Canvas, at: Array, middle: float, size: float) -> tuple[Array, Array]:
    """The two profiles of a diffraction spike along one axis: long and faint, and thin as a pixel."""
    away = np.abs(at - np.float32(middle))
    thin, pixel = 0.0009 * size, 0.8 / canvas.unit
    width = max(thin, pixel)
    return np.exp(-away / np.float32(0.013 * size)), thin / width * np.exp(-((away / np.float32(width)) ** 2))


def _planet(
    canvas: Canvas, rng: np.random.Generator, cx: float, cy: float, warm: Colour, core: Colour
) -> None:
    radius = rng.uniform(0.13, 0.34)
    x = canvas.wide * (rng.uniform(0.1, 0.3) if cx > canvas.wide / 2 else rng.uniform(0.7, 0.9))
    y = canvas.high * rng.uniform(0.62, 0.92)
    u, v = (canvas.x[None, :] - x) / radius, (canvas.y[:, None] - y) / radius
    square = u * u + v * v
    depth = np.sqrt(np.clip(1 - square, 0, None))
    towards = np.array([cx - x, cy - y, 0.22])
    lx, ly, lz = (towards / np.linalg.norm(towards)).astype(np.float32).tolist()
    day = u * np.float32(lx) + v * np.float32(ly) + depth * np.float32(lz)
    lit = smoothstep(-0.06, 0.95, day)
    tilt, off = rng.uniform(-0.5, 0.5), np.float32(rng.random()) + canvas.time * np.float32(0.008)
    latitude = v * np.float32(np.cos(tilt)) - u * np.float32(np.sin(tilt))
    warp = sample(texture(14), u * np.float32(0.12) + off, latitude * np.float32(0.2))
    bands = sample(
        texture(13),
        u * np.float32(0.05) / (depth + 0.6) + off,
        latitude * np.float32(0.32) + warp * np.float32(0.025),
    )
    tone = smoothstep(-1.6, 1.8, bands)
    ground, cloud = np.array(warm) * 0.45 + 0.04, np.array(core) * 0.95
    surface = np.stack(
        [lit * (np.float32(g) + tone * np.float32(k - g)) for g, k in zip(ground, cloud, strict=True)]
    )
    distance = np.sqrt(square)
    rim = smoothstep(0.62, 1.0, distance) * lit
    surface += rim[None] * np.array(core, np.float32)[:, None, None] * np.float32(0.4)
    cover = np.clip((1 - distance) * np.float32(radius * canvas.unit) + 0.5, 0, 1)
    canvas.lay(surface, cover)
    outside = np.clip(distance - 1, 0, None)
    air = np.exp(-outside * 26) * (1 - cover) * smoothstep(-0.25, 0.95, day / np.maximum(distance, 0.1))
    canvas.glow(core, air * np.float32(0.55))
