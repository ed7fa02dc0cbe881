"""Continuous noise: periodic textures made once in a process, sampled at any coordinates."""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

# Float32 throughout: numpy keeps it under arithmetic with plain Python numbers, not with its own float64.
Array = npt.NDArray[Any]
SIDE = 512
WAVE_ROWS, WAVE_COLUMNS, WAVE_OCTAVES = 256, 1024, 4


def smoothstep(low: float, high: float, value: Array) -> Array:
    """Hermite step from 0 at `low` to 1 at `high`, elementwise."""
    t = np.clip((value - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)
    return t * t * (3 - 2 * t)


def _spectral(rows: int, columns: int, gain: Array, key: int) -> Array:
    """Periodic Gaussian noise whose spectrum is white noise times `gain`, of zero mean and unit deviation."""
    white = np.random.default_rng(key).standard_normal((rows, columns), dtype=np.float32)
    field = np.fft.irfft2(np.fft.rfft2(white) * gain, s=(rows, columns))
    return ((field - field.mean()) / field.std()).astype(np.float32)


def _frequencies(rows: int, columns: int) -> tuple[Array, Array]:
    return np.fft.fftfreq(rows, 1 / rows)[:, None], np.fft.rfftfreq(columns, 1 / columns)[None, :]


@lru_cache(maxsize=8)
def texture(key: int, slope: float = 1.75) -> Array:
    """Fractal noise of SIDE x SIDE texels: amplitude falls as frequency to the power of -slope."""
    v, u = _frequencies(SIDE, SIDE)
    f = np.hypot(u, v)
    gain = np.where(f < 2.5, 0, np.maximum(f, 1) ** -slope * np.exp(-((f / 200) ** 2)))
    return _spectral(SIDE, SIDE, gain.astype(np.float32), key)


@lru_cache(maxsize=1)
def waves() -> tuple[Array, ...]:
    """Ripples by octave, each (WAVE_ROWS, WAVE_COLUMNS), coarse first; octave k is 128 / 2^k texels long."""
    v, u = _frequencies(WAVE_ROWS, WAVE_COLUMNS)
    octaves: list[Array] = []
    for k in range(WAVE_OCTAVES):
        f = np.hypot(u / (8 << k), v / (4 << k))
        octaves.append(
            _spectral(
                WAVE_ROWS, WAVE_COLUMNS, np.exp(-2.5 * np.log(f + 1e-6) ** 2).astype(np.float32), 71 + k
            )
        )
    return tuple(octaves)


def sample(field: Array, u: Array, v: Array) -> Array:
    """Bilinear samples of a periodic SIDE x SIDE field; u and v count periods and broadcast together."""
    u, v = u * np.float32(SIDE), v * np.float32(SIDE)
    u0, v0 = np.floor(u), np.floor(v)
    fu, fv = u - u0, v - v0
    i, j = u0.astype(np.int32) & (SIDE - 1), v0.astype(np.int32) & (SIDE - 1)
    i1, j0, j1 = (i + 1) & (SIDE - 1), j * SIDE, ((j + 1) & (SIDE - 1)) * SIDE
    flat = field.reshape(-1)
    a, b, c, d = flat.take(j0 + i), flat.take(j0 + i1), flat.take(j1 + i), flat.take(j1 + i1)
    top = a + (b - a) * fu
    return top + (c + (d - c) * fu - top) * fv


def line(x: Array, key: int, octaves: int = 1, gain: float = 0.5) -> Array:
    """One-dimensional value noise in about -1..1, summed over octaves; x counts lattice cells."""
    total, amplitude = np.zeros_like(x), 1.0
    for octave in range(octaves):
        lattice = np.random.default_rng((key, octave)).uniform(-1, 1, 256).astype(np.float32)
        at = x * np.float32(1 << octave) + np.float32(17.3 * octave)
        cell = np.floor(at)
        t = at - cell
        i = cell.astype(np.int32) & 255
        a, b = lattice[i], lattice[(i + 1) & 255]
        total += np.float32(amplitude) * (a + (b - a) * (t * t * t * (t * (t * 6 - 15) + 10)))
        amplitude *= gain
    return total


def crags(x: Array, key: int, octaves: int = 6, gain: float = 0.48) -> Array:
    """Ridged one-dimensional noise in about 0..1 with sharp summits and straight flanks; x counts cells."""
    total, amplitude, norm = np.zeros_like(x), 1.0, 0.0
    for octave in range(octaves):
        total += np.float32(amplitude) * (1 - np.abs(line(x * np.float32(2.03**octave), key + 7 * octave)))
        norm += amplitude
        amplitude *= gain
    return total / np.float32(norm)
