"""How the next job is to be, a section a setting: its model, its shape, its seed and the like.

A column beside the stream; on small screens the same element is a popover, a drawer or a sheet.
"""

from dataclasses import dataclass
from typing import Any

import reflex as rx

from hexwave_app.tools.image_generator import PROMPT_LIMIT
from hexwave_app.ui.components import button, mark
from hexwave_app.ui.components.element import CustomElement
from hexwave_app.ui.components.prompt_bar import FORM, SETTINGS
from hexwave_app.ui.components.reference import drop_zone
from hexwave_app.ui.job import spoken
from hexwave_app.ui.model_option import ModelOption
from hexwave_app.ui.shape import Shape


class Chosen(CustomElement):
    """Keeps the controls inside at `value` while they stay uncontrolled, so that a choice shows at once."""

    tag = "hw_chosen"


class Kept(CustomElement):
    """Keeps `value` on this device, see studio.js."""

    tag = "hw_kept"


@dataclass(frozen=True)
class Help:
    """What a setting is for; `id` ties the words to its control."""

    id: str
    words: str


def described(help: Help | None) -> dict[str, Any]:
    """The attribute by which a control has its help."""
    return {"aria-describedby": help.id} if help is not None else {}


def settings_panel(*sections: rx.Component, kept: rx.Var[str]) -> rx.Component:
    """`kept` is the settings as the browser keeps them."""
    return rx.el.aside(
        rx.el.div(
            rx.el.h2("Settings", class_name="hw-sheet-title"),
            button.bare(
                "x",
                "Close settings",
                class_name="hw-sheet-close",
                custom_attrs={"popoverTarget": SETTINGS, "popoverTargetAction": "hide"},
            ),
            class_name="hw-sheet-head",
        ),
        *sections,
        Kept.create(custom_attrs={"value": kept}),
        id=SETTINGS,
        class_name="hw-panel",
        custom_attrs={"aria-label": "Settings", "popover": "auto"},
    )


def models(known: rx.Var[list[ModelOption]], option: rx.Var[ModelOption], choose: Any) -> rx.Component:
    """A drawn trigger under a native select, which brings each platform's own picker."""
    return section(
        "Model",
        Chosen.create(
            mark.logo(22),
            rx.el.span(
                rx.el.span(option.title, class_name="hw-model-title"),
                rx.el.span(option.caption, class_name="hw-caption"),
                class_name="hw-model-words",
                custom_attrs={"aria-hidden": "true"},
            ),
            button.icon("chevrons-up-down"),
            rx.el.select(
                rx.foreach(known, _model_option),
                id="hw-model",
                on_change=choose,
                custom_attrs={"aria-description": option.caption},
            ),
            class_name="hw-model",
            custom_attrs={"value": option.id},
        ),
        control="hw-model",
    )


def shapes(
    shapes: list[Shape],
    shape: rx.Var[str],
    known: rx.Var[list[str]],
    choose: Any,
    *,
    dimensions: str | rx.Var[str],
    help: Help | None = None,
) -> rx.Component:
    return section(
        "Shape",
        Chosen.create(
            *[_shape(each, known, choose) for each in shapes],
            class_name="hw-shapes",
            custom_attrs={
                "role": "radiogroup",
                "aria-label": "Shape",
                "value": shape,
                "style": {"--columns": len(shapes)},
                **described(help),
            },
        ),
        aside=dimensions,
        help=help,
    )


def segments(
    title: str,
    values: list[str],
    value: rx.Var[str],
    known: rx.Var[list[str]],
    choose: Any,
    *,
    unit: str = "",
    help: Help | None = None,
) -> rx.Component:
    """One of a few figures."""
    return section(
        title,
        Chosen.create(
            *[_segment(title, each, unit, known, choose) for each in values],
            class_name="hw-segments",
            custom_attrs={
                "role": "radiogroup",
                "aria-label": title,
                "value": value,
                "style": {"--columns": len(values)},
                **described(help),
            },
        ),
        help=help,
    )


def choices(
    title: str,
    values: list[str],
    value: rx.Var[str],
    known: rx.Var[list[str]],
    choose: Any,
    *,
    help: Help | None = None,
) -> rx.Component:
    """One of a few words, as chips; shown where the model knows any."""
    return rx.cond(
        known.length() > 0,
        section(
            title,
            Chosen.create(
                *[_choice(title, each, known, choose) for each in values],
                class_name="hw-chips",
                custom_attrs={"role": "radiogroup", "aria-label": title, "value": value, **described(help)},
            ),
            help=help,
        ),
    )


def seed(shown: rx.Var[bool], seed: rx.Var[str], write: Any, roll: Any) -> rx.Component:
    return rx.cond(shown, section("Seed", _seed(seed, write, roll), control="hw-seed"))


