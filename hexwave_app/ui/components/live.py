"""The header's live indicator."""

import reflex as rx

from hexwave_app.ui.components import button, connection, wave


def live(running: rx.Var[int], behind: rx.Var[bool]) -> rx.Component:
    """Never says "Live" while what is shown may be old."""
    words = rx.cond(running > 0, running.to_string() + " running", "Live")
    return rx.cond(
        connection.lost | behind,
        _indicator(button.icon("wifi-off"), "Reconnecting"),
        _indicator(wave.ripple(running > 0), words),
    )


def _indicator(drawing: rx.Component, words: str | rx.Var[str]) -> rx.Component:
    return rx.el.div(drawing, rx.el.span(words, class_name="hw-live-words"), class_name="hw-indicator")
