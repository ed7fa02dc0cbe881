"""The parts of the Inspector. Its log is inspector.js's own: lines come too fast for React to draw each."""

from typing import Any

import reflex as rx

from hexwave_app.health.troubles import Trouble
from hexwave_app.ui.components import button, mark
from hexwave_app.ui.components.element import CustomElement
from hexwave_app.ui.inspection import HEIGHT, HIGH, WIDE, WIDTH, Received, Step, Tile
from hexwave_app.ui.routes import PROCESS

_CHIPS = {
    "all": "All",
    "lifecycle": "Lifecycle",
    "progress": "Progress",
    "webhooks": "Webhooks",
    "ignored": "Ignored",
    "failed": "Failed",
}


class Log(CustomElement):
    """The lines, newest first, see inspector.js."""

    tag = "hw_log"


class Clock(CustomElement):
    """A time to the millisecond, on the reader's clock."""

    tag = "hw_clock"


class Checked(CustomElement):
    """Says "Checked 2 s ago", see inspector.js."""

    tag = "hw_checked"


def inspector(state: Any) -> rx.Component:
    return rx.el.div(
        _head(state),
        rx.el.section(
            rx.foreach(state.tiles, _tile), class_name="hw-readings", custom_attrs={"aria-label": "Health"}
        ),
        rx.cond(state.troubles.length() > 0, _troubles(state.troubles)),
        rx.el.div(
            _activity(),
            _look_up(state),
            _latency(state.chart),
            _deliveries(state),
            class_name="hw-inspection",
        ),
        id="results",
        tab_index=-1,
        class_name="hw-inspector",
    )


def _head(state: Any) -> rx.Component:
    return rx.el.div(
        rx.el.p("Inspector", class_name="hw-title", custom_attrs={"aria-hidden": "true"}),
        rx.el.p("Everything between the click and the picture", class_name="hw-inspector-words"),
        Checked.create(custom_attrs={"datetime": state.checked}),
        button.outline("refresh-cw", "Check now", on_click=state.check_now),
        class_name="hw-inspector-head",
    )


def _tile(tile: rx.Var[Tile]) -> rx.Component:
    return rx.el.article(
        rx.el.div(
            rx.el.h2(tile.name),
            rx.el.span(_glyph(tile.tone), tile.word, class_name="hw-reading-word"),
            class_name="hw-reading-head",
        ),
        rx.el.div(
            rx.el.p(
                rx.el.span(tile.figure, class_name="hw-figure-large"),
                rx.el.span(tile.unit),
                class_name="hw-reading-figure",
            ),
            rx.cond(tile.points != "", _spark(tile)),
            class_name="hw-reading-body",
        ),
        rx.el.p(tile.detail, class_name="hw-reading-detail"),
        rx.cond(tile.remedy != "", rx.el.p(tile.remedy, class_name="hw-reading-remedy")),
        key=tile.key,
        class_name="hw-reading",
        custom_attrs={"data-tone": tile.tone},
    )


def _glyph(tone: rx.Var[str]) -> rx.Component | rx.Var:
    return rx.match(tone, ("well", mark.done()), ("unset", mark.dashed()), mark.failed())


def _spark(tile: rx.Var[Tile]) -> rx.Component:
    return rx.el.svg(
        rx.el.svg.polyline(points=tile.points),
        rx.el.svg.circle(cx=WIDTH - 3, cy=tile.end, r="2.5"),
        view_box=f"0 0 {WIDTH} {HEIGHT}",
        class_name="hw-spark",
        role="img",
        aria_label=tile.label,
    )


def _troubles(troubles: rx.Var[list[Trouble]]) -> rx.Component:
    return rx.el.section(
        rx.el.h2("What to look at", class_name="hw-part"),
        rx.el.ul(rx.foreach(troubles, _trouble)),
        class_name="hw-troubles",
        custom_attrs={"aria-label": "Troubles"},
    )


def _trouble(trouble: rx.Var[Trouble]) -> rx.Component:
    return rx.el.li(
        rx.cond(trouble.grave, mark.failed(), mark.dashed()),
        rx.el.p(rx.el.strong(trouble.title, "."), " ", trouble.sentence, " ", rx.el.span(trouble.remedy)),
        key=trouble.key,
        custom_attrs={"data-grave": rx.cond(trouble.grave, "true", "false")},
    )


def _activity() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Channel activity", class_name="hw-part"),
            rx.el.div(
                *[_chip(value, word) for value, word in _CHIPS.items()],
                role="group",
                class_name="hw-log-filters",
                custom_attrs={"aria-label": "Filter"},
            ),
            _pause(),
            class_name="hw-activity-head",
        ),
        rx.el.div(
            rx.el.div(
                *[rx.el.span(word) for word in ("Time", "Process", "Event", "Detail", "Took")],
                class_name="hw-log-line hw-log-line-head",
                custom_attrs={"aria-hidden": "true"},
            ),
            Log.create(custom_attrs={"role": "log", "aria-live": "off", "aria-label": "Channel activity"}),
            rx.el.button(
                type="button", class_name="hw-newer", custom_attrs={"data-hw-newer": "", "hidden": True}
            ),
            class_name="hw-log",
        ),
        rx.el.p(
            "What this worker did since its start. Others keep their own; health and look-up are of all.",
            class_name="hw-foot",
        ),
        class_name="hw-activity",
        custom_attrs={"aria-label": "Channel activity"},
    )


def _chip(value: str, word: str) -> rx.Component:
    pressed = "true" if value == "all" else "false"
    return rx.el.button(
        word,
        rx.el.span("0", custom_attrs={"data-hw-count": value}),
        type="button",
        class_name="hw-chip",
        custom_attrs={"data-hw-filter": value, "aria-pressed": pressed},
    )