def styles(chosen: rx.Var[list[str]], known: rx.Var[list[str]], toggle: Any) -> rx.Component:
    return rx.cond(known.length() > 0, section("Style", _styles(chosen, known, toggle)))


def leave_out(shown: rx.Var[bool]) -> rx.Component:
    return rx.cond(shown, section("Leave out", _leave_out(), aside="Optional", control="hw-leave-out"))


def picture(
    name: str, title: str, shown: rx.Var[bool], needed: rx.Var[bool], *, help: Help | None = None
) -> rx.Component:
    """One of one's own; `name` is that of the form's field."""
    return rx.cond(shown, section(title, drop_zone(name, title), aside=wanted(needed), help=help))


def wanted(needed: rx.Var[bool]) -> rx.Var[str]:
    return rx.cond(needed, "Needed", "Optional").to(str)


def section(
    title: str,
    *children: rx.Component,
    aside: str | rx.Var[str] = "",
    control: str = "",
    help: Help | None = None,
) -> rx.Component:
    """A setting under its name; `control` is the id of the field that the name is for."""
    name = rx.el.label(title, html_for=control) if control else rx.el.span(title)
    return rx.el.div(
        rx.el.div(name, rx.el.span(aside, class_name="hw-caption"), class_name="hw-label"),
        *children,
        rx.el.p(help.words, id=help.id, class_name="hw-help") if help is not None else rx.fragment(),
        class_name="hw-section",
    )


def _model_option(option: rx.Var[ModelOption]) -> rx.Component:
    missing = option.reason != ""
    return rx.el.option(
        rx.cond(missing, option.label + " · " + option.reason, option.label),
        key=option.id,
        value=option.id,
        disabled=missing,
    )


def _shape(shape: Shape, known: rx.Var[list[str]], choose: Any) -> rx.Component:
    return rx.el.label(
        _radio("hw-shape", shape.ratio, known, choose, f"{shape.ratio}, {shape.spoken}"),
        rx.el.span(
            rx.el.i(custom_attrs={"style": {"--w": shape.width, "--h": shape.height}}),
            class_name="hw-shape-drawn",
        ),
        rx.el.span(shape.ratio, custom_attrs={"aria-hidden": "true"}),
        class_name="hw-shape",
    )


def _segment(title: str, value: str, unit: str, known: rx.Var[list[str]], choose: Any) -> rx.Component:
    return rx.el.label(
        _radio(f"hw-{title.lower()}", value, known, choose, f"{value}{unit}"),
        rx.el.span(f"{value}{unit}", custom_attrs={"aria-hidden": "true"}),
    )


def _choice(title: str, value: str, known: rx.Var[list[str]], choose: Any) -> rx.Component:
    words = spoken(value).capitalize()
    return rx.el.label(
        _radio(f"hw-{title.lower()}", value, known, choose, words),
        button.icon("check", size=14),
        rx.el.span(words, custom_attrs={"aria-hidden": "true"}),
        class_name="hw-chip",
    )


def _radio(name: str, value: str, known: rx.Var[list[str]], choose: Any, label: str) -> rx.Component:
    return rx.el.input(
        type="radio",
        name=name,
        value=value,
        disabled=~known.contains(value),
        on_change=choose(value),
        class_name="hw-hidden",
        custom_attrs={"aria-label": label},
    )


def _seed(seed: rx.Var[str], write: Any, roll: Any) -> rx.Component:
    return rx.el.div(
        Chosen.create(
            rx.el.input(
                id="hw-seed",
                name="seed",
                form=FORM,
                placeholder="Random each time",
                on_change=write.debounce(300),
                auto_complete="off",
                max_length=10,
                input_mode="numeric",
                class_name="hw-input hw-mono",
            ),
            custom_attrs={"value": seed},
        ),
        button.bare("dice-5", "Random seed", on_click=roll, class_name="hw-boxed"),
        class_name="hw-seed",
    )


def _styles(chosen: rx.Var[list[str]], known: rx.Var[list[str]], toggle: Any) -> rx.Component:
    return rx.el.div(
        rx.foreach(known, lambda style: _style(style, chosen.contains(style), toggle)),
        role="group",
        class_name="hw-chips",
        custom_attrs={"aria-label": "Style"},
    )


def _style(style: rx.Var[str], chosen: rx.Var[bool], toggle: Any) -> rx.Component:
    return rx.el.button(
        rx.cond(chosen, button.icon("check", size=14)),
        style.capitalize(),
        type="button",
        key=style,
        on_click=toggle(style),
        class_name="hw-chip",
        custom_attrs={"aria-pressed": rx.cond(chosen, "true", "false")},
    )


def _leave_out() -> rx.Component:
    return rx.el.textarea(
        id="hw-leave-out",
        name="leaveOut",
        form=FORM,
        dir="auto",
        rows=2,
        max_length=PROMPT_LIMIT,
        placeholder="people, text, watermark",
        auto_complete="off",
        class_name="hw-input",
    )
