"""How long the news of a webhook takes to be published, and to be on a page."""

import time
from collections import OrderedDict
from dataclasses import dataclass

from hexwave_app.activity.samples import Samples
from hexwave_app.activity.webhooks import cause
from hexwave_app.processes.observer import Act, Deed

WINDOW = 900.0
"""Seconds that the figures look back."""

_PENDING = 1000


@dataclass
class _Change:
    """What a webhook made of a process at `sequence`; `began` is its arrival, on the monotonic clock."""

    sequence: int
    began: float
    published: bool = False
    shown: bool = False


class WebhookLatency:
    """Times each webhook that changed something, from its arrival to the first page that shows the change.

    One that no page waits for is timed as far as its publication.
    """

    def __init__(self) -> None:
        self.published = Samples(WINDOW)
        self.shown = Samples(WINDOW)
        self._changes: OrderedDict[str, _Change] = OrderedDict()

    def observe(self, act: Act) -> None:
        if act.process is None:
            return
        process_id, sequence = act.process.process_id, act.process.sequence
        if act.deed in (Deed.PUBLISHED, Deed.DELIVERED):
            self._told(process_id, sequence, act.deed)
        elif act.deed is not Deed.IGNORED and (delivery := cause(act)) is not None:
            self._changes[process_id] = _Change(sequence, delivery.began)
            if len(self._changes) > _PENDING:
                self._changes.popitem(last=False)

    def _told(self, process_id: str, sequence: int, deed: Deed) -> None:
        change = self._changes.get(process_id)
        if change is None or sequence < change.sequence:
            return
        took = time.monotonic() - change.began
        # A page of this worker may show it before Ably has it.
        if deed is Deed.DELIVERED and not change.shown:
            self.shown.add(took)
            change.shown = True
        elif deed is Deed.PUBLISHED and not change.published:
            self.published.add(took)
            change.published = True
        if change.shown and change.published:
            del self._changes[process_id]
