"""Reports become results: in any order, twice, too late, or of something else."""

import asyncio
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from hexwave_app.processes import Process, ProcessStatus, Progressed
from hexwave_app.processes.errors import WebhookRefused
from hexwave_app.tools import deliver
from hexwave_app.tools.image_generator import IMAGE_GENERATOR
from tests.conftest import eventually
from tests.tools.conftest import Bench, Scripted, open_bench, picture

SUCCESS = {"status": "success", "images": ["x:a", "x:b"]}
KEPT = ("0.png", "0-512.webp", "1.png", "1-512.webp")


async def tell(bench: Bench, process: Process, body: dict[str, Any]) -> None:
    """As the webhook does: the process as it is, and the report."""
    now = await bench.processes.load(process.process_id)
    await bench.deliveries.accept(now, bench.provider.parse(body))


async def begun(bench: Bench) -> Process:
    bench.provider.files = {"x:a": picture(), "x:b": picture(), "x:p": picture()}
    return await bench.submitted()


async def unchanged(bench: Bench, process: Process) -> bool:
    """Whether it is what it was, but for its timeline."""
    now = await bench.processes.load(process.process_id)
    aside = {"events": (), "revision": 0, "published": 0}
    return now.model_copy(update=aside) == process.model_copy(update=aside)


async def asked_for(bench: Bench, url: str) -> None:
    async def fetched() -> bool:
        return url in bench.provider.fetched

    await eventually(fetched)


async def test_results_are_kept_before_it_is_completed(bench: Bench) -> None:
    """Our own URLs in picture order, a thumbnail beside each, and no preview left."""
    process = await begun(bench)
    await tell(bench, process, {"status": "processing", "progress": 40, "preview": ["x:p", None]})
    shown = await bench.until(process, lambda now: now.data.progress == 40)
    assert shown.data.preview is not None
    assert shown.data.preview[1] is None
    await tell(bench, process, SUCCESS)
    done = await bench.ended(process)
    home = f"/media/{process.process_id}"
    assert done.data.generations == (f"{home}/0.png", f"{home}/1.png")
    for place in done.data.pictures or ():
        assert (place.width, place.height, place.colour) == (8, 8, "#008080")
        assert b64decode(place.blur)
    assert (done.status, done.data.progress, done.answer) == (ProcessStatus.COMPLETED, 100, None)
    await bench.files(process, *KEPT)


async def test_the_answer_is_kept_before_the_webhook_is_answered(bench: Bench) -> None:
    """Once `accept` has returned, a crash cannot lose the results any more."""
    process = await begun(bench)
    bench.provider.sending.clear()
    await tell(bench, process, SUCCESS)
    now = await bench.processes.load(process.process_id)
    assert now.answer is not None
    assert now.answer["results"] == ["x:a", "x:b"]
    assert (now.data.stage, now.status) == ("saving", ProcessStatus.PROCESSING)


async def test_a_repeated_preview_is_fetched_once(bench: Bench) -> None:
    """Each report repeats what there is; only what is new is fetched."""
    process = await begun(bench)
    for progress in (10, 20, 30):
        await tell(bench, process, {"status": "processing", "progress": progress, "preview": "x:p"})
        await bench.until(process, lambda now, progress=progress: now.data.progress == progress)
    assert bench.provider.fetched == ["x:p"]


async def test_a_lost_preview_is_no_failure(bench: Bench) -> None:
    """The progress is told without it."""
    process = await begun(bench)
    await tell(bench, process, {"status": "processing", "progress": 10, "preview": ["x:gone", "x:p"]})
    now = await bench.until(process, lambda now: now.data.progress == 10)
    assert now.data.preview is not None
    assert now.data.preview[0] is None
    assert now.data.preview[1] is not None


async def test_a_success_told_often_is_one_result(bench: Bench) -> None:
    """At once and again afterwards: fetched once, completed once."""
    process = await begun(bench)
    await asyncio.gather(*(tell(bench, process, SUCCESS) for _ in range(4)))
    done = await bench.ended(process)
    await tell(bench, process, SUCCESS)
    assert sorted(bench.provider.fetched) == ["x:a", "x:b"]
    assert await unchanged(bench, done)
    await bench.files(process, *KEPT)


@pytest.mark.parametrize(
    "late",
    [
        {"status": "error", "error": "x"},
        {"status": "processing", "progress": 99, "preview": "x:p"},
        {"status": "success", "images": ["x:p"]},
    ],
    ids=lambda late: late["status"],
)
async def test_late_news_changes_nothing(bench: Bench, late: dict[str, Any]) -> None:
    """Neither the process nor its files."""
    process = await begun(bench)
    await tell(bench, process, SUCCESS)
    done = await bench.ended(process)
    await tell(bench, process, late)
    await settled(bench)
    assert await unchanged(bench, done)
    await bench.files(process, *KEPT)


async def test_a_failure_that_races_the_completion_deletes_no_result(bench: Bench) -> None:
    """A report that was read before the end, and judged after it, is late news like any other."""
    process = await begun(bench)
    before = await bench.processes.load(process.process_id)
    await tell(bench, process, SUCCESS)
    done = await bench.ended(process)
    await bench.deliveries.accept(before, bench.provider.parse({"status": "error", "error": "x"}))
    assert await unchanged(bench, done)
    await bench.files(process, *KEPT)


