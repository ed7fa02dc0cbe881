"""What the pictures were made with, to read and to copy."""

import reflex as rx

from hexwave_app.ui.components import button
from hexwave_app.ui.fact import Fact


def fact_list(facts: rx.Var[list[Fact]], settings: rx.Var[str]) -> rx.Component:
    """`settings` is the text that is copied."""
    return rx.el.section(
        rx.el.dl(rx.foreach(facts, _fact), class_name="hw-facts"),
        button.outline(
            "copy", "Copy settings", on_click=[rx.set_clipboard(settings), rx.toast("Settings copied")]
        ),
        class_name="hw-facts-row",
        custom_attrs={"aria-label": "Settings"},
    )


def _fact(fact: rx.Var[Fact]) -> rx.Component:
    return rx.el.div(
        rx.el.dt(fact.name),
        rx.el.dd(fact.value, dir="auto", class_name=rx.cond(fact.mono, "hw-figures", "")),
        key=fact.name,
    )
