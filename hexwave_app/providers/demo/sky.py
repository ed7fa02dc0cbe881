"""The sky: its gradient, the sun or moon, clouds, stars, the milky way and the aurora."""

from dataclasses import dataclass

import numpy as np

from .canvas import Canvas
from .noise import Array, line, sample, smoothstep, texture
from .palette import Colour, Palette, hexed, mix, scaled
from .scene import Scene


@dataclass(frozen=True, slots=True)
class Sky:
    """What the rest of the picture needs of its sky: where the light stands and the air without clouds.

    `x`, `y` and `horizon` are units; `air` is (3, height, width); `strength` is the light on water, 0..1.
    """

    x: float
    y: float
    horizon: float
    strength: float
    air: Array


_RISE = {
    "dawn": (0.03, 0.2),
    "day": (0.3, 0.44),
    "golden": (0.1, 0.34),
    "dusk": (0.015, 0.14),
    "night": (0.2, 0.42),
    "storm": (0.1, 0.25),
    "neon": (0.06, 0.16),
    "grey": (0.2, 0.4),
}
# Units a second, up: hours pass in a clip.
_CLIMB = {"dawn": 0.006, "golden": -0.004, "dusk": -0.005, "neon": -0.003, "night": 0.002}
_STRENGTH = {
    "dawn": 1.0,
    "day": 0.8,
    "golden": 1.0,
    "dusk": 1.0,
    "night": 0.75,
    "storm": 0.45,
    "neon": 0.8,
    "grey": 0.35,
}


def paint(canvas: Canvas, palette: Palette, scene: Scene, horizon: float, rng: np.random.Generator) -> Sky:
    """Fill the canvas with sky down to its lower edge and tell what the land must know of it."""
    side = rng.choice([-1.0, 1.0])
    x = canvas.wide * (0.5 + side * rng.uniform(0.04, 0.27))
    low, high = _RISE[scene.light]
    y = horizon - (low + (high - low) * rng.random()) * min(1.0, horizon / 0.55)
    y -= float(canvas.time) * _CLIMB.get(scene.light, 0.0)
    dark = scene.light == "night"
    shines = not scene.has("aurora", "milky") and not (dark and scene.has("stars") and not scene.has("moon"))
    strength = (_STRENGTH[scene.light] if shines else 0.0) * (
        1.0 if scene.allows("moon" if dark else "sun") else 0.25
    )
    air = _air(canvas, palette, scene, x, y, horizon, shines)
    canvas.rgb[:] = air
    keys = rng.integers(0, 1 << 30, 8).tolist()
    if dark or (scene.has("stars") and scene.light in ("dusk", "neon")):
        _stars(canvas, scene, horizon, keys[0])
    if scene.has("aurora"):
        _aurora(canvas, horizon, keys[1])
    elif not shines:
        milky_way(canvas, palette.lit, keys[2])
    elif dark and scene.allows("moon"):
        _moon(canvas, palette, x, y, keys[3])
    if not dark and scene.allows("sun"):
        _sun(canvas, palette, scene, x, y)
    if scene.allows("clouds"):
        _clouds(canvas, palette, scene, Sky(x, y, horizon, strength, air), keys[4])
    return Sky(x, y, horizon, strength, air)


def _air(
    canvas: Canvas, palette: Palette, scene: Scene, x: float, y: float, horizon: float, shines: bool
) -> Array:
    stops = np.array(
        [palette.zenith, palette.high, palette.low, palette.horizon, palette.horizon], np.float32
    )
    at = np.array([0.0, 0.42, 0.78, 1.0, 1.4])
    power = {"day": 0.35, "grey": 0.22, "storm": 0.75, "night": 0.3, "neon": 0.55}.get(scene.light, 0.62)
    if not shines:
        power = 0.06

    def field(u: Array, v: Array) -> Array:
        height = np.clip(v[:, 0] / horizon, 0, 1.4)
        column = np.stack([np.interp(height, at, stops[:, c]) for c in range(3)]).astype(np.float32)
        around = ((u - x) * 0.8) ** 2 + (v - y) ** 2
        wide = 1 / (1 + around / 0.06) ** 1.5
        near = 1 / (1 + around / 0.008) ** 1.5
        light = (wide * 0.55 + near * 0.5) * power
        light += 0.18 * power / (1 + ((v - horizon) / 0.07) ** 2) / (1 + ((u - x) / 0.5) ** 2)
        glow = np.array(palette.glow, np.float32)[:, None, None]
        base = column[:, :, None] + np.zeros_like(u)
        # Screened, not added, so that a bright sky is not burnt out.
        return base + (1.12 - base * 0.72) * glow * light[None]

    return canvas.soft(field, 160)


