"""Whom a run asks, how often, and what of: the provider, its models, and the one that steps in."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from hexwave_app.processes import Process
from hexwave_app.processes.errors import InvalidRequest, ProviderBusy, ProviderUnavailable, SubmissionUnknown
from hexwave_app.processes.model import utc_now
from hexwave_app.tools import submit
from hexwave_app.tools.image_generator import IMAGE_GENERATOR, ImageRequest
from hexwave_app.tools.model import ANY, Limit, Model
from tests.conftest import eventually
from tests.tools.conftest import MODEL, Bench, Scripted, open_bench

AWAY = ProviderUnavailable("It is not taking jobs.")
SMALL = Model("small", "Small", IMAGE_GENERATOR.name, {"prompt": ANY, "count": Limit(most=2)})


def submitted(process: Process) -> bool:
    return process.provider.job_id is not None


async def asked(provider: Scripted, times: int) -> None:
    """Return once the provider was asked so many times."""

    async def reached() -> bool:
        return len(provider.jobs) == times

    await eventually(reached)


async def test_a_provider_that_took_nothing_is_asked_again(bench: Bench) -> None:
    """Away, then busy, then it takes the job: one submission."""
    bench.provider.refusals = [AWAY, ProviderBusy("Too many.", 0.01)]
    process = await bench.until(await bench.start(), submitted)
    assert len(bench.provider.jobs) == 3
    assert list(bench.provider.accepted) == [process.process_id]


async def test_one_that_stays_away_fails_after_four_tries(bench: Bench) -> None:
    bench.provider.refusal = AWAY
    failed = await bench.ended(await bench.start())
    assert failed.data.error_code == "provider_unavailable"
    assert len(bench.provider.jobs) == 4


async def test_one_that_asks_for_too_much_time_is_asked_once(bench: Bench) -> None:
    """Nobody is kept waiting for an hour without a word."""
    bench.provider.refusal = ProviderBusy("Too many.", 3600)
    failed = await bench.ended(await bench.start())
    assert failed.data.error_code == "provider_busy"
    assert len(bench.provider.jobs) == 1


async def test_what_may_have_been_taken_is_never_sent_again(bench: Bench) -> None:
    bench.provider.refusal = SubmissionUnknown("It broke while it was asked.")
    failed = await bench.ended(await bench.start())
    assert failed.data.error_code == "submission_unknown"
    assert len(bench.provider.jobs) == 1


async def test_a_run_cancelled_while_it_waits_is_not_submitted(bench: Bench, monkeypatch) -> None:
    """Its turn comes, and nobody wants it any more."""
    gate = asyncio.Event()
    sleep = asyncio.sleep

    async def wait(seconds: float) -> None:
        await (gate.wait() if seconds == 0.5 else sleep(seconds))

    monkeypatch.setattr(submit, "_PAUSES", (0.5,))
    monkeypatch.setattr(submit.asyncio, "sleep", wait)
    bench.provider.refusals = [AWAY]
    process = await bench.start()

    async def refused() -> bool:
        return not bench.provider.refusals

    await eventually(refused)
    await bench.runs.cancel(process.process_id, "g_a")
    gate.set()
    await sleep(0)
    assert (await bench.ended(process)).data.error_code == "cancelled"

    async def idle() -> bool:
        return not any(task.get_name().startswith("submit ") for task in asyncio.all_tasks())

    await eventually(idle)
    assert len(bench.provider.jobs) == 1


async def test_while_it_waits_no_other_worker_takes_it_for_cut_short(bench: Bench, monkeypatch) -> None:
    """The wait is under a lease that outlasts it."""
    monkeypatch.setattr(submit, "_PAUSES", (30.0,))
    bench.provider.refusals = [AWAY]
    process = await bench.start()

    async def leased() -> bool:
        return not await bench.store.unfinished(utc_now() + timedelta(hours=1), 10)

    await eventually(leased)
    assert not await bench.store.lease(process.process_id, "another", utc_now() + timedelta(seconds=1))


async def test_many_at_once_go_in_turns(bench: Bench, monkeypatch) -> None:
    """So that each has a connection and an answer within its patience; and each is asked once."""
    monkeypatch.setattr(submit, "AT_ONCE", 3)
    bench.provider.taking.clear()
    processes = [await bench.start() for _ in range(8)]

    async def all_on_their_way() -> bool:
        return bench.runs.submitting == len(processes)

    await eventually(all_on_their_way)
    assert len(bench.provider.jobs) == 3
    bench.provider.taking.set()
    for process in processes:
        await bench.until(process, submitted)
    assert sorted(job.key for job in bench.provider.jobs) == sorted(each.process_id for each in processes)


async def test_what_is_called_off_before_its_turn_is_not_submitted(bench: Bench, monkeypatch) -> None:
    """Nobody pays for it."""
    monkeypatch.setattr(submit, "AT_ONCE", 1)
    bench.provider.taking.clear()
    first, second, third = [await bench.start() for _ in range(3)]
    await bench.runs.cancel(second.process_id, "g_a")
    bench.provider.taking.set()
    await bench.until(third, submitted)
    assert [job.key for job in bench.provider.jobs] == [first.process_id, third.process_id]


async def test_a_long_wait_for_a_turn_is_under_a_lease(bench: Bench, monkeypatch) -> None:
    """No other worker takes it for cut short, and submits it in its own name."""
    monkeypatch.setattr(submit, "AT_ONCE", 1)
    bench.provider.taking.clear()
    await bench.start()
    await asked(bench.provider, 1)
    monkeypatch.setattr(submit, "SUBMIT_PATIENCE", 0.01)
    waiting = await bench.start()

    async def leased() -> bool:
        found = await bench.store.unfinished(utc_now() + timedelta(hours=1), 10)
        return waiting.process_id not in {process.process_id for process in found}

    await eventually(leased)
    bench.provider.taking.set()
    await bench.until(waiting, submitted)


async def test_what_had_to_wait_is_asked_for_under_a_lease(bench: Bench, monkeypatch) -> None:
    """However short the wait: with it, the asking may last until others take it for cut short."""
    monkeypatch.setattr(submit, "AT_ONCE", 1)
    bench.provider.taking.clear()
    first, second = await bench.start(), await bench.start()
    await asked(bench.provider, 1)
    await bench.runs.cancel(first.process_id, "g_a")
    bench.provider.refusals = [SubmissionUnknown("Perhaps.")]
    bench.provider.taking.set()
    await bench.until(second, submitted)
    assert not await bench.store.lease(second.process_id, "another", utc_now() + timedelta(seconds=1))


async def test_a_provider_that_hangs_holds_up_nobody_else(data_dir: Path, monkeypatch) -> None:
    """Each has turns of its own."""
    monkeypatch.setattr(submit, "AT_ONCE", 1)
    first, second = Scripted(), Scripted(name="second", title="Second")
    async with open_bench(data_dir, first, fallback=second) as bench:
        first.taking.clear()
        for _ in range(2):
            await bench.start()
        request = ImageRequest.read({"prompt": "sea", "provider": "second"})
        await bench.until(await bench.runs.start(IMAGE_GENERATOR, request, "g_a"), submitted)
        assert not first.accepted


async def test_another_provider_takes_over_where_that_is_wanted(data_dir: Path) -> None:
    """It is saved before it is asked, so its webhook, and a crash, find the right one."""
    first, second = Scripted(refusal=AWAY), Scripted(name="second", title="Second")
    async with open_bench(data_dir, first, fallback=second) as bench:
        process = await bench.until(await bench.start(), submitted)
        assert (process.provider.name, process.provider.model) == ("second", MODEL.name)
        assert [job.key for job in second.jobs] == [process.process_id]


@pytest.mark.parametrize("refusal", [SubmissionUnknown("Perhaps."), AWAY])
async def test_nobody_takes_over_what_may_have_begun_or_cannot_be_done(
    data_dir: Path, refusal: Exception
) -> None:
    """Nor is the one that steps in asked for what its model does not know."""
    first, second = Scripted(refusal=refusal), Scripted(name="second", models=(SMALL,))
    request = ImageRequest.read({"prompt": "sea", "count": 4})
    async with open_bench(data_dir, first, fallback=second) as bench:
        process = await bench.runs.start(IMAGE_GENERATOR, request, "g_a")
        assert (await bench.ended(process)).data.error_code == getattr(refusal, "code", None)
        assert not second.jobs


@pytest.mark.parametrize(
    ("asked", "field", "said"),
    [
        ({"model": "large"}, "model", "There is: small"),
        ({"count": 3}, "count", "at most 2"),
        ({"negative_prompt": "fog"}, "negativePrompt", "It takes prompt, count"),
        ({"seed": 7}, "seed", "does not know"),
    ],
)
async def test_what_a_model_does_not_know_begins_nothing(
    data_dir: Path, asked: dict[str, object], field: str, said: str
) -> None:
    """Refused before it is paid for, with the model's limits."""
    async with open_bench(data_dir, Scripted(models=(SMALL,))) as bench:
        with pytest.raises(InvalidRequest, match=said) as refused:
            await bench.runs.start(IMAGE_GENERATOR, ImageRequest(prompt="sea", **asked), "g_a")  # type: ignore[arg-type]
        assert refused.value.field == field
        assert not bench.provider.jobs


