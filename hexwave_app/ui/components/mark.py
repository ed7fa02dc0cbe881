"""The logo and the hexagons that stand for a state. All are decoration: a word goes beside each."""

import reflex as rx

CORNERS = [(12, 1.8), (20.83, 6.9), (20.83, 17.1), (12, 22.2), (3.17, 17.1), (3.17, 6.9)]
HEXAGON = "M" + "L".join(f"{x} {y}" for x, y in CORNERS) + "Z"
PERIMETER = 61.2
WATER = "M3.17 10.6C6.4 8 8.7 9.1 11.1 11.3S16.6 14.8 20.83 12V17.1L12 22.2 3.17 17.1Z"


def logo(size: int = 26) -> rx.Component:
    return _drawing(
        "hw-logo",
        rx.el.svg.path(d=WATER, class_name="hw-logo-water"),
        rx.el.svg.path(d=HEXAGON, class_name="hw-logo-outline"),
        size=size,
    )


def dashed() -> rx.Component:
    """Queued, or ignored."""
    return _glyph(_outline(class_name="hw-dashed"))


def ring(percent: rx.Var[int]) -> rx.Component:
    """Running: the outline drawn round to `percent`, or a quarter of it while that is -1."""
    drawn = rx.cond(percent < 0, 25, percent).to(int) * (PERIMETER / 100)
    # A Var, not a dict: Reflex looks for the States that are used in values, not within dicts.
    style = rx.Var.create({"strokeDasharray": f"{drawn} {PERIMETER}"})
    return _glyph(_outline(class_name="hw-track"), _outline(custom_attrs={"style": style}), tone="hw-live")


def saving() -> rx.Component:
    return _glyph(_outline(), _stroke("M12 7.6v8M8.4 12.2 12 15.8l3.6-3.6"), tone="hw-live")


def done() -> rx.Component:
    return _glyph(_outline(class_name="hw-solid"), _stroke("m8 12.2 2.8 2.8 5.2-5.6", class_name="hw-knock"))


def reached() -> rx.Component:
    """Delivered: done, and in the colour of what is live."""
    return _glyph(
        _outline(class_name="hw-solid"),
        _stroke("m8 12.2 2.8 2.8 5.2-5.6", class_name="hw-knock"),
        tone="hw-live",
    )


def failed() -> rx.Component:
    return _glyph(_outline(), _stroke("M12 7.4v5.4M12 16.5v.1"), tone="hw-bad")


def cancelled() -> rx.Component:
    return _glyph(_outline(), _stroke("M8.2 12h7.6"))


def empty() -> rx.Component:
    """The faint hexagon in a frame that waits for its picture."""
    return _drawing("hw-faint", _outline(), size=26)


def _glyph(*paths: rx.Component, tone: str = "") -> rx.Component:
    return _drawing(f"hw-glyph {tone}".strip(), *paths, size=16)


def _drawing(class_name: str, *paths: rx.Component, size: int) -> rx.Component:
    return rx.el.svg(
        *paths,
        view_box="0 0 24 24",
        width=size,
        height=size,
        class_name=class_name,
        custom_attrs={"aria-hidden": "true"},
    )


def _outline(**props) -> rx.Component:
    return rx.el.svg.path(d=HEXAGON, **props)


def _stroke(path: str, **props) -> rx.Component:
    return rx.el.svg.path(d=path, **props)