def _pause() -> rx.Component:
    return rx.el.button(
        button.icon("pause"),
        button.icon("play"),
        rx.el.span("Pause"),
        type="button",
        class_name="hw-button hw-ghost hw-pause",
        custom_attrs={"data-hw-pause": "", "aria-pressed": "false", "aria-keyshortcuts": "P"},
    )


def _look_up(state: Any) -> rx.Component:
    found = state.found
    return rx.el.section(
        rx.el.h2("Look up a process", class_name="hw-part"),
        rx.form(
            rx.el.label(
                button.icon("search"),
                rx.el.input(
                    id="hw-lookup",
                    name="process",
                    max_length=64,
                    placeholder="p_…",
                    auto_complete="off",
                    class_name="hw-lookup-field",
                    aria_label="Process id",
                    custom_attrs={"spellCheck": False},
                ),
                rx.el.button("↵", type="submit", class_name="hw-lookup-go", aria_label="Look up"),
                class_name="hw-lookup-bar",
            ),
            id="hw-lookup-form",
            on_submit=state.look_up,
            reset_on_submit=False,
        ),
        rx.cond(state.hint != "", rx.el.p(state.hint, class_name="hw-lookup-hint")),
        rx.cond(found.id != "", _found(found)),
        class_name="hw-lookup",
        custom_attrs={"aria-label": "Look up a process"},
    )


def _found(found: Any) -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.cond(found.picture != "", rx.el.img(src=found.picture, alt="")),
            rx.el.div(
                rx.el.p(found.prompt, class_name="hw-found-prompt"),
                rx.el.p(found.summary, class_name="hw-foot"),
                rx.el.p(found.owner, class_name="hw-foot hw-code"),
            ),
            class_name="hw-found-head",
        ),
        rx.el.ol(rx.foreach(found.steps, _step), class_name="hw-found-steps"),
        rx.el.div(
            rx.el.a("Open process", href=_process(found.id), class_name="hw-button hw-outline"),
            button.ghost("copy", "Copy as JSON", custom_attrs={"data-hw-copy": "hw-document"}),
            class_name="hw-found-acts",
        ),
        rx.el.details(
            rx.el.summary("Document"),
            rx.el.pre(found.document, id="hw-document", tab_index=0),
            class_name="hw-document",
        ),
        class_name="hw-found",
    )


def _process(id_: rx.Var[str]) -> rx.Var[str]:
    before, _, after = PROCESS.partition("[process_id]")
    return before + id_.to(str) + after


def _step(step: rx.Var[Step]) -> rx.Component:
    return rx.el.li(
        rx.match(step.tone, ("ignored", mark.dashed()), ("failed", mark.failed()), mark.done()),
        rx.el.span(step.title),
        rx.el.span(step.at, class_name="hw-code"),
        key=step.key,
        custom_attrs={"data-tone": step.tone},
    )


def _latency(chart: Any) -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Webhook to screen", class_name="hw-part"),
            rx.el.span("last 15 min", class_name="hw-foot"),
            class_name="hw-latency-head",
        ),
        rx.cond(
            chart.median != "",
            rx.fragment(
                rx.el.p(
                    rx.el.strong(chart.median),
                    " median ",
                    rx.el.strong(chart.p95),
                    " p95",
                    rx.cond(chart.published != "", rx.el.span("published in ", chart.published)),
                    class_name="hw-latency-figures",
                ),
                _chart(chart),
            ),
            rx.el.p("No webhook has come to a page yet.", class_name="hw-foot"),
        ),
        class_name="hw-latency",
        custom_attrs={"aria-label": "Webhook to screen"},
    )


def _chart(chart: Any) -> rx.Component:
    return rx.el.figure(rx.el.figcaption("1 s target"), _line(chart), class_name="hw-chart")


def _line(chart: Any) -> rx.Component:
    return rx.el.svg(
        rx.el.svg.polygon(points=chart.area),
        rx.el.svg.line(x1=0, x2=WIDE, y1=chart.target, y2=chart.target),
        rx.el.svg.polyline(points=chart.points),
        rx.el.svg.circle(cx=WIDE - 3, cy=chart.end, r="2.5"),
        view_box=f"0 0 {WIDE} {HIGH}",
        role="img",
        aria_label=chart.label,
    )


def _deliveries(state: Any) -> rx.Component:
    return rx.el.section(
        rx.el.h2("Webhook deliveries", class_name="hw-part"),
        rx.cond(
            state.received.length() > 0,
            rx.el.ul(rx.foreach(state.received, lambda each: _delivery(each, state.replay))),
            rx.el.p("None yet.", class_name="hw-foot"),
        ),
        class_name="hw-deliveries",
        custom_attrs={"aria-label": "Webhook deliveries"},
    )


def _delivery(each: rx.Var[Received], replay: Any) -> rx.Component:
    return rx.el.li(
        Clock.create(custom_attrs={"datetime": each.at}),
        rx.el.span(each.process_id, title=each.process_id),
        rx.el.span(rx.el.i(), each.verdict, class_name="hw-log-line-event"),
        rx.el.span(each.detail, title=each.detail),
        rx.el.span(each.size),
        rx.cond(
            each.replay,
            button.ghost(
                "rotate-ccw",
                "Replay",
                on_click=replay(each.number),
                aria_label="Replay: webhook of " + each.process_id,
            ),
        ),
        key=each.number,
        custom_attrs={"data-tone": each.tone},
    )
