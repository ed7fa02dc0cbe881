"""The painter as a service: real worker processes, a real webhook."""

import asyncio
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from PIL import Image

from hexwave_app.processes.errors import ResultLost
from hexwave_app.providers.demo import engine
from hexwave_app.providers.demo.engine import Engine
from hexwave_app.providers.demo.order import Pictures
from tests.conftest import PATIENCE, eventually

ROOT = Path(__file__).parents[3]


class Webhook:
    """Takes reports over HTTP and answers them with `status`."""

    def __init__(self) -> None:
        self.reports: list[dict[str, Any]] = []
        self.status = 200
        self.url = ""

    async def receive(self, request: web.Request) -> web.Response:
        self.reports.append(await request.json())
        return web.Response(status=self.status)

    async def final(self) -> dict[str, Any]:
        """The report of the end, once it has come."""

        async def end() -> dict[str, Any] | None:
            return next((report for report in self.reports if report["status"] != "processing"), None)

        return await eventually(end)


@pytest_asyncio.fixture
async def webhook() -> AsyncIterator[Webhook]:
    webhook = Webhook()
    app = web.Application()
    app.router.add_post("/hook", webhook.receive)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    webhook.url = f"http://127.0.0.1:{port}/hook"
    yield webhook
    await runner.cleanup()


def order(webhook: Webhook, count: int = 1, side: int = 96) -> Pictures:
    return Pictures(
        prompt="sea at dusk", seed=5, count=count, width=side, height=side * 3 // 4, webhook_url=webhook.url
    )


def unfinished(directory: Path) -> list[Path]:
    return [order for order in directory.glob("*/order.json") if not (order.parent / "end.json").is_file()]


def at_work() -> bool:
    return any(task.get_name().startswith("paint ") for task in asyncio.all_tasks())


async def idle() -> None:
    """Wait until no job is painted or told."""

    async def none_left() -> bool:
        return not at_work()

    await eventually(none_left)
    # The engine forgets a job a turn of the loop after its task is done.
    await asyncio.sleep(0)


async def test_an_order_is_painted_and_reported(data_dir: Path, webhook: Webhook) -> None:
    """Progress only grows; the end names a file for each picture, in the size that was ordered."""
    async with Engine.open(data_dir) as engine:
        job_id = engine.start("p_1", order(webhook, count=2))
        end = await webhook.final()
        assert (end["status"], end["jobId"], len(end["images"])) == ("success", job_id, 2)
        progress = [report["progress"] for report in webhook.reports if report["status"] == "processing"]
        assert progress == sorted(progress)
        for url in end["images"]:
            with Image.open(engine.result(url)) as picture:
                assert picture.size == (96, 72)


async def test_one_key_is_one_job(data_dir: Path, webhook: Webhook) -> None:
    """Ordered twice, it is painted and told once; another key is another job."""
    async with Engine.open(data_dir) as engine:
        assert not engine.knows(engine.job_id("p_1"))
        ids = [engine.start(key, order(webhook)) for key in ("p_1", "p_1", "p_2")]
        assert ids[0] == ids[1] == engine.job_id("p_1") != ids[2]
        assert engine.knows(ids[0])
        await idle()
        assert engine.start("p_1", order(webhook)) == ids[0]
        await idle()
    ends = [report["jobId"] for report in webhook.reports if report["status"] == "success"]
    assert sorted(ends) == sorted(set(ids))


async def test_the_painter_can_be_asked(data_dir: Path, webhook: Webhook) -> None:
    """While it paints, at the end whether or not that was heard, and of what it never had."""
    webhook.status = 404
    async with Engine.open(data_dir) as engine:
        job_id = engine.start("p_1", order(webhook))
        assert engine.take_up(job_id).outcome == "processing"
        end = await webhook.final()
        report = engine.take_up(job_id)
        assert (report.outcome, report.job_id, list(report.results)) == ("succeeded", job_id, end["images"])
        unknown = engine.take_up(engine.job_id("p_2"))
        assert (unknown.outcome, unknown.error_code) == ("failed", "result_lost")


@pytest.mark.parametrize(
    "url", ["", "demo:x/0-96.webp", f"demo:{'0' * 32}/0-96.webp", "/etc/passwd", "demo:../a"]
)
async def test_only_its_own_pictures_can_be_fetched(data_dir: Path, url: str) -> None:
    """Any other URL is `ResultLost`."""
    async with Engine.open(data_dir) as engine:
        with pytest.raises(ResultLost):
            engine.result(url)


