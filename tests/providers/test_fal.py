"""fal, against a server of ours that behaves as it documents."""

import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.responses import JSONResponse, Response

from hexwave_app.identity.signing_keys import PAUSE, RETRY_PAUSE
from hexwave_app.processes import ProcessStatus, ProviderJob, Stage
from hexwave_app.processes.errors import (
    ContentRefused,
    InvalidRequest,
    ProviderNotReady,
    ProviderUnavailable,
    ResultLost,
    SubmissionUnknown,
    WebhookRefused,
)
from hexwave_app.providers.fal.provider import Fal
from hexwave_app.tools.image_generator import IMAGE_GENERATOR, ImageRequest
from hexwave_app.tools.model import Model
from hexwave_app.tools.provider import Job, Report
from tests.conftest import Served, eventually
from tests.providers.fake_fal import KEY, FakeFal, jwk, signed
from tests.providers.journey import served_app, travelling
from tests.providers.life import USER, Life, open_life
from tests.providers.site import open_fetcher, served
from tests.tools.conftest import picture

SCHNELL, DEV, STABLE = IMAGE_GENERATOR.models["fal"]
WEBHOOK = "https://hexwave.example/api/webhook/image?processId=p_1&token=t"
BODY = b'{"request_id": "req0", "status": "OK"}'
FORGER = Ed25519PrivateKey.generate()
DAY = 86400.0


@dataclass
class Setup:
    """`now` is the clock by which the JWKS ages."""

    provider: Fal
    fake: FakeFal
    now: list[float] = field(default_factory=lambda: [0.0])


@pytest_asyncio.fixture
async def setup() -> AsyncIterator[Setup]:
    fake, now = FakeFal(), [0.0]
    async with (
        served(fake.app()) as url,
        open_fetcher(url) as fetcher,
        Fal.open(KEY, fetcher, url, f"{url}/.well-known/jwks.json", lambda: now[0]) as provider,
    ):
        yield Setup(provider, fake, now)


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[Fal]:
    """For what needs no server."""
    nowhere = "http://127.0.0.1:1"
    async with open_fetcher(nowhere) as fetcher, Fal.open(KEY, fetcher, nowhere, nowhere) as provider:
        yield provider


def job(model: Model = SCHNELL, webhook: str = WEBHOOK, **asked: Any) -> Job:
    return Job("p_1", ImageRequest(prompt="sea", seed=7, **asked), model, webhook)


def at(id: str, model: Model = SCHNELL) -> ProviderJob:
    return ProviderJob(name="fal", model=model.name, job_id=id)


def made(*flags: bool) -> dict[str, Any]:
    images = [{"url": f"https://v3.fal.media/files/{i}.png", "width": 8} for i in range(len(flags))]
    return {"images": images, "has_nsfw_concepts": list(flags), "seed": 7, "prompt": "sea", "timings": {}}


def ok(payload: Any) -> dict[str, Any]:
    return {"request_id": "j", "gateway_request_id": "k", "status": "OK", "payload": payload}


def error(payload: Any, said: str | None = "Invalid status code: 422") -> dict[str, Any]:
    return {
        "request_id": "j",
        "gateway_request_id": "k",
        "status": "ERROR",
        "error": said,
        "payload": payload,
    }


def detail(*types: str) -> dict[str, Any]:
    return {"detail": [{"loc": ["body", "prompt"], "msg": "…", "type": type, "url": "…"} for type in types]}


