"""Birds far off."""

import numpy as np

from .canvas import Canvas, Pen
from .palette import Palette, mix
from .sky import Sky


def paint(canvas: Canvas, palette: Palette, sky: Sky, rng: np.random.Generator) -> None:
    """A loose flock far off, wings at every stage of the beat."""
    many = int(rng.integers(6, 13))
    cx, cy = canvas.wide * rng.uniform(0.25, 0.75), sky.horizon * rng.uniform(0.3, 0.6)
    places = np.stack([cx + rng.normal(0, 0.1, many), cy + rng.normal(0, 0.045, many)], 1)
    spans, beats = rng.uniform(0.009, 0.019, many), rng.uniform(-0.15, 0.6, many)
    phase = spans * 900
    beats = np.clip(beats + 0.4 * (np.sin(phase + 8 * canvas.time) - np.sin(phase)), -0.3, 0.8)
    places[:, 0] += (1 if cx < canvas.wide / 2 else -1) * 1.6 * spans * canvas.time
    places[:, 1] -= 0.002 * canvas.time

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
