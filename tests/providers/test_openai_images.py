"""An OpenAI-compatible images API, over real HTTP, from the call to our own webhook."""

import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hexwave_app.media.fetch import Fetcher
from hexwave_app.media.library import Library
from hexwave_app.processes.errors import InvalidRequest, ResultLost, StoreUnavailable, SubmissionUnknown
from hexwave_app.processes.model import ProviderJob
from hexwave_app.providers import openai_images
from hexwave_app.providers.openai_images import OpenAIImages
from hexwave_app.tools.image_generator import SIZES, ImageRequest
from hexwave_app.tools.provider import Job, Report
from tests.conftest import eventually
from tests.providers.journey import served_app, travelling
from tests.providers.servers import Scripted, Webhook, listening, scripted
from tests.tools.conftest import picture

MODELS = ("gpt-image-2.6-flare", "gpt-image-1.5", "dall-e-3", "Qwen/Qwen-Image")
PICTURE = b"\x89PNG one"
OTHER = b"\x89PNG two"
RUNNING = ProviderJob(name="openai", job_id="p_1")


def made(*pictures: bytes) -> dict[str, Any]:
    return {"created": 1, "data": [{"b64_json": base64.b64encode(each).decode()} for each in pictures]}


def refused(code: str, kind: str = "invalid_request_error") -> dict[str, Any]:
    return {"error": {"message": "Rejected by the safety system: sk-words", "type": kind, "code": code}}


@dataclass
class Bench:
    api: Scripted
    webhook: Webhook
    library: Library
    provider: OpenAIImages

    def job(self, model: str = MODELS[0], key: str = "p_1", **asked: Any) -> Job:
        chosen = next(each for each in self.provider.models if each.name == model)
        request = ImageRequest.read({"prompt": "sea"} | asked)
        chosen.check(request)
        return Job(key, request, chosen, self.webhook.url)

    async def idle(self) -> None:
        async def none_left() -> bool:
            return not any(task.get_name().startswith("images of") for task in asyncio.all_tasks())

        await eventually(none_left)


@asynccontextmanager
async def opened(
    api: Scripted, webhook: Webhook, media: Path, models: Sequence[str] = MODELS
) -> AsyncIterator[Bench]:
    library = Library(media)
    async with (
        Fetcher.open() as fetcher,
        OpenAIImages.open(library, fetcher, "sk-key", f"{api.origin}/v1", models) as provider,
    ):
        yield Bench(api, webhook, library, provider)


