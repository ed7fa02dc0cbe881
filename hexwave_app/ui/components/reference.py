"""A picture of one's own that the next job is made of: in the prompt bar, or as the first frame of a clip."""

import reflex as rx

from hexwave_app.ui.components import button
from hexwave_app.ui.components.element import CustomElement
from hexwave_app.ui.components.prompt_bar import FORM


class Reference(CustomElement):
    """Takes a picture that is chosen, dropped or pasted, and keeps it on this device; see studio.js."""

    tag = "hw_reference"


def chip(name: str, title: str) -> rx.Component:
    """In the prompt bar, which is where it is dropped; `name` is that of the form's field."""
    return Reference.create(
        *_fields(name, title),
        rx.el.div(
            rx.el.img(alt=title, width=48, height=48),
            button.bare("x", f"Remove {title.lower()}", custom_attrs={"data-hw-unrefer": ""}),
            class_name="hw-reference-chip",
        ),
        rx.el.p("Drop to use as a reference", class_name="hw-drop", custom_attrs={"aria-hidden": "true"}),
        custom_attrs={"data-drop": "bar"},
    )


def drop_zone(name: str, title: str) -> rx.Component:
    """In the settings; the prompt bar takes what is dropped there as well."""
    return Reference.create(
        *_fields(name, title),
        rx.el.button(
            button.icon("image-plus"),
            rx.el.span("Drop a picture or choose one"),
            type="button",
            class_name="hw-zone",
            custom_attrs={"data-hw-refer": "", "aria-describedby": "hw-unfit-zone"},
        ),
        rx.el.div(
            rx.el.img(alt=title),
            button.bare(
                "x", f"Remove {title.lower()}", class_name="hw-unrefer", custom_attrs={"data-hw-unrefer": ""}
            ),
            class_name="hw-zone-picture",
        ),
        rx.el.p(id="hw-unfit-zone", class_name="hw-hint hw-unfit", role="alert"),
        custom_attrs={"data-drop": "zone"},
    )


def _fields(name: str, title: str) -> tuple[rx.Component, rx.Component]:
    return (
        rx.el.input(type="hidden", name=name, form=FORM),
        rx.el.input(
            type="file",
            accept="image/png,image/jpeg,image/webp",
            tab_index=-1,
            class_name="hw-file",
            custom_attrs={"aria-label": f"{title} file"},
        ),
    )
