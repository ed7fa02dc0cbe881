"""The frame every page shares: skip link, header, banner, the page itself, and what speaks aloud."""

import reflex as rx

from hexwave_app.ui.components import button, connection, dialog, mark, person
from hexwave_app.ui.components.file_link import file_link
from hexwave_app.ui.components.live import live
from hexwave_app.ui.routes import STUDIO, TABS, Tab


def page(
    *content: rx.Component,
    current: str | rx.Var[str],
    running: rx.Var[int],
    demo: rx.Var[bool],
    behind: rx.Var[bool],
    announcement: rx.Var[str],
) -> rx.Component:
    """`current` is the href of the page's tab; `announcement` is what screen readers say when it changes.

    `behind` is true while what is shown may be old. Of the banners at most one shows.
    """
    return rx.el.div(
        file_link("Skip to results", href="#results", class_name="hw-skip"),
        rx.el.button(
            "Keyboard shortcuts",
            type="button",
            class_name="hw-skip",
            custom_attrs={"data-hw-shortcuts": ""},
        ),
        rx.el.div(_header(current, running, behind), connection.banner(behind), class_name="hw-top"),
        rx.cond(demo, _demo_banner()),
        rx.el.main(
            rx.el.h1(_title(current), class_name="hw-hidden"),
            *content,
            person.gate(),
            class_name="hw-main",
        ),
        rx.el.div(announcement, role="status", class_name="hw-hidden", custom_attrs={"aria-live": "polite"}),
        dialog.shortcuts_dialog(),
        class_name="hw-page",
        custom_attrs={"data-ready": rx.State.is_hydrated},
    )


def _title(current: str | rx.Var[str]) -> rx.Component | rx.Var:
    """That of the tab; a page that belongs to none has the app's name."""
    return rx.match(rx.Var.create(current), *[(tab.href, tab.title) for tab in TABS], "Hexwave")


def _header(current: str | rx.Var[str], running: rx.Var[int], behind: rx.Var[bool]) -> rx.Component:
    return rx.el.header(
        rx.el.div(
            rx.el.a(
                mark.logo(),
                rx.el.span("Hexwave"),
                href=STUDIO,
                class_name="hw-home",
                custom_attrs={"aria-label": "Hexwave"},
            ),
            rx.el.nav(*[_tab(tab, current) for tab in TABS if tab.wide], custom_attrs={"aria-label": "Main"}),
            live(running, behind),
            _theme(),
            person.person(),
            class_name="hw-wide",
        ),
        class_name="hw-header",
    )


def _tab(tab: Tab, current: str | rx.Var[str]) -> rx.Component:
    here = {"aria-current": rx.cond(rx.Var.create(current) == tab.href, "page", rx.Var("undefined"))}
    return rx.link(
        button.icon(tab.icon),
        rx.el.span(tab.title),
        href=tab.href,
        underline="none",
        class_name="hw-tab" if tab.narrow else "hw-tab hw-tab-aside",
        custom_attrs=here,
    )


def _theme() -> rx.Component:
    return rx.el.button(
        rx.color_mode_cond(light=button.icon("moon"), dark=button.icon("sun")),
        type="button",
        on_click=rx.toggle_color_mode,
        class_name="hw-button hw-bare hw-theme",
        aria_label=_theme_words(),
        title=_theme_words(),
    )


def _theme_words() -> rx.Var[str]:
    return rx.color_mode_cond(light="Theme: light. Switch to dark", dark="Theme: dark. Switch to light")


def _demo_banner() -> rx.Component:
    """Closed by hexwave.js, which remembers it on this device."""
    return rx.el.section(
        rx.el.div(
            button.icon("info"),
            rx.el.p(
                rx.el.strong("Demo painter:"),
                " procedural, not AI.",
                rx.el.span(" Add a provider key to use a real model.", class_name="hw-more-words"),
            ),
            button.bare("x", "Close banner", custom_attrs={"data-hw-dismiss": "demo"}),
            class_name="hw-wide",
        ),
        class_name="hw-banner hw-demo",
        custom_attrs={"aria-label": "Notice"},
    )
