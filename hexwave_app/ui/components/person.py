"""Who sits at the page: a guest, or who is signed in with Clerk.

person.jsx says which, person.css shows it.
"""

import reflex as rx

from hexwave_app.ui.components import button
from hexwave_app.ui.routes import KEYS, TABS, Tab


class Person(rx.Component):
    """Asks the server who sits here, and loads Clerk where people can sign in."""

    library = "$/public/person.jsx"
    tag = "Person"
    # Only clerk.jsx imports it, which no page of a server without keys loads.
    lib_dependencies: list[str] = ["@clerk/react@6.18.0"]


def person() -> rx.Component:
    """The person's menu, and what signs in; on phones the menu holds that and the theme too."""
    return rx.fragment(
        button.plain("Sign up", class_name="hw-when-out", custom_attrs={"data-hw-sign-up": ""}),
        button.outline("log-in", "Sign in", class_name="hw-when-out", custom_attrs={"data-hw-sign-in": ""}),
        Person.create(),
        _menu(),
    )


def gate() -> rx.Component:
    """What takes the place of a page while nobody is signed in who could see it."""
    return rx.fragment(
        rx.el.section(
            rx.el.h2("Sign in to make pictures"),
            rx.el.p("They are kept under your account. What you made here as a guest comes along."),
            rx.el.div(
                button.outline("log-in", "Sign in", custom_attrs={"data-hw-sign-in": ""}),
                button.plain("Sign up", custom_attrs={"data-hw-sign-up": ""}),
            ),
            class_name="hw-gate hw-when-out",
        ),
        rx.el.section(
            rx.el.h2("Sign-in cannot be reached"),
            rx.el.p("Clerk, which signs people in here, does not answer. Your jobs keep running."),
            rx.el.div(button.outline("rotate-cw", "Try again", custom_attrs={"data-hw-reload": ""})),
            class_name="hw-gate hw-when-away",
            role="alert",
        ),
    )


def _menu() -> rx.Component:
    return rx.dropdown_menu.root(
        rx.dropdown_menu.trigger(
            rx.el.button(
                rx.el.span("G", class_name="hw-avatar", custom_attrs={"aria-hidden": "true"}),
                rx.el.span("Guest", class_name="hw-person-name", custom_attrs={"aria-hidden": "true"}),
                # Its name is text: a label would have to begin with the avatar's letter, which is seen.
                rx.el.span("Guest: menu", class_name="hw-hidden"),
                type="button",
                class_name="hw-button hw-ghost hw-person",
            )
        ),
        rx.dropdown_menu.content(
            _act("log-in", "Sign in", "sign-in", "out"),
            _act("user-plus", "Sign up", "sign-up", "out"),
            _act("user", "Account", "account", "in"),
            *[_tab(tab) for tab in TABS if not tab.narrow],
            rx.dropdown_menu.item(
                button.icon("key-round"), "API keys", on_select=rx.redirect(KEYS), class_name="hw-item"
            ),
            rx.dropdown_menu.item(
                rx.color_mode_cond(light=button.icon("moon"), dark=button.icon("sun")),
                rx.color_mode_cond(light="Dark theme", dark="Light theme"),
                on_select=rx.toggle_color_mode,
                class_name="hw-item hw-narrow",
            ),
            _act("log-out", "Sign out", "sign-out", "in"),
            align="end",
            class_name="hw-menu",
        ),
        modal=False,
    )


def _tab(tab: Tab) -> rx.Component:
    return rx.dropdown_menu.item(
        button.icon(tab.icon),
        tab.title,
        on_select=rx.redirect(tab.href),
        class_name="hw-item hw-narrow" if tab.wide else "hw-item",
    )


def _act(icon: str, words: str, act: str, when: str) -> rx.Component:
    return rx.dropdown_menu.item(
        button.icon(icon),
        words,
        class_name=f"hw-item hw-when-{when}",
        custom_attrs={f"data-hw-{act}": ""},
    )
