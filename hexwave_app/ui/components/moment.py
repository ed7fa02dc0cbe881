"""Times that count by themselves. The text belongs to the elements of hexwave.js, React never writes it."""

import reflex as rx

from hexwave_app.ui.components.element import CustomElement


class Ago(CustomElement):
    """Says "2 min ago", from one hour on the clock time, from yesterday the date."""

    tag = "hw_ago"


class Elapsed(CustomElement):
    """Counts up each second: "0:12"."""

    tag = "hw_elapsed"


def ago(time: rx.Var[str]) -> rx.Component:
    """`time` is ISO 8601 in UTC."""
    return Ago.create(custom_attrs={"datetime": time})


def elapsed(since: rx.Var[str]) -> rx.Component:
    """`since` is ISO 8601 in UTC."""
    return Elapsed.create(custom_attrs={"since": since})