@pytest.mark.parametrize(
    ("model", "asked", "sent"),
    [
        (SCHNELL, {"count": 4}, {"num_images": 4}),
        (DEV, {"aspect_ratio": "16:9"}, {"image_size": {"width": 1344, "height": 768}}),
        (STABLE, {"negative_prompt": "people"}, {"negative_prompt": "people"}),
    ],
)
async def test_a_job_is_asked_for_in_its_models_words(
    setup: Setup, model: Model, asked: dict[str, Any], sent: dict[str, Any]
) -> None:
    """By the model's whole name, with our key, and our webhook in the query."""
    assert await setup.provider.submit(job(model, **asked)) == "req0"
    [arrived] = setup.fake.asked
    assert (arrived.model, arrived.query) == (model.name, {"fal_webhook": WEBHOOK})
    usual = {"prompt": "sea", "image_size": {"width": 1024, "height": 1024}, "num_images": 1, "seed": 7}
    assert arrived.input == usual | {"output_format": "png"} | sent
    assert setup.fake.authorizations == {f"Key {KEY}"}


async def test_a_webhook_in_plain_text_is_not_asked_for(setup: Setup) -> None:
    """Its token would be anybody's to read; on localhost fal is asked instead."""
    await setup.provider.submit(job(webhook="http://127.0.0.1:3000/api/webhook/image?token=t"))
    assert setup.fake.asked[0].query == {}


@pytest.mark.parametrize(("asked", "field"), [("negative_prompt", "negativePrompt"), ("style", "style")])
def test_what_a_model_does_not_know_is_refused_unpaid(asked: str, field: str) -> None:
    """With the field, and what it does know."""
    with pytest.raises(InvalidRequest, match="It takes prompt") as caught:
        SCHNELL.check(ImageRequest(prompt="sea", **{asked: "x"}))  # pyright: ignore[reportArgumentType]
    assert caught.value.field == field


@pytest.mark.parametrize(
    "answer",
    [JSONResponse({}), JSONResponse({"request_id": "a/../b"}), JSONResponse(["req0"]), Response("<html>")],
)
async def test_an_answer_without_a_job_is_no_confirmation(setup: Setup, answer: Response) -> None:
    """It may have been taken; it is not sent again."""
    setup.fake.refusal = answer
    with pytest.raises(SubmissionUnknown):
        await setup.provider.submit(job())
    assert len(setup.fake.asked) == 1


async def test_a_refused_job_is_told_by_its_reason(setup: Setup) -> None:
    """The words, and the account whose credit is spent."""
    setup.fake.refusal = JSONResponse(detail("content_policy_violation"), 422)
    with pytest.raises(ContentRefused):
        await setup.provider.submit(job())
    setup.fake.refusal = JSONResponse({"detail": "User is locked. Reason: Exhausted balance."}, 403)
    with pytest.raises(ProviderNotReady, match="credit"):
        await setup.provider.submit(job())


async def test_nobody_can_say_whether_a_job_was_taken(provider: Fal) -> None:
    """fal knows no key of ours."""
    with pytest.raises(SubmissionUnknown):
        await provider.find("p_1")


