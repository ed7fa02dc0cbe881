"""One picture's place in a row. It has its true shape from the start, so that nothing jumps."""

import reflex as rx

from hexwave_app.ui.components import button, mark
from hexwave_app.ui.components.element import CustomElement
from hexwave_app.ui.components.file_link import file_link
from hexwave_app.ui.components.player import asked_player
from hexwave_app.ui.job import Frame, Job


class Picture(CustomElement):
    """Cross-fades to each new `src`; the images live in its shadow root, see hexwave.js."""

    tag = "hw_picture"


def strip(job: rx.Var[Job], state: rx.Var[str], frames: rx.Var[list[Frame]]) -> rx.Component:
    """All frames of a job, at one height."""
    alone = (frames.length() == 1) & (job.width > job.height)
    return rx.el.div(
        rx.foreach(frames, lambda each, i: frame(job, each, i, frames.length(), state == "saving")),
        class_name=rx.cond(alone, "hw-strip hw-alone", "hw-strip"),
        custom_attrs={"style": {"--r": job.width / job.height}},
    )


def frame(
    job: rx.Var[Job], each: rx.Var[Frame], index: rx.Var[int], count: rx.Var[int], saving: rx.Var[bool]
) -> rx.Component:
    finished = each.full != ""
    alt = alt_of(job, index, count)
    return rx.el.div(
        mark.empty(),
        Picture.create(custom_attrs={"src": each.shown, "alt": rx.cond(finished, alt, "")}),
        rx.cond(finished & saving, _saved()),
        rx.cond(
            finished,
            rx.cond(
                each.clip,
                rx.cond(saving, rx.fragment(), asked_player(each, alt, save(job, each, index))),
                enlarge(each, alt, save(job, each, index)),
            ),
        ),
        key=index,
        class_name="hw-frame",
        custom_attrs={
            "style": {
                "backgroundColor": each.colour,
                "backgroundImage": rx.cond(each.blur == "", "none", "url(" + each.blur + ")"),
            }
        },
    )


def save(job: rx.Var[Job], each: rx.Var[Frame], index: int | rx.Var[int]) -> rx.Var[str]:
    """The URL that downloads a picture. The name goes along: from a bucket's address, browsers take none."""
    number = rx.Var.create(index) + 1
    return each.full + "?download=" + job.slug + "-" + number.to_string()


def alt_of(job: rx.Var[Job], index: rx.Var[int], count: rx.Var[int]) -> rx.Var[str]:
    """What a picture is called aloud: the prompt, and which of how many."""
    place = ", " + job.noun + " " + (index + 1).to_string() + " of " + count.to_string()
    return job.name + rx.cond(count == 1, "", place).to(str)


def _saved() -> rx.Component:
    return rx.el.span(button.icon("check", size=14), "Saved", class_name="hw-plate")


def enlarge(each: rx.Var[Frame], alt: rx.Var[str], save: rx.Var[str]) -> rx.Component:
    """A link, so that it also opens in a new tab; hexwave.js opens the lightbox instead."""
    return file_link(
        href=each.full,
        class_name="hw-shot",
        aria_label="Enlarge " + alt,
        custom_attrs={"data-thumbnail": each.shown, "data-alt": alt, "data-save": save},
    )
