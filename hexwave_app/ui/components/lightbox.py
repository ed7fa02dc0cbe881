"""A finished picture, large. One empty dialog a page: hexwave.js fills it from the row that was clicked."""

from typing import Any

import reflex as rx

from hexwave_app.ui.components import button
from hexwave_app.ui.components.file_link import file_link


def lightbox(*, upscale: Any, upscales: rx.Var[bool]) -> rx.Component:
    """`upscale` takes a process's id and which of its pictures; `upscales` is whether that can be done."""
    return rx.el.dialog(
        rx.el.div(
            rx.el.p(class_name="hw-lightbox-count", custom_attrs={"data-hw-place": ""}),
            rx.cond(
                upscales,
                button.outline(
                    "scaling",
                    "Upscale",
                    on_click=upscale(
                        rx.Var("window.hexwave.opened().process").to(str),
                        rx.Var("window.hexwave.opened().index").to(int),
                    ),
                    custom_attrs={"data-hw-close": ""},
                ),
            ),
            file_link(
                button.icon("download"),
                "Download",
                href="#",
                class_name="hw-button hw-outline",
                custom_attrs={"data-hw-save": ""},
            ),
            button.bare("x", "Close picture", custom_attrs={"data-hw-close": ""}),
            class_name="hw-lightbox-bar",
        ),
        rx.el.div(
            button.bare("chevron-left", "Previous picture", custom_attrs={"data-hw-step": "-1"}),
            rx.el.div(class_name="hw-lightbox-picture", custom_attrs={"data-hw-large": ""}),
            button.bare("chevron-right", "Next picture", custom_attrs={"data-hw-step": "1"}),
            class_name="hw-lightbox-stage",
        ),
        rx.el.p(dir="auto", class_name="hw-lightbox-caption", custom_attrs={"data-hw-caption": ""}),
        id="hw-lightbox",
        class_name="hw-lightbox",
        custom_attrs={"aria-label": "Picture"},
    )
