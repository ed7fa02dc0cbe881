"""A job as a row of the stream: notes in the margin, frames beside them, and its line below."""

from dataclasses import dataclass
from typing import Any

import reflex as rx

from hexwave_app.ui.components import button, frame, mark, moment, wave
from hexwave_app.ui.components.file_link import file_link
from hexwave_app.ui.job import Frame, Job, Standing
from hexwave_app.ui.routes import process_page
from hexwave_app.ui.rows import row


@dataclass(frozen=True)
class Acts:
    """Event handlers which take a job's id; `favour` takes whether it is to be one, too, and `upscale` which
    of its pictures. `upscales` is whether that can be done.
    """

    cancel: Any
    retry: Any
    remix: Any
    vary: Any
    upscale: Any
    upscales: rx.Var[bool]
    favour: Any
    delete: Any


def job_row(ids: rx.Var[list[str]], id_: rx.Var[str], acts: Acts) -> rx.Component:
    """The job `id_` of a State with `JobRows`, whose var `ids` is."""
    job = row(ids, id_ + ".job", Job)
    now = row(ids, id_ + ".now", Standing)
    frames = row(ids, id_ + ".frames", list[Frame])
    return rx.el.article(
        rx.el.div(
            _notes(job, now, frames, acts),
            rx.el.div(
                rx.el.div(frame.strip(job, now.state, frames), class_name="hw-fold"),
                rx.cond(_slim(now), _reason(job, now, acts.retry)),
                class_name="hw-shown",
            ),
            class_name="hw-row-body",
        ),
        wave.progress(job, now),
        key=id_,
        id="job-" + job.id,
        class_name="hw-row",
        custom_attrs={
            "data-state": now.state,
            "data-job": job.id,
            "aria-labelledby": "prompt-" + job.id,
            "aria-describedby": "status-" + job.id,
        },
    )


def _notes(job: rx.Var[Job], now: rx.Var[Standing], frames: rx.Var[list[Frame]], acts: Acts) -> rx.Component:
    return rx.el.div(
        _status(job, now),
        rx.el.p(
            job.prompt,
            id="prompt-" + job.id,
            dir="auto",
            class_name="hw-row-prompt",
            title=job.prompt,
        ),
        rx.el.p(job.parameters, class_name="hw-parameters"),
        rx.cond(now.notice != "", rx.el.p(now.notice, class_name="hw-notice")),
        rx.match(
            now.state,
            ("queued", _cancel(job, acts.cancel)),
            ("painting", _cancel(job, acts.cancel)),
            ("done", _done(job, now, frames, acts)),
            rx.fragment(),
        ),
        class_name="hw-notes",
    )


def _status(job: rx.Var[Job], now: rx.Var[Standing]) -> rx.Component:
    return rx.el.p(
        rx.match(
            now.state,
            ("painting", mark.ring(now.percent)),
            ("saving", mark.saving()),
            ("done", mark.done()),
            ("failed", mark.failed()),
            ("cancelled", mark.cancelled()),
            mark.dashed(),
        ),
        rx.el.span(now.word, class_name="hw-word"),
        rx.cond(now.took != "", rx.el.span(now.took, class_name="hw-took")),
        rx.el.span(_figure(job, now), class_name="hw-figure"),
        id="status-" + job.id,
        class_name="hw-status",
    )


def _figure(job: rx.Var[Job], now: rx.Var[Standing]) -> rx.Component:
    """A time where time is what is known, the state's own words elsewhere."""
    painting = now.state == "painting"
    return rx.cond(
        now.ended != "",
        moment.ago(now.ended),
        rx.cond(
            painting & (now.percent < 0),
            moment.elapsed(job.started, job.expected),
            rx.fragment(
                now.figure, rx.cond(painting & (job.expected > 0), moment.left(job.started, job.expected))
            ),
        ),
    )


def _cancel(job: rx.Var[Job], cancel: Any) -> rx.Component:
    return _actions(
        button.ghost("x", "Cancel", on_click=cancel(job.id), aria_label="Cancel: " + job.name),
    )


def _done(job: rx.Var[Job], now: rx.Var[Standing], frames: rx.Var[list[Frame]], acts: Acts) -> rx.Component:
    """On phones only the menu shows, and offers what the buttons beside it do."""
    return _actions(
        _download(job, frames),
        rx.el.button(
            button.icon("heart"),
            type="button",
            on_click=acts.favour(job.id, ~now.favourite),
            class_name="hw-button hw-bare hw-heart",
            title="Favourite",
            aria_label="Favourite: " + job.name,
            custom_attrs={"aria-pressed": rx.cond(now.favourite, "true", "false")},
        ),
        rx.cond(
            job.form != "",
            button.bare(
                "repeat-2", "Remix: " + job.name, on_click=acts.remix(job.id), custom_attrs=_texts(job)
            ),
        ),
        _more(job, now, frames, acts),
    )


