"""The end of what States follow processes with."""

import asyncio
from collections.abc import AsyncGenerator
from importlib import import_module

import pytest

from hexwave_app.live import serving
from hexwave_app.live.tab import feed_of, feeds
from hexwave_app.processes import Processes
from tests.conftest import PATIENCE
from tests.processes.memory import FaultyChannel, MemoryStore
from tests.processes.test_transition import begun


async def test_its_end_waits_for_those_that_follow() -> None:
    """They leave while what they follow is still open; one that comes meanwhile leaves, too."""
    followers: list[asyncio.Task[int]] = []
    opened = asyncio.Event()

    async def follow(tab: str) -> int:
        async with feed_of(tab) as feed:
            opened.set()
            while not feed.ended:
                await feed.next(60)
            if tab == "first":
                followers.append(asyncio.create_task(follow("second")))
            return feeds()

    async with serving(Processes(MemoryStore(), FaultyChannel())):
        followers.append(asyncio.create_task(follow("first")))
        await opened.wait()
    assert [task.done() for task in followers] == [True, True]
    assert [task.result() for task in followers] == [1, 1]


async def test_who_does_not_leave_is_not_waited_for_and_is_told_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The end of a server comes all the same."""
    # The package has a function of the module's name.
    monkeypatch.setattr(import_module("hexwave_app.live.serving"), "_PATIENCE", 0.02)
    stays, opened = asyncio.Event(), asyncio.Event()

    async def follow() -> None:
        async with feed_of("first"):
            opened.set()
            await stays.wait()

    async with serving(Processes(MemoryStore(), FaultyChannel())):
        task = asyncio.create_task(follow())
        await opened.wait()
    assert "1 still follow" in caplog.text
    stays.set()
    await task


async def test_a_feed_ends_with_the_task_that_opened_it() -> None:
    """Also where that is cancelled over what its handler yielded, and nobody closes the handler."""
    processes = Processes(MemoryStore(), FaultyChannel())
    process = await processes.create(begun())
    given = asyncio.Event()

    async def watch() -> AsyncGenerator[None, None]:
        async with feed_of("tab") as feed:
            feed.add(process.process_id)
            yield

    async def handle(handler: AsyncGenerator[None, None]) -> None:
        async for _ in handler:
            given.set()
            await asyncio.Event().wait()

    async def followed(number: int) -> None:
        while processes.followers != number:
            await asyncio.sleep(0)

    async with asyncio.timeout(PATIENCE), serving(processes):
        handler = watch()
        task = asyncio.create_task(handle(handler))
        await given.wait()
        await followed(1)
        task.cancel()
        await followed(0)
        assert feeds() == 0
        await handler.aclose()
