"""What was lost is found again: answers, submissions, publications, by whichever worker looks."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hexwave_app.processes import Completed, Failed, Process, ProcessStatus, Progressed, ProviderJob, Source
from hexwave_app.processes.errors import (
    ChannelUnavailable,
    ProviderUnavailable,
    StatusTooLarge,
    StoreUnavailable,
    SubmissionUnknown,
)
from hexwave_app.processes.model import EventType, StatusMessage, utc_now
from hexwave_app.tools import reconcile
from hexwave_app.tools.image_generator import IMAGE_GENERATOR
from hexwave_app.tools.provider import Report
from hexwave_app.tools.reconcile import PUBLISH_PATIENCE, UNKNOWN_LEASE
from hexwave_app.tools.submit import RECOVER_PATIENCE, SUBMIT_PATIENCE
from tests.conftest import eventually
from tests.processes.memory import FaultyChannel, away
from tests.tools.conftest import REQUEST, Bench, Scripted, open_bench, picture

SILENT = IMAGE_GENERATOR.patience + 1
CUT_OFF = RECOVER_PATIENCE + 1
OVERDUE = IMAGE_GENERATOR.deadline + 1
DONE = Report("succeeded", results=("x:a",))
SUCCESS = {"status": "success", "images": ["x:a"]}


@pytest_asyncio.fixture
async def benches(data_dir: Path) -> AsyncIterator[list[Bench]]:
    """Two workers over one store and one provider."""
    provider = Scripted()
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(open_bench(data_dir, provider)) for _ in range(2)]


async def silent(bench: Bench, seconds: float = SILENT) -> Process:
    """A submitted process that has not been heard of for so long."""
    bench.provider.files = {"x:a": picture()}
    return await bench.aged(await bench.submitted(), seconds)


async def cut_off(bench: Bench, seconds: float = CUT_OFF, **fields: Any) -> Process:
    """A process whose server died before it knew whether the provider had taken it."""
    process = Process.begin(
        user_id="g_a",
        tool_name=IMAGE_GENERATOR.name,
        category="image",
        req=REQUEST.model_dump(mode="json", by_alias=True, exclude_none=True),
        provider=ProviderJob(name="scripted"),
    )
    saved = await bench.processes.create(process.model_copy(update=fields))
    return await bench.aged(saved, seconds)


async def sweep(*benches: Bench) -> None:
    await asyncio.gather(*(bench.reconciler.sweep() for bench in benches))


def lines(process: Process, type_: EventType) -> list[tuple[Source, str | None]]:
    return [(event.source, event.detail) for event in process.events if event.type is type_]


async def test_a_lost_result_arrives_by_asking(bench: Bench) -> None:
    """No webhook came; the answer is kept like one, and the timeline says how it came."""
    process = await silent(bench)
    bench.provider.words["job-1"] = DONE
    await sweep(bench)
    done = await bench.ended(process)
    assert done.data.generations == (f"/media/{process.process_id}/0.png",)
    assert lines(done, EventType.RECONCILED) == [(Source.RECONCILER, "Scripted: succeeded")]
    assert lines(done, EventType.WEBHOOK) == [(Source.RECONCILER, None)]


async def test_a_lost_failure_arrives_by_asking(bench: Bench) -> None:
    """With the code that the provider's report has."""
    process = await silent(bench)
    bench.provider.words["job-1"] = Report("failed", error="No.", error_code="provider_refused")
    await sweep(bench)
    failed = await bench.processes.load(process.process_id)
    assert failed.data.error_code == "provider_refused"
    assert lines(failed, EventType.FAILED) == [(Source.RECONCILER, "provider_refused")]


async def test_lost_progress_arrives_by_asking(bench: Bench) -> None:
    """What runs on is shown where it stands."""
    process = await silent(bench)
    bench.provider.words["job-1"] = Report("processing", progress=40)
    await sweep(bench)
    now = await bench.until(process, lambda now: now.data.progress == 40)
    assert lines(now, EventType.PROGRESS) == [(Source.RECONCILER, "40%")]


