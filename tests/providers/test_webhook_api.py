"""An external API of the plain contract, over real HTTP."""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from hexwave_app.media.fetch import Fetcher
from hexwave_app.processes.errors import (
    InvalidRequest,
    ProviderBusy,
    ProviderError,
    ProviderNotReady,
    ProviderRefused,
    ProviderUnavailable,
    ResultLost,
    SubmissionUnknown,
)
from hexwave_app.processes.model import ProviderJob
from hexwave_app.providers import webhook_api
from hexwave_app.providers.webhook_api import WebhookApi
from hexwave_app.tools.image_generator import IMAGE_GENERATOR, ImageRequest
from hexwave_app.tools.model import ANY, Model, own_fields
from hexwave_app.tools.provider import Job, Report
from tests.conftest import free_port
from tests.providers.journey import served_app, travelling
from tests.providers.servers import Scripted, scripted
from tests.tools.conftest import picture

WEBHOOK = "https://hexwave.example/api/webhook/image?processId=p_1&token=secret-token"
REQUEST = ImageRequest(
    prompt="sea",
    negative_prompt="people",
    aspect_ratio="3:2",
    count=2,
    seed=7,
    style="ink",
    provider="external",
)
MODEL = Model("default", "External API", IMAGE_GENERATOR.name, dict.fromkeys(own_fields(ImageRequest), ANY))
JOB = Job("p_1", REQUEST, MODEL, WEBHOOK)


@dataclass
class Stage:
    api: Scripted
    provider: WebhookApi


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[Stage]:
    async with (
        scripted() as api,
        Fetcher.open() as fetcher,
        WebhookApi.open(fetcher, f"{api.origin}/generate", "the-key") as provider,
    ):
        yield Stage(api, provider)


async def test_it_is_asked_as_the_contract_says(stage: Stage) -> None:
    """Every input under its wire name, the webhook's URL, and the key in the body and as a header."""
    JOB.model.check(REQUEST)
    stage.api.say(202, {"id": "job-9"})
    assert await stage.provider.submit(JOB) == "job-9"
    (heard,) = stage.api.heard
    assert heard.path == "/generate"
    assert heard.body == {
        "prompt": "sea",
        "negativePrompt": "people",
        "aspectRatio": "3:2",
        "count": 2,
        "seed": 7,
        "style": "ink",
        "webhook_url": WEBHOOK,
        "key": "p_1",
    }
    assert (heard.headers["authorization"], heard.headers["idempotency-key"]) == ("Bearer the-key", "p_1")


async def test_without_a_key_nothing_is_authorized() -> None:
    async with (
        scripted() as api,
        Fetcher.open() as fetcher,
        WebhookApi.open(fetcher, api.origin) as provider,
    ):
        api.say(200, {})
        await provider.submit(JOB)
        assert "authorization" not in api.heard[0].headers


@pytest.mark.parametrize(
    ("answer", "job_id"),
    [
        ({"id": "a"}, "a"),
        ({"jobId": "b"}, "b"),
        ({"id": 42}, "42"),
        ({}, "p_1"),
        ({"id": None}, "p_1"),
        ({"id": ["x"]}, "p_1"),
        ({"id": "x" * 201}, "p_1"),
        (["x"], "p_1"),
        ("accepted", "p_1"),
        ("", "p_1"),
    ],
)
async def test_an_answer_without_an_id_leaves_the_key(stage: Stage, answer: object, job_id: str) -> None:
    """An id is optional in the contract, and whatever else a 2xx brings is no failure."""
    stage.api.say(200, answer)
    assert await stage.provider.submit(JOB) == job_id


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (301, ProviderNotReady),
        (400, ProviderRefused),
        (401, ProviderNotReady),
        (402, ProviderNotReady),
        (403, ProviderNotReady),
        (404, ProviderNotReady),
        (408, SubmissionUnknown),
        (422, ProviderRefused),
        (429, ProviderBusy),
        (500, SubmissionUnknown),
        (502, SubmissionUnknown),
        (503, ProviderBusy),
        (504, SubmissionUnknown),
    ],
)
async def test_failures_are_told_apart(stage: Stage, status: int, error: type[ProviderError]) -> None:
    """By whether it may have begun; the sentence is ours, and it is asked once."""
    stage.api.say(status, {"error": "boom at 10.0.0.7"})
    with pytest.raises(error) as refused:
        await stage.provider.submit(JOB)
    assert type(refused.value) is error
    assert "boom" not in refused.value.message
    assert len(stage.api.heard) == 1


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("7", 7, 7),
        ("0", 0, 0),
        ("999999", 3600, 3600),
        (timedelta(hours=5), 3600, 3600),
        (timedelta(hours=-5), 0, 0),
        (timedelta(seconds=900), 600, 900),
    ],
)
async def test_a_busy_api_says_when_to_come_again(
    stage: Stage, header: str | timedelta, least: float, most: float
) -> None:
    """In seconds or as a date, at most an hour."""
    if isinstance(header, timedelta):
        header = format_datetime(datetime.now(UTC) + header, usegmt=True)
    stage.api.say(429, {}, Retry_After=header)
    with pytest.raises(ProviderBusy) as busy:
        await stage.provider.submit(JOB)
    assert busy.value.retry_after is not None
    assert least <= busy.value.retry_after <= most


@pytest.mark.parametrize("header", ["", "soon", "-5", "nan", "²"])
async def test_a_senseless_wait_is_none(stage: Stage, header: str) -> None:
    stage.api.say(429, {}, Retry_After=header)
    with pytest.raises(ProviderBusy) as busy:
        await stage.provider.submit(JOB)
    assert busy.value.retry_after is None


