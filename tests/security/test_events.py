"""Every event there is, of every State: one that is not named here is a hole until it is."""

import importlib
import pkgutil
from collections.abc import Iterator

import reflex as rx
from reflex.state import BaseState
from reflex_base.registry import RegistrationContext

from hexwave_app.ui import pages
from hexwave_app.ui.event_gate import arguments

# All that have States; not the app itself, which is there once in a run, and belongs to tests/ui.
for page in pkgutil.iter_modules(pages.__path__, f"{pages.__name__}."):
    importlib.import_module(page.name)
# The app brings these along.
importlib.import_module("hexwave_app.ui.ownership")
importlib.import_module("reflex.istate.shared")

STATE = "reflex___state____state"
STUDIO = f"{STATE}.hexwave_app___ui___pages___studio____studio_state"
VIDEO = f"{STATE}.hexwave_app___ui___pages___video____video_state"
GALLERY = f"{STATE}.hexwave_app___ui___pages___gallery____gallery_state"
INSPECTOR = f"{STATE}.hexwave_app___ui___pages___inspector____inspector_state"
PROCESS = f"{STATE}.hexwave_app___ui___pages___process____process_state"

KEYS = f"{STATE}.hexwave_app___ui___pages___keys____keys_state"

FORM = {
    *("arrive", "recall", "remix_linked", "watch", "show_older"),
    *("choose_model", "choose_shape", "enhance", "generate", "roll_seed", "write_seed"),
    *("announce_ready", "cancel", "delete", "favour", "remix", "restore", "retry", "upscale", "vary"),
}
"""What the pages share that begin jobs."""

HANDLERS = {
    STATE: {"hydrate", "hydrate_and_load", "set_is_hydrated"},
    f"{STATE}.reflex___state____on_load_internal_state": {"on_load_internal", "set_is_hydrated"},
    f"{STATE}.reflex___state____update_vars_internal_state": {"update_vars_internal"},
    f"{STATE}.reflex___istate___shared____shared_state_base_internal": set[str](),
    f"{STATE}.hexwave_app___ui___ownership____ownership": set[str](),
    f"{STATE}.reflex___state____frontend_event_exception_state": {"handle_frontend_exception"},
    GALLERY: {"delete", "show_older", "watch"},
    KEYS: {"make", "read", "revoke", "show_older", "watch"},
    PROCESS: {
        *("cancel", "discard", "favour", "mark_on_screen", "restore", "retry", "revoke", "share"),
        *("upscale", "watch"),
    },
    STUDIO: FORM | {"choose_count", "toggle_style"},
    VIDEO: FORM | {"choose_camera", "choose_length"},
    INSPECTOR: {
        *(
            "check_now",
            "enter",
            "follow_activity",
            "follow_health",
            "look_up",
            "replay",
            "show_older",
            "watch",
        ),
    },
}

SETTERS = {"set_is_hydrated"}

REACHABLE = {
    f"{STATE}.hydrate_and_load",
    f"{STATE}.reflex___state____on_load_internal_state.on_load_internal",
    f"{STATE}.reflex___state____frontend_event_exception_state.handle_frontend_exception",
    *(
        f"{page}.{name}"
        for page in (GALLERY, INSPECTOR, KEYS, PROCESS, STUDIO, VIDEO)
        for name in HANDLERS[page]
    ),
}


def states(state: type[BaseState] = rx.State) -> Iterator[type[BaseState]]:
    yield state
    for child in state.get_substates():
        yield from states(child)


def ours(state: type[BaseState]) -> bool:
    """Whether it is served; tests elsewhere define States of their own."""
    return state.__module__.startswith(("hexwave_app.", "reflex."))


def test_every_state_has_the_handlers_it_is_meant_to_have() -> None:
    """No `setvar`, and nothing else that was not thought about."""
    assert {state.get_full_name(): set(state.event_handlers) for state in states() if ours(state)} == HANDLERS


def test_what_is_registered_is_what_the_states_have() -> None:
    """Events are looked up in a register of their own, where nothing more may be found."""
    registered = {
        name
        for name, entry in RegistrationContext.get().event_handlers.items()
        if any(ours(state) for state in entry.states)
    }
    assert registered == {f"{state}.{name}" for state, names in HANDLERS.items() for name in names}


def test_no_state_has_a_setter_that_is_not_meant() -> None:
    """A `set_*` of any kind is what `setvar` would have called."""
    found = {name for state in states() if ours(state) for name in dir(state) if name.startswith("set_")}
    assert found == SETTERS


def test_pages_reach_what_pages_send() -> None:
    """The door knows these events and no other."""
    assert arguments().keys() == REACHABLE
