"""Worker processes end when they should, and only then."""

import asyncio
import os
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from hexwave_app.worker_processes import WorkerProcesses
from tests.conftest import PATIENCE, eventually
from tests.media.test_workers import ended

SERVER = """
import asyncio, multiprocessing, sys, time
from hexwave_app.worker_processes import WorkerProcesses

async def main():
    async with WorkerProcesses.open() as processes:
        await processes.run(int)
        working = [asyncio.create_task(processes.run(time.sleep, 3600)) for _ in range(3)]
        await asyncio.sleep(0)
    await asyncio.gather(*working, return_exceptions=True)

def worker():
    asyncio.run(main())

if __name__ == "__main__":
    process = multiprocessing.get_context("spawn").Process(target=worker)
    process.start()
    process.join()
"""
"""A server whose worker is a process of multiprocessing, as granian's are."""


async def test_they_end_with_the_block_whatever_they_are_at() -> None:
    """Nobody hears of what they were doing; no other takes it up."""
    async with WorkerProcesses.open() as processes:
        first, second = await asyncio.gather(processes.run(os.getpid), processes.run(os.getpid))
        working = asyncio.gather(*(processes.run(time.sleep, 3600) for _ in range(2)), return_exceptions=True)
        await asyncio.sleep(0)
    assert {type(end) for end in await working} <= {BrokenProcessPool, asyncio.CancelledError}

    async def gone() -> bool:
        return ended(first) and ended(second)

    await eventually(gone)
    with pytest.raises(RuntimeError):
        await processes.run(int)


async def test_a_server_with_work_under_way_ends(tmp_path: Path) -> None:
    """Its own processes are waited for as it exits, so they have to be gone by then."""
    script = tmp_path / "server.py"
    script.write_text(SERVER)
    server = await asyncio.create_subprocess_exec(sys.executable, script, env={"PYTHONPATH": os.getcwd()})
    try:
        async with asyncio.timeout(PATIENCE):
            assert await server.wait() == 0
    finally:
        if server.returncode is None:
            server.kill()
