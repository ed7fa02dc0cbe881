"""The offer to say in another tab that a job has ended: made once, after one did, and taken by a press."""

import reflex as rx

from hexwave_app.ui.components import button


def notify_offer() -> rx.Component:
    """Shown by studio.js."""
    return rx.el.section(
        button.icon("bell"),
        rx.el.p("A job ended while you were away. Say so next time?"),
        button.soft("Notify me", custom_attrs={"data-hw-notify": "yes"}),
        button.plain("Not now", custom_attrs={"data-hw-notify": "no"}),
        id="hw-notify",
        class_name="hw-notify",
        custom_attrs={"aria-label": "Jobs that end out of sight"},
    )
