"""The prompt and its Generate button. The form is uncontrolled: typing never reaches the server."""

import json
from dataclasses import dataclass
from typing import Any

import reflex as rx

from hexwave_app.tools.image_generator import PROMPT_LIMIT
from hexwave_app.ui.components import button, connection
from hexwave_app.ui.components.element import CustomElement

FORM = "hw-form"
SETTINGS = "hw-settings"


class Prompt(CustomElement):
    """Keeps the draft, counts, and grows the field, see hexwave.js."""

    tag = "hw_prompt"


@dataclass(frozen=True)
class Invitation:
    """What a page asks for: the name of its form, what stands in the empty field, what is said where nothing
    was written, and prompts for whoever wants to be surprised, if there are any.

    `longest` is in characters; a prompt may stay empty unless it is `needed`. Without a `field`, a page has
    nothing but its settings.
    """

    label: str
    placeholder: str
    blank: str
    surprises: list[str]
    longest: int = PROMPT_LIMIT
    needed: bool = True
    field: bool = True


def prompt_bar(
    invitation: Invitation,
    *,
    generate: Any,
    enhance: Any,
    summary: rx.Var[str],
    brief: rx.Var[str],
    hint: rx.Var[str],
    chip: rx.Component | None = None,
    refers: bool | rx.Var[bool] = False,
) -> rx.Component:
    """`generate` takes the form: prompt, leaveOut, seed, click and a picture. `enhance` takes the prompt,
    what to leave out and the number of the press, see studio.js. `brief` is the settings in a few letters;
    `refers` says whether the model has a use for the picture that `chip` shows.
    """
    return rx.el.form(
        rx.el.input(type="hidden", name="click"),
        rx.fragment() if chip is None else rx.cond(refers, chip),
        _prompt(invitation, hint) if invitation.field else _refusal(hint),
        rx.el.div(
            rx.fragment() if chip is None else rx.cond(refers, _refer()),
            _surprise(invitation.surprises) if invitation.surprises else rx.fragment(),
            _enhance(enhance) if invitation.field else _name(invitation.label),
            _settings(brief),
            rx.el.p(summary, class_name="hw-summary"),
            _generate(),
            class_name="hw-bar-foot",
        ),
        id=FORM,
        on_submit=generate,
        class_name="hw-bar",
        custom_attrs={"aria-label": invitation.label},
    )


def _prompt(invitation: Invitation, hint: rx.Var[str]) -> rx.Component:
    return Prompt.create(
        _field(invitation.placeholder, invitation.longest),
        rx.el.p(class_name="hw-counter"),
        rx.el.p(invitation.blank, id="hw-blank", class_name="hw-hint hw-blank"),
        rx.el.p(id="hw-unfit", class_name="hw-hint hw-unfit", role="alert"),
        _refusal(hint),
        custom_attrs={} if invitation.needed else {"data-optional": ""},
    )


def _name(label: str) -> rx.Component:
    """Where there is no prompt to say what the page is for."""
    # The form has it for its name already.
    return rx.el.p(label, class_name="hw-bar-name", custom_attrs={"aria-hidden": "true"})


def _refusal(hint: rx.Var[str]) -> rx.Component:
    return rx.cond(hint != "", rx.el.p(hint, id="hw-hint", class_name="hw-hint hw-refused"))


def _surprise(prompts: list[str]) -> rx.Component:
    return button.ghost(
        "shuffle",
        "Surprise me",
        aria_label="Surprise me",
        class_name="hw-surprise",
        custom_attrs={"data-hw-surprise": json.dumps(prompts)},
    )


def _refer() -> rx.Component:
    return button.ghost(
        "image-plus",
        "Reference",
        aria_label="Reference",
        class_name="hw-refer",
        custom_attrs={"data-hw-refer": ""},
    )


def _field(placeholder: str, longest: int) -> rx.Component:
    return rx.el.textarea(
        id="hw-prompt",
        name="prompt",
        rows=1,
        max_length=longest,
        placeholder=placeholder,
        auto_complete="off",
        dir="auto",
        class_name="hw-prompt-field",
        custom_attrs={
            "aria-label": placeholder,
            "aria-describedby": "hw-blank hw-unfit hw-hint",
            "aria-keyshortcuts": "/",
            "enterKeyHint": "enter",
        },
    )


def _enhance(enhance: Any) -> rx.Component:
    return button.ghost(
        "wand-sparkles",
        "Enhance",
        on_click=enhance(
            rx.Var("window.hexwave.original()").to(str),
            rx.Var("window.hexwave.leaveOut()").to(str),
            rx.Var("window.hexwave.press()").to(int),
        ),
        title="Add words for light and mood",
        aria_label="Enhance",
        class_name="hw-surprise",
        custom_attrs={"data-hw-enhance": ""},
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
