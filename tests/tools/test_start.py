"""Runs: begun, called off at every moment, repeated, forgotten."""

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from hexwave_app.processes import Failed, ProcessNotFound
from hexwave_app.processes.errors import (
    InvalidRequest,
    ProcessConflict,
    ProviderRefused,
    ProviderUnavailable,
    SubmissionUnknown,
    WebhookRefused,
)
from hexwave_app.tools import submit
from hexwave_app.tools.image_generator import IMAGE_GENERATOR, ImageRequest
from hexwave_app.tools.webhooks import Webhooks
from tests.conftest import eventually
from tests.tools.conftest import REQUEST, Bench


async def stopped(bench: Bench, *jobs: str) -> None:
    async def all_stopped() -> bool:
        return bench.provider.cancelled == list(jobs)

    await eventually(all_stopped)


async def test_a_run_is_saved_before_it_is_submitted(bench: Bench) -> None:
    """A webhook that comes at once finds its process; the job id is recorded when it is known."""
    bench.provider.taking.clear()
    process = await bench.start()
    assert (process.sequence, process.provider.job_id) == (1, None)

    async def asked() -> bool:
        return bool(bench.provider.jobs)

    await eventually(asked)
    assert await bench.processes.load(process.process_id) == process
    bench.provider.taking.set()
    after = await bench.until(process, lambda now: now.provider.job_id == "job-1")
    assert not after.terminal


async def test_the_provider_is_told_what_and_where(bench: Bench) -> None:
    """The request as asked, and a webhook URL whose token is this process's own."""
    process = await bench.submitted()
    job = bench.provider.jobs[0]
    assert job.request == REQUEST
    assert process.data.req == {"prompt": "sea", "aspectRatio": "1:1", "count": 1, "seed": 7}
    url = urlsplit(job.webhook_url)
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert url.path == "/api/webhook/image"
    assert query["processId"] == process.process_id
    webhooks = Webhooks("", b"k" * 32)
    webhooks.check(process.process_id, query["token"])
    for wrong in ("", "é", query["token"][:-1]):
        with pytest.raises(WebhookRefused):
            webhooks.check(process.process_id, wrong)


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (ProviderRefused("It does not paint that."), "provider_refused"),
        (ProviderUnavailable("It is busy."), "provider_unavailable"),
        (SubmissionUnknown("It said nothing."), "submission_unknown"),
        (OSError("disk full"), "submission_unknown"),
    ],
)
async def test_what_the_provider_refuses_fails_and_says_why(
    bench: Bench, refusal: Exception, code: str
) -> None:
    """Each kind of refusal has its code; even a fault of ours ends the process, in words for people."""
    bench.provider.refusal = refusal
    process = await bench.ended(await bench.start())
    assert process.data.error_code == code
    assert process.data.error is not None
    assert process.data.error.endswith(".")