@pytest.mark.parametrize(
    ("body", "report"),
    [
        (
            ok(made(False)),
            Report("succeeded", "j", results=("https://v3.fal.media/files/0.png",), notice=""),
        ),
        (
            ok(made(False, True, False)),
            Report(
                "succeeded",
                "j",
                results=("https://v3.fal.media/files/0.png", "https://v3.fal.media/files/2.png"),
                notice="1 of 3 pictures was declined by the provider's safety filter.",
            ),
        ),
        (ok({"images": [{"url": "u"}]}), Report("succeeded", "j", results=("u",), notice="")),
        (ok({"image": {"url": "u"}}), Report("succeeded", "j", results=("u",), notice="")),
        (ok({"video": {"url": "u"}, "seed": 7}), Report("succeeded", "j", results=("u",), notice="")),
        (
            ok({"images": [{"url": "u"}], "has_nsfw_concepts": [False, True]}),
            Report("succeeded", "j", results=("u",), notice=""),
        ),
        (ok(None) | {"payload_error": "not serializable"}, Report("processing", "j")),
    ],
)
async def test_each_result_is_understood(provider: Fal, body: dict[str, Any], report: Report) -> None:
    """Without the pictures that were flagged; one that could not be sent along is asked for later."""
    assert provider.parse(body) == report


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (error(detail("content_policy_violation")), "content_refused"),
        (error(detail("value_error", "content_policy_violation")), "content_refused"),
        (error(detail("value_error.missing")), "provider_refused"),
        (error(detail("generation_timeout"), "Invalid status code: 504"), "provider_failed"),
        (error({"detail": "Request timed out", "error_type": "request_timeout"}), "provider_failed"),
        (error({"detail": "…"}), "provider_failed"),
        (error(None, None), "provider_failed"),
        (error("<html>"), "provider_failed"),
        (error({"detail": [7]}), "provider_failed"),
        (ok(made(True, True)), "content_refused"),
    ],
)
async def test_each_failure_is_told_apart(provider: Fal, body: dict[str, Any], code: str) -> None:
    """By its documented types, never by its words."""
    report = provider.parse(body)
    assert (report.outcome, report.error_code, report.job_id) == ("failed", code, "j")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (None, "status"),
        ([], "status"),
        ({}, "status"),
        ({"status": "DONE"}, "status"),
        ({"status": "OK"}, "request_id"),
        ({"status": "ERROR", "request_id": "a/b"}, "request_id"),
        ({"status": "OK", "request_id": "j" * 201}, "request_id"),
        (ok([]), "payload"),
        (ok({}), "payload"),
        (ok({"images": []}), "payload"),
        (ok({"images": [{"url": "u"}] * 17}), "payload"),
        (ok({"images": [{"url": "u" * 2049}]}), "payload"),
        (ok({"images": [{"url": 7}]}), "payload"),
        (ok({"images": [{"url": "u"}], "has_nsfw_concepts": "no"}), "payload"),
    ],
)
async def test_a_hostile_body_is_named(provider: Fal, body: object, field: str) -> None:
    """Whoever signed it."""
    with pytest.raises(InvalidRequest) as caught:
        provider.parse(body)
    assert (caught.value.field or "").partition(".")[0] == field


@pytest.mark.parametrize(
    ("status", "report"),
    [
        ({"status": "IN_QUEUE"}, Report("processing", "req0", stage=Stage.QUEUED)),
        (
            {"status": "IN_QUEUE", "queue_position": 2},
            Report("processing", "req0", stage=Stage.QUEUED, ahead=2),
        ),
        (
            {"status": "IN_QUEUE", "queue_position": 0},
            Report("processing", "req0", stage=Stage.QUEUED, ahead=0),
        ),
        ({"status": "IN_PROGRESS", "logs": []}, Report("processing", "req0", stage=Stage.PAINTING)),
    ],
)
async def test_the_queue_tells_how_far_it_is(setup: Setup, status: dict[str, Any], report: Report) -> None:
    """How many are ahead, while it waits; asked below the app, without the rest of the model's name."""
    id = await setup.provider.submit(job())
    setup.fake.statuses[id] = status
    assert await setup.provider.status(at(id)) == report


async def test_polling_tells_what_a_webhook_would(setup: Setup) -> None:
    """A webhook that was lost changes nothing but the time."""
    id = await setup.provider.submit(job())
    setup.fake.statuses[id] = {"status": "COMPLETED", "metrics": {}}
    setup.fake.results[id] = (200, made(False, True))
    assert await setup.provider.status(at(id)) == setup.provider.parse(
        ok(made(False, True)) | {"request_id": id}
    )


