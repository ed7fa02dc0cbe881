"""No State has `setvar`, the event by which Reflex lets any browser call any `set_*` of any State."""

from typing import Any

from reflex.state import BaseState
from reflex_base.registry import RegistrationContext

_NAME = "setvar"


def remove_setvar() -> None:
    """Take the event away from Reflex' own States, and from every State that is defined from here on."""
    BaseState._create_setvar = classmethod(_create_nothing)  # pyright: ignore[reportAttributeAccessIssue]
    registered = RegistrationContext.get().event_handlers
    for event in [event for event in registered if event.rpartition(".")[2] == _NAME]:
        for state in registered.pop(event).states:
            state.event_handlers.pop(_NAME, None)


def _create_nothing(_state: type[Any]) -> None: ...