def _sun(canvas: Canvas, palette: Palette, scene: Scene, x: float, y: float) -> None:
    radius = {"neon": 0.17, "day": 0.03, "storm": 0.0, "grey": 0.03}.get(scene.light, 0.042)
    if not radius:
        return
    if scene.light == "neon":
        y -= 0.03
    distance = np.hypot(canvas.x[None, :] - np.float32(x), canvas.y[:, None] - np.float32(y))
    edge = max(1.5 / canvas.unit, 0.0018)
    disc = np.clip((radius - distance) / np.float32(edge) + 0.5, 0, 1)
    if scene.light == "neon":
        ramp = np.clip((canvas.y - (y - radius)) / (2 * radius), 0, 1)[None, :, None]
        top, bottom = (
            np.array(palette.sun)[:, None, None],
            np.array(mix(palette.sun, palette.glow, 0.85))[:, None, None],
        )
        canvas.lay((top + (bottom - top) * ramp).astype(np.float32), disc * 0.95)
        return
    veil = 0.55 if scene.light == "grey" else 1.0
    canvas.lay(scaled(palette.sun, 1.25), disc * np.float32(veil))
    halo = canvas.soft(lambda u, v: 1 / (1 + ((u - x) ** 2 + (v - y) ** 2) / radius**2) ** 2, 256)
    canvas.glow(mix(palette.glow, palette.sun, 0.4), halo * np.float32(0.55 * veil))


def _moon(canvas: Canvas, palette: Palette, x: float, y: float, key: int) -> None:
    radius = 0.034
    u, v = (canvas.x[None, :] - x) / radius, (canvas.y[:, None] - y) / radius
    distance = np.sqrt(u * u + v * v)
    disc = np.clip((1 - distance) * np.float32(radius * canvas.unit) + 0.5, 0, 1)
    rows = slice(canvas.row(y - radius * 1.3), canvas.row(y + radius * 1.3))
    seas = sample(texture(3), u * np.float32(0.11) + np.float32(key % 97 / 97), v[rows] * np.float32(0.11))
    face = (1.12 - 0.2 * smoothstep(-0.2, 1.4, seas)) * (1.05 - 0.14 * np.clip(distance[rows], 0, 1) ** 4)
    canvas.lay(np.stack([face * np.float32(c) for c in palette.sun]), disc[rows], rows)
    halo = canvas.soft(lambda a, b: 1 / (1 + ((a - x) ** 2 + (b - y) ** 2) / 0.0045) ** 1.6, 256)
    canvas.glow(palette.glow, halo * np.float32(0.42))


def _stars(canvas: Canvas, scene: Scene, horizon: float, key: int) -> None:
    rich = scene.has("stars", "milky", "aurora") and not scene.has("moon")
    many = 1500 if rich else 800
    fade = 1.0 if scene.light == "night" else 0.5
    starfield(canvas, many, horizon, key, fade)


def starfield(canvas: Canvas, many: int, depth: float, key: int, fade: float = 1.0) -> None:
    """Scatter stars from the top down to `depth` units, fading towards it; most faint, a few bright."""
    rng = np.random.default_rng(key)
    x = rng.uniform(0, canvas.wide, many).astype(np.float32)
    y = (depth * rng.uniform(0, 1, many)).astype(np.float32)
    bright = rng.pareto(1.6, many).astype(np.float32) * 0.16 + 0.08
    light = np.clip(bright, 0, 1.5) * np.clip((1.02 - y / depth) * 2.2, 0, 1) * fade
    light = light * _twinkle(canvas, key, many)
    radius = (0.0008 + 0.0004 * np.clip(bright, 0, 1.5)).astype(np.float32)
    warm = rng.random(many) < 0.3
    for chosen, colour in ((warm, (1.0, 0.86, 0.7)), (~warm, (0.8, 0.9, 1.0))):
        canvas.glow(
            colour, canvas.splat(x[chosen], y[chosen], radius[chosen], light[chosen].astype(np.float32))
        )


