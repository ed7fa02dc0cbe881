"""What Prometheus reads."""

import re
from pathlib import Path

import httpx

from hexwave_app.settings import Settings
from tests.api.conftest import Guest
from tests.conftest import eventually, free_port, serve

TOKEN = "t" * 32
IDLE = ("submitting", "saving", "ably_channels", "reconciler_untold")
"""The figures that are 0 where nothing is under way."""

HEADERS = {"Authorization": f"Bearer {TOKEN}"}


def figure(text: str, name: str) -> float:
    """The value of the sample that is called so, labels and all."""
    (found,) = re.findall(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found)


async def test_a_job_is_counted_from_its_begin_to_its_end(tmp_path: Path) -> None:
    """With its webhooks, and how long the news of them took; the reading itself leaves no cookie."""
    settings = Settings(data_dir=tmp_path, port=free_port(), metrics_token=TOKEN)
    async with (
        serve(settings) as server,
        httpx.AsyncClient(base_url=server.url) as http,
        httpx.AsyncClient(base_url=server.url) as prometheus,
    ):
        await http.get("/api/processes")
        begun = await http.post("/api/generate-image", json={"prompt": "sea", "aspectRatio": "1:1"})
        await Guest(http, server).ended(begun.json()["processId"])

        async def idle() -> httpx.Response | None:
            answer = await prometheus.get("/metrics", headers=HEADERS)
            busy = (figure(answer.text, f"hexwave_{name}") for name in IDLE)
            return None if any(busy) else answer

        answer = await eventually(idle)
        assert answer.headers["content-type"].startswith("text/plain")
        assert not prometheus.cookies
        text = answer.text
    labels = 'code="",provider="demo",status="completed",tool="image-generator"'
    assert figure(text, 'hexwave_processes_begun_total{tool="image-generator"}') == 1
    assert figure(text, f"hexwave_processes_ended_total{{{labels}}}") == 1
    accepted = figure(text, 'hexwave_webhooks_total{verdict="accepted"}')
    assert accepted >= 1
    assert figure(text, "hexwave_webhook_to_publish_seconds_count") >= accepted
    assert figure(text, "hexwave_ably_up") == 1
    assert figure(text, "hexwave_ably_connections") >= 0
    assert figure(text, "hexwave_reconciler_overdue") == 0
    assert figure(text, "process_resident_memory_bytes") > 0


async def test_who_has_no_token_reads_nothing(tmp_path: Path) -> None:
    """A wrong one is 401, and where none is set there is nothing to be had."""
    settings = Settings(data_dir=tmp_path, port=free_port(), metrics_token=TOKEN)
    async with serve(settings) as server, httpx.AsyncClient(base_url=server.url) as http:
        for headers in ({}, {"Authorization": f"Bearer {TOKEN[1:]}"}, {"Authorization": "Bearer é".encode()}):
            assert (await http.get("/metrics", headers=headers)).status_code == 401  # pyright: ignore
    async with (
        serve(Settings(data_dir=tmp_path, port=free_port())) as server,
        httpx.AsyncClient(base_url=server.url) as http,
    ):
        assert (await http.get("/metrics", headers=HEADERS)).status_code == 404
        assert (await http.get("/metrics")).status_code == 404
