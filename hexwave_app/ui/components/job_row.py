"""A job as a row of the stream: notes in the margin, frames beside them, and its line below."""

from typing import Any

import reflex as rx

from hexwave_app.ui.components import button, frame, mark, moment, wave
from hexwave_app.ui.components.file_link import file_link
from hexwave_app.ui.job import Job


def job_row(job: rx.Var[Job], *, cancel: Any, retry: Any, reuse: Any) -> rx.Component:
    """`cancel`, `retry` and `reuse` are event handlers which take the job's id."""
    return rx.el.article(
        rx.el.div(
            _notes(job, cancel, reuse),
            rx.el.div(
                rx.el.div(frame.strip(job), class_name="hw-fold"),
                rx.cond(_slim(job), _reason(job, retry)),
                class_name="hw-shown",
            ),
            class_name="hw-row-body",
        ),
        wave.progress(job),
        key=job.id,
        id="job-" + job.id,
        class_name="hw-row",
        custom_attrs={
            "data-state": job.state,
            "data-job": job.id,
            "aria-labelledby": "prompt-" + job.id,
            "aria-describedby": "status-" + job.id,
        },
    )


def _notes(job: rx.Var[Job], cancel: Any, reuse: Any) -> rx.Component:
    return rx.el.div(
        _status(job),
        rx.el.p(
            job.prompt,
            id="prompt-" + job.id,
            dir="auto",
            class_name="hw-row-prompt",
            title=job.prompt,
        ),
        rx.el.p(job.parameters, class_name="hw-parameters"),
        rx.cond(job.notice != "", rx.el.p(job.notice, class_name="hw-notice")),
        rx.match(
            job.state,
            ("queued", _cancel(job, cancel)),
            ("painting", _cancel(job, cancel)),
            ("done", _done(job, reuse)),
            rx.fragment(),
        ),
        class_name="hw-notes",
    )


def _status(job: rx.Var[Job]) -> rx.Component:
    return rx.el.p(
        rx.match(
            job.state,
            ("painting", mark.ring(job.percent)),
            ("saving", mark.saving()),
            ("done", mark.done()),
            ("failed", mark.failed()),
            ("cancelled", mark.cancelled()),
            mark.dashed(),
        ),
        rx.el.span(job.word, class_name="hw-word"),
        rx.cond(job.took != "", rx.el.span(job.took, class_name="hw-took")),
        rx.el.span(_figure(job), class_name="hw-figure"),
        id="status-" + job.id,
        class_name="hw-status",
    )


def _figure(job: rx.Var[Job]) -> rx.Component:
    """A time where time is what is known, the state's own words elsewhere."""
    unmeasured = (job.state == "painting") & (job.percent < 0)
    return rx.cond(
        job.ended != "",
        moment.ago(job.ended),
        rx.cond(unmeasured, moment.elapsed(job.started), job.figure),
    )


def _cancel(job: rx.Var[Job], cancel: Any) -> rx.Component:
    return _actions(
        button.ghost("x", "Cancel", on_click=cancel(job.id), aria_label="Cancel: " + job.name),
    )


def _done(job: rx.Var[Job], reuse: Any) -> rx.Component:
    """On phones only the menu shows, and offers what the buttons beside it do."""
    return _actions(
        _download(job),
        button.bare("copy", "Copy settings", on_click=reuse(job.id), custom_attrs=_settings(job)),
        _more(job, reuse),
    )


def _settings(job: rx.Var[Job]) -> dict[str, Any]:
    """What hexwave.js writes into the fields whose text the server does not hold."""
    return {"data-hw-fill": job.prompt, "data-leave-out": job.leave_out}


def _download(job: rx.Var[Job]) -> rx.Component:
    """One link for one picture; several are fetched one after the other by hexwave.js."""
    return rx.cond(
        job.frames.length() == 1,
        file_link(
            button.icon("download"),
            href=job.frames[0].save,
            download=job.frames[0].name,
            class_name="hw-button hw-bare",
            aria_label="Download 1 image",
            title="Download 1 image",
        ),
        button.bare("download", _download_words(job), custom_attrs={"data-hw-download": job.id}),
    )


def _download_words(job: rx.Var[Job]) -> rx.Var[str]:
    count = job.frames.length()
    return rx.cond(count == 1, "Download 1 image", "Download " + count.to_string() + " images").to(str)


def _more(job: rx.Var[Job], reuse: Any) -> rx.Component:
    again = {"on_select": reuse(job.id), "custom_attrs": _settings(job)}
    return rx.dropdown_menu.root(
        rx.dropdown_menu.trigger(button.bare("ellipsis", "More actions: " + job.name)),
        rx.dropdown_menu.content(
            _item("download", _download_words(job), "hw-narrow", custom_attrs={"data-hw-download": job.id}),
            _item("copy", "Copy settings", "hw-narrow", **again),
            _item("pencil", "Edit prompt", custom_attrs={"data-hw-fill": job.prompt}),
            _item(
                "clipboard",
                "Copy prompt",
                on_select=[rx.set_clipboard(job.prompt), rx.toast("Prompt copied")],
            ),
            rx.dropdown_menu.separator(),
            _item("trash-2", "Delete", "hw-danger", custom_attrs={"data-hw-delete": job.id}),
            class_name="hw-menu",
        ),
    )


def _item(name: str, text: str | rx.Var[str], kind: str = "", **props) -> rx.Component:
    return rx.dropdown_menu.item(button.icon(name), text, class_name=f"hw-item {kind}", **props)


def _reason(job: rx.Var[Job], retry: Any) -> rx.Component:
    """What happened, what is safe, and the button: all a slim row says."""
    edit = {"data-hw-fill": job.prompt}
    name = ": " + job.name
    again = retry(job.id)
    return rx.el.div(
        rx.el.p(job.sentence, class_name="hw-sentence"),
        rx.match(
            job.remedy,
            (
                "retry",
                rx.el.div(
                    button.ghost("pencil", "Edit prompt", custom_attrs=edit, aria_label="Edit prompt" + name),
                    button.outline("rotate-ccw", "Retry", on_click=again, aria_label="Retry" + name),
                    class_name="hw-remedy",
                ),
            ),
            (
                "edit",
                button.outline("pencil", "Edit prompt", custom_attrs=edit, aria_label="Edit prompt" + name),
            ),
            (
                "again",
                button.outline("rotate-ccw", "Run again", on_click=again, aria_label="Run again" + name),
            ),
            rx.fragment(),
        ),
        class_name="hw-slim",
    )


def _actions(*children: rx.Component) -> rx.Component:
    return rx.el.div(*children, class_name="hw-actions")


def _slim(job: rx.Var[Job]) -> rx.Var[bool]:
    return (job.state == "failed") | (job.state == "cancelled")
