"""Small questions: a title, a sentence, the safe choice first and the act on the right."""

import reflex as rx

from hexwave_app.ui.components import button

SHORTCUTS = [
    (("Ctrl", "Enter"), "Generate"),
    (("/",), "Write the prompt, or search"),
    (("↑", "↓"), "Earlier prompts, or the next tile"),
    (("Esc",), "Close, or leave the field"),
    (("←", "→"), "Previous and next picture"),
    (("D",), "Download the picture"),
    (("F",), "Favourite"),
    (("C",), "Copy the prompt"),
    (("R",), "Remix"),
    (("X",), "Select in the Gallery"),
    (("Ctrl", "A"), "Select all in the Gallery"),
    (("Del",), "Delete in the Gallery"),
    (("P",), "Pause the Inspector's log"),
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


def keep() -> rx.Component:
    """The way out of a question whether something is to be taken away; what has the focus first."""
    return rx.el.button(
        "Keep",
        type="button",
        auto_focus=True,
        class_name="hw-button hw-outline",
        custom_attrs={"data-hw-close": ""},
    )