async def test_an_order_is_taken_up_again_after_a_restart(data_dir: Path, webhook: Webhook) -> None:
    """From the order on the disk, under the same job id, when asked for; a torn one was never accepted."""
    async with Engine.open(data_dir) as engine:
        job_id = engine.start("p_1", order(webhook, side=512))
    assert len(unfinished(data_dir)) == 1
    torn = data_dir / ("0" * 32)
    torn.mkdir()
    (torn / "order.json").write_text('{"prompt": "se')
    async with Engine.open(data_dir) as engine:
        assert not engine.knows(torn.name)
        assert engine.take_up(job_id).outcome == "processing"
        end = await webhook.final()
    assert (end["status"], end["jobId"]) == ("success", job_id)


async def test_a_refused_end_is_not_told_again(data_dir: Path, webhook: Webhook) -> None:
    """A caller that knows the job no more gets it once, not at every restart."""
    webhook.status = 404
    async with Engine.open(data_dir) as engine:
        job_id = engine.start("p_1", order(webhook))
        await webhook.final()
        await idle()
    async with Engine.open(data_dir) as engine:
        engine.take_up(job_id)
        await idle()
    assert len([report for report in webhook.reports if report["status"] == "success"]) == 1


async def test_an_end_that_a_crash_cut_short_is_painted_again(data_dir: Path, webhook: Webhook) -> None:
    """The same end, told again."""
    async with Engine.open(data_dir) as engine:
        job_id = engine.start("p_1", order(webhook))
        end = await webhook.final()
        await idle()
        (data_dir / job_id / "end.json").write_text('{"status": "suc')
        webhook.reports.clear()
        assert engine.take_up(job_id).outcome == "processing"
        assert await webhook.final() == end


async def test_a_caller_that_is_down_is_told_later(data_dir: Path, webhook: Webhook) -> None:
    """A server error is tried again until the report is taken."""
    webhook.status = 503
    async with Engine.open(data_dir) as engine:
        engine.start("p_1", order(webhook))
        await webhook.final()
        webhook.status = 200
        await idle()
    ends = [report for report in webhook.reports if report["status"] == "success"]
    assert len(ends) > 1
    assert all(end == ends[0] for end in ends)


async def test_a_cancelled_job_is_forgotten(data_dir: Path, webhook: Webhook) -> None:
    """No end is told; cancelling again, or what never was, is no error."""
    async with Engine.open(data_dir) as engine:
        job_id = engine.start("p_1", order(webhook, count=4, side=768))
        await engine.cancel(job_id)
        assert not unfinished(data_dir)
        await engine.cancel(job_id)
        await engine.cancel("never")
        names = [task.get_name() for task in asyncio.all_tasks()]
        assert not [name for name in names if job_id in name]
        assert not engine.knows(job_id)
        engine.start("p_2", order(webhook))
        assert (await webhook.final())["jobId"] != job_id


@pytest_asyncio.fixture
async def engines(data_dir: Path) -> AsyncIterator[list[Engine]]:
    """Two on one directory, as two servers on one data directory have them."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Engine.open(data_dir)) for _ in range(2)]


async def test_a_job_is_painted_by_one_engine(engines: list[Engine], webhook: Webhook) -> None:
    """Asked for it, the other says how it stands, and does not paint it as well."""
    first, second = engines
    job_id = first.start("p_1", order(webhook, count=2, side=256))
    assert second.start("p_1", order(webhook, count=2, side=256)) == job_id
    assert second.take_up(job_id).outcome == "processing"
    await webhook.final()
    await idle()
    assert second.take_up(job_id).outcome == "succeeded"
    assert [report["status"] for report in webhook.reports].count("success") == 1


async def test_a_job_that_another_engine_has_just_ended_is_not_painted_again(
    data_dir: Path, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end may come between a look at the job and the claim of it."""
    claimed = engine._claimed  # pyright: ignore[reportPrivateUsage]

    def late(path: Path) -> Any:
        (path.parent / "end.json").write_text('{"status": "success", "images": []}')
        return claimed(path)

    monkeypatch.setattr(engine, "_claimed", late)
    async with Engine.open(data_dir) as late_engine:
        late_engine.start("p_1", order(webhook))
        await idle()
    assert webhook.reports == []


