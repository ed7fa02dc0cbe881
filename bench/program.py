"""A program that is measured: a process of its own, how long it took to start, and the memory it holds."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

ROOT = Path(__file__).parents[1]
START = 60.0
"""Seconds in which a program answers, and in which it ends."""


@dataclass(frozen=True)
class Program:
    """`started` is how many seconds passed until it answered."""

    url: str
    pid: int
    started: float

    def memory(self) -> float:
        """MiB of the program and all that it has started, what they share counted once (PSS, on Linux)."""
        return sum(map(_proportional, _family(self.pid))) / 1024


@asynccontextmanager
async def program(
    words: list[str], port: int, ready: str, log: Path, environment: dict[str, str]
) -> AsyncGenerator[Program, None]:
    """`python words...` until the block is left; `ready` is the path that answers once it is up."""
    began, url = time.perf_counter(), f"http://127.0.0.1:{port}"
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *words),
            cwd=ROOT,
            env=os.environ | environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        async with aiohttp.ClientSession() as http, asyncio.timeout(START):
            while not await _answers(http, f"{url}{ready}"):
                if process.returncode is not None:
                    raise RuntimeError(f"{words} ended, see {log}")
                await asyncio.sleep(0.02)
        yield Program(url, process.pid, time.perf_counter() - began)
    finally:
        await _end(process)


async def _answers(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(url) as answer:
            return answer.status < 500
    except aiohttp.ClientError:
        return False


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(START):
            await process.wait()
    finally:
        # It leads a group of its own, of which nobody is to stay.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _family(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        # A thread may be gone by now.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for child in (task / "children").read_text().split():
                yield from _family(int(child))


def _proportional(pid: int) -> int:
    """KiB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("Pss:")).split()[1])
