"""The settings of a form that is made from its tool's request: each input as the control of its kind."""

from typing import Any

import reflex as rx

from hexwave_app.ui.components import settings_panel as panel
from hexwave_app.ui.components.prompt_bar import FORM
from hexwave_app.ui.form_input import SEGMENTS, FormInput, InputOption
from hexwave_app.ui.shape import shape_of

_LONG = 200
"""Characters from which on a text has several lines."""


def form_sections(state: Any, inputs: list[FormInput]) -> list[rx.Component]:
    """In the order of the request, from a State class with ToolForm; the prompt has its place in the bar."""
    return [_section(state, each) for each in inputs if each.kind != "prompt"]


def field_name(each: FormInput) -> str:
    """That of what is typed, apart from the names that every form has."""
    return f"input-{each.name}"


def _section(state: Any, each: FormInput) -> rx.Component:
    option = state.options[each.name]
    help = panel.Help(f"hw-help-{each.name}", each.help) if each.help else None
    match each.kind:
        case "seed":
            return panel.seed(option.shown, state.seed, state.write_seed, state.roll_seed)
        case "leave out":
            return panel.leave_out(option.shown)
        case "picture":
            return panel.picture(each.name, each.title, option.shown, option.needed, help=help)
        case _:
            return rx.cond(option.shown, _control(state, each, option, help))


def _control(
    state: Any, each: FormInput, option: rx.Var[InputOption], help: panel.Help | None
) -> rx.Component:
    value, values = state.values[each.name], [*each.choices]

    def choose(chosen: Any) -> Any:
        return state.choose(each.name, chosen)

    if each.kind == "shape":
        shapes = [shape_of(ratio) for ratio in values]
        return panel.shapes(shapes, value, option.choices, choose, dimensions="", help=help)
    if each.kind == "switch":
        return _switch(each, value, choose, help)
    if not values:
        return _typed(each, value, option, choose, help)
    if each.whole and len(values) <= SEGMENTS:
        return panel.segments(each.title, values, value, option.choices, choose, help=help)
    return panel.choices(each.title, values, value, option.choices, choose, help=help)


def _switch(each: FormInput, value: rx.Var[str], choose: Any, help: panel.Help | None) -> rx.Component:
    on = value == "true"
    return panel.section(
        each.title,
        rx.el.button(
            rx.el.i(),
            type="button",
            id=f"hw-{each.name}",
            role="switch",
            on_click=choose(rx.cond(on, "false", "true").to(str)),
            class_name="hw-switch",
            custom_attrs={"aria-checked": rx.cond(on, "true", "false"), **panel.described(help)},
        ),
        control=f"hw-{each.name}",
        help=help,
    )


def _typed(
    each: FormInput, value: rx.Var[str], option: rx.Var[InputOption], choose: Any, help: panel.Help | None
) -> rx.Component:
    long = each.kind == "text" and each.longest > _LONG
    draw: Any = rx.el.textarea if long else rx.el.input
    return panel.section(
        each.title,
        panel.Chosen.create(
            draw(
                id=f"hw-{each.name}",
                name=field_name(each),
                form=FORM,
                on_change=lambda text: choose(text).debounce(300),
                # What waits is forgotten once another field is typed in.
                on_blur=choose,
                auto_complete="off",
                class_name="hw-input",
                custom_attrs={**panel.described(help), **_bounds(each, option)},
                **({"rows": 2, "dir": "auto"} if long else {}),
            ),
            custom_attrs={"value": value},
        ),
        aside="" if each.default else panel.wanted(option.needed),
        control=f"hw-{each.name}",
        help=help,
    )


def _bounds(each: FormInput, option: rx.Var[InputOption]) -> dict[str, Any]:
    """As attributes: of a field whose type it knows, Reflex would send a number, or none that is one."""
    if each.kind == "text":
        return {"maxLength": each.longest}
    step = str(each.step) if each.step is not None else "1" if each.whole else "any"
    return {
        "type": "number",
        "step": step,
        "max": option.most,
        **({"min": str(each.least)} if each.least is not None else {}),
    }
