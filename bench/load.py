"""Many at once: how long each took, and how many a second were done."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """Milliseconds of each, and the seconds that all took."""

    times: list[float]
    seconds: float

    @property
    def per_second(self) -> float:
        return len(self.times) / self.seconds


async def in_flight(at_once: int, count: int, work: Callable[[int], Awaitable[object]]) -> Load:
    """`work(0)` to `work(count - 1)`, `at_once` of them at any moment."""
    numbers, times = iter(range(count)), list[float]()

    async def lane() -> None:
        for number in numbers:
            began = time.perf_counter()
            await work(number)
            times.append(1000 * (time.perf_counter() - began))

    began = time.perf_counter()
    await asyncio.gather(*(lane() for _ in range(at_once)))
    return Load(times, time.perf_counter() - began)


async def each(at_once: int, count: int, work: Callable[[int], Awaitable[object]]) -> None:
    """The same, of which nothing is measured."""
    await in_flight(min(at_once, count), count, work)


def quantile(times: Iterable[float], share: float) -> float:
    """The value that `share` of them do not exceed."""
    ordered = sorted(times)
    return statistics.median(ordered) if share == 0.5 else ordered[int((len(ordered) - 1) * share)]
