"""What the page says while the server cannot be reached, and when it is back."""

import reflex as rx
from reflex_base.constants.compiler import Hooks, Imports
from reflex_base.vars import VarData
from reflex_components_core.base.fragment import Fragment
from reflex_components_sonner.toast import toast_ref

from hexwave_app.ui.components import button
from hexwave_app.ui.components.element import CustomElement

PATIENCE_MS = 2000

_IMPORTS = {**Imports.CONNECT_ERRORS, "react": ["useContext", "useEffect", "useState"]}
# Reflex adds an error for each failed attempt, keeps ten, and empties the list when it is connected.
_LOST = f"""
const [connectionLost, setConnectionLost] = useState(false);
useEffect(() => {{
  if (connectErrors.length === 0) {{ setConnectionLost(false); return; }}
  const timer = setTimeout(() => setConnectionLost(true), {PATIENCE_MS});
  return () => clearTimeout(timer);
}}, [connectErrors.length === 0]);"""
# The event loop waits 200 ms longer before each attempt, up to 2 s.
_WAIT = """
const [retryAt, setRetryAt] = useState(0);
useEffect(() => setRetryAt(Date.now() + 200 * connectErrors.length), [connectErrors]);"""


def _hooked(expression: str, type_: type, *hooks: str) -> rx.Var:
    known = {Hooks.CONNECT_ERRORS: None, **dict.fromkeys(hooks)}
    return rx.Var(expression, _var_type=type_, _var_data=VarData(imports=_IMPORTS, hooks=known))


lost = _hooked("connectionLost", bool, _LOST).to(bool)
"""True from two seconds after the connection went until it is back: a blip is never shown."""

_retry_at = _hooked("retryAt", int, _WAIT)


class Countdown(CustomElement):
    """Counts down to `until` (epoch ms): "Trying again in 2 s.", see hexwave.js."""

    tag = "hw_countdown"


class Watch(Fragment):
    """Takes the place of Reflex' own overlay, whose toaster would speak beside our banner."""

    def add_imports(self) -> dict:
        shown = toast_ref._get_all_var_data()
        return {**_IMPORTS, **(shown.old_school_imports() if shown else {})}

    def add_hooks(self) -> list[str | rx.Var]:
        return [
            Hooks.CONNECT_ERRORS,
            _LOST,
            "const [wasLost, setWasLost] = useState(false);",
            f"""
useEffect(() => {{
  if (wasLost && !connectionLost) {toast_ref!s}?.("Back online");
  setWasLost(connectionLost);
}}, [connectionLost]);""",
        ]


def overlay() -> rx.Component:
    """A memo, so that its hooks run below the provider of the connection."""
    return rx.fragment(rx.memo(_watch)())


def _watch() -> rx.Component:
    return Watch.create()


def banner(behind: rx.Var[bool]) -> rx.Component:
    """Connection lost; or connected, but the server is `behind` because it cannot read the database."""
    return rx.cond(lost, _lost(), rx.cond(behind, _behind()))


def _behind() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            button.icon("triangle-alert"),
            rx.el.p(rx.el.strong("Live updates are paused."), " Checking every 3 s instead."),
            class_name="hw-wide",
        ),
        class_name="hw-banner hw-stale",
        custom_attrs={"aria-label": "Connection"},
    )


def _lost() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            button.icon("wifi-off"),
            rx.el.p(
                rx.el.span(
                    rx.el.strong("Connection lost."),
                    " Your jobs keep running. ",
                    role="alert",
                ),
                Countdown.create(custom_attrs={"until": _retry_at, "aria-hidden": "true"}),
            ),
            # Any event makes the event loop connect at once.
            button.plain("Try now", on_click=rx.noop(), class_name="hw-banner-act"),
            class_name="hw-wide",
        ),
        class_name="hw-banner hw-stale",
        custom_attrs={"aria-label": "Connection"},
    )