@pytest.mark.parametrize(
    ("status", "answer", "code"),
    [
        (422, detail("content_policy_violation"), "content_refused"),
        (422, detail("value_error.missing"), "provider_refused"),
        (400, detail("downstream_service_error"), "provider_failed"),
        (500, detail("internal_server_error"), "provider_failed"),
        (504, {"detail": "…", "error_type": "request_timeout"}, "provider_failed"),
        (499, {"detail": "…", "error_type": "client_cancelled"}, "provider_failed"),
    ],
)
async def test_a_failed_job_is_told_by_its_result(setup: Setup, status: int, answer: Any, code: str) -> None:
    """Its status and its words are the model's, not fal's."""
    id = await setup.provider.submit(job())
    setup.fake.statuses[id], setup.fake.results[id] = {"status": "COMPLETED"}, (status, answer)
    report = await setup.provider.status(at(id))
    assert (report.outcome, report.error_code) == ("failed", code)


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (500, {"detail": "oops"}),
        (502, "<html>"),
        (503, {}),
        (401, {"detail": "…"}),
        (429, {"detail": "…"}),
        (404, {"detail": "…"}),
        (200, {"images": []}),
        (200, "<html>"),
    ],
)
async def test_what_cannot_be_told_is_asked_again(setup: Setup, status: int, answer: Any) -> None:
    """It is no word about the job."""
    id = await setup.provider.submit(job())
    setup.fake.statuses[id], setup.fake.results[id] = {"status": "COMPLETED"}, (status, answer)
    with pytest.raises(ProviderUnavailable):
        await setup.provider.status(at(id))
    setup.fake.statuses[id] = {"status": "A NEW ONE"}
    with pytest.raises(ProviderUnavailable):
        await setup.provider.status(at(id))
    with pytest.raises(ProviderUnavailable):
        await setup.provider.status(at("unknown"))


async def test_a_job_is_called_off(setup: Setup) -> None:
    """One that has ended, or is unknown, is no error."""
    id = await setup.provider.submit(job())
    await setup.provider.cancel(at(id))
    assert setup.fake.cancelled == [id]
    setup.fake.statuses[id]["status"] = "COMPLETED"
    await setup.provider.cancel(at(id))
    await setup.provider.cancel(at("unknown"))


async def test_results_come_from_fal_only(setup: Setup) -> None:
    """Its media hosts; what has expired, or is elsewhere, is lost."""
    setup.fake.files["0.png"] = b"a picture"
    for host in ("fal.media", "v3.fal.media", "v3b.fal.media"):
        assert await setup.provider.fetch(f"https://{host}/files/0.png") == b"a picture"
    for url in (
        "https://fal.media/files/expired.png",
        "https://fal.media.example/files/0.png",
        "https://notfal.media/files/0.png",
        "http://fal.media/files/0.png",
    ):
        with pytest.raises(ResultLost):
            await setup.provider.fetch(url)


async def test_a_signed_webhook_is_let_in(setup: Setup) -> None:
    """Again, too: within its minutes a replay says nothing new. The keys are read once a day."""
    headers = signed(setup.fake.key, BODY)
    for _ in range(3):
        await setup.provider.verify(headers, BODY)
    assert setup.fake.jwks_reads == 1
    setup.now[0] = DAY
    await setup.provider.verify(headers, BODY)
    assert setup.fake.jwks_reads == 2


async def test_a_new_key_is_found(setup: Setup) -> None:
    """Within a minute of its first webhook; forgeries make us ask no more often."""
    await setup.provider.verify(signed(setup.fake.key, BODY), BODY)
    setup.fake.key = Ed25519PrivateKey.generate()
    for _ in range(5):
        with pytest.raises(WebhookRefused):
            await setup.provider.verify(signed(setup.fake.key, BODY), BODY)
    assert setup.fake.jwks_reads == 1
    setup.now[0] = PAUSE
    await setup.provider.verify(signed(setup.fake.key, BODY), BODY)
    assert setup.fake.jwks_reads == 2


def broken(**headers: str) -> dict[str, str]:
    return signed(FORGER, BODY) | {
        f"x-fal-webhook-{name.replace('_', '-')}": value for name, value in headers.items()
    }


# Made when the test runs: a signature is good for five minutes.
Forgery = Callable[[], tuple[dict[str, str], bytes]]


