"""A link for anybody: made, copied, and taken back."""

from typing import Any

import reflex as rx

from hexwave_app.ui.components import button
from hexwave_app.ui.components.file_link import file_link


def share_dialog(link: rx.Var[str], *, share: Any, revoke: Any) -> rx.Component:
    """One a page, opened by process.js. `share` and `revoke` are event handlers."""
    return rx.el.dialog(
        rx.el.div(
            rx.el.h2("Share", id="hw-share-title", class_name="hw-dialog-title"),
            button.bare("x", "Close sharing", custom_attrs={"data-hw-close": ""}),
            class_name="hw-dialog-head",
        ),
        rx.el.p(
            "Whoever has the link can see the pictures, the prompt and the model. Nothing else of yours.",
            id="hw-share-text",
            class_name="hw-dialog-text",
        ),
        rx.cond(link != "", _link(link, revoke), _none(share)),
        id="hw-share",
        class_name="hw-dialog",
        custom_attrs={"aria-labelledby": "hw-share-title", "aria-describedby": "hw-share-text"},
    )


def _none(share: Any) -> rx.Component:
    return rx.el.div(
        rx.el.button("Make a link", type="button", on_click=share, class_name="hw-button hw-prime"),
        class_name="hw-dialog-acts",
    )


def _link(link: rx.Var[str], revoke: Any) -> rx.Component:
    return rx.el.div(
        rx.el.input(
            value=link,
            read_only=True,
            class_name="hw-input hw-mono",
            custom_attrs={"aria-label": "Share link"},
        ),
        rx.el.div(
            rx.el.button(
                "Revoke link", type="button", on_click=revoke, class_name="hw-button hw-ghost hw-revoke"
            ),
            file_link(
                button.icon("external-link"),
                rx.el.span("Open"),
                href=link,
                target="_blank",
                rel="noopener",
                class_name="hw-button hw-outline",
            ),
            button.outline("copy", "Copy link", on_click=[rx.set_clipboard(link), rx.toast("Link copied")]),
            class_name="hw-dialog-acts",
        ),
        class_name="hw-share-link",
    )
