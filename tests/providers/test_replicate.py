"""Replicate, against a server of ours that behaves as it documents."""

import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.responses import JSONResponse, Response

from hexwave_app.identity.signing_keys import RETRY_PAUSE
from hexwave_app.processes import ProcessStatus, ProviderJob, Stage
from hexwave_app.processes.errors import (
    ContentRefused,
    InvalidRequest,
    ProviderUnavailable,
    ResultLost,
    SubmissionUnknown,
    WebhookRefused,
)
from hexwave_app.providers.replicate import Replicate
from hexwave_app.tools.image_generator import IMAGE_GENERATOR, ImageRequest
from hexwave_app.tools.provider import Job, Report
from tests.conftest import Served, eventually
from tests.providers.fake_replicate import OTHER_SECRET, SECRET, TOKEN, FakeReplicate, signed
from tests.providers.journey import served_app, travelling
from tests.providers.life import USER, Life, open_life
from tests.providers.site import open_fetcher, served
from tests.tools.conftest import picture

SCHNELL, DEV, PRO, STABLE = IMAGE_GENERATOR.models["replicate"]
WEBHOOK = "https://hexwave.example/api/webhook/image?processId=p_1&token=t"
BODY = b'{"id": "pred0", "status": "processing"}'


@dataclass(frozen=True)
class Setup:
    """`now` is the clock by which the secret's readings are counted."""

    provider: Replicate
    fake: FakeReplicate
    now: list[float] = field(default_factory=lambda: [0.0])


@pytest_asyncio.fixture
async def setup() -> AsyncIterator[Setup]:
    fake, now = FakeReplicate(), [0.0]
    async with (
        served(fake.app()) as url,
        open_fetcher(url) as fetcher,
        Replicate.open(TOKEN, fetcher, url=f"{url}/v1", clock=lambda: now[0]) as provider,
    ):
        yield Setup(provider, fake, now)


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[Replicate]:
    """For what needs no server."""
    async with (
        open_fetcher("http://127.0.0.1:1") as fetcher,
        Replicate.open(TOKEN, fetcher, SECRET, "http://127.0.0.1:1") as provider,
    ):
        yield provider


def job(model: Any = SCHNELL, webhook: str = WEBHOOK, **asked: Any) -> Job:
    return Job("p_1", ImageRequest(prompt="sea", seed=7, **asked), model, webhook)


def at(id: str) -> ProviderJob:
    return ProviderJob(name="replicate", model=SCHNELL.name, job_id=id)


def told(**news: Any) -> dict[str, Any]:
    return {"id": "j", "status": "processing", "input": {}, "urls": {}, "metrics": {}} | news


@pytest.mark.parametrize(
    ("model", "asked", "sent"),
    [
        (SCHNELL, {"count": 4}, {"num_outputs": 4, "go_fast": False}),
        (DEV, {"aspect_ratio": "9:16"}, {"aspect_ratio": "9:16", "num_outputs": 1, "go_fast": False}),
        (PRO, {}, {}),
        (STABLE, {"negative_prompt": "people"}, {"negative_prompt": "people"}),
        (STABLE, {}, {}),
    ],
)
async def test_a_job_is_asked_for_in_its_models_words(
    setup: Setup, model: Any, asked: dict[str, Any], sent: dict[str, Any]
) -> None:
    """An official model by its name, with our key, our webhook and every event; the seed is meant."""
    assert await setup.provider.submit(job(model, **asked)) == "pred0"
    assert setup.fake.created == [
        {
            "version": model.name,
            "input": {"prompt": "sea", "aspect_ratio": "1:1", "seed": 7, "output_format": "png"} | sent,
            "webhook": WEBHOOK,
            "webhook_events_filter": ["start", "output", "logs", "completed"],
        }
    ]
    assert setup.fake.authorizations == {f"Bearer {TOKEN}"}


async def test_a_webhook_in_plain_text_is_not_asked_for(setup: Setup) -> None:
    """Replicate would refuse the whole prediction; on localhost it is asked instead."""
    await setup.provider.submit(job(webhook="http://127.0.0.1:3000/api/webhook/image?token=t"))
    assert not {"webhook", "webhook_events_filter"} & setup.fake.created[0].keys()


