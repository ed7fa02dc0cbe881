"""What is said where there is nothing, or nothing for whoever asks."""

import reflex as rx

from hexwave_app.ui.routes import STUDIO


def missing_page() -> rx.Component:
    return rx.el.div(
        rx.el.h2("No such page", class_name="hw-title"),
        rx.el.p("The link is old, or it belongs to someone else.", class_name="hw-subtitle"),
        rx.el.a("Go to Studio", href=STUDIO, class_name="hw-button hw-outline"),
        id="results",
        tab_index=-1,
        class_name="hw-missing",
    )
