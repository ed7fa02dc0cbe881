"""What a session takes, and a live process: by how much the server grows with many of them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

from bench.load import each
from bench.page import Page
from bench.stage import Stage
from bench.table import Line

_KIB = 1024
_AT_ONCE = 20
_NEXT = 318.0


async def memory(stage: Stage, count: int) -> AsyncGenerator[Line, None]:
    """`count` sessions, then a live process for each."""
    yield Line("start-up; floor: the bare app", "s", (stage.app.started,), stage.bare.started)
    async with AsyncExitStack() as stack:
        pages, bare = dict[str, Page](), list[Page]()

        async def come(cookie: str) -> None:
            page = await stack.enter_async_context(stage.studio(cookie))
            await asyncio.gather(page.told("loaded"), page.send("watch"))
            pages[cookie] = page

        async def come_bare() -> None:
            page = await stack.enter_async_context(stage.bare_page())
            await asyncio.gather(page.told("watched"), page.send("watch"))
            bare.append(page)

        async def begin(cookie: str) -> None:
            await asyncio.gather(pages[cookie].told(".now"), stage.create(cookie))

        guests = await stage.guests(count + 1)
        # The first of each loads what all have in common.
        await come(guests[0])
        await begin(guests[0])
        await come_bare()
        await stage.quiet()
        empty, bare_empty = stage.app.memory(), stage.bare.memory()
        await each(_AT_ONCE, count, lambda n: come(guests[1 + n]))
        await each(_AT_ONCE, count, lambda _: come_bare())
        sessions, bare_sessions = stage.app.memory(), stage.bare.memory()
        await each(_AT_ONCE, count, lambda n: begin(guests[1 + n]))
        await stage.quiet()
        live = stage.app.memory()
    floor = (bare_sessions - bare_empty) * _KIB / count
    yield Line(
        "memory with one session; floor: the bare app", "MiB", (empty,), bare_empty, {"Next.js": _NEXT}
    )
    yield Line(f"memory with {count} live processes", "MiB", (live,))
    yield Line("memory a session; floor: a bare one", "KiB", ((sessions - empty) * _KIB / count,), floor)
    yield Line("memory a live process", "KiB", ((live - sessions) * _KIB / count,))
