"""Figures of this worker for Prometheus."""

import time
from collections import OrderedDict
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from hexwave_app.activity.webhooks import cause, verdict
from hexwave_app.processes.model import Process
from hexwave_app.processes.observer import Act, Deed

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds: from what a quiet machine needs to what a person gives up at."""

_ENDS = (Deed.SAVED, Deed.FAILED, Deed.CANCELLED)
_PENDING = 1000


class Metrics:
    """Counts what the heart does. What others know is asked of them at each reading, see `ask`."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._begun = Counter(
            "hexwave_processes_begun", "Processes that began here", ("tool",), registry=self._registry
        )
        self._ended = Counter(
            "hexwave_processes_ended",
            "Processes that ended here",
            ("tool", "provider", "status", "code"),
            registry=self._registry,
        )
        self._webhooks = Counter(
            "hexwave_webhooks", "Webhooks, by what became of them", ("verdict",), registry=self._registry
        )
        self._reconciled = Counter(
            "hexwave_reconciled", "Processes that the reconciler took up", registry=self._registry
        )
        self._untold = Counter(
            "hexwave_unpublished", "Changes that were saved and not told at once", registry=self._registry
        )
        self._published = self._seconds("hexwave_webhook_to_publish", "From a webhook to its publication")
        self._shown = self._seconds("hexwave_publish_to_page", "From a publication to a page of this worker")
        self._told: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def ask(self, name: str, description: str, figure: Callable[[], float]) -> None:
        """Have `figure` called at each reading; `name` is without our prefix."""
        Gauge(f"hexwave_{name}", description, registry=self._registry).set_function(figure)

    def read(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self._registry)

    def observe(self, act: Act) -> None:
        if (became := verdict(act)) is not None:
            self._webhooks.labels(became).inc()
        if act.deed is Deed.RECONCILED:
            self._reconciled.inc()
        elif act.deed is Deed.UNPUBLISHED:
            self._untold.inc()
        if act.process is not None:
            self._count(act.deed, act.process)
            self._time(act, act.process)

    def _count(self, deed: Deed, process: Process) -> None:
        if deed is Deed.CREATED:
            self._begun.labels(process.tool_name).inc()
        elif deed in _ENDS:
            code = process.data.error_code or ""
            self._ended.labels(process.tool_name, process.provider.name, process.status.value, code).inc()

    def _time(self, act: Act, process: Process) -> None:
        now = time.monotonic()
        if act.deed is Deed.PUBLISHED:
            if (delivery := cause(act)) is not None:
                self._published.observe(now - delivery.began)
            self._told[process.process_id] = (process.sequence, now)
            if len(self._told) > _PENDING:
                self._told.popitem(last=False)
        elif act.deed is Deed.DELIVERED:
            sequence, told = self._told.get(process.process_id, (process.sequence + 1, now))
            if sequence <= process.sequence:
                self._shown.observe(now - told)
                del self._told[process.process_id]

    def _seconds(self, name: str, description: str) -> Histogram:
        return Histogram(f"{name}_seconds", description, buckets=_BUCKETS, registry=self._registry)