async def test_a_provider_that_says_nothing_is_told_apart(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its patience, nobody knows whether the job runs: not even where it says that it has none yet."""
    monkeypatch.setattr(submit, "SUBMIT_PATIENCE", 0.01)
    bench.provider.taking.clear()
    for doubt in (None, SubmissionUnknown("It cannot say.")):
        bench.provider.doubt = doubt
        process = await bench.ended(await bench.start())
        assert process.data.error_code == "submission_unknown"
    assert len(bench.provider.jobs) == 2


async def test_a_job_that_was_taken_in_silence_is_found(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The acceptance did not arrive; asked, the provider has the job, and it is not submitted again."""
    monkeypatch.setattr(submit, "SUBMIT_PATIENCE", 0.05)
    bench.provider.taking.clear()
    process = await bench.start()
    bench.provider.accepted[process.process_id] = "job-7"
    await bench.until(process, lambda now: now.provider.job_id == "job-7")
    assert len(bench.provider.jobs) == 1


async def test_a_job_that_comes_after_its_process_failed_is_stopped(bench: Bench) -> None:
    """Whoever gave the process up, what it would cost is not paid."""
    bench.provider.taking.clear()
    process = await bench.start()
    await bench.processes.update(process.process_id, Failed("Nobody knows.", "submission_unknown"))
    bench.provider.taking.set()
    await stopped(bench, "job-1")


async def test_an_unknown_provider_begins_nothing(bench: Bench) -> None:
    """It is named, with those there are."""
    request = ImageRequest(prompt="sea", seed=7, provider="nobody")
    with pytest.raises(InvalidRequest, match="scripted") as refused:
        await bench.runs.start(IMAGE_GENERATOR, request, "g_a")
    assert refused.value.field == "provider"
    assert (await bench.processes.list("g_a")).processes == []


async def test_one_key_is_one_submission(bench: Bench) -> None:
    """Two at once, and one later: the same process, submitted once."""

    async def begin() -> Any:
        return await bench.runs.start(IMAGE_GENERATOR, REQUEST, "g_a", idempotency_key="k")

    first, second = await asyncio.gather(begin(), begin())
    await bench.until(first, lambda now: now.provider.job_id is not None)
    third = await begin()
    assert first.process_id == second.process_id == third.process_id
    assert len(bench.provider.jobs) == 1


async def test_cancelling_a_submitted_run_stops_its_job_once(bench: Bench) -> None:
    """Again is no error and stops nothing twice."""
    process = await bench.submitted()
    cancelled = await bench.runs.cancel(process.process_id, "g_a")
    assert cancelled.data.error_code == "cancelled"
    again = await bench.runs.cancel(process.process_id, "g_a")
    assert (again.sequence, again.data) == (cancelled.sequence, cancelled.data)
    await stopped(bench, "job-1")


@pytest.mark.parametrize("deleted", [False, True])
async def test_cancelling_before_the_job_id_is_known_stops_the_job(bench: Bench, deleted: bool) -> None:
    """As soon as it is known, even when the process was deleted by then."""
    bench.provider.taking.clear()
    process = await bench.start()

    async def asked() -> bool:
        return bool(bench.provider.jobs)

    await eventually(asked)
    await bench.runs.cancel(process.process_id, "g_a")
    if deleted:
        await bench.runs.delete(process.process_id, "g_a")
    assert bench.provider.cancelled == []
    bench.provider.taking.set()
    await stopped(bench, "job-1")


async def test_cancelling_leaves_no_preview(bench: Bench) -> None:
    """What was shown while it was made is deleted."""
    process = await bench.submitted()
    await bench.library.put(process.process_id, "preview-0-x.webp", b"x")
    await bench.runs.cancel(process.process_id, "g_a")
    await bench.files(process)


async def test_another_users_run_cannot_be_touched(bench: Bench) -> None:
    """Cancel, retry, delete: not there."""
    process = await bench.submitted()
    for act in (bench.runs.cancel, bench.runs.retry, bench.runs.delete):
        with pytest.raises(ProcessNotFound):
            await act(process.process_id, "g_b")
    assert await bench.processes.load(process.process_id) == process


async def test_a_retry_asks_for_the_same(bench: Bench) -> None:
    """The same request, seed included, as a process of its own; only once the first has ended."""
    first = await bench.submitted()
    with pytest.raises(ProcessConflict):
        await bench.runs.retry(first.process_id, "g_a")
    await bench.runs.cancel(first.process_id, "g_a")
    second = await bench.runs.retry(first.process_id, "g_a")
    assert (second.retry_of, second.data.req) == (first.process_id, first.data.req)
    await bench.until(second, lambda now: now.provider.job_id == "job-2")


async def test_a_retry_told_often_is_one(bench: Bench) -> None:
    """One key is one process, here as well."""
    first = await bench.submitted()
    await bench.runs.cancel(first.process_id, "g_a")

    async def again() -> Any:
        return await bench.runs.retry(first.process_id, "g_a", idempotency_key="k")

    second, third = await asyncio.gather(again(), again())
    assert second.process_id == third.process_id == (await again()).process_id
    await bench.until(second, lambda now: now.provider.job_id is not None)
    assert len(bench.provider.jobs) == 2


async def test_a_retry_that_has_ended_is_retried_itself(bench: Bench) -> None:
    """Pressed twice it is one; pressed at the first again, after its retry was called off, a third."""
    first = await bench.submitted()
    await bench.runs.cancel(first.process_id, "g_a")
    second = await bench.runs.retry_once(first.process_id, "g_a")
    assert (await bench.runs.retry_once(first.process_id, "g_a")).process_id == second.process_id
    await bench.runs.cancel(second.process_id, "g_a")
    third = await bench.runs.retry_once(first.process_id, "g_a")
    assert third.retry_of == second.process_id
    assert not third.terminal


async def test_what_was_made_by_a_tool_that_is_gone_cannot_be_repeated(bench: Bench) -> None:
    """It says so, and begins nothing."""
    first = await bench.submitted()
    await bench.runs.cancel(first.process_id, "g_a")
    now = await bench.processes.load(first.process_id)
    old = now.model_copy(update={"tool_name": "gone", "revision": now.revision + 1})
    assert await bench.store.replace(old)
    with pytest.raises(ProcessConflict):
        await bench.runs.retry(first.process_id, "g_a")
    assert len((await bench.processes.list("g_a")).processes) == 1


async def test_deleting_takes_the_files_along(bench: Bench) -> None:
    """A running one is a conflict."""
    process = await bench.submitted()
    with pytest.raises(ProcessConflict):
        await bench.runs.delete(process.process_id, "g_a")
    await bench.runs.cancel(process.process_id, "g_a")
    await bench.library.put(process.process_id, "0.webp", b"x")
    await bench.runs.delete(process.process_id, "g_a")
    await bench.files(process)
    with pytest.raises(ProcessNotFound):
        await bench.processes.load(process.process_id)