@pytest_asyncio.fixture
async def bench(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(openai_images, "_PAUSES", (0.01, 0.01))
    async with scripted() as api, listening() as webhook, opened(api, webhook, data_dir / "media") as bench:
        yield bench


async def test_a_call_becomes_a_report_and_files(bench: Bench) -> None:
    """Its bytes are too large for a webhook: they are kept, and the report says where."""
    bench.api.say(200, made(PICTURE, OTHER))
    assert await bench.provider.submit(bench.job(count=2, aspectRatio="4:5")) == "p_1"
    report = bench.provider.parse(await bench.webhook.final())
    assert (report.outcome, report.job_id, report.notice) == ("succeeded", "p_1", None)
    assert [await bench.provider.fetch(url) for url in report.results] == [PICTURE, OTHER]
    (heard,) = bench.api.heard
    assert heard.path == "/v1/images/generations"
    assert heard.headers["authorization"] == "Bearer sk-key"
    assert heard.body == {"model": MODELS[0], "prompt": "sea", "n": 2, "size": "896x1120"}
    assert bench.webhook.reports[0] == {"status": "processing", "stage": "painting", "jobId": "p_1"}


@pytest.mark.parametrize(
    ("model", "ratio", "size", "form"),
    [
        ("gpt-image-2.6-flare", "16:9", "1344x768", None),
        ("gpt-image-1.5", "3:2", "1536x1024", None),
        ("gpt-image-1.5", "2:3", "1024x1536", None),
        ("dall-e-3", "16:9", "1792x1024", "b64_json"),
        ("dall-e-3", "9:16", "1024x1792", "b64_json"),
        ("Qwen/Qwen-Image", "16:9", "1344x768", "b64_json"),
    ],
)
async def test_the_request_is_in_the_models_words(
    bench: Bench, model: str, ratio: str, size: str, form: str | None
) -> None:
    """The GPT image models refuse `response_format`; to the others it saves a second request."""
    bench.api.say(200, made(PICTURE))
    await bench.provider.submit(bench.job(model, aspectRatio=ratio))
    await bench.webhook.final()
    body = bench.api.heard[0].body
    assert (body["size"], body.get("response_format")) == (size, form)


@pytest.mark.parametrize(
    ("model", "asked", "field"),
    [
        ("gpt-image-2.6-flare", {"seed": 7}, "seed"),
        ("gpt-image-2.6-flare", {"negativePrompt": "people"}, "negativePrompt"),
        ("gpt-image-2.6-flare", {"style": "ink"}, "style"),
        ("gpt-image-1.5", {"aspectRatio": "16:9"}, "aspectRatio"),
        ("dall-e-3", {"count": 2}, "count"),
        ("dall-e-3", {"aspectRatio": "3:2"}, "aspectRatio"),
    ],
)
async def test_what_a_model_does_not_know_is_refused(
    bench: Bench, model: str, asked: dict[str, Any], field: str
) -> None:
    """Before it is paid for, and by its name."""
    with pytest.raises(InvalidRequest) as error:
        bench.job(model, **asked)
    assert error.value.field == field


def test_every_size_is_one_that_the_gpt_image_models_take() -> None:
    """Sides that are multiples of 16, no longer than three times the other."""
    for width, height in SIZES.values():
        assert width % 16 == height % 16 == 0
        assert max(width, height) <= 3 * min(width, height)


async def test_an_answer_may_be_urls(bench: Bench) -> None:
    """Where the API itself is, on a private address too."""
    bench.api.files["/generated/1.png"] = PICTURE
    bench.api.say(200, {"data": [{"url": f"{bench.api.origin}/generated/1.png"}]})
    await bench.provider.submit(bench.job("Qwen/Qwen-Image"))
    report = bench.provider.parse(await bench.webhook.final())
    assert await bench.provider.fetch(report.results[0]) == PICTURE
    del bench.api.files["/generated/1.png"]
    with pytest.raises(ResultLost):
        await bench.provider.fetch(report.results[0])


async def test_part_of_a_batch_is_a_success_with_a_notice(bench: Bench) -> None:
    bench.api.say(200, {"data": [*made(PICTURE)["data"], {"b64_json": None}, {}]})
    await bench.provider.submit(bench.job(count=4))
    report = bench.provider.parse(await bench.webhook.final())
    assert (len(report.results), report.notice) == (1, "3 of 4 pictures were not made.")


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, refused("moderation_blocked", "image_generation_user_error"), "content_refused"),
        (400, refused("content_policy_violation"), "content_refused"),
        (400, refused("invalid_size"), "provider_refused"),
        (422, {"detail": "no"}, "provider_refused"),
        (400, {"error": "no"}, "provider_refused"),
        (401, refused("invalid_api_key"), "provider_failed"),
        (404, refused("model_not_found"), "provider_failed"),
        (429, refused("insufficient_quota", "insufficient_quota"), "provider_failed"),
        (429, refused("credit_balance_exhausted", "insufficient_quota"), "provider_failed"),
        (500, refused("server_error"), "provider_failed"),
        (200, "no json", "result_lost"),
        (200, {"data": []}, "result_lost"),
        (200, {"data": [{}]}, "result_lost"),
        (200, {"data": [{"b64_json": "é"}]}, "result_lost"),
        (200, {"data": [{"b64_json": "ab!cd"}]}, "result_lost"),
        (200, {"data": {"b64_json": "x"}}, "result_lost"),
    ],
)
async def test_failures_are_reported_and_not_tried_again(
    bench: Bench, status: int, body: Any, code: str
) -> None:
    """Told apart by their code, in a sentence of ours."""
    bench.api.say(status, body)
    await bench.provider.submit(bench.job())
    said = await bench.webhook.final()
    report = bench.provider.parse(said)
    assert (report.outcome, report.job_id, report.error_code) == ("failed", "p_1", code)
    assert "safety system" not in json.dumps(said)
    await bench.idle()
    assert len(bench.api.heard) == 1


