"""One picture's place in a row. It has its true shape from the start, so that nothing jumps."""

import reflex as rx

from hexwave_app.ui.components import button, mark
from hexwave_app.ui.components.element import CustomElement
from hexwave_app.ui.components.file_link import file_link
from hexwave_app.ui.job import Frame, Job


class Picture(CustomElement):
    """Cross-fades to each new `src`; the images live in its shadow root, see hexwave.js."""

    tag = "hw_picture"


def strip(job: rx.Var[Job]) -> rx.Component:
    """All frames of a job, at one height."""
    alone = (job.frames.length() == 1) & (job.width > job.height)
    return rx.el.div(
        rx.foreach(job.frames, lambda each: frame(each, job.state == "saving")),
        class_name=rx.cond(alone, "hw-strip hw-alone", "hw-strip"),
        custom_attrs={"style": {"--r": job.width / job.height}},
    )


def frame(each: rx.Var[Frame], saving: rx.Var[bool]) -> rx.Component:
    finished = each.src != ""
    return rx.el.div(
        mark.empty(),
        Picture.create(
            custom_attrs={
                "src": rx.cond(finished, each.src, each.preview),
                "alt": rx.cond(finished, each.alt, ""),
            }
        ),
        rx.cond(finished & saving, _saved()),
        rx.cond(each.full != "", _enlarge(each)),
        key=each.key,
        class_name="hw-frame",
    )


def _saved() -> rx.Component:
    return rx.el.span(button.icon("check", size=14), "Saved", class_name="hw-plate")


def _enlarge(each: rx.Var[Frame]) -> rx.Component:
    """A link, so that it also opens in a new tab; hexwave.js opens the lightbox instead."""
    return file_link(
        href=each.full,
        class_name="hw-shot",
        aria_label="Enlarge " + each.alt,
        custom_attrs={
            "data-thumbnail": each.src,
            "data-alt": each.alt,
            "data-name": each.name,
            "data-save": each.save,
        },
    )
