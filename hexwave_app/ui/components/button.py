"""Buttons of the house: a quiet one, an outlined one, and one that is only an icon."""

import reflex as rx


def icon(name: str, size: int = 16) -> rx.Component:
    return rx.icon(name, size=size, custom_attrs={"aria-hidden": "true"})


def ghost(name: str, text: str | rx.Var[str], **props) -> rx.Component:
    return _button(icon(name), rx.el.span(text), kind="hw-ghost", **props)


def plain(text: str | rx.Var[str], **props) -> rx.Component:
    return _button(text, kind="hw-ghost", **props)


def soft(text: str | rx.Var[str], **props) -> rx.Component:
    return _button(text, kind="hw-soft", **props)


def outline(name: str, text: str | rx.Var[str], **props) -> rx.Component:
    return _button(icon(name), rx.el.span(text), kind="hw-outline", **props)


def bare(name: str, label: str | rx.Var[str], **props) -> rx.Component:
    """An icon alone; `label` is its name, with its object."""
    return _button(icon(name), kind="hw-bare", aria_label=label, title=label, **props)


def _button(*children, kind: str, **props) -> rx.Component:
    more = props.pop("class_name", "")
    return rx.el.button(
        *children, type=props.pop("type", "button"), class_name=f"hw-button {kind} {more}", **props
    )
