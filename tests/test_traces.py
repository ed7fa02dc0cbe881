"""One trace a process, from a click to a page."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode, format_trace_id

from hexwave_app.processes import Act, Deed, Observers, Process, Processes, Progressed
from hexwave_app.processes.work import Work, asked, doing, trace, trace_id
from hexwave_app.traces import Traces
from tests.conftest import eventually
from tests.identity.whole_app import whole_app
from tests.processes.memory import FaultyChannel, MemoryStore
from tests.processes.test_transition import begun
from tests.providers.servers import hosted
from tests.security.page_socket import PageSocket

ROOT = Path(__file__).parents[1]
TOKEN = "collector-key-0123456789"
OFF = """
import asyncio, pathlib, sys
from hexwave_app.services import open_services
from hexwave_app.settings import Settings

async def main():
    async with open_services(Settings(data_dir=pathlib.Path(sys.argv[1]))):
        print([name for name in sys.modules if "exporter" in name or name == "hexwave_app.traces"])

asyncio.run(main())
"""


@dataclass
class Spans:
    """What has ended at one server."""

    traces: Traces
    kept: InMemorySpanExporter

    @property
    def ended(self) -> tuple[ReadableSpan, ...]:
        return self.kept.get_finished_spans()

    def tree(self) -> set[tuple[str, str]]:
        """The name of each, with that of the one it belongs to; "?" where that is not of this server."""
        names = {span.context.span_id: span.name for span in self.ended if span.context}
        return {
            (names.get(span.parent.span_id, "?") if span.parent else "", span.name) for span in self.ended
        }


@pytest.fixture
def spans() -> Iterator[Spans]:
    kept = InMemorySpanExporter()
    traces = Traces(SimpleSpanProcessor(kept))
    trace(traces.span)
    yield Spans(traces, kept)
    trace(None)


async def published(process: Process, spans: Spans) -> Process:
    processes = Processes(MemoryStore(), FaultyChannel(), observer=Observers((spans.traces,)))
    await processes.create(process)
    return await processes.update(process.process_id, Progressed(10))


def test_what_happens_within_work_is_a_part_of_it(spans: Spans) -> None:
    """Tasks too; all of it in the one trace of its process."""

    async def start() -> None:
        asked("POST /api/processes/p_first/retry")
        with doing(Work("p_a", "start")):
            with doing(Work("p_a", "publish", "1")):
                pass
            task = asyncio.create_task(submit())
        await task

    async def submit() -> None:
        with doing(Work("p_a", "submit", "demo")):
            pass

    asyncio.run(start())
    assert spans.tree() == {
        ("", "POST /api/processes/{id}/retry"),
        ("POST /api/processes/{id}/retry", "start"),
        ("start", "publish"),
        ("start", "submit"),
    }
    traces = {format_trace_id(span.context.trace_id) for span in spans.ended if span.context}
    assert traces == {trace_id("p_a")}


async def test_other_servers_go_on_with_a_trace(spans: Spans) -> None:
    """A webhook belongs to the submission, a page to what it was told, wherever these were."""
    with doing(Work("p_a", "start")), doing(Work("p_a", "submit", "demo")):
        pass
    with doing(Work("p_b", "deliver")):
        # As a webhook of one process might set something going for another.
        with doing(Work("p_a", "webhook", after=("submit", "demo"))), doing(Work("p_a", "deliver")):
            pass
        with doing(Work("p_a", "cancel")):
            pass
    process = await published(begun(), spans)
    spans.traces.observe(Act(Deed.DELIVERED, process))
    assert spans.tree() == {
        *{("", "start"), ("start", "submit"), ("submit", "webhook"), ("webhook", "deliver")},
        *{("start", "cancel"), ("?", "deliver"), ("?", "publish"), ("publish", "page")},
    }
    (page,) = (span for span in spans.ended if span.name == "page")
    assert page.parent
    (told,) = (span for span in spans.ended if span.context and span.context.span_id == page.parent.span_id)
    assert dict(told.attributes or {})["hexwave.sequence"] == str(process.sequence)


def test_an_error_is_told_by_its_type_alone(spans: Spans) -> None:
    """Its words may be a provider's, or a secret."""
    with pytest.raises(ValueError, match="secret"), doing(Work("p_a", "start")):
        raise ValueError("secret")
    (span,) = spans.ended
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "ValueError")
    assert "secret" not in span.to_json()


