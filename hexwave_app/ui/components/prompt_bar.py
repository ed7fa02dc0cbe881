"""The prompt and its Generate button. The form is uncontrolled: typing never reaches the server."""

import json
from typing import Any

import reflex as rx

from hexwave_app.ui.components import button, connection
from hexwave_app.ui.components.element import CustomElement

FORM = "hw-form"
SETTINGS = "hw-settings"
LIMIT = 2000

SURPRISES = [
    "A lighthouse on a basalt cliff, first light, gulls far below",
    "Terraced rice fields after rain, low cloud in the valley",
    "An empty tram at night, wet street, one lit window",
    "Dunes under a huge moon, a single line of footprints",
    "A paper boat on a still canal, autumn leaves, soft fog",
    "Snow on a mountain pass, a red cabin with smoke rising",
    "Reeds at the edge of a lake, dusk, the water like glass",
    "A greenhouse in winter, warm inside, frost on the panes",
]


class Prompt(CustomElement):
    """Keeps the draft, counts, and grows the field, see hexwave.js."""

    tag = "hw_prompt"


def prompt_bar(
    *,
    generate: Any,
    summary: rx.Var[str],
    brief: rx.Var[str],
    hint: rx.Var[str],
    placeholder: str = "Describe a picture",
) -> rx.Component:
    """`generate` takes the form: prompt, leaveOut, seed, click. `brief` is the settings in a few letters."""
    return rx.el.form(
        rx.el.input(type="hidden", name="click"),
        Prompt.create(
            _field(placeholder),
            rx.el.p(class_name="hw-counter"),
            rx.el.p("Describe the picture first.", id="hw-blank", class_name="hw-hint hw-blank"),
            rx.cond(hint != "", rx.el.p(hint, id="hw-hint", class_name="hw-hint hw-refused")),
        ),
        rx.el.div(
            button.ghost(
                "shuffle",
                "Surprise me",
                aria_label="Surprise me",
                class_name="hw-surprise",
                custom_attrs={"data-hw-surprise": json.dumps(SURPRISES)},
            ),
            _settings(brief),
            rx.el.p(summary, class_name="hw-summary"),
            _generate(),
            class_name="hw-bar-foot",
        ),
        id=FORM,
        on_submit=generate,
        class_name="hw-bar",
        custom_attrs={"aria-label": "New picture"},
    )


def _field(placeholder: str) -> rx.Component:
    return rx.el.textarea(
        id="hw-prompt",
        name="prompt",
        rows=1,
        max_length=LIMIT,
        placeholder=placeholder,
        auto_complete="off",
        dir="auto",
        class_name="hw-prompt-field",
        custom_attrs={
            "aria-label": placeholder,
            "aria-describedby": "hw-blank hw-hint",
            "aria-keyshortcuts": "/",
            "enterKeyHint": "enter",
        },
    )


def _settings(brief: rx.Var[str]) -> rx.Component:
    """Opens the settings where they are a drawer or a sheet."""
    return rx.el.button(
        button.icon("sliders-horizontal"),
        rx.el.span(brief),
        type="button",
        class_name="hw-button hw-soft hw-settings-open",
        custom_attrs={"popoverTarget": SETTINGS, "aria-label": "Settings: " + brief},
    )


def _generate() -> rx.Component:
    return rx.el.button(
        "Generate",
        rx.el.kbd(
            rx.el.span("Ctrl", class_name="hw-key-ctrl"),
            rx.el.span("⌘", class_name="hw-key-cmd"),
            " ↵",
            custom_attrs={"aria-hidden": "true"},
        ),
        type="submit",
        class_name="hw-button hw-generate",
        title=rx.cond(connection.lost, "Waiting for the connection", ""),
        custom_attrs={
            "aria-disabled": rx.cond(connection.lost, "true", "false"),
            "aria-keyshortcuts": "Control+Enter Meta+Enter",
        },
    )