@pytest.mark.parametrize(
    ("model", "asked", "field"),
    [
        (SCHNELL, {"negative_prompt": "people"}, "negativePrompt"),
        (SCHNELL, {"style": "oil"}, "style"),
        (SCHNELL, {"reference": f"r_{'0' * 32}.{'0' * 64}"}, "reference"),
        (PRO, {"count": 2}, "count"),
        (STABLE, {"count": 2}, "count"),
    ],
)
def test_what_a_model_does_not_know_is_refused_unpaid(model: Any, asked: dict[str, Any], field: str) -> None:
    """With the field, and what it does know."""
    with pytest.raises(InvalidRequest, match="It takes prompt") as caught:
        model.check(ImageRequest(prompt="sea", **asked))
    assert caught.value.field == field


@pytest.mark.parametrize(
    "answer",
    [
        JSONResponse({"status": "starting"}, 201),
        JSONResponse({"id": None}, 201),
        JSONResponse({"id": "../secrets", "status": "starting"}, 201),
        JSONResponse([], 201),
        Response("<html>", 200),
    ],
)
async def test_an_answer_without_a_job_is_no_confirmation(setup: Setup, answer: Response) -> None:
    """It may have been taken; it is not sent again."""
    setup.fake.refusal = answer
    with pytest.raises(SubmissionUnknown):
        await setup.provider.submit(job())
    assert len(setup.fake.created) == 1


async def test_an_id_is_all_that_a_confirmation_needs(setup: Setup) -> None:
    """Whatever else is in it: the job has been taken, and is followed."""
    setup.fake.refusal = JSONResponse({"id": "p1", "status": "a new one", "output": {}}, 202)
    assert await setup.provider.submit(job()) == "p1"


async def test_refused_content_is_told_apart(setup: Setup) -> None:
    """At the door too."""
    setup.fake.refusal = JSONResponse({"detail": "The input was flagged as sensitive. (E005)"}, 422)
    with pytest.raises(ContentRefused):
        await setup.provider.submit(job())


async def test_nobody_can_say_whether_a_job_was_taken(setup: Setup) -> None:
    """Replicate knows no key of ours."""
    with pytest.raises(SubmissionUnknown):
        await setup.provider.find("p_1")


@pytest.mark.parametrize(
    ("news", "report"),
    [
        ({"status": "starting"}, Report("processing", "j", stage=Stage.QUEUED)),
        ({}, Report("processing", "j", stage=Stage.PAINTING)),
        ({"logs": None, "output": None}, Report("processing", "j", stage=Stage.PAINTING)),
        (
            {"logs": "Using seed: 7\n  0%|    | 0/28\r 75%|███▌ | 21/28 [00:01<00:00, 14.02it/s]"},
            Report("processing", "j", progress=75, stage=Stage.PAINTING),
        ),
        ({"logs": "100%|████| 4/4"}, Report("processing", "j", progress=94, stage=Stage.PAINTING)),
        ({"logs": "50% done, 1000%| x"}, Report("processing", "j", stage=Stage.PAINTING)),
        (
            {"output": ["https://replicate.delivery/0.png"]},
            Report("processing", "j", stage=Stage.PAINTING, previews=("https://replicate.delivery/0.png",)),
        ),
        ({"status": "succeeded", "output": "u"}, Report("succeeded", "j", results=("u",), notice="")),
        (
            {"status": "succeeded", "output": ["u", "v"], "logs": "Total safe images: 2 out of 2"},
            Report("succeeded", "j", results=("u", "v"), notice=""),
        ),
        (
            {"status": "succeeded", "output": ["u", "v", "w"], "logs": "NSFW content detected in image 2\n"},
            Report(
                "succeeded",
                "j",
                results=("u", "v", "w"),
                notice="1 of 4 pictures was declined by the provider's safety filter.",
            ),
        ),
    ],
)
async def test_each_status_is_understood(provider: Replicate, news: dict[str, Any], report: Report) -> None:
    """The queue, the bar in the logs, the pictures that are there already, and the end."""
    assert provider.parse(told(**news)) == report


