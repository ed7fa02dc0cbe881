"""One picture of a process, large, and the others to choose from."""

from typing import Any

import reflex as rx

from hexwave_app.ui.components import button, mark, wave
from hexwave_app.ui.components.file_link import file_link
from hexwave_app.ui.components.frame import Picture, alt_of, enlarge, save
from hexwave_app.ui.components.player import player
from hexwave_app.ui.job import Frame, Job, Standing
from hexwave_app.ui.routes import MADE, STUDIO, VIDEO, tool_page

_MADE = [(tool_page(tool), tool.title) for tool in MADE]


def viewer(
    job: rx.Var[Job], now: rx.Var[Standing], frames: rx.Var[list[Frame]], *, retry: Any
) -> rx.Component:
    """`retry` is an event handler. Which picture is chosen is the page's own affair, see process.js."""
    ended_without = (now.state == "failed") | (now.state == "cancelled")
    return rx.el.div(
        rx.el.div(
            rx.el.a(
                button.icon("arrow-left"),
                rx.el.span(rx.match(job.form, (VIDEO, "Video"), *_MADE, "Studio")),
                href=rx.cond(job.form == "", STUDIO, job.form),
                class_name="hw-button hw-ghost hw-back",
            ),
            rx.cond(ended_without, rx.fragment(), _controls(job, now, frames)),
            class_name="hw-viewer-bar",
        ),
        rx.cond(ended_without, _without(now, retry), _pictures(job, frames)),
        wave.progress(job, now),
        key=job.id,
        id="job-" + job.id,
        class_name="hw-viewer",
    )


def _controls(job: rx.Var[Job], now: rx.Var[Standing], frames: rx.Var[list[Frame]]) -> rx.Component:
    return rx.fragment(
        rx.cond(
            frames.length() > 1,
            rx.el.div(
                button.bare("chevron-left", "Previous picture", custom_attrs={"data-hw-pick": "-1"}),
                rx.el.span(" of ", frames.length(), class_name="hw-place"),
                button.bare("chevron-right", "Next picture", custom_attrs={"data-hw-pick": "1"}),
                class_name="hw-turn",
            ),
        ),
        rx.cond(
            (now.state == "done") & ~frames[0].clip,
            button.bare("maximize", "Full screen", custom_attrs={"data-hw-enlarge": ""}),
        ),
        rx.cond((now.state == "done") & (frames.length() > 1), _download_all(job)),
    )


def _download_all(job: rx.Var[Job]) -> rx.Component:
    return file_link(
        button.icon("folder-down"),
        rx.el.span("Download all"),
        href="/api/zip?ids=" + job.id,
        download=True,
        class_name="hw-button hw-ghost hw-all",
        aria_label="Download all",
        title="Download all",
    )


def _pictures(job: rx.Var[Job], frames: rx.Var[list[Frame]]) -> rx.Component:
    count = frames.length()
    return rx.fragment(
        rx.el.div(
            rx.foreach(frames, lambda each, i: _large(each, alt_of(job, i, count), save(job, each, i), i)),
            class_name="hw-strip hw-stage",
            custom_attrs={"style": rx.Var.create({"--r": job.width / job.height})},
        ),
        rx.cond(
            count > 1,
            rx.el.div(
                rx.foreach(frames, lambda each, i: _thumbnail(each, alt_of(job, i, count), i)),
                role="radiogroup",
                class_name="hw-thumbs",
                custom_attrs={"aria-label": "Picture"},
            ),
        ),
    )


def _large(each: rx.Var[Frame], alt: rx.Var[str], save_as: rx.Var[str], index: rx.Var[int]) -> rx.Component:
    finished = each.full != ""
    return rx.el.div(
        mark.empty(),
        rx.cond(
            each.clip,
            player(each, alt, save_as),
            rx.fragment(
                Picture.create(
                    custom_attrs={
                        "src": rx.cond(finished, each.full, each.shown),
                        "alt": rx.cond(finished, alt, ""),
                    }
                ),
                rx.cond(finished, enlarge(each, alt, save_as)),
            ),
        ),
        key=index,
        class_name="hw-frame hw-large",
        custom_attrs={"style": {"--thumbnail": rx.cond(finished, "url(" + each.shown + ")", "none")}},
    )


def _thumbnail(each: rx.Var[Frame], alt: rx.Var[str], index: rx.Var[int]) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="radio",
            name="hw-picture",
            default_checked=index == 0,
            class_name="hw-hidden",
            custom_attrs={"aria-label": alt},
        ),
        Picture.create(custom_attrs={"src": each.shown, "alt": ""}),
        key=index,
        class_name="hw-thumb",
    )


def _without(now: rx.Var[Standing], retry: Any) -> rx.Component:
    """What happened, what is safe, and the button, in the place of a picture."""
    return rx.el.div(
        mark.empty(),
        rx.el.p(now.sentence, class_name="hw-subtitle"),
        rx.match(
            now.remedy,
            ("retry", button.outline("rotate-ccw", "Retry", on_click=retry)),
            ("again", button.outline("rotate-ccw", "Run again", on_click=retry)),
            rx.fragment(),
        ),
        class_name="hw-without",
    )