async def test_a_seed_that_was_filled_in_is_not_kept_where_it_means_nothing(data_dir: Path) -> None:
    """So a retry, too, is of what was asked."""
    async with open_bench(data_dir, Scripted(models=(SMALL,), refusal=AWAY)) as bench:
        process = await bench.runs.start(IMAGE_GENERATOR, ImageRequest.read({"prompt": "sea"}), "g_a")
        assert "seed" not in process.data.req
        await bench.ended(process)
        again = await bench.runs.retry(process.process_id, "g_a")
        assert again.data.req == process.data.req


async def test_the_first_provider_that_has_a_model_for_the_tool_is_the_default(data_dir: Path) -> None:
    other = Scripted(models=(Model("clip", "Clip", "video-generator"),))
    second = Scripted(name="second")
    async with open_bench(data_dir, other, fallback=second) as bench:
        process = await bench.runs.start(IMAGE_GENERATOR, ImageRequest.read({"prompt": "sea"}), "g_a")
        assert process.provider.name == "second"
        request = ImageRequest.read({"prompt": "sea", "provider": "scripted"})
        with pytest.raises(InvalidRequest, match="makes no images"):
            await bench.runs.start(IMAGE_GENERATOR, request, "g_a")


def test_joined_choices_are_named_in_one_text() -> None:
    """Several with commas; one that the model does not know is refused, whatever stands beside it."""
    styles = Limit(("ink", "blueprint"), joined=True)
    assert styles.admits("ink")
    assert styles.admits("blueprint, ink")
    assert not styles.admits("ink, oil")
    assert str(styles) == "ink and blueprint"
