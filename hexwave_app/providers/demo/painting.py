"""Paints a Scene: the public face of the procedural painter. Not AI; every stroke is arithmetic."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from . import boat, flock, forest, island, land, nebula, silk, sky, skyline, village, water, weather
from .canvas import Canvas
from .palette import Colour, Palette, choose, hexed, mix
from .scene import Scene
from .style import styled

_FRAME_GRAIN = 1.2
"""Of a frame: just what hides banding, for every grain of it has to be encoded."""


def paint(scene: Scene, seed: int, width: int, height: int, styles: Sequence[str] = ()) -> Image.Image:
    """Paint the scene as an RGB picture of width x height pixels (64 to 1536 a side), drawn in `styles`.

    The same scene, seed, size and styles always give the same pixels. Sizes of one aspect ratio show one
    composition, so small pictures serve as previews of large ones.
    """
    image = _painted(Canvas(width, height), scene, seed).finished(seed & 0xFFFF_FFFF)
    return styled(image, styles, seed & 0xFFFF_FFFF)


def paint_frame(
    scene: Scene, seed: int, width: int, height: int, time: float, pan: float = 0.0
) -> Image.Image:
    """The scene as it is at `time`, in seconds: at 0, and without a `pan`, what `paint` composes."""
    canvas = Canvas(width, height, time, pan)
    return _painted(canvas, scene, seed).finished(seed & 0xFFFF_FFFF, _FRAME_GRAIN)


def _painted(canvas: Canvas, scene: Scene, seed: int) -> Canvas:
    rng = np.random.default_rng(seed & 0xFFFF_FFFF_FFFF_FFFF)
    if scene.place == "abstract":
        silk.paint(canvas, rng, scene.mood)
    elif scene.place == "space":
        nebula.paint(canvas, rng)
    else:
        _landscape(canvas, scene, rng)
    return canvas


def _landscape(canvas: Canvas, scene: Scene, rng: np.random.Generator) -> None:
    palette = choose(scene, rng)
    horizon = canvas.high * _horizon(scene, rng)
    air = sky.paint(canvas, palette, scene, horizon, rng)
    # Each part draws from its own stream, so that leaving one out moves none of the others.
    streams = [np.random.default_rng(key) for key in rng.integers(0, 1 << 60, 12).tolist()]
    white = 1.0 if scene.has("white") else 0.0
    if scene.has("mountains"):
        snow = 0.95 if white else 0.35 if scene.place in ("mountains", "lake") else 0.0
        snow *= 0.55 if scene.light == "night" else 1.0
        # A sky worth seeing keeps the peaks low.
        tall = 0.2 if scene.has("milky", "aurora", "stars") else 0.34
        if scene.place == "mountains" and not _wet(scene):
            land.mountains(canvas, palette, air, streams[0], snow, tall, canvas.high * 0.98)
        else:
            land.mountains(canvas, palette, air, streams[0], snow, 0.3 if scene.place == "lake" else 0.22)
    _middle(canvas, palette, scene, air, streams, white)
    if scene.has("fog"):
        weather.fog(canvas, palette, air, streams[8], 0.9)
    _ground(canvas, palette, scene, air, streams, white)
    if scene.has("birds"):
        flock.paint(canvas, palette, air, streams[7])
    if scene.weather == "snow":
        weather.snow(canvas, palette, streams[9])
    if scene.weather == "rain":
        weather.rain(canvas, palette, streams[9])


def _horizon(scene: Scene, rng: np.random.Generator) -> float:
    if scene.place == "desert":
        return rng.uniform(0.46, 0.58)
    if _wet(scene):
        return rng.uniform(0.54, 0.64)
    return {"forest": 0.56, "field": 0.58, "hills": 0.52, "village": 0.66}.get(
        scene.place, 0.6
    ) + rng.uniform(-0.03, 0.03)


def _wet(scene: Scene) -> bool:
    """True when water lies before the land; a city always mirrors itself in some."""
    return scene.place in ("sea", "lake", "river", "harbour", "island", "city") or scene.has("water")


def _middle(
    canvas: Canvas,
    palette: Palette,
    scene: Scene,
    air: sky.Sky,
    streams: list[np.random.Generator],
    white: float,
) -> None:
    """What stands between the far ranges and the ground."""
    if scene.has("lightning"):
        weather.lightning(canvas, air, streams[1])
    dark = scene.light in ("night", "dusk", "storm", "neon")
    if scene.place == "sea" and not scene.has("mountains"):
        _far_coast(canvas, palette, air, streams[1])
    if scene.has("hills") and _wet(scene):
        land.mountains(canvas, palette, air, streams[1], 0, 0.12)
    if scene.has("city"):
        skyline.paint(canvas, palette, scene, air, air.horizon, streams[2])
    if _wet(scene) and (
        scene.has("forest") or (scene.place in ("lake", "river") and not scene.has("arctic", "city"))
    ):
        forest.shore(canvas, palette, air, streams[3], white)
    top = None
    if scene.has("island") or (scene.has("lighthouse") and _wet(scene)):
        top = island.paint(canvas, palette, air, streams[4])
    if scene.has("lighthouse") and top:
        island.lighthouse(canvas, palette, air, *top, lit=dark)
    if scene.has("village"):
        village.paint(
            canvas,
            palette,
            air,
            streams[5],
            white,
            0.75 if dark else 0.35 if scene.light in ("dawn", "golden", "grey") else 0,
        )


def _far_coast(canvas: Canvas, palette: Palette, air: sky.Sky, rng: np.random.Generator) -> None:
    if rng.random() < 0.55:
        land.mountains(canvas, palette, air, rng, 0, 0.04)


def _ground(
    canvas: Canvas,
    palette: Palette,
    scene: Scene,
    air: sky.Sky,
    streams: list[np.random.Generator],
    white: float,
) -> None:
    """What lies before the horizon: water, sand, forest or meadow."""
    if _wet(scene):
        swell = water.paint(canvas, palette, air, streams[6], _roughness(scene))
        if scene.has("boats"):
            many = int(streams[10].integers(2, 6))
            boat.paint(
                canvas,
                palette,
                air,
                swell,
                streams[10],
                many,
                white,
                sails=not scene.has("village", "harbour"),
            )
        if scene.place in ("forest", "river"):
            forest.frame(canvas, palette, streams[11], white)
    elif scene.place == "desert":
        land.dunes(canvas, palette, air, streams[6], scene.light)
    elif scene.has("forest"):
        forest.stands(canvas, palette, air, streams[6], air.horizon - 0.02, canvas.high * 0.97, 5, white)
    elif scene.place == "mountains":
        if streams[6].random() < 0.6:
            forest.stands(
                canvas, palette, air, streams[6], canvas.high * 0.96, canvas.high * 1.0, 2, white, 0.7
            )
    else:
        green = mix(palette.lit, palette.shade, 0.3) if white else _meadow(scene)
        crests = land.hills(canvas, palette, air, streams[6], green, 0.13 if scene.place == "hills" else 0.07)
        forest.copses(canvas, palette, air, streams[11], crests[:-1], green)
        if scene.has("lavender", "wheat"):
            land.rows(canvas, palette, air, streams[10], green)


_MEADOWS = {
    "golden": "a8792c",
    "dusk": "4e4a3a",
    "night": "0f2430",
    "dawn": "6a7a58",
    "grey": "5c6a48",
    "storm": "3c4a38",
    "neon": "5a1a70",
}


def _meadow(scene: Scene) -> Colour:
    if scene.has("lavender"):
        return mix(hexed("6c4cae"), hexed(_MEADOWS.get(scene.light, "7a5ac0")), 0.1)
    if scene.has("wheat"):
        return mix(hexed("d0a04c"), hexed(_MEADOWS.get(scene.light, "d0a04c")), 0.35)
    return hexed(_MEADOWS.get(scene.light, "4f8a3c"))


def _roughness(scene: Scene) -> float:
    if scene.light == "storm":
        return 1.0
    if scene.has("calm"):
        return 0.1
    return {"sea": 0.5, "island": 0.45, "lake": 0.22, "river": 0.3, "harbour": 0.28}.get(scene.place, 0.3)