def _twinkle(canvas: Canvas, key: int, many: int) -> Array:
    """How bright each star is at this time, as a share of what it is in the still picture."""
    rng = np.random.default_rng((key, 1))
    phase, pace = rng.uniform(0, 2 * np.pi, many), rng.uniform(2.0, 7.0, many)
    return np.clip(1 + 0.45 * (np.sin(phase + pace * canvas.time) - np.sin(phase)), 0.15, 2).astype(
        np.float32
    )


def milky_way(canvas: Canvas, tint: Colour, key: int, power: float = 1.0) -> None:
    """A band of unresolved stars across the picture, with dust lanes and a warm core."""
    rng = np.random.default_rng(key)
    angle = rng.uniform(0.7, 1.25) * rng.choice([-1, 1])
    cx, cy = canvas.wide * rng.uniform(0.35, 0.65), canvas.high * rng.uniform(0.25, 0.4)
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    off = np.float32(rng.random())

    def field(u: Array, v: Array) -> Array:
        along, across = (u - cx) * c + (v - cy) * s, (v - cy) * c - (u - cx) * s
        warp = sample(texture(5), along * 0.35 + off, across * 0.35)
        across = across + warp * 0.02
        band = np.exp(-((across / (0.1 + 0.05 * np.exp(-((along / 0.3) ** 2)))) ** 2))
        cloud = sample(texture(4), along * 0.5 + off, across * 0.8 + warp * 0.012)
        dust = smoothstep(
            -0.2,
            2.0,
            sample(texture(6), along * 0.6 + off, across * 1.1 + warp * 0.012 + 0.3)
            + 1.1 * np.exp(-((across / 0.028) ** 2))
            - 0.3,
        )
        light = band * np.clip(0.34 + 0.13 * cloud, 0.05, 1) * (1 - 0.85 * dust)
        core = light * np.exp(-((along / 0.3) ** 2))
        cool = np.array(mix(tint, (0.75, 0.8, 1.0), 0.5))[:, None, None] * light
        return (cool * 0.85 + np.array((1.0, 0.72, 0.55))[:, None, None] * core * 0.85).astype(np.float32)

    canvas.rgb += canvas.soft(field, 400) * np.float32(power)
    x = rng.normal(0, 0.5, 3200)
    y = rng.normal(0, 0.07, 3200)
    px, py = cx + x * c - y * s, cy + x * s + y * c
    size = np.full(3200, 0.0007, np.float32)
    light = (rng.pareto(2.0, 3200) * 0.16 + 0.06).astype(np.float32) * np.float32(power)
    canvas.glow(
        (0.9, 0.93, 1.0),
        canvas.splat(px.astype(np.float32), py.astype(np.float32), size, np.minimum(light, 1)),
    )


def _aurora(canvas: Canvas, horizon: float, key: int) -> None:
    rng = np.random.default_rng(key)
    lower, upper = hexed("5dffb0"), hexed("8a5cff") if rng.random() < 0.65 else hexed("ff5ca8")
    curtains = rng.uniform(0, 1, (3, 6)).astype(np.float32)
    t = canvas.time

    def field(u: Array, v: Array) -> Array:
        total = np.zeros((3, v.shape[0], u.shape[1]), np.float32)
        for k, (a, b, c, d, e, _) in enumerate(curtains.tolist()):
            slope = (a - 0.5) * 0.7
            foot = horizon * (0.84 - 0.2 * k - 0.1 * b) + slope * (u - canvas.wide / 2)
            foot = (
                foot
                + 0.07 * line(u * 2.2 + c * 50 + t * np.float32(0.09), key + k, 2)
                + 0.012 * line(u * 14 + d * 40 - t * np.float32(0.4), key + 9 + k, 2)
            )
            height = 0.24 + 0.14 * c + 0.08 * line(u * 5 + e * 30, key + 20 + k, 2)
            up = (foot - v) / height
            lean = u + 0.05 * up * (d - 0.5)
            rays = 0.62 + 0.38 * line(
                lean * 34 + b * 70 + t * np.float32(0.7 - 0.5 * k), key + 30 + k, 3, 0.6
            )
            drift = smoothstep(-0.55, 0.5, line(u * 2.6 + d * 60 - t * np.float32(0.12), key + 40 + k, 2))
            rise = smoothstep(-0.05, 0.1, up)
            body = rise * np.exp(-np.clip(up, 0, 9) * 2.1) * rays * drift * (1.0, 0.75, 0.5)[k]
            tip = (
                rise * np.exp(-((np.clip(up, 0, 9) - 0.62) ** 2) / 0.16) * rays * drift * (0.4, 0.32, 0.24)[k]
            )
            hem = np.exp(-((up - 0.06) ** 2) / 0.003) * drift * 0.3
            for channel in range(3):
                total[channel] += (body + hem) * lower[channel] * 0.86 + tip * upper[channel] * 0.7
        return total

    canvas.rgb += canvas.soft(field, 440)
    wash = canvas.soft(lambda u, v: np.exp(-(((v - horizon * 0.6) / (0.5 * horizon)) ** 2)) + u * 0, 64)
    canvas.glow(lower, wash * np.float32(0.09))


