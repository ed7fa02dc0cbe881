"""What a process is and what can be done with it: status, id, prompt, actions, and where its time went."""

from typing import Any

import reflex as rx

from hexwave_app.ui.components import button, mark, moment
from hexwave_app.ui.timeline import Part


def process_notes(state: Any) -> rx.Component:
    """Of the State of the process page it takes job, now, parts, total, total_of, favourite, upscales and
    the handlers cancel(), favour(on), upscale(id, index) and discard().
    """
    job, now = state.job, state.now
    return rx.fragment(
        rx.el.div(_status(now), _id(job), class_name="hw-process-head"),
        rx.el.h2(job.prompt, dir="auto", class_name="hw-process-prompt"),
        rx.cond(now.notice != "", rx.el.p(now.notice, class_name="hw-notice")),
        _actions(state),
        _times(state),
    )


def _status(now: Any) -> rx.Component:
    return rx.el.p(
        rx.match(
            now.state,
            ("painting", mark.ring(now.percent)),
            ("saving", mark.saving()),
            ("done", mark.reached()),
            ("failed", mark.failed()),
            ("cancelled", mark.cancelled()),
            mark.dashed(),
        ),
        rx.el.span(now.word, class_name="hw-word"),
        rx.el.span(rx.cond(now.ended != "", moment.ago(now.ended), now.figure), class_name="hw-took"),
        class_name="hw-status",
        custom_attrs={"data-state": now.state},
    )


def _id(job: Any) -> rx.Component:
    return rx.el.span(
        rx.el.code(job.id, class_name="hw-id"),
        button.bare("copy", "Copy id", on_click=[rx.set_clipboard(job.id), rx.toast("Id copied")]),
        class_name="hw-id-row",
    )


def _actions(state: Any) -> rx.Component:
    job = state.job
    return rx.el.div(
        rx.match(
            state.now.state,
            ("done", _download(job)),
            ("queued", _cancel(state)),
            ("painting", _cancel(state)),
            rx.fragment(),
        ),
        rx.cond(job.form != "", _remix(job)),
        button.bare(
            "copy",
            "Copy prompt",
            on_click=[rx.set_clipboard(job.prompt), rx.toast("Prompt copied")],
            class_name="hw-boxed",
            custom_attrs={"data-hw-key": "c", "aria-keyshortcuts": "c"},
        ),
        rx.cond(
            state.now.state == "done",
            rx.fragment(
                _favourite(state),
                rx.cond(state.upscales & (job.noun == "image"), _upscale(state)),
                button.bare("share-2", "Share", class_name="hw-boxed", custom_attrs={"data-hw-share": ""}),
            ),
        ),
        rx.cond(state.now.ended != "", _delete(state)),
        class_name="hw-process-acts",
    )


def _download(job: Any) -> rx.Component:
    """The picture that is chosen; process.js knows which."""
    return rx.el.button(
        button.icon("download"),
        rx.el.span("Download"),
        type="button",
        class_name="hw-button hw-prime",
        aria_label="Download this " + job.noun,
        custom_attrs={"data-hw-save-shown": "", "data-hw-key": "d", "aria-keyshortcuts": "d"},
    )


def _cancel(state: Any) -> rx.Component:
    return button.outline("x", "Cancel", on_click=state.cancel, aria_label="Cancel: " + state.job.name)


def _remix(job: Any) -> rx.Component:
    return rx.el.a(
        button.icon("sliders-horizontal"),
        rx.el.span("Remix"),
        href=job.form + "?remix=" + job.id,
        class_name="hw-button hw-outline",
        custom_attrs={"data-hw-key": "r", "aria-keyshortcuts": "r"},
    )


def _upscale(state: Any) -> rx.Component:
    """The picture that is chosen."""
    chosen = rx.Var("window.hexwave.chosen()").to(int)
    return button.bare(
        "scaling",
        "Upscale this image",
        on_click=state.upscale(state.job.id, chosen),
        class_name="hw-boxed",
    )


def _favourite(state: Any) -> rx.Component:
    return button.bare(
        "heart",
        "Favourite: " + state.job.name,
        on_click=state.favour(~state.favourite),
        class_name=rx.cond(state.favourite, "hw-boxed hw-favourite", "hw-boxed"),
        custom_attrs={
            "data-hw-key": "f",
            "aria-keyshortcuts": "f",
            "aria-pressed": rx.cond(state.favourite, "true", "false"),
        },
    )


def _delete(state: Any) -> rx.Component:
    return button.bare(
        "trash-2", "Delete: " + state.job.name, on_click=state.discard, class_name="hw-delete-act"
    )


def _times(state: Any) -> rx.Component:
    return rx.cond(
        state.total != "",
        rx.el.div(
            rx.el.p(rx.el.strong(state.total), " ", state.total_of),
            rx.cond(
                state.parts.length() > 0,
                rx.fragment(
                    rx.el.div(
                        rx.foreach(state.parts, _share),
                        class_name="hw-parts",
                        custom_attrs={"aria-hidden": "true"},
                    ),
                    rx.el.ul(rx.foreach(state.parts, _part), class_name="hw-part-list"),
                ),
            ),
            class_name="hw-times",
        ),
    )


def _share(part: rx.Var[Part]) -> rx.Component:
    return rx.el.i(key=part.name, custom_attrs={"data-part": part.name, "style": {"flexGrow": part.share}})


def _part(part: rx.Var[Part]) -> rx.Component:
    return rx.el.li(part.name, " ", part.seconds, key=part.name, custom_attrs={"data-part": part.name})
