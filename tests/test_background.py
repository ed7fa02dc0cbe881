"""Work that outlives the request that began it."""

import asyncio
import logging

import pytest

from hexwave_app.background import BackgroundTasks


async def test_work_runs_behind_and_is_named() -> None:
    """Spawning returns at once; the task does its work."""
    done = asyncio.Event()

    async def work() -> None:
        done.set()

    async with BackgroundTasks.open() as tasks:
        task = tasks.spawn(work(), "a name")
        assert not done.is_set()
        await task
    assert done.is_set()
    assert task.get_name() == "a name"


async def test_an_error_is_logged_and_harms_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    """With the name of the work, and the other work goes on."""
    go = asyncio.Event()

    async def fail() -> None:
        raise ValueError("broken")

    async with BackgroundTasks.open() as tasks:
        waiting = tasks.spawn(_wait(go), "waiting")
        failed = tasks.spawn(fail(), "failing work")
        await asyncio.wait([failed])
        go.set()
        await waiting
    assert [record.message for record in caplog.records if record.levelno == logging.ERROR] == [
        "failing work failed"
    ]


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


async def test_closing_ends_all_and_waits_for_it() -> None:
    """What a task does on its way out is done before the owner has closed."""
    cleaned: list[int] = []

    async def work(number: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append(number)

    async with BackgroundTasks.open() as tasks:
        spawned = [tasks.spawn(work(number), "work") for number in range(3)]
        await asyncio.sleep(0)
    assert sorted(cleaned) == [0, 1, 2]
    assert all(task.cancelled() for task in spawned)
