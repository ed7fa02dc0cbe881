"""The feed of jobs, newest first, and what stands there before the first one."""

from dataclasses import dataclass
from typing import Any

import reflex as rx

from hexwave_app.ui.components import button, wave
from hexwave_app.ui.components.job_row import Acts, job_row
from hexwave_app.ui.components.notify import notify_offer


@dataclass(frozen=True)
class Start:
    """What stands there before the first job: `write` says what to do, `examples` are pictures, prompts."""

    title: str
    write: str
    examples: list[tuple[str, str]]


def stream(
    ids: rx.Var[list[str]],
    *,
    ready: rx.Var[bool],
    more: rx.Var[bool],
    acts: Acts,
    start: Start,
    show_older: Any,
) -> rx.Component:
    """The empty state waits for `ready`, so that it never flashes before the jobs arrive.

    `ids` is the var of a State with `JobRows`; `more` says that there are older jobs, and `show_older` brings
    some of them.
    """
    return rx.el.section(
        notify_offer(),
        rx.cond(
            ids.length() > 0,
            rx.fragment(
                rx.el.div(
                    rx.foreach(ids, lambda id_: job_row(ids, id_, acts)),
                    role="feed",
                    class_name="hw-feed",
                    custom_attrs={"aria-label": "Jobs, newest first"},
                ),
                rx.cond(more, button.soft("Show older", on_click=show_older, class_name="hw-older")),
            ),
            rx.cond(ready, _empty(start)),
        ),
        id="results",
        tab_index=-1,
        class_name="hw-stream",
        custom_attrs={"aria-label": "Results"},
    )


def _empty(start: Start) -> rx.Component:
    return rx.el.div(
        wave.swell(),
        rx.el.h2(start.title, class_name="hw-title"),
        rx.el.p(
            start.write,
            " ",
            rx.el.span("above", class_name="hw-above"),
            rx.el.span("below", class_name="hw-below"),
            ", or start from one of these." if start.examples else ".",
            class_name="hw-subtitle",
        ),
        rx.el.ul(*[_example(*each) for each in start.examples], class_name="hw-examples")
        if start.examples
        else rx.fragment(),
        class_name="hw-empty",
    )


def _example(picture: str, prompt: str) -> rx.Component:
    return rx.el.li(
        rx.el.button(
            rx.el.img(src=picture, alt="", width=552, height=312),
            rx.el.span(prompt),
            type="button",
            class_name="hw-example",
            custom_attrs={"data-hw-fill": prompt},
        )
    )
