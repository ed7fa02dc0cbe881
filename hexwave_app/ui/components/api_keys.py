"""API keys: the form that makes one, the place where it shows once, and the list."""

from typing import Any

import reflex as rx

from hexwave_app.identity.api_key import NAME_LIMIT
from hexwave_app.ui.components import button, dialog, moment
from hexwave_app.ui.components.element import CustomElement


class MadeKey(CustomElement):
    """Holds a token while it is shown, and forgets it when it is put away or the page is left: keys.js."""

    tag = "hw_made_key"


def key_form(*, make: Any, hint: rx.Var[str]) -> rx.Component:
    """`make` takes the form: name."""
    return rx.el.form(
        rx.el.label("Name", html_for="hw-key-name", class_name="hw-label"),
        rx.el.div(
            rx.el.input(
                id="hw-key-name",
                name="name",
                type="text",
                max_length=NAME_LIMIT,
                placeholder="Laptop, build server",
                auto_complete="off",
                class_name="hw-input",
                custom_attrs={"aria-describedby": "hw-key-blank hw-key-hint"},
            ),
            rx.el.button("Create key", type="submit", class_name="hw-button hw-act"),
            class_name="hw-key-fields",
        ),
        rx.el.p("Name the key first.", id="hw-key-blank", class_name="hw-hint hw-blank"),
        rx.cond(hint != "", rx.el.p(hint, id="hw-key-hint", class_name="hw-hint hw-refused")),
        id="hw-key-form",
        on_submit=make,
        class_name="hw-key-form",
        custom_attrs={"aria-label": "New API key"},
    )


def made_key() -> rx.Component:
    return MadeKey.create(
        rx.el.div(
            button.icon("key-round"),
            rx.el.p(
                rx.el.strong(custom_attrs={"data-hw-made-name": ""}, dir="auto"),
                rx.el.span(
                    " Copy this key now. It is not shown again, and whoever has it is you.",
                    id="hw-made-warning",
                ),
            ),
            class_name="hw-made-words",
        ),
        rx.el.div(
            rx.el.input(
                type="text",
                read_only=True,
                auto_complete="off",
                spell_check=False,
                class_name="hw-input hw-token",
                custom_attrs={"aria-label": "API key", "aria-describedby": "hw-made-warning"},
            ),
            button.outline("copy", "Copy", custom_attrs={"data-hw-copy-key": ""}),
            button.plain("Done", custom_attrs={"data-hw-hide-key": ""}),
            class_name="hw-key-fields",
        ),
    )


def key_list(keys: rx.Var[list[Any]], *, known: rx.Var[bool]) -> rx.Component:
    return rx.cond(
        keys.length() > 0,
        rx.el.ul(rx.foreach(keys, _row), class_name="hw-key-list", custom_attrs={"aria-label": "Your keys"}),
        rx.cond(
            known,
            rx.el.div(
                rx.el.h3("No keys yet", class_name="hw-key-none"),
                rx.el.p("A key that you create is listed here until you revoke it."),
                class_name="hw-keys-empty",
            ),
        ),
    )


def _row(key: rx.Var[Any]) -> rx.Component:
    return rx.el.li(
        rx.el.p(key.name, dir="auto", title=key.name, class_name="hw-key-title"),
        rx.el.code(key.start + "…", class_name="hw-key-start"),
        rx.el.dl(
            _time("Created", moment.ago(key.created)),
            _time("Last used", rx.cond(key.used != "", moment.ago(key.used), rx.el.span("never"))),
            class_name="hw-key-times",
        ),
        button.outline(
            "trash-2",
            "Revoke",
            aria_label="Revoke: " + key.name,
            class_name="hw-key-revoke",
            custom_attrs={"data-hw-revoke": key.id, "data-name": key.name},
        ),
        key=key.id,
        class_name="hw-key",
    )


def _time(word: str, time: rx.Component) -> rx.Component:
    return rx.el.div(rx.el.dt(word), rx.el.dd(time))


def revoke_dialog(revoke: Any) -> rx.Component:
    """keys.js writes the key's id and name into it; `revoke` is an event handler that takes the id."""
    return rx.el.dialog(
        rx.el.form(
            rx.el.input(type="hidden", name="key"),
            rx.el.h2("Revoke this key?", id="hw-revoke-title", class_name="hw-dialog-title"),
            rx.el.p(
                rx.el.strong(custom_attrs={"data-hw-revoke-name": ""}, dir="auto"),
                rx.el.span(" Scripts that use it are refused at once. This cannot be undone."),
                id="hw-revoke-text",
                class_name="hw-dialog-text",
            ),
            rx.el.div(
                dialog.keep(),
                rx.el.button("Revoke", type="submit", class_name="hw-button hw-act-danger"),
                class_name="hw-dialog-acts",
            ),
            id="hw-revoke-form",
            on_submit=lambda form: revoke(form.to(dict[str, str])["key"]),
        ),
        id="hw-revoke",
        class_name="hw-dialog",
        custom_attrs={"aria-labelledby": "hw-revoke-title", "aria-describedby": "hw-revoke-text"},
    )
