"""The trace of each process, from a click to a page, as OpenTelemetry has it.

A process's id says its trace's, and those of the spans that others follow: whoever has the process knows
them, at whatever server. So nothing of a trace is in a document, in a webhook's URL or in a message.
"""

import asyncio
import hashlib
import re
import threading
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    get_current_span,
    set_span_in_context,
    use_span,
)

from hexwave_app.processes.observer import Act, Deed
from hexwave_app.processes.work import Work, request, trace, trace_id

_EXPORT_SECONDS = 3.0
"""The longest that a batch may take, and that a server that ends waits for its collector."""

_ROOT = ("", "")
_ID = re.compile(r"(?<=/)p_[\w-]+")
_KINDS = {
    "submit": SpanKind.CLIENT,
    "webhook": SpanKind.SERVER,
    "publish": SpanKind.PRODUCER,
    "page": SpanKind.CONSUMER,
}
_WHICH = {"submit": "hexwave.provider", "publish": "hexwave.sequence", "page": "hexwave.sequence"}


class Traces:
    """A tracer for `processes/work.py`, and the observer that sees a process reach a page.

    Spans have no texts of people or providers: names, ids, and the type of an error. The provider is our own:
    libraries that look for a global one, and would record URLs with their tokens, find none.
    """

    def __init__(self, processor: SpanProcessor) -> None:
        self._ids = _Ids()
        self._provider = TracerProvider(
            sampler=ALWAYS_ON,
            resource=Resource.create({SERVICE_NAME: "hexwave"}),
            id_generator=self._ids,
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("hexwave")

    @classmethod
    @asynccontextmanager
    async def open(cls, endpoint: str, headers: Mapping[str, str]) -> AsyncGenerator["Traces", None]:
        """Sent to the collector at `endpoint` by OTLP over HTTP, `/v1/traces`, while the block is open."""
        url = f"{endpoint.rstrip('/')}/v1/traces"
        exporter = OTLPSpanExporter(url, headers=dict(headers), timeout=_EXPORT_SECONDS)
        traces = cls(BatchSpanProcessor(exporter))
        trace(traces.span)
        try:
            yield traces
        finally:
            trace(None)
            await traces._end()

    @contextmanager
    def span(self, work: Work) -> Generator[None, None, None]:
        process_id, parent, at = work.process_id, self._parent(work), work.began
        span_id = _span(process_id, work.what, work.which) if work.which else None
        with ExitStack() as stack:
            if parent is None:
                span_id = root = _span(process_id, *_ROOT)
                if (by := request()) is not None:
                    asked = self._begun(process_id, _ID.sub("{id}", by.name), Context(), root, by.at)
                    stack.enter_context(_within(asked))
                    parent, span_id = set_span_in_context(asked), None
            span = self._begun(process_id, work.what, parent or Context(), span_id, at)
            if work.which:
                span.set_attribute(_WHICH[work.what], work.which)
            stack.enter_context(_within(span))
            yield

    def observe(self, act: Act) -> None:
        if act.deed is Deed.DELIVERED and act.process is not None:
            process_id, sequence = act.process.process_id, str(act.process.sequence)
            span = self._begun(process_id, "page", _context(process_id, "publish", sequence))
            span.set_attribute(_WHICH["page"], sequence)
            span.end()

    async def _end(self) -> None:
        """Send what is left, for as long as there is time."""
        # It takes as long again for each batch, and nobody is to wait for a collector that says nothing.
        ending = threading.Thread(target=self._provider.shutdown, name="last spans", daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, _EXPORT_SECONDS)

    def _parent(self, work: Work) -> Context | None:
        """What the work is a part of, or comes after; `None` for what a process begins with."""
        if work.what == "start":
            return None
        if work.after is not None:
            return _context(work.process_id, *work.after)
        here = get_current_span()
        if here.get_span_context().trace_id == _trace(work.process_id):
            return set_span_in_context(here)
        return _context(work.process_id, *_ROOT)

    def _begun(
        self, process_id: str, name: str, parent: Context, span_id: int | None = None, at: int | None = None
    ) -> Span:
        self._ids.next = _trace(process_id), span_id
        kind, attributes = _KINDS.get(name, SpanKind.INTERNAL), {"hexwave.process_id": process_id}
        return self._tracer.start_span(name, parent, kind, attributes, start_time=at)


class _Ids(RandomIdGenerator):
    """Those of the next span; a span's that is `None` is a random one."""

    next: tuple[int, int | None] = (0, None)

    def generate_trace_id(self) -> int:
        return self.next[0]

    def generate_span_id(self) -> int:
        return self.next[1] or super().generate_span_id()


@contextmanager
def _within(span: Span) -> Generator[None, None, None]:
    with use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield
        except Exception as error:
            # Its words may be a provider's, or have a secret in them.
            span.set_status(StatusCode.ERROR, type(error).__name__)
            raise


def _context(process_id: str, what: str, which: str) -> Context:
    flags = TraceFlags(TraceFlags.SAMPLED)
    where = SpanContext(_trace(process_id), _span(process_id, what, which), is_remote=True, trace_flags=flags)
    return set_span_in_context(NonRecordingSpan(where))


def _trace(process_id: str) -> int:
    return int(trace_id(process_id), 16)


def _span(process_id: str, what: str, which: str) -> int:
    digest = hashlib.sha256(f"{process_id}/{what}/{which}".encode()).digest()
    return int.from_bytes(digest[:8])
