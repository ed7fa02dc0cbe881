"""The line that is the progress: a hairline which becomes a wave as far as the job has come."""

from math import exp, pi, sin

import reflex as rx

from hexwave_app.ui.components.mark import CORNERS
from hexwave_app.ui.job import Job, Standing

UNMEASURED = "96px"


def progress(job: rx.Var[Job], now: rx.Var[Standing]) -> rx.Component:
    """The lower edge of a row. Only a transform and a width ever animate, see `.hw-wave`."""
    moving = (now.state == "painting") | (now.state == "saving")
    length = rx.cond(
        moving,
        rx.cond(now.percent < 0, UNMEASURED, now.percent.to_string() + "%"),
        rx.cond(now.state == "done", "100%", "0%"),
    )
    return rx.el.div(
        rx.el.i(),
        class_name="hw-wave",
        role=rx.cond(moving, "progressbar", "presentation"),
        custom_attrs={
            "data-state": now.state,
            "style": {"--p": length},
            "aria-label": rx.cond(moving, now.word + ": " + job.name, _absent()),
            "aria-valuenow": rx.cond(moving & (now.percent >= 0), now.percent, _absent()),
        },
    )


def ripple(moving: rx.Var[bool]) -> rx.Component:
    """The small wave of the live indicator."""
    return rx.el.span(
        rx.el.i(),
        class_name=rx.cond(moving, "hw-ripple hw-moving", "hw-ripple"),
        custom_attrs={"aria-hidden": "true"},
    )


def swell() -> rx.Component:
    """The empty state's drawing: a hairline that waves only inside a hexagon and near it."""
    return rx.el.div(
        rx.el.svg(
            rx.el.svg.defs(rx.el.svg.clip_path(rx.el.svg.path(d=_HEXAGON), id="hw-swell")),
            rx.el.svg.path(d=f"{_CURVE}V80H-320Z", class_name="hw-logo-water", clip_path="url(#hw-swell)"),
            rx.el.svg.path(d=_CURVE, class_name="hw-swell-line"),
            rx.el.svg.path(d=_HEXAGON, class_name="hw-swell-hexagon"),
            view_box="-320 -60 640 120",
            width=640,
            height=120,
        ),
        class_name="hw-swell",
        custom_attrs={"aria-hidden": "true"},
    )


def _height(x: int) -> float:
    return -30 * sin(2 * pi * x / 150) * exp(-(x**2) / 10700)


_CURVE = "M" + "L".join(f"{x} {_height(x):.1f}" for x in range(-320, 321, 4))
# Five times the glyph, its middle at the origin.
_HEXAGON = "M" + "L".join(f"{5 * (x - 12):.1f} {5 * (y - 12):.1f}" for x, y in CORNERS) + "Z"


def _absent() -> rx.Var:
    return rx.Var("undefined")
