"""The webhooks that came, and what became of each."""

import itertools
import time
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from hexwave_app.processes.errors import HexwaveError
from hexwave_app.processes.model import Source, utc_now
from hexwave_app.processes.observer import Act, Deed

_KEPT = 100
_BODIES = 2**22
"""Bytes of bodies that are kept together."""


class Verdict(StrEnum):
    ACCEPTED = "accepted"
    IGNORED = "ignored"
    REFUSED = "refused"


@dataclass
class Delivery:
    """One webhook: no headers and no token of it. `reason` says why it was ignored or refused.

    `body` is there once it is verified, for as long as there is room: what has one can be replayed.
    `replay_of` is the number of the delivery that this one repeats.
    """

    number: int
    process_id: str
    replay_of: int | None = None
    at: datetime = field(default_factory=utc_now)
    began: float = field(default_factory=time.monotonic)
    verdict: Verdict = Verdict.ACCEPTED
    reason: str = ""
    code: str = ""
    size: int = 0
    body: bytes | None = None

    def verified(self, body: bytes) -> None:
        self.body, self.size = body, len(body)


# What a webhook sets going, its tasks included, is known by this.
_cause: ContextVar[Delivery | None] = ContextVar("webhook", default=None)


class WebhookLog:
    """The last hundred verified webhooks and the last hundred others, which cannot push those out.

    An observer too: what the heart makes of a webhook is its verdict.
    """

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._verified: deque[Delivery] = deque(maxlen=_KEPT)
        self._refused: deque[Delivery] = deque(maxlen=_KEPT)

    @property
    def newest(self) -> list[Delivery]:
        """All that are kept, the newest first."""
        return sorted((*self._verified, *self._refused), key=lambda delivery: -delivery.number)

    def find(self, number: int) -> Delivery | None:
        return next((each for each in self.newest if each.number == number), None)

    @contextmanager
    def receiving(self, process_id: str, replay_of: int | None = None) -> Generator[Delivery, None, None]:
        """A delivery for the block, which is to say when it is verified; an error in it is its refusal."""
        delivery = Delivery(next(self._numbers), process_id, replay_of)
        token = _cause.set(delivery)
        try:
            yield delivery
        except HexwaveError as error:
            delivery.verdict, delivery.reason, delivery.code = Verdict.REFUSED, error.message, error.code
            raise
        finally:
            _cause.reset(token)
            self._keep(delivery)

    def observe(self, act: Act) -> None:
        delivery = cause(act)
        if delivery is not None and verdict(act) is Verdict.IGNORED:
            delivery.verdict, delivery.reason = Verdict.IGNORED, act.detail or ""

    def _keep(self, delivery: Delivery) -> None:
        if delivery.body is None:
            self._refused.append(delivery)
            return
        self._verified.append(delivery)
        room = _BODIES
        for each in reversed(self._verified):
            room -= len(each.body or b"")
            if room < 0:
                each.body = None


def verdict(act: Act) -> Verdict | None:
    """What became of a webhook, where this is what says so."""
    if act.source is not Source.WEBHOOK:
        return None
    match act.deed:
        case Deed.REFUSED:
            return Verdict.REFUSED
        case Deed.IGNORED:
            return Verdict.IGNORED
        case Deed.WEBHOOK | Deed.PROGRESS:
            return Verdict.ACCEPTED
        case Deed.FAILED if act.process is not None and act.process.answer is None:
            return Verdict.ACCEPTED
        case _:
            return None


def cause(act: Act) -> Delivery | None:
    """The webhook that `act` is the answer to."""
    return _cause.get() if act.source is Source.WEBHOOK else None