@pytest.mark.parametrize(
    ("news", "code"),
    [
        ({"status": "failed", "error": "CUDA out of memory"}, "provider_failed"),
        ({"status": "failed", "error": {"code": 1}}, "provider_failed"),
        ({"status": "failed", "error": None}, "provider_failed"),
        ({"status": "canceled"}, "provider_failed"),
        ({"status": "aborted"}, "provider_failed"),
        ({"status": "failed", "error": "NSFW content detected. Try running it again."}, "content_refused"),
        (
            {"status": "failed", "error": "All generated images contained NSFW content."},
            "content_refused",
        ),
        ({"status": "failed", "error": "The input was flagged as sensitive. (E005)"}, "content_refused"),
        (
            {"status": "succeeded", "output": [], "logs": "NSFW content detected in image 0"},
            "content_refused",
        ),
        ({"status": "succeeded", "output": None}, "result_lost"),
        ({"status": "succeeded", "output": []}, "result_lost"),
    ],
)
async def test_each_failure_is_told_apart(provider: Replicate, news: dict[str, Any], code: str) -> None:
    """A refusal is none of the machine's failures, and an output that was forgotten is neither."""
    report = provider.parse(told(**news))
    assert (report.outcome, report.error_code, report.job_id) == ("failed", code, "j")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (None, "body"),
        ([], "body"),
        ({}, "id"),
        (told(id="../x"), "id"),
        (told(id="j" * 201), "id"),
        (told(id=1), "id"),
        (told(status="done"), "status"),
        (told(status=None), "status"),
        (told(output=7), "output"),
        (told(output={"url": "u"}), "output"),
        (told(output=["u"] * 17), "output"),
        (told(output="u" * 2049), "output"),
        (told(logs=["x"]), "logs"),
    ],
)
async def test_a_hostile_body_is_named(provider: Replicate, body: object, field: str) -> None:
    """Whoever signed it."""
    with pytest.raises(InvalidRequest) as caught:
        provider.parse(body)
    assert (caught.value.field or "").partition(".")[0] == field


async def test_polling_tells_what_a_webhook_would(setup: Setup) -> None:
    """A webhook that was lost changes nothing but the time."""
    id = await setup.provider.submit(job())
    assert await setup.provider.status(at(id)) == Report("processing", id, stage=Stage.QUEUED)
    body = setup.fake.tell(id, status="succeeded", output=["https://replicate.delivery/xezq/0.png"])
    assert await setup.provider.status(at(id)) == setup.provider.parse(json.loads(body))
    setup.fake.tell(id, status="a new one")
    with pytest.raises(ProviderUnavailable):
        await setup.provider.status(at(id))
    with pytest.raises(ProviderUnavailable):
        await setup.provider.status(at("unknown"))


async def test_a_job_is_called_off_once(setup: Setup) -> None:
    """One that has ended, or is unknown, is no error."""
    id = await setup.provider.submit(job())
    await setup.provider.cancel(at(id))
    assert setup.fake.predictions[id]["status"] == "canceled"
    await setup.provider.cancel(at(id))
    await setup.provider.cancel(at("unknown"))


async def test_results_come_from_replicate_only(setup: Setup) -> None:
    """Its delivery hosts; what has expired, or is elsewhere, is lost."""
    setup.fake.files["0.png"] = b"a picture"
    for host in ("replicate.delivery", "pbxt.replicate.delivery"):
        assert await setup.provider.fetch(f"https://{host}/xezq/0.png") == b"a picture"
    for url in (
        "https://replicate.delivery/xezq/expired.png",
        "https://replicate.delivery.example/xezq/0.png",
        "https://evilreplicate.delivery/xezq/0.png",
        "http://replicate.delivery/xezq/0.png",
    ):
        with pytest.raises(ResultLost):
            await setup.provider.fetch(url)


async def test_a_signed_webhook_is_let_in(setup: Setup) -> None:
    """Again, too: within its minutes a replay says nothing new. The account's secret is read once."""
    headers = signed(BODY)
    for _ in range(3):
        await setup.provider.verify(headers, BODY)
    await setup.provider.verify({name.title(): value for name, value in headers.items()}, BODY)
    both = headers | {"webhook-signature": f"v1,AAAA {headers['webhook-signature']}"}
    await setup.provider.verify(both, BODY)
    assert setup.fake.secret_reads == 1
    assert setup.fake.authorizations == {f"Bearer {TOKEN}"}


async def test_a_secret_that_is_given_is_not_asked_for() -> None:
    """REPLICATE_WEBHOOK_SECRET spares the request."""
    fake = FakeReplicate()
    async with (
        served(fake.app()) as url,
        open_fetcher(url) as fetcher,
        Replicate.open(TOKEN, fetcher, OTHER_SECRET, f"{url}/v1") as provider,
    ):
        await provider.verify(signed(BODY, secret=OTHER_SECRET), BODY)
        with pytest.raises(WebhookRefused):
            await provider.verify(signed(BODY), BODY)
    assert fake.secret_reads == 0


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_AAAAA", "é"])
async def test_a_secret_that_is_none_lets_nothing_in(secret: str) -> None:
    """However it came about."""
    nowhere = "http://127.0.0.1:1"
    async with open_fetcher(nowhere) as fetcher, Replicate.open(TOKEN, fetcher, secret, nowhere) as provider:
        with pytest.raises(ProviderUnavailable):
            await provider.verify(signed(BODY), BODY)


