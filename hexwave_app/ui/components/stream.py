"""The feed of jobs, newest first, and what stands there before the first one."""

from typing import Any

import reflex as rx

from hexwave_app.ui.components import wave
from hexwave_app.ui.components.job_row import job_row
from hexwave_app.ui.job import Job

EXAMPLES = [
    ("/examples/harbour.webp", "Harbour in low amber light, mountains far behind, the sea almost still"),
    ("/examples/moonlight.webp", "Night sea, one path of moonlight, a few thin clouds"),
    ("/examples/forest.webp", "Pine forest at dusk, last light on the ridge, mist between the trees"),
]


def stream(jobs: rx.Var[list[Job]], *, ready: rx.Var[bool], cancel: Any, retry: Any) -> rx.Component:
    """The empty state waits for `ready`, so that it never flashes before the jobs arrive."""
    return rx.el.section(
        rx.cond(
            jobs.length() > 0,
            rx.el.div(
                rx.foreach(jobs, lambda job: job_row(job, cancel=cancel, retry=retry)),
                role="feed",
                class_name="hw-feed",
                custom_attrs={"aria-label": "Jobs, newest first"},
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
        rx.el.p("Write a picture above, or start from one of these.", class_name="hw-subtitle"),
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