async def test_where_nobody_listens_nothing_was_submitted() -> None:
    async with (
        Fetcher.open() as fetcher,
        WebhookApi.open(fetcher, f"http://127.0.0.1:{free_port()}") as provider,
    ):
        with pytest.raises(ProviderUnavailable):
            await provider.submit(JOB)


async def test_a_connection_that_breaks_leaves_it_unknown(stage: Stage) -> None:
    """It had read the request: never asked again."""
    stage.api.answers = [None]
    with pytest.raises(SubmissionUnknown):
        await stage.provider.submit(JOB)
    assert len(stage.api.heard) == 1


async def test_each_job_has_a_connection_of_its_own(stage: Stage) -> None:
    """One that was kept may break with the job on its way, and then nobody knows whether it was read."""
    stage.api.say(200, {})
    for _ in range(3):
        await stage.provider.submit(JOB)
    assert len({heard.port for heard in stage.api.heard}) == 3


async def test_an_answer_that_does_not_come_leaves_it_unknown(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_api, "_ANSWER_PATIENCE", 0.05)
    stage.api.open.clear()
    async with (
        Fetcher.open() as fetcher,
        WebhookApi.open(fetcher, stage.api.origin) as provider,
    ):
        with pytest.raises(SubmissionUnknown):
            await provider.submit(JOB)
    stage.api.say(200, {})
    stage.api.open.set()


async def test_an_endless_answer_is_not_read_to_its_end(stage: Stage) -> None:
    stage.api.say(200, "x" * (2 * 2**20))
    with pytest.raises(SubmissionUnknown):
        await stage.provider.submit(JOB)


async def test_the_log_has_its_words_and_no_secret(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the key nor the webhook's token, however it repeats them, nor a line of its own."""
    caplog.set_level(logging.DEBUG)
    stage.api.say(400, {"error": "no such style", "asked": WEBHOOK, "key": "Bearer the-key", "x": "a\nb"})
    with pytest.raises(ProviderRefused):
        await stage.provider.submit(JOB)
    logged = [record for record in caplog.records if record.name.startswith("hexwave_app")]
    assert any("no such style" in record.getMessage() for record in logged)
    said = "\n".join(record.getMessage() for record in caplog.records if "httpcore" not in record.name)
    assert "the-key" not in said
    assert "secret-token" not in said


async def test_what_it_cannot_be_asked_is_not_made_up(stage: Stage) -> None:
    """How a job is, whether there is one, and to stop one: the contract has no word for these."""
    job = ProviderJob(name="external", job_id="job-9")
    assert await stage.provider.status(job) == Report("processing", "job-9")
    with pytest.raises(SubmissionUnknown):
        await stage.provider.find("p_1")
    await stage.provider.cancel(job)
    assert stage.api.heard == []


async def test_its_reports_are_the_plain_ones(stage: Stage) -> None:
    await stage.provider.verify({}, b"{}")
    report = stage.provider.parse({"status": "success", "images": ["https://x.example/1.png"], "jobId": "j"})
    assert report == Report("succeeded", "j", results=("https://x.example/1.png",))
    with pytest.raises(InvalidRequest):
        stage.provider.parse({"status": "success"})


async def test_results_may_be_where_the_api_is(stage: Stage) -> None:
    """Its own origin may be on a private address, for the operator chose it; no other address may."""
    stage.api.files["/1.png"] = b"picture"
    assert await stage.provider.fetch(f"{stage.api.origin}/1.png") == b"picture"
    with pytest.raises(ResultLost):
        await stage.provider.fetch(f"{stage.api.origin}/gone.png")
    async with scripted() as other:
        other.files["/1.png"] = b"secret"
        with pytest.raises(ResultLost):
            await stage.provider.fetch(f"{other.origin}/1.png")


async def test_its_whole_life(data_dir: Path) -> None:
    """Submitted, told of progress, of the end twice and by a forger: kept once."""
    async with (
        served_app(data_dir) as served,
        scripted() as api,
        Fetcher.open() as fetcher,
        WebhookApi.open(fetcher, f"{api.origin}/generate") as provider,
        travelling(served, provider) as traveller,
        httpx.AsyncClient() as http,
    ):
        api.say(202, {"id": 42})
        api.files = {"/half.png": picture(), "/1.png": picture()}
        process_id = await traveller.asks(style="ink")
        (heard,) = await api.asked()
        url = heard.body["webhook_url"]
        progress = {"status": "processing", "progress": 40, "preview": f"{api.origin}/half.png", "jobId": 42}
        assert (await http.post(url, json=progress)).status_code == 200
        shown = await traveller.sees(process_id, progress=40)
        assert await traveller.gets(shown["data"]["preview"][0])
        success = {"status": "success", "images": [f"{api.origin}/1.png"]}
        forged = url.partition("token=")[0] + "token=forged"
        assert (await http.post(forged, json=success)).status_code == 401
        assert (await http.post(url, json=success | {"jobId": "43"})).status_code == 401
        assert (await http.post(url, content=b"{")).status_code == 400
        assert (await http.post(url, json={"status": "success"})).status_code == 422
        assert (await http.post(url, json=success)).status_code == 200
        done = await traveller.guest.ended(process_id)
        assert (done["status"], len(done["data"]["generations"])) == ("completed", 1)
        assert (await http.post(url, json={"status": "error", "error": "late"})).status_code == 200
        after = await traveller.guest.process(process_id)
        assert (after["sequence"], after["data"]) == (done["sequence"], done["data"])
