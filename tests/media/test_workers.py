"""The processes that decode and encode."""

import asyncio
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from hexwave_app.media.pictures import preview
from hexwave_app.media.workers import Workers
from hexwave_app.processes.errors import ResultLost, ResultUnavailable
from tests.conftest import eventually

SERVER = """
import asyncio, os, signal
from hexwave_app.media.workers import Workers

async def main():
    async with Workers.open() as workers:
        print(await workers.run(os.getpid), flush=True)
        await asyncio.Event().wait()

if __name__ == "__main__":
    asyncio.run(main())
"""


def ended(process: int) -> bool:
    """Whether it is gone, or only waits for its end to be noticed."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


async def test_what_it_returns_and_raises_comes_back() -> None:
    """From another process; an error of ours as itself."""
    async with Workers.open() as workers:
        assert await workers.run(os.getpid) != os.getpid()
        with pytest.raises(ResultLost, match="not a WebP"):
            await workers.run(partial(preview, b"nothing"))


async def test_one_that_dies_is_followed_by_another() -> None:
    """What was done meanwhile is worth trying again, and so is what comes next."""
    async with Workers.open() as workers:
        ends = (workers.run(partial(os._exit, 1)) for _ in range(4))
        ended = await asyncio.gather(*ends, return_exceptions=True)
        assert [type(end) for end in ended] == [ResultUnavailable] * 4
        assert await workers.run(partial(int, "7")) == 7


async def test_work_without_end_is_ended() -> None:
    """By its process's death."""
    async with Workers.open(patience=0.2) as workers:
        with pytest.raises(ResultUnavailable):
            await workers.run(partial(time.sleep, 3600))
        assert await workers.run(partial(int, "7")) == 7


async def test_they_end_with_a_server_that_is_killed(tmp_path: Path) -> None:
    """Nobody closes its pool then."""
    script = tmp_path / "server.py"
    script.write_text(SERVER)
    server = await asyncio.create_subprocess_exec(
        sys.executable, script, stdout=asyncio.subprocess.PIPE, env={"PYTHONPATH": os.getcwd()}
    )
    assert server.stdout is not None
    worker = int(await server.stdout.readline())
    server.send_signal(signal.SIGKILL)
    await server.wait()

    async def gone() -> bool:
        return ended(worker)

    await eventually(gone)
