"""From a webhook to Ably's message and to the state of a page, with as many live sessions as are asked for.

Each session is a guest's tab with one live process. In a round all webhooks are posted at the same moment,
and each is timed from that moment to the arrival of its own. The floors: a bare Reflex event sent by as many
sessions at once, and a push from an HTTP request to as many sessions of the bare app at once.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from bench.load import each, quantile
from bench.messages import Subscriber, subscriber
from bench.page import Page
from bench.stage import Stage
from bench.table import Line, line

_NEXT = {1: 6.7, 50: 67.0, 200: 277.0}
_AT_ONCE = 20
_PACE = 0.1
"""Seconds between two rounds: more than two messages of a process are apart."""


_T = TypeVar("_T")


@dataclass
class Population:
    """Tabs of guests, each with its live process, and as many tabs of the bare app."""

    stage: Stage
    stack: AsyncExitStack
    ably: Subscriber
    pages: list[Page] = field(default_factory=list[Page])
    bare: list[Page] = field(default_factory=list[Page])
    ids: list[str] = field(default_factory=list[str])
    hooks: list[str] = field(default_factory=list[str])
    progress: int = 0
    """Per cent, of the last webhooks: each round has its own."""
    tick: int = 0

    async def grow(self, count: int) -> None:
        """Until there are `count` of each."""
        before = len(self.pages)
        await each(_AT_ONCE, count - before, lambda _: self._join())
        self.hooks += await self.stage.webhook_of(self.ids[before:])
        # The first round of those that are new is slower than any other.
        await self.webhook_round()
        await self.push_round()

    async def _join(self) -> None:
        cookie = await self.stage.guest()
        page = await self.stack.enter_async_context(self.stage.studio(cookie))
        process_id = await self.stage.create(cookie)
        await asyncio.gather(page.told(process_id), page.send("watch"))
        await self.ably.attach(process_id)
        bare = await self.stack.enter_async_context(self.stage.bare_page())
        await asyncio.gather(bare.told("watched"), bare.send("watch"))
        self.pages.append(page)
        self.ids.append(process_id)
        self.bare.append(bare)

    async def webhook_round(self, spread: float = 0) -> list["Told"]:
        """One webhook for each, posted at the same moment or over `spread` seconds."""
        self.progress += 1
        return await _spread(spread, [self._reported(n, self.progress) for n in range(len(self.pages))])

    async def _reported(self, number: int, progress: int) -> "Told":
        began = time.perf_counter()
        message, heard, _ = await asyncio.gather(
            self.ably.told(self.ids[number], progress),
            self.pages[number].told(f'"{progress}%"'),
            self.stage.report(self.hooks[number], progress),
        )
        return Told(1000 * (heard.at - began), heard.size, 1000 * (message - began))

    async def push_round(self, spread: float = 0) -> list["Told"]:
        """The same within the bare app."""
        self.tick += 1
        return await _spread(spread, [self._pushed(page, f"{self.tick}%") for page in self.bare])

    async def _pushed(self, page: Page, figure: str) -> "Told":
        began = time.perf_counter()
        heard, _ = await asyncio.gather(page.told(f'"{figure}"'), self.stage.push(page.token, figure))
        return Told(1000 * (heard.at - began), heard.size)

    async def echo_round(self, pages: Sequence[Page]) -> list[float]:
        """An event of each page at the same moment: milliseconds until its var has changed."""
        self.tick += 1
        return await asyncio.gather(*(_echoed(page, str(1000 + self.tick)) for page in pages))


@dataclass(frozen=True)
class Told:
    """Milliseconds to the page and to Ably's message, and the bytes that the page was sent."""

    page: float
    size: int
    ably: float = 0


async def _echoed(page: Page, seed: str) -> float:
    began = time.perf_counter()
    heard, _ = await asyncio.gather(page.told(f'"{seed}"'), page.send("write_seed", seed=seed))
    return 1000 * (heard.at - began)


async def _spread(seconds: float, works: Sequence[Awaitable[_T]]) -> list[_T]:
    async def later(delay: float, work: Awaitable[_T]) -> _T:
        await asyncio.sleep(delay)
        return await work

    delays = (seconds * place / len(works) for place in range(len(works)))
    return await asyncio.gather(*map(later, delays, works))


@asynccontextmanager
async def population(stage: Stage) -> AsyncGenerator[Population, None]:
    async with AsyncExitStack() as stack:
        ably = await stack.enter_async_context(subscriber(stage.http, stage.ably.url, stage.key))
        yield Population(stage, stack, ably)


async def at_once(live: Population, count: int, rounds: int) -> AsyncGenerator[Line, None]:
    """All sessions at the same moment."""
    await live.grow(count)
    echoes, own, pushes, told = list[float](), list[float](), list[Told](), list[Told]()
    # In turn, so that whatever else the machine does meets them all.
    for _ in range(rounds):
        echoes += await live.echo_round(live.bare)
        own += await live.echo_round(live.pages)
        pushes += await live.push_round()
        await asyncio.sleep(_PACE)
        told += await live.webhook_round()
        await asyncio.sleep(_PACE)
    elsewhere = {"Next.js": _NEXT[count]} if count in _NEXT else {}
    pages, pushed = [each.page for each in told], [each.page for each in pushes]
    yield line(f"bare Reflex event, {count} at once", echoes)
    yield line(f"event of a page, {count} at once; floor: a bare event", own, echoes)
    yield line(
        f"webhook to Ably message, {count} at once; floor: a bare event",
        [each.ably for each in told],
        echoes,
        **elsewhere,
    )
    yield line(f"webhook to state change, {count} at once; floor: a bare push", pages, pushed)
    if count == 1:
        size = quantile((each.size for each in told), 0.5)
        yield Line("tick to a page; floor: a bare push", "bytes", (size,), pushes[0].size)


async def steady(live: Population, count: int, spread: float, rounds: int) -> AsyncGenerator[Line, None]:
    """Each process reports every `spread` seconds, one after the other."""
    await live.grow(count)
    pushes, told = list[float](), list[float]()
    for _ in range(rounds):
        pushes += [each.page for each in await live.push_round(spread)]
        told += [each.page for each in await live.webhook_round(spread)]
    yield line(
        f"webhook to state change, {count} live processes, {count / spread:.0f} webhooks a second; "
        "floor: a bare push",
        told,
        pushes,
    )