@pytest.mark.parametrize("status", [429, 503])
async def test_where_nothing_was_done_it_is_called_again(bench: Bench, status: int) -> None:
    bench.api.say(status, refused("rate_limit_exceeded", "requests"), Retry_After="0")
    bench.api.say(200, made(PICTURE))
    await bench.provider.submit(bench.job())
    assert (await bench.webhook.final())["status"] == "success"
    assert len(bench.api.heard) == 2


async def test_it_is_not_called_again_for_ever(bench: Bench) -> None:
    bench.api.say(429, refused("rate_limit_exceeded", "requests"))
    await bench.provider.submit(bench.job())
    assert (await bench.webhook.final())["errorCode"] == "provider_failed"
    assert len(bench.api.heard) == 3


async def test_a_wait_that_is_too_long_is_a_failure(bench: Bench) -> None:
    """Rather than a job that hangs."""
    bench.api.say(429, refused("rate_limit_exceeded", "requests"), Retry_After="3000")
    await bench.provider.submit(bench.job())
    assert (await bench.webhook.final())["errorCode"] == "provider_failed"
    assert len(bench.api.heard) == 1


async def test_a_call_that_broke_off_is_never_made_again(bench: Bench) -> None:
    """It may have been paid for."""
    bench.api.answers = [None]
    await bench.provider.submit(bench.job())
    assert (await bench.webhook.final())["errorCode"] == "provider_failed"
    assert len(bench.api.heard) == 1


async def test_one_key_is_one_call(bench: Bench) -> None:
    bench.api.open.clear()
    bench.api.say(200, made(PICTURE))
    await bench.provider.submit(bench.job())
    await bench.provider.submit(bench.job())
    await bench.api.asked()
    bench.api.open.set()
    await bench.webhook.final()
    await bench.idle()
    assert len(bench.api.heard) == 1


async def test_cancelled_it_hangs_up_and_reports_nothing_more(bench: Bench) -> None:
    bench.api.open.clear()
    bench.api.say(200, made(PICTURE))
    await bench.provider.submit(bench.job())
    await bench.api.asked()
    await bench.provider.cancel(RUNNING)
    bench.api.open.set()
    assert not any(task.get_name() == "images of p_1" for task in asyncio.all_tasks())
    assert await bench.library.get("p_1", "raw-end") is None
    assert all(report["status"] == "processing" for report in bench.webhook.reports)


async def test_to_cancel_what_it_does_not_know_is_no_error(bench: Bench) -> None:
    await bench.provider.cancel(RUNNING)
    bench.api.say(200, made(PICTURE))
    await bench.provider.submit(bench.job())
    await bench.webhook.final()
    await bench.idle()
    await bench.provider.cancel(RUNNING)


async def test_a_lost_report_is_found_by_asking_any_worker(bench: Bench, data_dir: Path) -> None:
    """Our webhook refuses the last word; the worker beside it, which made no call, knows it all the same."""
    bench.webhook.failures = 1
    bench.api.say(200, made(PICTURE))
    async with opened(bench.api, bench.webhook, data_dir / "media") as other:
        assert await other.provider.status(RUNNING) == Report("processing", "p_1")
        await bench.provider.submit(bench.job())
        report = bench.provider.parse(await bench.webhook.final())
        assert await other.provider.status(RUNNING) == report
        assert await other.provider.fetch(report.results[0]) == PICTURE
        assert await other.provider.find("p_1") == "p_1"


async def test_a_report_that_fails_is_told_again(bench: Bench) -> None:
    bench.webhook.failures = 3
    bench.api.say(200, made(PICTURE))
    await bench.provider.submit(bench.job())
    assert (await bench.webhook.final())["status"] == "success"