async def test_one_answer_by_webhook_and_by_asking_is_one_result(benches: list[Bench]) -> None:
    """At once, at two workers: completed once, told once."""
    first, second = benches
    process = await silent(first)
    first.provider.words["job-1"] = DONE
    webhook = first.deliveries.accept(process, first.provider.parse(SUCCESS))
    await asyncio.gather(webhook, second.reconciler.sweep())
    done = await first.ended(process)
    assert done.status is ProcessStatus.COMPLETED
    for type_ in (EventType.WEBHOOK, EventType.SAVED):
        assert len(lines(done, type_)) == 1

    async def told() -> set[str]:
        sent = [message for bench in benches for message in bench.channel.sent]
        return {message.model_dump_json() for message in sent if message.status.terminal}

    # It is saved a moment before it is told.
    assert len(await eventually(told)) == 1


async def test_what_was_heard_of_lately_is_not_asked_for(bench: Bench) -> None:
    """Silence shorter than the tool's patience is none."""
    await silent(bench, IMAGE_GENERATOR.patience - 2)
    await sweep(bench)
    assert bench.provider.asked == []


@pytest.mark.parametrize("trouble", [None, ProviderUnavailable("It is away.")])
async def test_it_asks_once_in_a_patience(bench: Bench, trouble: Exception | None) -> None:
    """Also where there is nothing new, or no answer; asking again and again is one line, of the last time."""
    process = await silent(bench)
    await bench.processes.republish(process)
    if trouble is not None:
        bench.provider.trouble["job-1"] = trouble
    for times in (1, 2, 3):
        await sweep(bench)
        await sweep(bench)
        assert len(bench.provider.asked) == times
        now = await bench.processes.load(process.process_id)
        detail = "Scripted: no answer" if trouble else "Scripted: processing"
        assert lines(now, EventType.RECONCILED) == [(Source.RECONCILER, detail)]
        assert now.events[-1].at > process.updated_at
        await bench.aged(now, SILENT)
    assert now.sequence == process.sequence


async def test_at_the_start_everything_unfinished_is_asked_for(bench: Bench) -> None:
    """However short its silence; again and again, until the store has let it look once."""
    process = await silent(bench, 0)
    bench.provider.words["job-1"] = DONE
    async with bench.reconciler.running():
        assert (await bench.ended(process)).status is ProcessStatus.COMPLETED


async def test_two_workers_ask_once(benches: list[Bench]) -> None:
    """Whoever gets the lease."""
    await silent(benches[0])
    await sweep(*benches)
    assert benches[0].provider.asked == ["job-1"]


async def test_the_lease_of_a_dead_worker_ends(bench: Bench) -> None:
    """While it lasts nobody else asks, then anybody may."""
    process = await silent(bench)
    later, before = process.updated_at.replace(year=2999), process.updated_at
    assert await bench.store.lease(process.process_id, "dead", later)
    await sweep(bench)
    assert bench.provider.asked == []
    assert await bench.store.lease(process.process_id, "dead", before)
    await sweep(bench)
    assert bench.provider.asked == ["job-1"]


async def test_past_its_deadline_a_process_fails(bench: Bench) -> None:
    """`timeout`; the provider is told to stop, and no preview stays."""
    process = await silent(bench, OVERDUE)
    await bench.library.put(process.process_id, "preview-0-x.webp", b"x")
    await sweep(bench)
    failed = await bench.processes.load(process.process_id)
    assert (failed.status, failed.data.error_code) == (ProcessStatus.FAILED, "timeout")
    assert lines(failed, EventType.FAILED) == [(Source.RECONCILER, "timeout")]

    async def stopped() -> bool:
        return bench.provider.cancelled == ["job-1"]

    await eventually(stopped)
    await bench.files(process)


async def talkative(bench: Bench, process: Process) -> Process:
    """The process with a report of a moment ago."""
    return await bench.processes.update(process.process_id, Progressed((process.data.progress or 0) + 1))


async def test_a_talkative_provider_does_not_outlive_the_deadline(bench: Bench) -> None:
    """However lately it reported progress, the process fails with `timeout`, and not before."""
    young = await talkative(bench, await silent(bench, IMAGE_GENERATOR.deadline - 60))
    old = await talkative(bench, await silent(bench, OVERDUE))
    await sweep(bench)
    assert (await bench.processes.load(young.process_id)).data == young.data
    assert (await bench.processes.load(old.process_id)).data.error_code == "timeout"
    assert bench.provider.asked == ["job-2"]


