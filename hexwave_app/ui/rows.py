"""Rows of a State: a change sends those that changed, however many there are."""

from typing import Any

import reflex as rx
from reflex.istate.delta import Delta
from reflex.state import _override_base_method
from reflex_base.vars import VarData


class Rows(rx.State, mixin=True):
    """Keeps rows under keys, each a value that the browser is sent by itself.

    Reflex sends a var whole when a part of it changes: a list of jobs, for one figure of one of them. In the
    browser a State is an object, though, into which whatever comes is merged; so each row has a place of its
    own there. A page keeps the order of the keys in a var, and draws each with `row`.
    """

    _rows: dict[str, Any] = {}

    def _put(self, key: str, value: Any) -> None:
        """Keep `value`, which is JSON-ready or a dataclass; it is sent unless it is the same as before.

        `key` is no name of a var: give it a character that names do not have.
        """
        if self._rows.get(key) != value:
            self._rows[key] = value
            self.dirty_vars.add(key)

    def _drop(self, *keys: str) -> None:
        """Forget rows that are drawn no more."""
        for key in keys:
            self._rows.pop(key, None)

    @_override_base_method
    def get_delta(self) -> Delta:
        """What Reflex would send, and the rows that changed since the last time."""
        delta = super().get_delta()
        changed = {key: self._rows[key] for key in self.dirty_vars & self._rows.keys()}
        if changed:
            delta.setdefault(self.get_full_name(), {}).update(changed)
        return delta

    @_override_base_method
    def dict(self, *args: Any, **kwargs: Any) -> Delta:
        """What a page is sent as it connects: all rows among it."""
        snapshot = super().dict(*args, **kwargs)
        snapshot[self.get_full_name()] |= self._rows
        return snapshot


def row(order: rx.Var[list[str]], key: rx.Var[str], type_: Any) -> rx.Var:
    """The row under `key` of the State that has `order` as a var, for a component to draw."""
    state, _, _ = order._js_expr.rpartition(".")
    data = VarData.merge(order._get_all_var_data(), key._get_all_var_data())
    return rx.Var(f"{state}[{key!s}]", _var_type=type_, _var_data=data).guess_type()
