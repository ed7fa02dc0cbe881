"""What is being done, and for which process: what the lines of a log and the spans of a trace go by."""

import hashlib
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Work:
    """`what` is done for the process; `which` tells apart what is done more than once, by any server.

    `after` is the `what` and `which` of the work that led to this one, where that was elsewhere: on the other
    side of a provider, or of Ably. `began` is in nanoseconds since the epoch, where that was earlier.
    """

    process_id: str
    what: str
    which: str = ""
    after: tuple[str, str] | None = None
    began: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asked for, by a name that is fit for a trace, and `at` when: as `Work.began`."""

    name: str
    at: int


Tracer = Callable[[Work], AbstractContextManager[None]]

_process_id: ContextVar[str] = ContextVar("process_id", default="")
_request: ContextVar[Request | None] = ContextVar("request", default=None)


class _Traced:
    """The heart imports no tracing; what opens the services brings it along."""

    by: Tracer | None = None


def trace(tracer: Tracer | None) -> None:
    """Have each piece of work be a block of the tracer's; none of any with `None`."""
    _Traced.by = tracer


def process_id() -> str:
    """The process that is being worked on here; empty where it is none."""
    return _process_id.get()


def trace_id(process_id: str) -> str:
    """The trace of a process, 32 hexadecimal digits: everybody who has the process knows it."""
    return hashlib.sha256(process_id.encode()).hexdigest()[:32]


def traced() -> bool:
    """Whether there are traces."""
    return _Traced.by is not None


def asked(name: str) -> None:
    """Somebody has just asked for this: it is what a process begins with that begins in this task."""
    _request.set(Request(name, time.time_ns()))


def request() -> Request | None:
    """What was asked for, where that is known."""
    return _request.get()


@contextmanager
def working_on(process_id: str) -> Generator[None, None, None]:
    """The block, and the tasks that begin in it, are about that process."""
    token = _process_id.set(process_id)
    try:
        yield
    finally:
        _process_id.reset(token)


@contextmanager
def doing(work: Work) -> Generator[None, None, None]:
    """`working_on` its process, and a span of its trace where there are traces."""
    with working_on(work.process_id):
        if _Traced.by is None:
            yield
        else:
            with _Traced.by(work):
                yield