def _texts(job: rx.Var[Job]) -> dict[str, Any]:
    """What hexwave.js writes into the fields whose text the server does not hold."""
    return {"data-hw-fill": job.prompt, "data-leave-out": job.leave_out, "data-reference": job.reference}


def _download(job: rx.Var[Job], frames: rx.Var[list[Frame]]) -> rx.Component:
    """One picture by itself, several as a zip."""
    return file_link(
        button.icon("download"),
        href=_files(job, frames),
        download=True,
        class_name="hw-button hw-bare",
        aria_label=_download_words(job, frames),
        title=_download_words(job, frames),
    )


def _files(job: rx.Var[Job], frames: rx.Var[list[Frame]]) -> rx.Var[str]:
    return rx.cond(frames.length() == 1, frame.save(job, frames[0], 0), "/api/zip?ids=" + job.id).to(str)


def _download_words(job: rx.Var[Job], frames: rx.Var[list[Frame]]) -> rx.Var[str]:
    count = frames.length()
    several = "Download " + count.to_string() + " " + job.noun + "s"
    return rx.cond(count == 1, "Download 1 " + job.noun, several).to(str)


def _more(job: rx.Var[Job], now: rx.Var[Standing], frames: rx.Var[list[Frame]], acts: Acts) -> rx.Component:
    page = process_page("") + job.id
    link = rx.Var("window.location.origin").to(str) + page
    return rx.dropdown_menu.root(
        rx.dropdown_menu.trigger(button.bare("ellipsis", "More actions: " + job.name)),
        rx.dropdown_menu.content(
            _item(
                "download",
                _download_words(job, frames),
                "hw-narrow",
                on_select=rx.download(_files(job, frames)),
            ),
            _item(
                "heart",
                rx.cond(now.favourite, "No favourite", "Favourite"),
                "hw-narrow",
                on_select=acts.favour(job.id, ~now.favourite),
            ),
            rx.cond(
                job.form != "",
                rx.fragment(
                    _item(
                        "repeat-2",
                        "Remix",
                        "hw-narrow",
                        on_select=acts.remix(job.id),
                        custom_attrs=_texts(job),
                    ),
                    _item("sparkles", "Variations", on_select=acts.vary(job.id)),
                ),
            ),
            rx.cond(acts.upscales & (job.noun == "image"), _upscale(job, frames, acts.upscale)),
            _item("panel-right-open", "Open", on_select=rx.redirect(page)),
            _item("clipboard", "Copy prompt", on_select=_copied(job.prompt, "Prompt copied")),
            _item("link", "Copy link", on_select=_copied(link, "Link copied")),
            rx.dropdown_menu.separator(),
            _item(
                "trash-2",
                "Delete",
                "hw-danger",
                on_select=acts.delete(job.id),
                custom_attrs={"data-hw-leave": job.id},
            ),
            class_name="hw-menu",
        ),
        # A modal one hides the page from screen readers, links that still take the focus included.
        modal=False,
    )


def _upscale(job: rx.Var[Job], frames: rx.Var[list[Frame]], upscale: Any) -> rx.Component:
    """Of several pictures, one of them."""
    return rx.cond(
        frames.length() == 1,
        _item("scaling", "Upscale", on_select=upscale(job.id, 0)),
        rx.dropdown_menu.sub(
            rx.dropdown_menu.sub_trigger(button.icon("scaling"), "Upscale", class_name="hw-item"),
            rx.dropdown_menu.sub_content(
                rx.foreach(
                    frames,
                    lambda each, i: rx.dropdown_menu.item(
                        "Image " + (i + 1).to_string(),
                        key=i,
                        class_name="hw-item",
                        on_select=upscale(job.id, i),
                    ),
                ),
                class_name="hw-menu",
            ),
        ),
    )


def _copied(text: rx.Var[str], words: str) -> list[Any]:
    return [rx.set_clipboard(text), rx.toast(words)]


def _item(name: str, text: str | rx.Var[str], kind: str = "", **props) -> rx.Component:
    return rx.dropdown_menu.item(button.icon(name), text, class_name=f"hw-item {kind}", **props)


def _reason(job: rx.Var[Job], now: rx.Var[Standing], retry: Any) -> rx.Component:
    """What happened, what is safe, and the button: all a slim row says."""
    edit = {"data-hw-fill": job.prompt}
    name = ": " + job.name
    again = retry(job.id)
    return rx.el.div(
        rx.el.p(now.sentence, class_name="hw-sentence"),
        rx.match(
            now.remedy,
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


def _slim(now: rx.Var[Standing]) -> rx.Var[bool]:
    return (now.state == "failed") | (now.state == "cancelled")