def broken(**headers: str) -> dict[str, str]:
    return signed(BODY) | {f"webhook-{name}": value for name, value in headers.items()}


# Made when the test runs: a signature is good for five minutes.
Forgery = Callable[[], tuple[dict[str, str], bytes]]


@pytest.mark.parametrize(
    "forgery",
    [
        lambda: ({}, BODY),
        lambda: (signed(BODY, secret=OTHER_SECRET), BODY),
        lambda: (signed(BODY), BODY + b" "),
        lambda: (signed(BODY), b""),
        lambda: (signed(b"\xff"), b"\xff"),
        lambda: (signed(BODY, at=time.time() - 400), BODY),
        lambda: (signed(BODY, at=time.time() + 400), BODY),
        lambda: (broken(id="msg_2"), BODY),
        lambda: (broken(id=""), BODY),
        lambda: (broken(signature=""), BODY),
        lambda: (broken(signature="v1"), BODY),
        lambda: (broken(signature="v1,é"), BODY),
        lambda: (broken(signature="v1,a"), BODY),
        lambda: (broken(signature="v1,a,b"), BODY),
        lambda: (broken(signature="v2,AAAA"), BODY),
        lambda: (broken(timestamp="now"), BODY),
        lambda: (broken(timestamp="nan"), BODY),
        lambda: (broken(timestamp="9" * 400), BODY),
    ],
)
async def test_a_forged_webhook_is_refused(provider: Replicate, forgery: Forgery) -> None:
    """Whatever is wrong with it, with the same answer."""
    headers, body = forgery()
    with pytest.raises(WebhookRefused):
        await provider.verify(headers, body)


@given(headers=st.dictionaries(st.sampled_from(list(signed(BODY))), st.text()), body=st.binary())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_header_breaks_the_check(provider: Replicate, headers: dict[str, str], body: bytes) -> None:
    """Nothing but a refusal comes of what nobody signed."""
    with pytest.raises(WebhookRefused):
        await provider.verify(headers, body)


@pytest.mark.parametrize(
    "trouble",
    [
        JSONResponse({"detail": "Unauthenticated"}, 401),
        JSONResponse({"detail": "?"}, 500),
        JSONResponse({"key": "whsec_"}),
        JSONResponse({"key": "whsec_a"}),
        JSONResponse({"key": "whsec_===="}),
        JSONResponse({"key": "whsec_AAAAA"}),
        JSONResponse({"key": None}),
        Response("<html>"),
    ],
)
async def test_without_the_secret_nothing_is_let_in(setup: Setup, trouble: Response) -> None:
    """Neither accepted nor called a forgery: the answer is one after which Replicate sends it again."""
    setup.fake.secrets.append(trouble)
    with pytest.raises(ProviderUnavailable) as caught:
        await setup.provider.verify(signed(BODY), BODY)
    assert caught.value.status >= 500


@pytest_asyncio.fixture
async def life(setup: Setup, data_dir: Path) -> AsyncIterator[Life]:
    for name in ("0.png", "1.png"):
        setup.fake.files[name] = picture()
    async with open_life(data_dir, setup.provider) as life:
        yield life


def url(name: str) -> str:
    return f"https://replicate.delivery/xezq/{name}"


async def test_a_whole_life(setup: Setup, life: Life) -> None:
    """Submitted, seen at work with its first picture, completed by copies of ours; a replay is no news."""
    process = await life.submitted(count=2)
    assert setup.fake.created[0]["webhook"].startswith("https://hexwave.example/api/webhook/image?processId=")
    body = setup.fake.tell("pred0", status="processing", logs=" 50%|█| 2/4", output=[url("0.png")])
    await life.hear(process, signed(body), body)
    seen = await life.until(process, lambda now: now.data.progress == 50)
    assert (seen.data.stage, len(seen.data.preview or ())) == (Stage.PAINTING, 1)
    body = setup.fake.tell("pred0", status="succeeded", output=[url("0.png"), url("1.png")])
    headers = signed(body)
    await life.hear(process, headers, body)
    done = await life.ended(process)
    assert (done.status, len(done.data.generations or ())) == (ProcessStatus.COMPLETED, 2)
    await life.hear(process, headers, body)
    again = await life.processes.load(process.process_id)
    assert (again.sequence, again.data) == (done.sequence, done.data)