async def test_what_a_stop_cut_short_is_never_sent_again(bench: Bench, data_dir: Path) -> None:
    """The next server cannot say whether it was made; its deadline ends it."""
    bench.api.open.clear()
    bench.api.say(200, made(PICTURE))
    async with opened(bench.api, bench.webhook, data_dir / "media") as stopped:
        await stopped.provider.submit(stopped.job())
        await bench.api.asked()
        assert await stopped.provider.find("p_1") == "p_1"
    bench.api.open.set()
    with pytest.raises(SubmissionUnknown):
        await bench.provider.find("p_1")
    assert await bench.provider.status(RUNNING) == Report("processing", "p_1")
    assert len(bench.api.heard) == 1


async def test_calls_wait_for_their_turn(
    bench: Bench, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it waits, a job is not reported as painting."""
    monkeypatch.setattr(openai_images, "_TOGETHER", 1)
    bench.api.open.clear()
    bench.api.say(200, made(PICTURE))
    async with opened(bench.api, bench.webhook, data_dir / "media") as narrow:
        await narrow.provider.submit(narrow.job())
        await narrow.provider.submit(narrow.job(key="p_2"))
        await bench.api.asked()
        await bench.webhook.first(lambda report: report.get("stage") == "painting")
        assert [report["jobId"] for report in bench.webhook.reports] == ["p_1"]
        bench.api.open.set()
        await bench.webhook.first(lambda report: report["jobId"] == "p_2" and report["status"] == "success")


async def test_what_cannot_be_kept_is_a_failure(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told, though nothing could be written."""

    async def full(*_: object) -> str:
        raise StoreUnavailable("The disk is full.")

    monkeypatch.setattr(bench.library, "put", full)
    bench.api.say(200, made(PICTURE))
    await bench.provider.submit(bench.job())
    assert (await bench.webhook.final())["errorCode"] == "result_lost"


async def test_only_what_was_kept_is_fetched(bench: Bench) -> None:
    """No name leads out of the kept raw files."""
    await bench.library.put("p_1", "0.webp", b"x")
    for url in (
        "raw:p_1/raw-9",
        "raw:p_1/0.webp",
        "raw:../p_1/raw-0",
        "raw:p_1/raw-../0",
        "raw:",
        "http://[",
        "",
    ):
        with pytest.raises(ResultLost):
            await bench.provider.fetch(url)


async def test_no_key_and_no_token_reaches_the_log(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    bench.webhook.failures = 1
    bench.api.say(400, {"error": {"message": "Incorrect sk-key", "type": "x", "code": "y"}})
    await bench.provider.submit(bench.job())
    await bench.webhook.final()
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert "answered 400" in said
    assert "sk-key" not in said
    assert "secret-token" not in said


async def test_its_title_says_whose_api_it_is(bench: Bench, data_dir: Path) -> None:
    assert bench.provider.title == "Images at 127.0.0.1"
    async with Fetcher.open() as fetcher, OpenAIImages.open(Library(data_dir), fetcher, "sk-key") as openai:
        assert openai.title == "OpenAI"
        assert [model.name for model in openai.models] == ["gpt-image-2.6-flare"]


async def test_its_whole_life(data_dir: Path) -> None:
    """Asked for over our API, called, reported to our webhook, kept; and a refusal in our words."""
    async with (
        served_app(data_dir) as served,
        scripted() as api,
        Fetcher.open() as fetcher,
        OpenAIImages.open(served.services.library, fetcher, "sk-key", f"{api.origin}/v1", MODELS) as provider,
        travelling(served, provider) as traveller,
    ):
        api.open.clear()
        api.say(200, made(picture(), picture()))
        api.say(400, refused("moderation_blocked"))
        process_id = await traveller.asks(count=2)
        await traveller.sees(process_id, stage="painting")
        api.open.set()
        done = await traveller.guest.ended(process_id)
        assert (done["status"], len(done["data"]["generations"])) == ("completed", 2)
        for url in done["data"]["generations"]:
            assert await traveller.gets(url)
        await traveller.sees_no_raw_files(process_id)
        failed = await traveller.guest.ended(await traveller.asks())
        assert failed["data"]["errorCode"] == "content_refused"
        assert "safety system" not in json.dumps(failed)
