"""The door of the websocket: what our pages send comes in, and nothing else."""

import inspect
import json
import logging
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Annotated, Any, Literal, NotRequired, get_type_hints

import reflex as rx
from pydantic import ConfigDict, Field, TypeAdapter, with_config
from reflex.state import BaseState
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from typing_extensions import TypedDict

log = logging.getLogger(__name__)

MESSAGE_LIMIT = 2**16
"""Characters of a message; a form with its longest prompt has a tenth of that."""

_CONNECT, _EVENT = "40/_event,", "42/_event,"
_SIGNALS = ("1", "3", _CONNECT, "41/_event,")
"""Engine.IO's close and pong, Socket.IO's connect and disconnect (protocol versions 4 and 5)."""

_EXACT = ConfigDict(strict=True, extra="forbid")


class EventGate:
    """Drops what our pages would not send over a websocket, down to the types of an event's arguments.

    Reflex would look up whatever is named and call it with whatever comes, and print what is wrong with it,
    stack trace and all. Dropping leaves the connection as it is.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, self._guarded(receive) if scope["type"] == "websocket" else receive, send)

    def _guarded(self, receive: Receive) -> Receive:
        async def expected() -> Message:
            while True:
                message = await receive()
                if message["type"] != "websocket.receive":
                    return message
                try:
                    self._check(message.get("text"))
                except (ValueError, RecursionError) as error:
                    log.warning("a message of a websocket was dropped: %s", type(error).__name__)
                else:
                    return message

        return expected

    def _check(self, text: str | None) -> None:
        """Raise ValueError or RecursionError when no page of ours sends this."""
        if text in _SIGNALS:
            return
        if text is None or len(text) > MESSAGE_LIMIT:
            raise ValueError
        content = json.loads(text[len(_EVENT) :])
        # Half a surrogate pair is JSON, yet no text that could be stored or sent on.
        json.dumps(content, ensure_ascii=False).encode()
        if text.startswith(_CONNECT):
            self._check_event(_connecting.validate_python(content).get("event"))
        elif text.startswith(_EVENT):
            kind, value = _emitted.validate_python(content)
            if kind == "event":
                self._check_event(value)
        else:
            raise ValueError

    def _check_event(self, event: "_Event | None") -> None:
        if event is not None:
            arguments = self._arguments.get(event["name"])
            if arguments is None:
                raise ValueError
            arguments.validate_python(event.get("payload", {}))

    # At the first message: the States are all defined by then.
    @cached_property
    def _arguments(self) -> dict[str, TypeAdapter[Any]]:
        return arguments()


@with_config(_EXACT)
class _Location(TypedDict):
    pathname: str
    asPath: NotRequired[str]
    query: NotRequired[dict[str, str | list[str]]]


@with_config(_EXACT)
class _Event(TypedDict):
    name: str
    payload: NotRequired[dict[str, Any]]
    router_data: NotRequired[_Location]
    event_actions: NotRequired[dict[str, Any]]


@with_config(_EXACT)
class _Connecting(TypedDict):
    event: NotRequired[_Event]
    state_schema: NotRequired[str]


@with_config(_EXACT)
class _Report(TypedDict):
    error_type: NotRequired[str]
    substate: NotRequired[str]
    message: NotRequired[str]


# Reflex itself limits how many reports of a page's errors it takes.
_emitted: TypeAdapter[Any] = TypeAdapter(
    tuple[Literal["event"], _Event] | tuple[Literal["client_error"], _Report]
)
_connecting = TypeAdapter(_Connecting)


@with_config(_EXACT)
class _Hydrate(TypedDict):
    hashes: NotRequired[list[str] | None]
    # No State of ours keeps a var in the browser, so there is none to bring back.
    vars: NotRequired[Annotated[dict[str, Any], Field(max_length=0)] | None]


@with_config(_EXACT)
class _Nothing(TypedDict):
    pass


@with_config(_EXACT)
class _FrontendException(TypedDict):
    # Reflex searches it with patterns whose time grows with the square of its length.
    info: Annotated[str, Field(max_length=2048)]
    component_stack: str


_REFLEX = {
    "reflex___state____state.hydrate_and_load": _Hydrate,
    "reflex___state____state.reflex___state____on_load_internal_state.on_load_internal": _Nothing,
    "reflex___state____state.reflex___state____frontend_event_exception_state.handle_frontend_exception": (
        _FrontendException
    ),
}
"""What Reflex' own part of a page sends. Its other events are the server's to itself."""


def arguments() -> dict[str, TypeAdapter[Any]]:
    """The events that pages may send, by full name, each with the form of its arguments."""
    own = {
        f"{state.get_full_name()}.{name}": _arguments_of(handler.fn)
        for state in _descendants(rx.State)
        if state.__module__.startswith("hexwave_app.")
        for name, handler in state.event_handlers.items()
    }
    return own | {name: TypeAdapter(form) for name, form in _REFLEX.items()}


def _arguments_of(handler: Callable[..., Any]) -> TypeAdapter[Any]:
    hints = get_type_hints(handler)
    _, *parameters = inspect.signature(handler).parameters.values()
    fields = {
        each.name: hints[each.name] if each.default is each.empty else NotRequired[hints[each.name]]
        for each in parameters
    }
    form = TypedDict("Arguments", fields)  # pyright: ignore[reportArgumentType, reportGeneralTypeIssues]
    return TypeAdapter(with_config(_EXACT)(form))


def _descendants(state: type[BaseState]) -> Iterator[type[BaseState]]:
    for child in state.get_substates():
        yield child
        yield from _descendants(child)
