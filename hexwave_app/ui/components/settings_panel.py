"""How the next picture is made: model, shape, number, seed, what to leave out.

A column beside the stream; on small screens the same element is a popover, a drawer or a sheet.
"""

from typing import Any

import reflex as rx

from hexwave_app.ui.components import button, mark
from hexwave_app.ui.components.element import CustomElement
from hexwave_app.ui.components.prompt_bar import FORM, SETTINGS
from hexwave_app.ui.model_option import ModelOption
from hexwave_app.ui.shape import SHAPES, Shape

COUNTS = ["1", "2", "3", "4"]


class Chosen(CustomElement):
    """Keeps the controls inside at `value` while they stay uncontrolled, so that a choice shows at once."""

    tag = "hw_chosen"


def settings_panel(
    *,
    models: rx.Var[list[ModelOption]],
    option: rx.Var[ModelOption],
    shape: rx.Var[str],
    dimensions: rx.Var[str],
    count: rx.Var[str],
    seed: rx.Var[str],
    choose_model: Any,
    choose_shape: Any,
    choose_count: Any,
    write_seed: Any,
    roll_seed: Any,
) -> rx.Component:
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
        _model(models, option, choose_model),
        _section("Shape", _shapes(shape, option.shapes, choose_shape), aside=dimensions),
        _section("Images", _counts(count, option.counts, choose_count)),
        rx.cond(option.seed, _section("Seed", _seed(seed, write_seed, roll_seed), control="hw-seed")),
        rx.cond(
            option.leave_out,
            _section("Leave out", _leave_out(), aside="Optional", control="hw-leave-out"),
        ),
        id=SETTINGS,
        class_name="hw-panel",
        custom_attrs={"aria-label": "Settings", "popover": "auto"},
    )


def _section(
    title: str, *children: rx.Component, aside: str | rx.Var[str] = "", control: str = ""
) -> rx.Component:
    name = rx.el.label(title, html_for=control) if control else rx.el.span(title)
    return rx.el.div(
        rx.el.div(name, rx.el.span(aside, class_name="hw-caption"), class_name="hw-label"),
        *children,
        class_name="hw-section",
    )


def _model(models: rx.Var, option: rx.Var[ModelOption], choose: Any) -> rx.Component:
    """A drawn trigger under a native select, which brings each platform's own picker."""
    return _section(
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
                rx.foreach(models, _model_option),
                id="hw-model",
                on_change=choose,
                custom_attrs={"aria-description": option.caption},
            ),
            class_name="hw-model",
            custom_attrs={"value": option.id},
        ),
        control="hw-model",
    )


def _model_option(option: rx.Var[ModelOption]) -> rx.Component:
    missing = option.reason != ""
    return rx.el.option(
        rx.cond(missing, option.label + " · " + option.reason, option.label),
        key=option.id,
        value=option.id,
        disabled=missing,
    )


def _shapes(shape: rx.Var[str], known: rx.Var[list[str]], choose: Any) -> rx.Component:
    return Chosen.create(
        *[_shape(each, known, choose) for each in SHAPES],
        class_name="hw-shapes",
        custom_attrs={"role": "radiogroup", "aria-label": "Shape", "value": shape},
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


def _counts(count: rx.Var[str], known: rx.Var[list[str]], choose: Any) -> rx.Component:
    return Chosen.create(
        *[_count(each, known, choose) for each in COUNTS],
        class_name="hw-segments",
        custom_attrs={"role": "radiogroup", "aria-label": "Images", "value": count},
    )


def _count(count: str, known: rx.Var[list[str]], choose: Any) -> rx.Component:
    return rx.el.label(
        _radio("hw-count", count, known, choose, count),
        rx.el.span(count, custom_attrs={"aria-hidden": "true"}),
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


def _leave_out() -> rx.Component:
    return rx.el.textarea(
        id="hw-leave-out",
        name="leaveOut",
        form=FORM,
        dir="auto",
        rows=2,
        max_length=500,
        placeholder="people, text, watermark",
        auto_complete="off",
        class_name="hw-input",
    )
