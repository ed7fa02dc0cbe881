"""A real browser beside the sessions: from a webhook to its DOM, from a click to the picture on screen."""

import asyncio
import time
from collections.abc import AsyncGenerator

from playwright.async_api import Page, async_playwright

from bench.load import quantile
from bench.page import PATIENCE
from bench.table import Line, line
from bench.webhook import Population

_ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"]
_WATCH = """
    window.seen = new Map();
    new MutationObserver(() => {
        const figure = document.querySelector('article .hw-figure');
        if (figure && !window.seen.has(figure.textContent))
            window.seen.set(figure.textContent, performance.timeOrigin + performance.now());
    }).observe(document.body, {subtree: true, childList: true, characterData: true});
"""


async def dom(live: Population, browser: str, rounds: int) -> AsyncGenerator[Line, None]:
    """A browser at `browser`; each of the live sessions has its own webhook at the same moment."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=browser, args=_ARGUMENTS)
        page = await chromium.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        await page.goto(live.stage.app.url)
        name, value = next(
            (str(each.get("name")), str(each.get("value"))) for each in await page.context.cookies()
        )
        process_id = await live.stage.create(f"{name}={value}")
        await page.wait_for_selector(f"#job-{process_id}")
        [webhook] = await live.stage.webhook_of([process_id])
        await page.evaluate(_WATCH)
        seen, pushes = list[float](), list[float]()
        for number in range(rounds):
            pushes += [each.page for each in await live.push_round()]
            took, _ = await asyncio.gather(_shown(live, page, webhook, 1 + number), live.webhook_round())
            seen.append(took)
        clicks = [await _clicked(page, number) for number in range(rounds)]
        await chromium.close()
    count = len(live.pages)
    yield line(f"webhook to the DOM of a browser, beside {count} others; floor: a bare push", seen, pushes)
    yield Line("click to the picture in a browser", "ms", (quantile(clicks, 0.5), quantile(clicks, 0.95)))


async def _shown(live: Population, page: Page, webhook: str, progress: int) -> float:
    began = time.time()
    await live.stage.report(webhook, progress)
    await page.wait_for_function(f"window.seen.has('{progress}%')")
    return await page.evaluate(f"window.seen.get('{progress}%')") - began * 1000


async def _clicked(page: Page, number: int) -> float:
    """Milliseconds from Ctrl+Enter to the thumbnail of a job that the external API does at once."""
    done = page.locator("article[data-state=done]")
    before = await done.count()
    # Twice the same within 150 ms would be one click.
    await page.fill("textarea[name=prompt]", f"now {number}")
    began = time.perf_counter()
    await page.keyboard.press("Control+Enter")
    await done.nth(before).wait_for()
    return (time.perf_counter() - began) * 1000
