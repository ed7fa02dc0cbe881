"""Times that count by themselves. The text belongs to the elements of hexwave.js, React never writes it."""

import reflex as rx

from hexwave_app.ui.components.element import CustomElement


class Ago(CustomElement):
    """Says "2 min ago", from one hour on the clock time, from yesterday the date."""

    tag = "hw_ago"


class Elapsed(CustomElement):
    """Counts up each second: "0:12", or "0:12 of about 0:20"."""

    tag = "hw_elapsed"


class Left(CustomElement):
    """Counts down to "a few seconds left", and stays there."""

    tag = "hw_left"


def ago(time: rx.Var[str]) -> rx.Component:
    """`time` is ISO 8601 in UTC."""
    return Ago.create(custom_attrs={"datetime": time})


def elapsed(since: rx.Var[str], expected: rx.Var[int]) -> rx.Component:
    """`since` is ISO 8601 in UTC, `expected` the seconds that it is likely to take, or 0."""
    return Elapsed.create(custom_attrs={"since": since, "expected": expected})


def left(since: rx.Var[str], expected: rx.Var[int]) -> rx.Component:
    """`since` is ISO 8601 in UTC, `expected` the seconds that it is likely to take from there."""
    return Left.create(custom_attrs={"since": since, "expected": expected})