async def test_the_last_word_before_the_deadlines_verdict_counts(bench: Bench) -> None:
    """A server that was away for long has lost no result: the provider is asked before it is given up."""
    done, refused = await silent(bench, OVERDUE), await silent(bench, OVERDUE)
    bench.provider.words = {"job-1": DONE, "job-2": Report("failed", error="No.")}
    bench.provider.sending.clear()
    await sweep(bench)
    # Its pictures may take their time, whatever the next looks see.
    await bench.aged(done, SILENT)
    await sweep(bench)
    bench.provider.sending.set()
    assert (await bench.ended(done)).status is ProcessStatus.COMPLETED
    assert (await bench.ended(refused)).data.error_code == "provider_refused"


@pytest.mark.parametrize("trouble", [ProviderUnavailable("It is away."), RuntimeError("a fault of ours")])
async def test_a_provider_that_has_no_last_word_delays_no_timeout(bench: Bench, trouble: Exception) -> None:
    """The deadline is a promise to whoever waits."""
    process = await silent(bench, OVERDUE)
    bench.provider.trouble["job-1"] = trouble
    await sweep(bench)
    assert (await bench.processes.load(process.process_id)).data.error_code == "timeout"


async def test_however_many_are_silent_each_is_asked_for(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where leases run out faster than looks come round: who waited longest is next."""
    monkeypatch.setattr(reconcile, "_BATCH", 3)
    processes = [await silent(bench, SILENT + number) for number in range(10)]
    for _ in range(4):
        await sweep(bench)
        for process in processes:
            await bench.aged(process, SILENT)
    assert set(bench.provider.asked) == {f"job-{number}" for number in range(1, 11)}


async def test_the_hundred_and_first_silent_process_is_asked_for(bench: Bench) -> None:
    """While the first hundred, still at work, are under their leases."""
    for number in range(101):
        await silent(bench, SILENT + 101 - number)
    await sweep(bench)
    assert len(bench.provider.asked) == 100
    await sweep(bench)
    assert bench.provider.asked[100:] == ["job-101"]


async def test_what_is_not_due_hides_nothing(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The silent of a more patient tool, however many, stand back for what is due."""
    monkeypatch.setattr(reconcile, "_BATCH", 3)
    patient = replace(IMAGE_GENERATOR, name="patient", patience=10 * SILENT)
    async with open_bench(data_dir, Scripted(), tools=(IMAGE_GENERATOR, patient)) as bench:
        job = ProviderJob(name="scripted", job_id="a")
        for _ in range(3):
            process = await cut_off(bench, CUT_OFF, tool_name="patient", provider=job)
            await bench.processes.republish(process)
        await silent(bench)
        await sweep(bench)
        assert bench.provider.asked == []
        await sweep(bench)
        assert bench.provider.asked == ["job-1"]


async def test_what_cannot_be_published_hides_nothing(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changes that the channel will never take, however many, stand back for those it takes."""
    monkeypatch.setattr(reconcile, "_BATCH", 3)
    refused = set[str]()

    def fate(sent: list[StatusMessage]) -> list[StatusMessage]:
        if sent[-1].process_id in refused:
            raise StatusTooLarge("It is too large.")
        return sent[-1:]

    async with open_bench(data_dir, Scripted(), FaultyChannel(fate)) as bench:
        large = [await cut_off(bench, PUBLISH_PATIENCE + 4 - number, published=0) for number in range(3)]
        refused.update(process.process_id for process in large)
        small = await cut_off(bench, PUBLISH_PATIENCE + 1, published=0)
        await sweep(bench)
        assert (await bench.processes.load(small.process_id)).unpublished
        await sweep(bench)
        assert not (await bench.processes.load(small.process_id)).unpublished


async def test_processes_of_an_unknown_tool_are_put_aside(
    bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are said once, and come up again only after a long time."""
    monkeypatch.setattr(reconcile, "_BATCH", 3)
    orphans = [await cut_off(bench, OVERDUE, tool_name="gone") for _ in range(3)]
    await silent(bench)
    for _ in range(2):
        await sweep(bench)
    assert bench.provider.asked == ["job-1"]
    assert await bench.processes.unfinished(utc_now(), 9) == []
    for orphan in orphans:
        await bench.aged(orphan, UNKNOWN_LEASE + 1)
    assert len(await bench.processes.unfinished(utc_now(), 9)) == 3
    await sweep(bench)
    assert await bench.processes.unfinished(utc_now(), 9) == []
    assert [record.args for record in caplog.records if "no tool" in record.msg] == [("gone",)]


async def test_an_answer_that_was_never_kept_is_lost_at_the_deadline(bench: Bench) -> None:
    """It was made, so it is `result_lost`."""
    process = await silent(bench)
    bench.provider.sending.clear()
    await bench.deliveries.accept(process, DONE)
    await bench.aged(process, OVERDUE)
    await sweep(bench)
    failed = await bench.processes.load(process.process_id)
    assert (failed.data.error_code, failed.answer) == ("result_lost", None)


async def test_at_the_deadline_a_process_ends_once(benches: list[Bench]) -> None:
    """Completed at one worker, timed out by the other: one of both, in store and messages."""
    first, second = benches
    for _ in range(10):
        process = await silent(first, OVERDUE)
        await asyncio.gather(
            first.processes.update(process.process_id, Completed(("/media/x/0.png",))),
            second.reconciler.sweep(),
        )
        ended = await first.processes.load(process.process_id)
        ends = [
            message
            for bench in benches
            for message in bench.channel.sent
            if message.process_id == process.process_id and message.status.terminal
        ]
        assert [message.status for message in ends] == [ended.status]
        assert len(lines(ended, EventType.SAVED)) + len(lines(ended, EventType.FAILED)) == 1


async def test_a_cut_off_submission_is_found(bench: Bench) -> None:
    """The provider has it: its job id is recorded, and nothing is submitted again."""
    process = await cut_off(bench)
    bench.provider.accepted[process.process_id] = "job-7"
    await sweep(bench)
    now = await bench.processes.load(process.process_id)
    assert (now.provider.job_id, bench.provider.jobs) == ("job-7", [])


async def test_a_submission_that_never_arrived_is_made_once(bench: Bench) -> None:
    """The provider surely has none: it gets the request as it was asked for."""
    process = await cut_off(bench)
    await sweep(bench)
    await bench.until(process, lambda now: now.provider.job_id == "job-1")
    await sweep(bench)
    assert [(job.key, job.request) for job in bench.provider.jobs] == [(process.process_id, REQUEST)]


async def test_where_nobody_can_say_it_fails(bench: Bench) -> None:
    """`submission_unknown`, with a sentence, and nothing is submitted."""
    process = await cut_off(bench)
    bench.provider.doubt = SubmissionUnknown("The provider cannot say whether it has this job.")
    await sweep(bench)
    failed = await bench.processes.load(process.process_id)
    assert failed.data.error_code == "submission_unknown"
    assert failed.data.error == "The provider cannot say whether it has this job."
    assert bench.provider.jobs == []


async def test_a_provider_that_is_away_is_asked_again_for_a_submission(bench: Bench) -> None:
    """Being away says nothing about the job, so nothing is decided."""
    process = await cut_off(bench)
    bench.provider.doubt = ProviderUnavailable("It is away.")
    await sweep(bench)
    assert not (await bench.processes.load(process.process_id)).terminal
    bench.provider.doubt = None
    bench.provider.accepted[process.process_id] = "job-7"
    await bench.aged(process, SILENT)
    await sweep(bench)
    assert (await bench.processes.load(process.process_id)).provider.job_id == "job-7"


async def test_two_workers_submit_once(benches: list[Bench]) -> None:
    """Both find it cut off at the same moment, ten times over."""
    for count in range(1, 11):
        process = await cut_off(benches[0])
        await sweep(*benches)
        await sweep(*benches)
        await benches[0].until(process, lambda now: now.provider.job_id is not None)
        assert len(benches[0].provider.jobs) == count


async def test_the_reconciler_does_not_wait_for_a_provider_to_take_a_job(bench: Bench) -> None:
    """One that hangs would keep it from everybody else's deadlines."""
    bench.provider.taking.clear()
    process = await cut_off(bench)
    await sweep(bench)
    assert (await bench.processes.load(process.process_id)).provider.job_id is None
    bench.provider.taking.set()
    await bench.until(process, lambda now: now.provider.job_id is not None)


async def test_a_recovery_that_takes_long_is_not_doubled(benches: list[Bench]) -> None:
    """While one worker waits for the provider's word, the other leaves the process alone."""
    first, second = benches
    process = await cut_off(first)
    held = first.provider.saying
    held.clear()
    slow = asyncio.create_task(first.reconciler.sweep())
    await first.until(process, lambda now: bool(lines(now, EventType.RECONCILED)))
    await first.aged(process, SILENT)
    second.provider.saying = asyncio.Event()
    second.provider.saying.set()
    await second.reconciler.sweep()
    assert first.provider.jobs == []
    held.set()
    await slow
    await first.until(process, lambda now: now.provider.job_id is not None)
    assert len(first.provider.jobs) == 1


@pytest.mark.parametrize("seconds", [SUBMIT_PATIENCE - 1, RECOVER_PATIENCE - 1])
async def test_a_young_submission_is_left_alone(bench: Bench, seconds: float) -> None:
    """Somebody may still be at it."""
    process = await cut_off(bench, seconds)
    await sweep(bench)
    assert bench.provider.jobs == []
    now = await bench.processes.load(process.process_id)
    assert (now.sequence, lines(now, EventType.RECONCILED)) == (1, [])


async def test_what_this_worker_is_submitting_is_left_alone(bench: Bench) -> None:
    """However long it takes."""
    bench.provider.taking.clear()
    process = await bench.start()

    async def submitting() -> bool:
        return bool(bench.provider.jobs)

    await eventually(submitting)
    await bench.aged(process, CUT_OFF)
    await sweep(bench)
    bench.provider.taking.set()
    await bench.until(process, lambda now: now.provider.job_id == "job-1")
    assert len(bench.provider.jobs) == 1


async def test_an_answer_that_was_not_kept_is_kept(data_dir: Path) -> None:
    """The worker that was at it is gone; another fetches the results, without asking again."""
    provider = Scripted()
    async with open_bench(data_dir, provider) as bench:
        process = await silent(bench)
        provider.sending.clear()
        await bench.deliveries.accept(process, DONE)
    provider.sending.set()
    async with open_bench(data_dir, provider) as bench:
        await bench.aged(process, SILENT)
        await sweep(bench)
        assert (await bench.ended(process)).status is ProcessStatus.COMPLETED
    assert provider.asked == []


async def test_what_was_saved_and_not_published_is_published(data_dir: Path) -> None:
    """By another worker, which gets the lease: the same message as the first one would have been."""
    async with (
        open_bench(data_dir, Scripted(), FaultyChannel(away)) as deaf,
        open_bench(data_dir, Scripted()) as one,
        open_bench(data_dir, Scripted()) as two,
    ):
        process = await deaf.processes.create(await cut_off(deaf))
        ended = await deaf.processes.update(process.process_id, Failed("No.", "provider_refused"))
        assert ended.unpublished
        await sweep(one, two)
        assert [*one.channel.sent, *two.channel.sent] == []
        aged = await deaf.aged(ended, PUBLISH_PATIENCE + 1)
        await sweep(one, two)
        await sweep(one, two)
        assert [*one.channel.sent, *two.channel.sent] == [StatusMessage.of(aged)]
        now = await one.processes.load(process.process_id)
        assert (now.published, now.sequence) == (ended.sequence, ended.sequence)
        assert lines(now, EventType.PUBLISHED) == [(Source.RECONCILER, None)]


async def test_publishing_twice_is_harmless(bench: Bench) -> None:
    """The same message, and the process is what it was."""
    process = await cut_off(bench)
    ended = await bench.processes.update(process.process_id, Failed("No.", "provider_refused"))
    for _ in range(2):
        await bench.processes.republish(ended)
    assert bench.channel.sent == [StatusMessage.of(ended)] * 3
    now = await bench.processes.load(process.process_id)
    assert (now.sequence, now.data, now.published) == (ended.sequence, ended.data, ended.sequence)


@pytest.mark.parametrize("error", [ChannelUnavailable("Ably is away."), StatusTooLarge("It is too large.")])
async def test_a_channel_that_is_away_stops_nothing_else(data_dir: Path, error: ChannelUnavailable) -> None:
    """Unpublished changes wait; what is silent is asked for."""

    def fate(_: list[StatusMessage]) -> list[StatusMessage]:
        raise error

    async with open_bench(data_dir, Scripted(), FaultyChannel(fate)) as bench:
        processes = [await bench.submitted() for _ in range(3)]
        for process in processes:
            await bench.processes.update(process.process_id, Progressed(5))
            await bench.aged(process, PUBLISH_PATIENCE + 1)
        await sweep(bench)
        assert sorted(bench.provider.asked) == ["job-1", "job-2", "job-3"]
        assert (await bench.processes.load(processes[0].process_id)).unpublished


async def test_what_is_not_set_up_any_more_stops_nothing_else(bench: Bench) -> None:
    """An old document's tool or provider is gone: the others are attended to."""
    await cut_off(bench, 3 * CUT_OFF, tool_name="gone")
    orphans = [
        await cut_off(bench, 2 * CUT_OFF, provider=ProviderJob(name="gone", job_id=job_id), answer=answer)
        for job_id, answer in ((None, None), ("job-9", None), ("job-9", {"results": ["x:a"], "notice": None}))
    ]
    await silent(bench)
    await sweep(bench)
    assert bench.provider.asked == ["job-1"]
    for orphan in orphans:
        now = await bench.processes.load(orphan.process_id)
        assert lines(now, EventType.RECONCILED) == [(Source.RECONCILER, "Provider gone is not set up")]
        await bench.aged(now, OVERDUE)
    await sweep(bench)
    codes = [(await bench.processes.load(orphan.process_id)).data.error_code for orphan in orphans]
    assert codes == ["timeout", "timeout", "result_lost"]


@pytest.mark.parametrize("trouble", [ProviderUnavailable("It is away."), RuntimeError("a fault of ours")])
async def test_an_answer_that_fails_stops_nothing_else(bench: Bench, trouble: Exception) -> None:
    """One provider's trouble, whatever it is, is nobody else's."""
    bench.provider.trouble["job-1"] = trouble
    await silent(bench, 2 * SILENT)
    other = await silent(bench)
    bench.provider.words["job-2"] = DONE
    await sweep(bench)
    assert (await bench.ended(other)).status is ProcessStatus.COMPLETED


async def test_a_provider_that_never_answers_is_given_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For this time."""
    monkeypatch.setattr(reconcile, "_ASK_PATIENCE", 0.01)
    process = await silent(bench)
    bench.provider.saying.clear()
    await sweep(bench)
    now = await bench.processes.load(process.process_id)
    assert lines(now, EventType.RECONCILED) == [(Source.RECONCILER, "Scripted: no answer")]


async def test_the_loop_survives_a_store_that_is_away(
    bench: Bench, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it is back, everything goes on, with the look that was due at the start."""
    monkeypatch.setattr(reconcile, "INTERVAL", 0.01)
    process = await silent(bench, 0)
    bench.provider.words["job-1"] = DONE
    tries: list[float | None] = []
    look = bench.reconciler.sweep

    async def counted(patience: float | None = None) -> None:
        tries.append(patience)
        await look(patience)

    monkeypatch.setattr(bench.reconciler, "sweep", counted)
    with sqlite3.connect(data_dir / "hexwave.db") as database:
        database.execute("ALTER TABLE processes RENAME TO away")
        database.commit()
        with pytest.raises(StoreUnavailable):
            await bench.processes.load(process.process_id)
        async with bench.reconciler.running():
            await eventually(lambda: looked(tries, 3))
            database.execute("ALTER TABLE away RENAME TO processes")
            database.commit()
            assert (await bench.ended(process)).status is ProcessStatus.COMPLETED
            done = len(tries)
            await eventually(lambda: looked(tries, done + 2))
    database.close()
    assert set(tries[:3]) == {0.0}
    assert tries[-1] is None


async def looked(tries: list[float | None], times: int) -> bool:
    return len(tries) >= times


async def test_it_ends_with_its_owner(bench: Bench) -> None:
    """Also in the middle of a look; what it was doing ends with it."""
    process = await silent(bench)
    bench.provider.saying.clear()

    async def asking() -> bool:
        return bench.provider.asked == ["job-1"]

    before = asyncio.all_tasks()
    async with bench.reconciler.running():
        await eventually(asking)
    assert asyncio.all_tasks() <= before
    assert await bench.processes.load(process.process_id) == process


async def test_progress_is_not_published_for_ever(bench: Bench) -> None:
    """A change that was told and not marked is told once more, and then is marked."""
    process = await bench.submitted()
    await bench.processes.update(process.process_id, Progressed(30))
    await bench.aged(process, PUBLISH_PATIENCE + 1)
    for _ in range(3):
        await sweep(bench)
    assert [message.sequence for message in bench.channel.sent] == [2, 2]
    assert not (await bench.processes.load(process.process_id)).unpublished
