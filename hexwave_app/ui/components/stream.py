"""The feed of jobs, newest first, and what stands there before the first one."""

from typing import Any

import reflex as rx

from hexwave_app.ui.components import button, wave
from hexwave_app.ui.components.job_row import job_row
from hexwave_app.ui.job import Job

EXAMPLES = [
    ("/examples/harbour.webp", "Harbour in low amber light, mountains far behind, the sea almost still"),
    ("/examples/moonlight.webp", "Night sea, one path of moonlight, a few thin clouds"),
    ("/examples/forest.webp", "Pine forest at dusk, last light on the ridge, mist between the trees"),
]


def stream(
    jobs: rx.Var[list[Job]],
    *,
    ready: rx.Var[bool],
    more: rx.Var[bool],
    cancel: Any,
    retry: Any,
    reuse: Any,
    show_older: Any,
) -> rx.Component:
    """The empty state waits for `ready`, so that it never flashes before the jobs arrive.

    `cancel`, `retry` and `reuse` are event handlers which take a job's id; `more` says that there are
    older jobs, and `show_older` brings some of them.
    """
    return rx.el.section(
        rx.cond(
            jobs.length() > 0,
            rx.fragment(
                rx.el.div(
                    rx.foreach(jobs, lambda job: job_row(job, cancel=cancel, retry=retry, reuse=reuse)),
                    role="feed",
                    class_name="hw-feed",
                    custom_attrs={"aria-label": "Jobs, newest first"},
                ),
                rx.cond(more, button.soft("Show older", on_click=show_older, class_name="hw-older")),
            ),
            rx.cond(ready, _empty()),
        ),
        id="results",
        tab_index=-1,
        class_name="hw-stream",
        custom_attrs={"aria-label": "Results"},
    )


def _empty() -> rx.Component:
    return rx.el.div(
        wave.swell(),
        rx.el.h2("Start with a sentence", class_name="hw-title"),
        rx.el.p(
            "Write a picture ",
            rx.el.span("above", class_name="hw-above"),
            rx.el.span("below", class_name="hw-below"),
            ", or start from one of these.",
            class_name="hw-subtitle",
        ),
        rx.el.ul(*[_example(*each) for each in EXAMPLES], class_name="hw-examples"),
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
