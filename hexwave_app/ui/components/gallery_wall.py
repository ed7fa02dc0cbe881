"""The Gallery's toolbar, the wall of tiles that gallery.js fills, and what can be done with many of them."""

import json
from typing import Any

import reflex as rx

from hexwave_app.ui.components import button, dialog
from hexwave_app.ui.components.element import CustomElement
from hexwave_app.ui.model_option import ModelOption
from hexwave_app.ui.routes import STUDIO
from hexwave_app.ui.words import endings

_FILTERS, _FURTHER = "hw-filters", "hw-further"
_WAITING = [0.8, 1.5, 1.0, 1.5, 0.66, 1.5, 0.66, 1.5, 0.8, 1.5]
"""The shapes of the tiles that are not there yet."""


class Wall(CustomElement):
    """Reads pages of tiles and keeps those near the screen on the page; see gallery.js."""

    tag = "hw_gallery"


def gallery_wall(
    *,
    models: rx.Var[list[ModelOption]],
    makers: rx.Var[str],
    ready: rx.Var[bool],
    news: rx.Var[int],
) -> rx.Component:
    """`makers` is JSON of the providers' titles. It begins once `ready`, and looks again at each `news`."""
    words = json.dumps(endings() | {"running": "Running"})
    return Wall.create(
        _toolbar(models),
        rx.el.section(
            _mark(rx.el.div(role="feed", class_name="hw-tiles"), "tiles", **{"aria-label": "Pictures"}),
            _waiting(),
            _stuck(),
            rx.el.p("That is everything.", class_name="hw-end"),
            _instead("empty", "Nothing here yet", "Pictures you make are kept here.", _to_studio()),
            _unmatched(),
            _instead(
                "failed",
                "The pictures could not be read",
                "They are safe. The server does not answer at the moment.",
                _mark(button.outline("rotate-ccw", "Try again"), "again"),
            ),
            id="results",
            tab_index=-1,
            class_name="hw-results",
            custom_attrs={"aria-label": "Results"},
        ),
        _mark(rx.el.button(type="button", class_name="hw-button hw-fresh", hidden=True), "fresh"),
        _bulk(),
        custom_attrs={
            "ready": rx.cond(ready, "true", "false"),
            "news": news.to_string(),
            "data-words": words,
            "data-makers": makers,
        },
    )


def _mark(component: rx.Component, name: str, **attributes: str) -> rx.Component:
    """By this attribute gallery.js knows a part."""
    component.custom_attrs |= {f"data-hw-{name}": "", **attributes}
    return component


def _toolbar(models: rx.Var[list[ModelOption]]) -> rx.Component:
    # Plain fields: they and the address say the same, and gallery.js keeps them together.
    return rx.el.form(
        rx.el.div(
            rx.el.p("Gallery", class_name="hw-title", custom_attrs={"aria-hidden": "true"}),
            _mark(rx.el.span(class_name="hw-gallery-count", title="Items"), "count"),
            class_name="hw-gallery-head",
        ),
        _search(),
        _mark(
            button.outline(
                "sliders-horizontal",
                "Filters",
                class_name="hw-filters-open",
                custom_attrs={"popoverTarget": _FILTERS},
            ),
            "filters",
        ),
        _filters(models),
        rx.el.div(
            _mark(
                button.soft("Select", class_name="hw-choose", custom_attrs={"aria-pressed": "false"}),
                "select",
            ),
            class_name="hw-toolbar-end",
        ),
        class_name="hw-toolbar",
        custom_attrs={"role": "search", "aria-label": "Gallery", "autoComplete": "off"},
    )


def _search() -> rx.Component:
    return rx.el.label(
        button.icon("search"),
        rx.el.input(
            type="search",
            name="q",
            placeholder="Search prompts",
            max_length=200,
            aria_label="Search prompts",
            custom_attrs={"enterKeyHint": "search"},
        ),
        rx.el.kbd("/", custom_attrs={"aria-hidden": "true"}),
        class_name="hw-find",
    )


def _filters(models: rx.Var[list[ModelOption]]) -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.span("Filters"),
            button.bare(
                "x",
                "Close filters",
                custom_attrs={"popoverTarget": _FILTERS, "popoverTargetAction": "hide"},
            ),
            class_name="hw-filters-head",
        ),
        rx.el.div(
            *[
                _kind(value, text)
                for value, text in (("all", "All"), ("image", "Images"), ("video", "Video"))
            ],
            role="radiogroup",
            class_name="hw-segment",
            custom_attrs={"aria-label": "Kind"},
        ),
        _pick(
            "Status",
            "status",
            [("", "Done"), ("running", "Running"), ("failed", "Failed"), ("any", "Any")],
        ),
        rx.el.label(
            rx.el.input(type="checkbox", name="favourites", aria_label="Favourites"),
            button.icon("heart"),
            "Favourites",
            class_name="hw-button hw-outline hw-favourites",
        ),
        _mark(
            button.outline(
                "list-filter", "More", class_name="hw-further", custom_attrs={"popoverTarget": _FURTHER}
            ),
            "further",
            **{"aria-label": "More filters"},
        ),
        _further(models),
        _pick("Sort", "sort", [("", "Newest first"), ("oldest", "Oldest first")], kind="hw-sort"),
        id=_FILTERS,
        class_name="hw-filters",
        custom_attrs={"popover": "auto"},
    )