_COVER = {
    "dawn": 0.45,
    "day": 0.35,
    "golden": 0.35,
    "dusk": 0.5,
    "night": 0.0,
    "storm": 1.9,
    "neon": 0.15,
    "grey": 1.1,
}


def _clouds(canvas: Canvas, palette: Palette, scene: Scene, sky: Sky, key: int) -> None:
    rng = np.random.default_rng(key)
    cover = _COVER[scene.light] + rng.uniform(-0.35, 0.35) + (0.7 if scene.has("clouds") else 0)
    if scene.has("aurora", "milky", "stars"):
        cover -= 0.9
    off_u, off_v = rng.random(2).astype(np.float32)
    stretch, turn = rng.uniform(0.5, 1.0), rng.uniform(-0.25, 0.25)
    edge = 1.5 if scene.light in ("storm", "grey") else 1.15
    base = texture(1)
    near_sun = np.float32(sky.x), np.float32(sky.y)
    drift = canvas.time * np.float32(0.0035 * (1 if turn > 0 else -1))
    pan = np.float32(canvas.pan * 0.2)

    def field(u: Array, v: Array) -> Array:
        far = 1 / (np.clip(sky.horizon - v, 0, None) + 0.16)
        p, q = (u + pan - canvas.wide / 2) * far * (0.14 * stretch) + off_u + drift, far * 0.13 + off_v
        q = q + p * turn
        warp = sample(texture(2), p * 0.9 + drift * 2, q * 0.9 + canvas.time * np.float32(0.002))
        body = sample(base, p + warp * 0.012, q + warp * 0.02)
        body = body + 0.3 * sample(base, p * 2.7 + 0.31, q * 2.7 + warp * 0.02)
        thin = smoothstep(0.0, 0.2, (sky.horizon - v) / sky.horizon)
        density = smoothstep(0.75 - cover, 0.75 - cover + edge, body) * (0.35 + 0.65 * thin)
        toward = sample(base, p + (near_sun[0] - u) * 0.02 + warp * 0.012, q + 0.012 + warp * 0.02)
        rim = np.clip(0.55 + 0.4 * (body * 0.8 - toward), 0, 1)
        close = 1 / (1 + ((u - near_sun[0]) ** 2 + (v - near_sun[1]) ** 2) / 0.12)
        light = np.clip(
            rim * (0.62 + 0.6 * close) - 0.42 * density * density * (1.2 if cover > 1 else 0.7), 0, 1
        )
        return np.stack([density, light]).astype(np.float32)

    density, light = canvas.soft(field, 640 if canvas.unit > 300 else 160)
    opaque = {"storm": 0.96, "grey": 0.85, "night": 0.5}.get(scene.light, 0.8)
    last = canvas.row(sky.horizon + 0.01)
    rows = slice(0, last)
    light, cover_map = light[rows], density[rows] * np.float32(opaque)
    colour = np.stack(
        [np.float32(d) + light * np.float32(b - d) for b, d in zip(palette.lit, palette.shade, strict=True)]
    )
    canvas.lay(colour, cover_map, rows)