@pytest.mark.parametrize(
    "forgery",
    [
        lambda: ({}, BODY),
        lambda: (signed(Ed25519PrivateKey.generate(), BODY), BODY),
        lambda: (signed(FORGER, BODY), BODY + b" "),
        lambda: (signed(FORGER, BODY), b""),
        lambda: (signed(FORGER, BODY, at=time.time() - 400), BODY),
        lambda: (signed(FORGER, BODY, at=time.time() + 400), BODY),
        lambda: (broken(request_id="req1"), BODY),
        lambda: (broken(user_id="other"), BODY),
        lambda: (broken(user_id="é"), BODY),
        lambda: (broken(timestamp=str(int(time.time()) - 100)), BODY),
        lambda: (broken(timestamp=""), BODY),
        lambda: (broken(timestamp="nan"), BODY),
        lambda: (broken(timestamp="9" * 400), BODY),
        lambda: (broken(timestamp="9" * 5000), BODY),
        lambda: (broken(signature=""), BODY),
        lambda: (broken(signature="zz"), BODY),
        lambda: (broken(signature="é"), BODY),
        lambda: (broken(signature="00" * 64), BODY),
        lambda: (broken(signature="00" * 63), BODY),
    ],
)
async def test_a_forged_webhook_is_refused(setup: Setup, forgery: Forgery) -> None:
    """Whatever is wrong with it: here all but one are made with the very key that is trusted."""
    headers, body = forgery()
    setup.fake.key = FORGER
    with pytest.raises(WebhookRefused):
        await setup.provider.verify(headers, body)
    await setup.provider.verify(signed(FORGER, BODY), BODY)


@given(headers=st.dictionaries(st.sampled_from(list(signed(FORGER, BODY))), st.text()), body=st.binary())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_header_breaks_the_check(provider: Fal, headers: dict[str, str], body: bytes) -> None:
    """Nothing but a refusal comes of what nobody signed."""
    with pytest.raises(WebhookRefused):
        await provider.verify(headers, body)


@pytest.mark.parametrize(
    "trouble",
    [
        JSONResponse({"keys": []}, 500),
        Response("<html>"),
        Response("[" * 100_000),
        JSONResponse({}),
        JSONResponse({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}]}),
        JSONResponse({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "é"}]}),
        JSONResponse({"keys": [jwk(FORGER)] * 51}),
    ],
)
async def test_without_the_keys_nothing_is_let_in(setup: Setup, trouble: Response) -> None:
    """Neither accepted nor called a forgery: the answer is one after which fal sends it again."""
    setup.fake.jwks = trouble
    with pytest.raises(ProviderUnavailable) as caught:
        await setup.provider.verify(signed(setup.fake.key, BODY), BODY)
    assert caught.value.status >= 500


@pytest_asyncio.fixture
async def life(setup: Setup, data_dir: Path) -> AsyncIterator[Life]:
    for name in ("0.png", "1.png"):
        setup.fake.files[name] = picture()
    async with open_life(data_dir, setup.provider) as life:
        yield life


async def test_a_whole_life(setup: Setup, life: Life) -> None:
    """Submitted, seen in the queue, completed by our copies of what was not flagged; a replay is no news."""
    process = await life.submitted(count=2)
    assert setup.fake.asked[0].query["fal_webhook"].startswith("https://hexwave.example/api/webhook/image?")
    setup.fake.statuses["req0"] = {"status": "IN_QUEUE", "queue_position": 2}
    await life.reconciler.sweep(0)
    await life.until(process, lambda now: now.data.ahead == 2)
    body = json.dumps(ok(made(False, True)) | {"request_id": "req0"}).encode()
    headers = signed(setup.fake.key, body)
    await life.hear(process, headers, body)
    done = await life.ended(process)
    assert (done.status, len(done.data.generations or ())) == (ProcessStatus.COMPLETED, 1)
    assert done.data.notice == "1 of 2 pictures was declined by the provider's safety filter."
    await life.hear(process, headers, body)
    again = await life.processes.load(process.process_id)
    assert (again.sequence, again.data) == (done.sequence, done.data)