def _kind(value: str, text: str) -> rx.Component:
    return rx.el.label(rx.el.input(type="radio", name="kind", value=value), text)


def _pick(title: str, name: str, options: list[tuple[str, str]], *, kind: str = "") -> rx.Component:
    return rx.el.label(
        rx.el.span(title),
        rx.el.select(
            *[rx.el.option(text, value=value) for value, text in options], name=name, aria_label=title
        ),
        button.icon("chevron-down", size=14),
        class_name=f"hw-pick {kind}",
    )


def _further(models: rx.Var[list[ModelOption]]) -> rx.Component:
    return rx.el.div(
        rx.el.label(
            "Model",
            rx.el.select(
                rx.el.option("Any model", value=""),
                rx.foreach(models, lambda each: rx.el.option(each.label, value=each.id, key=each.id)),
                name="model",
            ),
            class_name="hw-field",
        ),
        rx.el.div(
            rx.el.label("From", rx.el.input(type="date", name="from"), class_name="hw-field"),
            rx.el.label("To", rx.el.input(type="date", name="to"), class_name="hw-field"),
            class_name="hw-dates",
        ),
        id=_FURTHER,
        class_name="hw-more",
        custom_attrs={"popover": "auto"},
    )


def _waiting() -> rx.Component:
    shapes = [rx.el.i(custom_attrs={"style": {"--r": ratio}}) for ratio in _WAITING]
    return rx.el.div(*shapes, class_name="hw-tiles-waiting", custom_attrs={"aria-hidden": "true"})


def _stuck() -> rx.Component:
    return rx.el.div(
        rx.el.span("Could not load more"),
        _mark(button.outline("rotate-ccw", "Try again"), "again"),
        class_name="hw-stuck",
    )


def _instead(kind: str, title: str, text: str, act: rx.Component) -> rx.Component:
    return rx.el.div(
        rx.el.h2(title, class_name="hw-title"),
        rx.el.p(text, class_name="hw-subtitle"),
        act,
        class_name=f"hw-instead hw-instead-{kind}",
    )


def _unmatched() -> rx.Component:
    return rx.el.div(
        rx.el.h2("No match", class_name="hw-title"),
        _mark(rx.el.p(class_name="hw-subtitle", dir="auto"), "unmatched"),
        _mark(button.outline("x", "Clear filters"), "clear-filters"),
        class_name="hw-instead hw-instead-unmatched",
    )


def _to_studio() -> rx.Component:
    return rx.el.a("Go to Studio", href=STUDIO, class_name="hw-button hw-outline")


def _bulk() -> rx.Component:
    return _mark(
        rx.el.div(
            _mark(rx.el.output(class_name="hw-bulk-count"), "selected"),
            _mark(button.ghost("download", "Download zip", aria_label="Download zip"), "zip"),
            _mark(
                button.ghost(
                    "heart", "Favourite", aria_label="Favourite", custom_attrs={"aria-pressed": "false"}
                ),
                "like",
            ),
            _mark(
                button.ghost("trash-2", "Delete", aria_label="Delete", class_name="hw-bulk-danger"), "discard"
            ),
            rx.el.hr(),
            _mark(button.bare("x", "Clear selection"), "clear-selection"),
            role="toolbar",
            class_name="hw-bulk",
            hidden=True,
        ),
        "bulk",
        **{"aria-label": "Selected items"},
    )


def discard_dialog(delete: Any) -> rx.Component:
    """gallery.js writes the ids and the question into it; `delete` is an event handler that takes the ids."""
    return rx.el.dialog(
        rx.el.form(
            rx.el.input(type="hidden", name="ids"),
            _mark(rx.el.h2(id="hw-discard-title", class_name="hw-dialog-title"), "question"),
            rx.el.p(
                "They disappear from your gallery and cannot be restored after Undo closes.",
                id="hw-discard-text",
                class_name="hw-dialog-text",
            ),
            rx.el.div(
                dialog.keep(),
                rx.el.button(
                    "Delete",
                    type="submit",
                    class_name="hw-button hw-act-danger",
                    custom_attrs={"data-hw-close": ""},
                ),
                class_name="hw-dialog-acts",
            ),
            on_submit=lambda form: delete(form.to(dict[str, str])["ids"]),
        ),
        id="hw-discard",
        class_name="hw-dialog",
        custom_attrs={"aria-labelledby": "hw-discard-title", "aria-describedby": "hw-discard-text"},
    )
