"""The timeline: what happened to a process, when, and how long after the last thing that mattered."""

import reflex as rx

from hexwave_app.ui.components import button, mark
from hexwave_app.ui.components.element import CustomElement
from hexwave_app.ui.timeline import Line, Step


class Stamp(CustomElement):
    """Says a time to the millisecond, the local one, with UTC in its title, see process.js."""

    tag = "hw_stamp"


def timeline_list(lines: rx.Var[list[Line]], percent: rx.Var[int]) -> rx.Component:
    """`percent` is how far a running process is; -1 while that is not known."""
    return rx.el.section(
        rx.el.div(
            rx.el.h3("Timeline", class_name="hw-side-title"),
            button.ghost(
                "copy",
                "Copy log",
                on_click=[rx.run_script("window.hexwave.copyLog()"), rx.toast("Log copied")],
            ),
            class_name="hw-timeline-head",
        ),
        rx.el.ol(rx.foreach(lines, lambda line: _line(line, percent)), class_name="hw-timeline"),
        custom_attrs={"aria-label": "Timeline"},
    )


def _line(line: rx.Var[Line], percent: rx.Var[int]) -> rx.Component:
    return rx.el.li(
        rx.match(
            line.kind,
            ("ignored", mark.dashed()),
            ("failed", mark.failed()),
            ("cancelled", mark.cancelled()),
            ("running", mark.ring(percent)),
            ("screen", mark.reached()),
            mark.done(),
        ),
        rx.el.div(
            rx.el.p(line.title, class_name="hw-line-title"),
            rx.cond(
                line.steps.length() > 0,
                _steps(line),
                rx.cond(line.detail != "", rx.el.p(line.detail, class_name="hw-line-detail")),
            ),
            class_name="hw-line-words",
        ),
        rx.el.span(line.delta, class_name="hw-delta"),
        rx.cond(line.at != "", Stamp.create(custom_attrs={"datetime": line.at}), rx.el.span()),
        key=line.key,
        class_name="hw-line",
        custom_attrs={"data-kind": line.kind},
    )


def _steps(line: rx.Var[Line]) -> rx.Component:
    return rx.el.details(
        rx.el.summary(
            line.detail,
            " ",
            rx.el.span("Show all", class_name="hw-folded"),
            rx.el.span("Show fewer", class_name="hw-unfolded"),
            class_name="hw-line-detail",
        ),
        rx.el.ol(rx.foreach(line.steps, _step), class_name="hw-steps"),
    )


def _step(step: rx.Var[Step]) -> rx.Component:
    return rx.el.li(
        rx.el.span(step.title),
        rx.el.span(step.delta, class_name="hw-delta"),
        Stamp.create(custom_attrs={"datetime": step.at}),
        key=step.key,
        class_name=rx.cond(step.ignored, "hw-step hw-late", "hw-step"),
    )