async def test_a_preview_that_comes_after_the_end_is_not_kept(bench: Bench) -> None:
    """It was asked for before the end, and arrives after it."""
    process = await begun(bench)
    bench.provider.sending.clear()
    await tell(bench, process, {"status": "processing", "progress": 10, "preview": "x:p"})
    await asked_for(bench, "x:p")
    await bench.runs.cancel(process.process_id, "g_a")
    bench.provider.sending.set()
    await settled(bench)
    await bench.files(process)


async def settled(bench: Bench) -> None:
    """Wait until nothing is done behind the caller's back."""

    async def idle() -> bool:
        mine = ("keep ", "progress of ", "submit ", "cancel ")
        return not any(task.get_name().startswith(mine) for task in asyncio.all_tasks())

    await eventually(idle)


async def test_a_report_of_another_job_is_refused(bench: Bench) -> None:
    """Its own job's is taken, one that names none as well."""
    process = await begun(bench)
    for body in (SUCCESS, {"status": "error", "error": "x"}, {"status": "processing", "progress": 50}):
        with pytest.raises(WebhookRefused):
            await tell(bench, process, body | {"jobId": "job-9"})
    assert await bench.processes.load(process.process_id) == process
    await tell(bench, process, SUCCESS | {"jobId": "job-1"})
    assert (await bench.ended(process)).status is ProcessStatus.COMPLETED


async def test_the_providers_failure_is_told_in_our_words(bench: Bench) -> None:
    """Its own words stay in the log; previews are gone."""
    process = await begun(bench)
    await bench.library.put(process.process_id, "preview-0-x.webp", b"x")
    await tell(bench, process, {"status": "error", "error": "CUDA out of memory at 10.0.0.7"})
    failed = await bench.ended(process)
    assert failed.data.error_code == "provider_refused"
    assert "CUDA" not in failed.model_dump_json()
    await bench.files(process)


@pytest.mark.parametrize("deleted", [False, True])
async def test_cancelled_while_saving_keeps_no_file(bench: Bench, deleted: bool) -> None:
    """Whatever arrives after the cancelling is deleted again, even when the process itself is gone."""
    process = await begun(bench)
    bench.provider.sending.clear()
    await tell(bench, process, SUCCESS)
    await asked_for(bench, "x:a")
    await bench.runs.cancel(process.process_id, "g_a")
    if deleted:
        await bench.runs.delete(process.process_id, "g_a")
    bench.provider.sending.set()
    await settled(bench)
    await bench.files(process)
    if not deleted:
        assert (await bench.processes.load(process.process_id)).data.error_code == "cancelled"


@pytest.mark.parametrize("content", [None, b"<svg/>"], ids=["gone", "no picture"])
async def test_a_result_that_cannot_be_kept_leaves_the_others(bench: Bench, content: bytes | None) -> None:
    """They are completed, and a sentence says how many are missing."""
    process = await begun(bench)
    del bench.provider.files["x:a"]
    if content is not None:
        bench.provider.files["x:a"] = content
    await tell(bench, process, SUCCESS)
    done = await bench.ended(process)
    assert done.data.generations == (f"/media/{process.process_id}/1.png",)
    assert len(done.data.pictures or ()) == 1
    assert done.data.notice == "1 of 2 could not be fetched from the provider."
    await bench.files(process, "1.png", "1-512.webp")


async def test_without_any_result_that_can_be_kept_it_fails(bench: Bench) -> None:
    """`result_lost`: they were made, and are gone."""
    process = await begun(bench)
    bench.provider.files.clear()
    await tell(bench, process, SUCCESS)
    failed = await bench.ended(process)
    assert failed.data.error_code == "result_lost"
    assert failed.data.generations is None
    await bench.files(process)


async def test_a_result_that_is_late_is_asked_for_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was answered stays answered: the reconciler comes back to it."""
    monkeypatch.setattr(deliver, "FETCH_PATIENCE", 0.05)
    process = await begun(bench)
    bench.provider.sending.clear()
    await tell(bench, process, SUCCESS)
    await settled(bench)
    assert not (await bench.processes.load(process.process_id)).terminal
    bench.provider.sending.set()
    await bench.aged(process, 60)
    await bench.reconciler.sweep()
    assert (await bench.ended(process)).status is ProcessStatus.COMPLETED
    await bench.files(process, *KEPT)


async def test_results_that_never_arrive_are_lost_at_the_deadline(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for again and again until then."""
    monkeypatch.setattr(deliver, "FETCH_PATIENCE", 0.05)
    process = await begun(bench)
    bench.provider.sending.clear()
    await tell(bench, process, SUCCESS)
    await settled(bench)
    await bench.aged(process, IMAGE_GENERATOR.deadline)
    await bench.reconciler.sweep()
    assert (await bench.ended(process)).data.error_code == "result_lost"


async def test_what_was_answered_is_kept_after_a_restart(data_dir: Path) -> None:
    """The server ended while it was saving; the next one takes it up, and leaves alone what only runs."""
    provider = Scripted()
    async with open_bench(data_dir, provider) as bench:
        process = await begun(bench)
        running = await bench.submitted()
        await bench.processes.update(running.process_id, Progressed(30))
        provider.sending.clear()
        await tell(bench, process, SUCCESS)
        await asked_for(bench, "x:a")
    provider.sending.set()
    async with open_bench(data_dir, provider) as bench:
        async with bench.reconciler.running():
            done = await bench.ended(process)
            await bench.files(process, *KEPT)
        assert done.status is ProcessStatus.COMPLETED
        assert not (await bench.processes.load(running.process_id)).terminal