async def test_a_forged_webhook_changes_nothing(setup: Setup, life: Life) -> None:
    """Nor does a genuine one of another job."""
    process = await life.submitted()
    body = json.dumps(error(None) | {"request_id": "req0"}).encode()
    other = json.dumps(error(None) | {"request_id": "req1"}).encode()
    for headers, told in ((signed(FORGER, body), body), (signed(setup.fake.key, other), other)):
        with pytest.raises(WebhookRefused):
            await life.hear(process, headers, told)
    assert await life.processes.load(process.process_id) == process


async def test_a_lost_webhook_is_made_up_for(setup: Setup, life: Life) -> None:
    """The reconciler asks, below the app of the process's own model."""
    process = await life.submitted(count=2, model="fal-ai/flux/dev")
    setup.fake.statuses["req0"], setup.fake.results["req0"] = (
        {"status": "COMPLETED"},
        (200, made(False, False)),
    )
    await life.reconciler.sweep(0)
    done = await life.ended(process)
    assert (done.status, len(done.data.generations or ())) == (ProcessStatus.COMPLETED, 2)


async def test_a_result_that_has_expired_is_lost(setup: Setup, life: Life) -> None:
    """Failed, and said so."""
    process = await life.submitted()
    setup.fake.files.clear()
    body = json.dumps(ok(made(False)) | {"request_id": "req0"}).encode()
    await life.hear(process, signed(setup.fake.key, body), body)
    assert (await life.ended(process)).data.error_code == "result_lost"


async def test_a_refusal_and_a_cancellation_end_a_life(setup: Setup, life: Life) -> None:
    """Each by its own code; the job that is called off is stopped at fal too."""
    process = await life.submitted()
    body = json.dumps(error(detail("content_policy_violation")) | {"request_id": "req0"}).encode()
    await life.hear(process, signed(setup.fake.key, body), body)
    assert (await life.ended(process)).data.error_code == "content_refused"
    process = await life.submitted()
    assert (await life.runs.cancel(process.process_id, USER)).data.error_code == "cancelled"

    async def stopped() -> bool:
        return setup.fake.cancelled == ["req1"]

    await eventually(stopped)


async def test_the_webhooks_route_answers_as_fal_expects(setup: Setup, data_dir: Path) -> None:
    """A 5xx while nothing is known of the signature, a 4xx for what is none; 200 again and again."""
    setup.fake.files["0.png"] = picture()
    setup.fake.jwks = Response("", 503)
    async with served_app(data_dir) as app, travelling(app, setup.provider) as traveller:
        process_id = await traveller.asks()
        await eventually(lambda: has_job(app, process_id))
        hook = app.services.webhooks.url("image", process_id)
        body = json.dumps(ok(made(False)) | {"request_id": "req0"}).encode()
        headers = signed(setup.fake.key, body)
        assert (await traveller.guest.http.post(hook, content=body, headers=headers)).status_code == 502
        assert (await traveller.guest.process(process_id))["status"] == "processing"
        setup.fake.jwks, setup.now[0] = None, RETRY_PAUSE
        for wrong, status in ((b"{", 400), (b"{}", 422)):
            answer = await traveller.guest.http.post(
                hook, content=wrong, headers=signed(setup.fake.key, wrong)
            )
            assert answer.status_code == status
        answer = await traveller.guest.http.post(hook, content=body, headers=signed(FORGER, body))
        assert answer.status_code == 401
        for _ in range(2):
            answer = await traveller.guest.http.post(hook, content=body, headers=headers)
            assert (answer.status_code, answer.json()) == (200, {"ok": True})
        assert (await traveller.guest.ended(process_id))["status"] == "completed"


async def has_job(app: Served, process_id: str) -> bool:
    return (await app.services.processes.load(process_id)).provider.job_id is not None
