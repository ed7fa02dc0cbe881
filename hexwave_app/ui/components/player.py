"""A clip that plays, by the browser's own player: it can be used with the keyboard, and goes full screen."""

import reflex as rx

from hexwave_app.ui.components import button
from hexwave_app.ui.job import Frame


def player(each: rx.Var[Frame], alt: rx.Var[str], save: rx.Var[str]) -> rx.Component:
    """Ready at once, behind its poster; `save` is the URL that downloads it."""
    return _video(each, alt, save, poster=each.full.replace("0.mp4", "0-poster.webp"), preload="metadata")


def asked_player(each: rx.Var[Frame], alt: rx.Var[str], save: rx.Var[str]) -> rx.Component:
    """Over a picture that stands for the clip: it is loaded when it is asked for, see video.js."""
    return rx.fragment(
        _video(each, alt, save, preload="none"),
        rx.el.span(
            button.icon("play", size=14),
            each.duration,
            class_name="hw-plate hw-playable",
            custom_attrs={"aria-hidden": "true"},
        ),
        rx.el.button(
            type="button",
            class_name="hw-play",
            aria_label="Play " + alt,
            custom_attrs={"data-hw-play": ""},
        ),
    )


def _video(each: rx.Var[Frame], alt: rx.Var[str], save: rx.Var[str], **props) -> rx.Component:
    return rx.el.video(
        src=each.full,
        controls=True,
        loop=True,
        class_name="hw-player",
        custom_attrs={"aria-label": alt, "playsInline": True, "data-save": save},
        **props,
    )
