"""From a click to the picture shown, without the work: the external API is done at once.

All that is left is in it: the click over the websocket, the process saved, published and submitted, the
webhook, an 8 × 8 picture fetched, decoded, encoded and kept, and the page told that it is done. The floor is
a bare Reflex event whose background task has no work, which keeps, fetches and publishes nothing. The second
line's job fails at the provider, so that there is no picture to keep.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

from bench.page import Page
from bench.stage import Stage
from bench.table import Line, line

_ELSEWHERE = {
    1: {"Next.js": 13.0, "Gradio": 12.0, "bare Reflex": 6.0},
    50: {"Next.js": 148.0, "Gradio": 331.0, "bare Reflex": 81.0},
    200: {"Next.js": 396.0, "Gradio": 1995.0, "bare Reflex": 365.0},
}


async def submissions(stage: Stage, count: int, rounds: int) -> AsyncGenerator[Line, None]:
    """`count` sessions that click at the same moment."""
    async with AsyncExitStack() as stack:
        pages, bare = list[Page](), list[Page]()
        for cookie in await stage.guests(count):
            pages.append(await stack.enter_async_context(stage.studio(cookie)))
            bare.append(await stack.enter_async_context(stage.bare_page()))
        await asyncio.gather(*(_watched(page) for page in pages))
        shown, refused, floor = list[float](), list[float](), list[float]()
        # The first round wakes what sleeps until it is wanted; it does not count.
        for number in range(rounds + 1):
            floor += await asyncio.gather(*(_bare(page, number) for page in bare))
            shown += await asyncio.gather(*(_clicked(page, "now", "done") for page in pages))
            await stage.quiet()
            refused += await asyncio.gather(*(_clicked(page, "refuse", "failed") for page in pages))
            await stage.quiet()
            if number == 0:
                shown, refused, floor = [], [], []
    yield line(f"bare Reflex job, {count} at once", floor)
    yield line(
        f"submit to shown, {count} at once; floor: a bare job", shown, floor, **_ELSEWHERE.get(count, {})
    )
    yield line(f"submit to shown, {count} at once, no picture; floor: a bare job", refused, floor)


async def _watched(page: Page) -> None:
    await asyncio.gather(page.told("loaded"), page.send("watch"))


async def _clicked(page: Page, prompt: str, state: str) -> float:
    began = time.perf_counter()
    await asyncio.gather(page.told(f'"{state}"'), page.send("generate", form={"prompt": prompt}))
    return 1000 * (time.perf_counter() - began)


async def _bare(page: Page, number: int) -> float:
    began = time.perf_counter()
    await asyncio.gather(page.told(f'"done {number}"'), page.send("generate", name=str(number)))
    return 1000 * (time.perf_counter() - began)