def test_without_a_collector_nothing_of_it_is_imported(tmp_path: Path) -> None:
    """What is off costs nothing."""
    run = subprocess.run(
        [sys.executable, "-c", OFF, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert run.stdout == "[]\n"


@dataclass
class Collector:
    """Takes spans by OTLP over HTTP, as (trace, parent, span, name)."""

    spans: list[tuple[str, str, str, str]] = field(default_factory=list[tuple[str, str, str, str]])
    raw: bytes = b""

    async def take(self, request: web.Request) -> web.Response:
        assert request.headers["x-key"] == TOKEN
        body = await request.read()
        self.raw += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    ids = (span.trace_id, span.parent_span_id, span.span_id)
                    self.spans.append((ids[0].hex(), ids[1].hex(), ids[2].hex(), span.name))
        return web.Response(content_type="application/x-protobuf")

    def paths(self, process_id: str) -> set[tuple[str, ...]]:
        """Each span of the process's trace as the names from the root to it."""
        own = {
            span: (parent, name) for trace, parent, span, name in self.spans if trace == trace_id(process_id)
        }

        def path(span: str) -> tuple[str, ...]:
            parent, name = own[span]
            return (*(path(parent) if parent in own else ("?",) if parent else ()), name)

        return {path(span) for span in own}


@asynccontextmanager
async def collected() -> AsyncIterator[tuple[Collector, str]]:
    """A collector, and the address of an app that sends it its spans."""
    collector, app = Collector(), web.Application()
    app.router.add_post("/v1/traces", collector.take)
    async with hosted(app) as url:
        yield collector, url


async def test_a_click_is_one_trace_up_to_the_page(tmp_path: Path) -> None:
    """Through a real server, its engine's webhook and Ably, and told to a real collector; without texts."""
    async with collected() as (collector, collector_url):
        settings = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector_url,
            "OTEL_EXPORTER_OTLP_HEADERS": f"x-key={TOKEN}",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        async with whole_app(tmp_path, settings) as url, httpx.AsyncClient(base_url=url) as http:
            await http.get("/api/processes")
            async with PageSocket.open(url, http) as page:
                await page.emit("watch")
                await page.emit("generate", {"form": {"prompt": "A most private prompt"}})
                process_id = await _ended(http)
                clicked = await _paths(collector, process_id)
            answer = await http.post("/api/generate-image", json={"prompt": "sea"})
            posted = await eventually(lambda: _begun(collector, answer.json()["processId"]))
    click = ("event studio_state.generate", "start")
    webhook = (*click, "submit", "webhook")
    assert {
        *{click[:1], click, (*click, "submit"), webhook, (*webhook, "deliver")},
        *{(*webhook, "deliver", "publish"), (*webhook, "deliver", "publish", "page")},
    } <= clicked
    assert not [path for path in clicked if "?" in path]
    assert ("POST /api/generate-image", "start", "submit") in posted
    for secret in (b"private", b"token=", TOKEN.encode()):
        assert secret not in collector.raw
    assert TOKEN not in (tmp_path / "app.log").read_text()


async def _ended(http: httpx.AsyncClient) -> str:
    async def ended() -> str | None:
        found = (await http.get("/api/processes")).json()["processes"]
        return next((each["processId"] for each in found if each["status"] == "completed"), None)

    return await eventually(ended)


async def _paths(collector: Collector, process_id: str) -> set[tuple[str, ...]]:
    async def whole() -> set[tuple[str, ...]] | None:
        found = collector.paths(process_id)
        last = [path for path in found if path[-3:] == ("deliver", "publish", "page")]
        return found if last and not [path for path in found if "?" in path] else None

    return await eventually(whole)


async def _begun(collector: Collector, process_id: str) -> set[tuple[str, ...]] | None:
    found = collector.paths(process_id)
    return found if [path for path in found if path[-1] == "submit" and "?" not in path] else None
