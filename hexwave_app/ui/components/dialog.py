"""Small questions: a title, a sentence, the safe choice first and the act on the right."""

from typing import Any

import reflex as rx

from hexwave_app.ui.components import button


def delete_dialog(delete: Any) -> rx.Component:
    """One a page. hexwave.js writes the job's id into it; `delete` is an event handler that takes the id."""
    return rx.el.dialog(
        rx.el.form(
            rx.el.input(type="hidden", name="job"),
            rx.el.h2("Delete this job?", id="hw-delete-title", class_name="hw-dialog-title"),
            rx.el.p(
                "Its pictures disappear from here and cannot be restored.",
                id="hw-delete-text",
                class_name="hw-dialog-text",
            ),
            rx.el.div(
                rx.el.button(
                    "Keep",
                    type="button",
                    auto_focus=True,
                    class_name="hw-button hw-outline",
                    custom_attrs={"data-hw-close": ""},
                ),
                rx.el.button("Delete", type="submit", class_name="hw-button hw-act-danger"),
                class_name="hw-dialog-acts",
            ),
            id="hw-delete-form",
            on_submit=lambda form: delete(form.to(dict[str, str])["job"]),
        ),
        id="hw-delete",
        class_name="hw-dialog",
        custom_attrs={"aria-labelledby": "hw-delete-title", "aria-describedby": "hw-delete-text"},
    )


SHORTCUTS = [
    (("Ctrl", "Enter"), "Generate"),
    (("/",), "Write the prompt"),
    (("Esc",), "Close, or leave the field"),
    (("←", "→"), "Previous and next picture"),
    (("?",), "This list"),
]


def shortcuts_dialog() -> rx.Component:
    return rx.el.dialog(
        rx.el.div(
            rx.el.h2("Shortcuts", id="hw-shortcuts-title", class_name="hw-dialog-title"),
            button.bare("x", "Close shortcuts", custom_attrs={"data-hw-close": ""}),
            class_name="hw-dialog-head",
        ),
        rx.el.dl(*[_shortcut(keys, what) for keys, what in SHORTCUTS], class_name="hw-shortcuts"),
        rx.el.label(
            rx.el.input(type="checkbox", custom_attrs={"data-hw-letters": ""}),
            "Use single keys",
            class_name="hw-check",
        ),
        id="hw-shortcuts",
        class_name="hw-dialog",
        custom_attrs={"aria-labelledby": "hw-shortcuts-title"},
    )


def _shortcut(keys: tuple[str, ...], what: str) -> rx.Component:
    return rx.el.div(rx.el.dt(what), rx.el.dd(*[_key(key) for key in keys]))


def _key(key: str) -> rx.Component:
    if key != "Ctrl":
        return rx.el.kbd(key)
    return rx.el.kbd(rx.el.span("Ctrl", class_name="hw-key-ctrl"), rx.el.span("⌘", class_name="hw-key-cmd"))
