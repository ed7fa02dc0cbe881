"""Abstract art for prompts that name nothing the painter knows: folds of silk, or marbled ink with gold."""

import numpy as np

from .canvas import Canvas
from .noise import Array, line, sample, smoothstep, texture
from .palette import hexed

# From the darkest to the lightest, then the metal of the veins.
_PALETTES = (
    "0d1b2a 1b3a4b 3d7a80 e9c9a0 f6efe0 d9a860",
    "1a1025 4a1d4f b23a6a f2936b fbe6c8 f2c078",
    "10211c 1f4d3e 5d8f63 d7cf9a f7f1de c9a04e",
    "141414 3a3238 8a6f63 d9b99b f7efe6 c98f4f",
    "0b132b 2b3f7a 6f7fd0 d9b8e8 fbeff2 e8b4a0",
    "241510 6b2a1a c8562f f0b060 fdf0d0 f7d080",
    "0c1f28 0f5e6a 35b3a0 bfe8c8 f9f7e4 f0c878",
    "1c1420 5a2338 a8485a e8a8a0 fbeee6 d8b070",
)


def paint(canvas: Canvas, rng: np.random.Generator, mood: int) -> None:
    """Fill the canvas with flowing bands; `mood` picks palette and manner, the seed the composition."""
    colours = [hexed(code) for code in _PALETTES[mood % len(_PALETTES)].split()]
    if (mood // len(_PALETTES)) % 2:
        _marble(canvas, rng, np.array(colours, np.float32))
    else:
        _silk(canvas, rng, np.array(colours, np.float32))


def _flow(canvas: Canvas, rng: np.random.Generator, pace: float, fold: float) -> tuple[Array, Array]:
    """A smooth warped phase across the picture, and its companion along it."""
    off = rng.random(4).astype(np.float32) + canvas.time * np.array([0.006, -0.004, 0.005, 0.003], np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))

    def field(u: Array, v: Array) -> Array:
        p, q = u * c + v * s, v * c - u * s
        a = sample(texture(21, 2.6), p * 0.11 + off[0], q * 0.11 + off[1])
        b = sample(texture(22, 2.6), p * 0.11 + off[2] + a * 0.02, q * 0.11 + off[3])
        d = sample(texture(23, 2.6), p * 0.14 + b * 0.035, q * 0.14 + a * 0.035)
        return np.stack([q * pace + a * fold + d * fold * 0.75, p * 1.3 + b * 0.5]).astype(np.float32)

    phase, along = canvas.soft(field, 512)
    return phase, along


def _graded(tone: Array, colours: Array) -> Array:
    """Colours (3, rows, columns) of a tone in 0..1 through a smooth ramp."""
    ramp = np.linspace(0, 1, 2048)
    at = np.linspace(0, 1, len(colours))
    index = np.clip(tone * 2047, 0, 2047).astype(np.int32)
    return np.stack([np.interp(ramp, at, colours[:, k]).astype(np.float32).take(index) for k in range(3)])


def _silk(canvas: Canvas, rng: np.random.Generator, colours: Array) -> None:
    phase, along = _flow(canvas, rng, 1.6, 0.42)
    size, key = 4096, int(rng.integers(1 << 30))
    index = ((phase * np.float32(0.16) + np.float32(0.5)) * size).astype(np.int32) & (size - 1)
    t = np.arange(size, dtype=np.float32) / size
    folds = 0.5 + 0.5 * np.sin(2 * np.pi * (9 * t + 0.5 * line(t * 12, key, 2)))
    sheen = folds**1.6
    threads = line(t * 256, key + 3, 2)
    tone = sheen.astype(np.float32).take(index) * np.float32(0.62) + smoothstep(
        -1.4, 1.4, along - along.mean()
    ) * np.float32(0.4)
    tone += threads.astype(np.float32).take(index) * np.float32(0.035)
    canvas.rgb[:] = _graded(tone - np.float32(0.03), colours[:5])
    edge = np.exp(-(((folds - 0.93) / 0.05) ** 2)).astype(np.float32)
    canvas.glow(
        tuple(colours[4].tolist()),
        edge.take(index) * smoothstep(-0.5, 1.5, along - along.mean()) * np.float32(0.16),
    )


def _marble(canvas: Canvas, rng: np.random.Generator, colours: Array) -> None:
    phase, along = _flow(canvas, rng, 1.1, 0.6)
    size, key = 8192, int(rng.integers(1 << 30))
    index = ((phase * np.float32(0.12) + np.float32(0.5)) * size).astype(np.int32) & (size - 1)
    t = np.arange(size, dtype=np.float32) / size
    bands = 0.5 + 0.62 * line(t * 34, key, 5, 0.62)
    tone = bands.astype(np.float32).take(index) + (along - along.mean()) * np.float32(0.12)
    canvas.rgb[:] = _graded(np.clip(tone, 0.02, 0.98), colours[:5])
    distance = np.abs(line(t * 13 + 3.7, key + 5, 1))
    width = 0.012
    vein = np.exp(-((distance / width) ** 2)).astype(np.float32).take(index)
    shimmer = 0.45 + 0.55 * smoothstep(
        -1.2, 1.2, sample(texture(24), canvas.x[None, :] * 2, canvas.y[:, None] * 2)
    )
    canvas.lay(tuple((colours[5] * 1.08).tolist()), np.clip(vein * shimmer * np.float32(1.3), 0, 1))