async def test_a_job_is_called_off_at_any_engine(
    engines: list[Engine], data_dir: Path, webhook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    """The one that paints it stops, without an end and without an error."""
    first, second = engines
    job_id = first.start("p_1", order(webhook, count=4, side=1024))

    async def painting() -> bool:
        return bool(webhook.reports)

    await eventually(painting)
    await second.cancel(job_id)
    assert not second.knows(job_id)
    await idle()
    assert not first.knows(job_id)
    assert not unfinished(data_dir)
    assert {report["status"] for report in webhook.reports} == {"processing"}
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_the_job_of_an_engine_that_was_killed_is_free(
    data_dir: Path, tmp_path: Path, webhook: Webhook
) -> None:
    """While the server lives it paints alone; after kill -9 another engine takes the job up."""
    script = tmp_path / "server.py"
    script.write_text(_SERVER)
    asked = order(webhook, count=4, side=1024)
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, script, data_dir, asked.model_dump_json()),
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert server.stdout is not None
    async with asyncio.timeout(PATIENCE), Engine.open(data_dir) as heir:
        assert await server.stdout.readline() == b"2\n"
        job_id = heir.job_id("p_1")
        assert heir.take_up(job_id).outcome == "processing"
        assert not at_work()
        server.kill()
        await server.wait()

        async def ended() -> bool:
            return heir.take_up(job_id).outcome == "succeeded"

        await eventually(ended)
        await idle()
    assert [report["status"] for report in webhook.reports].count("success") == 1


async def test_ended_jobs_are_kept_for_a_while(
    data_dir: Path, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deleted as others end: those from long ago, but for the last ones; never what is yet to be painted."""
    monkeypatch.setattr(engine, "_JOBS_KEPT", 2)
    long_ago = time.time() - 2 * 3600

    async def painted(painter: Engine, *keys: str) -> None:
        for key in keys:
            painter.start(key, order(webhook))
        await idle()

    def kept() -> set[str]:
        return {folder.name for folder in data_dir.iterdir()}

    async with Engine.open(data_dir) as painter:
        ids = [painter.job_id(f"p_{number}") for number in range(7)]
        await painted(painter, "p_0", "p_1", "p_2")
        assert kept() == set(ids[:3])
        (data_dir / ids[5]).mkdir()
        (data_dir / ids[6]).mkdir()
        (data_dir / ids[6] / "order.json").write_text(order(webhook).model_dump_json())
        for age, job_id in enumerate((ids[2], ids[1], ids[0], ids[5], ids[6])):
            os.utime(data_dir / job_id, (long_ago - age, long_ago - age))
        await painted(painter, "p_3")
        assert kept() == {ids[2], ids[3], ids[6]}
        await painted(painter, "p_4")
        assert kept() == {ids[3], ids[4], ids[6]}


async def test_a_killed_worker_costs_nothing(data_dir: Path, webhook: Webhook) -> None:
    """The picture it was painting is painted by another."""
    async with Engine.open(data_dir) as engine:
        before = {worker.pid for worker in multiprocessing.active_children()}
        engine.start("p_1", order(webhook, count=2, side=512))

        async def painting() -> bool:
            return bool(webhook.reports)

        await eventually(painting)
        assert before
        for worker in multiprocessing.active_children():
            worker.kill()
        assert (await webhook.final())["status"] == "success"
        assert not before & {worker.pid for worker in multiprocessing.active_children()}


async def test_what_cannot_be_painted_fails(
    data_dir: Path, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller is told, once, and no restart tries it again."""

    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("hexwave_app.worker_processes.WorkerProcesses.run", broken)
    async with Engine.open(data_dir) as engine:
        engine.start("p_1", order(webhook, count=3))
        end = await webhook.final()
        assert (end["status"], end["error"]) == ("error", "The painter failed.")
        await idle()
        assert not unfinished(data_dir)


_SERVER = """
import asyncio, multiprocessing, sys
from pathlib import Path
from hexwave_app.providers.demo.engine import Engine
from hexwave_app.providers.demo.order import Pictures

async def main():
    async with Engine.open(Path(sys.argv[1])) as engine:
        for order in sys.argv[2:]:
            engine.start("p_1", Pictures.model_validate_json(order))
        print(len(multiprocessing.active_children()), flush=True)
        await asyncio.Event().wait()

if __name__ == "__main__":
    asyncio.run(main())
"""


def test_workers_end_when_their_server_is_killed(data_dir: Path, tmp_path: Path) -> None:
    """kill -9 closes no pool, and yet no process is left behind."""
    script = tmp_path / "server.py"
    script.write_text(_SERVER)
    server = subprocess.Popen(
        [sys.executable, script, data_dir],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
    )
    assert server.stdout is not None
    assert server.stdout.readline() == b"2\n"
    server.kill()
    # The workers hold the same pipe: it ends when the last of them has.
    assert server.communicate(timeout=PATIENCE)[0] == b""