async def test_a_forged_webhook_changes_nothing(setup: Setup, life: Life) -> None:
    """Nor does a genuine one of another job."""
    process = await life.submitted()
    setup.fake.predictions["other"] = setup.fake.predictions["pred0"] | {"id": "other"}
    body = setup.fake.tell("pred0", status="failed", error="x")
    other = setup.fake.tell("other", status="failed", error="x")
    for headers, told in ((signed(body, secret=OTHER_SECRET), body), (signed(other), other)):
        with pytest.raises(WebhookRefused):
            await life.hear(process, headers, told)
    assert await life.processes.load(process.process_id) == process


async def test_a_lost_webhook_is_made_up_for(setup: Setup, life: Life) -> None:
    """The reconciler asks; one of the pictures was declined, and the person reads it."""
    process = await life.submitted(count=2)
    setup.fake.tell(
        "pred0", status="succeeded", output=[url("0.png")], logs="NSFW content detected in image 1"
    )
    await life.reconciler.sweep(0)
    done = await life.ended(process)
    assert (done.status, len(done.data.generations or ())) == (ProcessStatus.COMPLETED, 1)
    assert done.data.notice == "1 of 2 pictures was declined by the provider's safety filter."


async def test_a_result_that_has_expired_is_lost(setup: Setup, life: Life) -> None:
    """Told too late, an hour after: failed, and said so."""
    process = await life.submitted()
    body = setup.fake.tell("pred0", status="succeeded", output=[url("expired.png")])
    await life.hear(process, signed(body), body)
    assert (await life.ended(process)).data.error_code == "result_lost"


async def test_a_refusal_and_a_cancellation_end_a_life(setup: Setup, life: Life) -> None:
    """Each by its own code; the job that is called off is stopped at Replicate too."""
    process = await life.submitted()
    body = setup.fake.tell("pred0", status="failed", error="NSFW content detected.")
    await life.hear(process, signed(body), body)
    assert (await life.ended(process)).data.error_code == "content_refused"
    process = await life.submitted()
    assert (await life.runs.cancel(process.process_id, USER)).data.error_code == "cancelled"

    async def stopped() -> bool:
        return setup.fake.predictions["pred1"]["status"] == "canceled"

    await eventually(stopped)


async def test_a_refused_key_ends_a_life_at_once(setup: Setup, life: Life) -> None:
    """In our words."""
    setup.fake.refusal = JSONResponse({"title": "Unauthenticated", "detail": "raw words"}, 401)
    started = await life.runs.start(IMAGE_GENERATOR, ImageRequest(prompt="sea", seed=7), USER)
    failed = await life.ended(started)
    assert failed.data.error_code == "provider_not_ready"
    assert "raw words" not in (failed.data.error or "")


async def test_the_webhooks_route_answers_as_replicate_expects(setup: Setup, data_dir: Path) -> None:
    """A 5xx while nothing is known of the signature, a 4xx for what is none; 200 again and again."""
    setup.fake.secrets.append(Response("", 503))
    setup.fake.files["0.png"] = picture()
    async with served_app(data_dir) as app, travelling(app, setup.provider) as traveller:
        process_id = await traveller.asks()
        await eventually(lambda: has_job(app, process_id))
        hook = app.services.webhooks.url("image", process_id)
        body = setup.fake.tell("pred0", status="succeeded", output=[url("0.png")])
        assert (await traveller.guest.http.post(hook, content=body, headers=signed(body))).status_code == 502
        assert (await traveller.guest.process(process_id))["status"] == "processing"
        setup.now[0] = RETRY_PAUSE
        for wrong, status in ((b"{", 400), (b"{}", 422)):
            answer = await traveller.guest.http.post(hook, content=wrong, headers=signed(wrong))
            assert answer.status_code == status
        answer = await traveller.guest.http.post(hook, content=body, headers=signed(b"other"))
        assert answer.status_code == 401
        for _ in range(2):
            answer = await traveller.guest.http.post(hook, content=body, headers=signed(body))
            assert (answer.status_code, answer.json()) == (200, {"ok": True})
        assert (await traveller.guest.ended(process_id))["status"] == "completed"


async def has_job(app: Served, process_id: str) -> bool:
    return (await app.services.processes.load(process_id)).provider.job_id is not None
