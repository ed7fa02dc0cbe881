"""From a webhook to the page, and from the click to the picture, beside the bare echo of the same run.

    python bench/live.py [--sessions 1 50] [--rounds 30] [--browser /usr/bin/chromium]

Starts the server as `dev.py run` does, in a data directory of its own. Each session is a guest with a page's
websocket and a running process; in a round every session's webhook is posted at the same moment, and each is
timed until its session is told. The first session is a real browser, timed until its DOM has changed. The
echo is a Reflex event that changes one var, sent by all sessions at the same moment. Milliseconds; only the
ratios mean something on another machine.
"""

import argparse
import asyncio
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import socketio
from playwright.async_api import Page, async_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from hexwave_app.identity.secret import Secret  # noqa: E402
from hexwave_app.processes import Process, ProviderJob  # noqa: E402
from hexwave_app.stores.sql import SqlStore  # noqa: E402
from hexwave_app.tools.webhooks import Webhooks  # noqa: E402

PORT = 3977
STATE = "reflex___state____state.hexwave_app___ui___pages___studio____studio_state"
PATIENCE = 30.0


@asynccontextmanager
async def served(data_dir: Path) -> AsyncGenerator[str, None]:
    """`dev.py run` until the block is left."""
    command = [sys.executable, ROOT / "dev.py", "run", "--port", str(PORT)]
    process = await asyncio.create_subprocess_exec(
        *command, env=os.environ | {"HEXWAVE_DATA_DIR": str(data_dir)}, stdout=asyncio.subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{PORT}"
    try:
        async with httpx.AsyncClient() as client, asyncio.timeout(300):
            while not await _answers(client, url):
                await asyncio.sleep(0.1)
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        await process.wait()


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(f"{url}/api/health")).is_success
    except httpx.HTTPError:
        return False


@dataclass
class Session:
    """A guest's page as the server sees it, and the webhook of its one process."""

    socket: socketio.AsyncClient
    webhook: str
    news: asyncio.Queue[tuple[float, dict[str, Any]]]

    async def told(self, sign: str) -> float:
        """When the first delta that holds `sign` came, in seconds of `time.perf_counter`."""
        async with asyncio.timeout(PATIENCE):
            while True:
                at, update = await self.news.get()
                if sign in str(update):
                    return at


async def joined(url: str, store: SqlStore, webhooks: Webhooks, number: int) -> Session:
    async with httpx.AsyncClient(base_url=url) as client:
        cookie = (await client.get("/")).headers["set-cookie"].split(";")[0]
    process = await begun(store, cookie.split("=", 1)[1].split(".")[0])
    news: asyncio.Queue[tuple[float, dict[str, Any]]] = asyncio.Queue()
    socket = socketio.AsyncClient()
    socket.on("event", lambda update: news.put_nowait((time.perf_counter(), update)), namespace="/_event")
    await socket.connect(
        f"{url}/?token=bench-{number}",
        headers={"Cookie": cookie},
        namespaces=["/_event"],
        socketio_path="/_event",
        transports=["websocket"],
    )
    session = Session(socket, webhooks.url("image", process.process_id), news)
    await send(session, f"{STATE}.watch", {})
    await session.told(process.process_id)
    return session


async def begun(store: SqlStore, user_id: str) -> Process:
    req = {"prompt": "A bench", "aspectRatio": "1:1", "count": 1, "seed": 1}
    provider = ProviderJob(name="demo", job_id="bench")
    return await store.insert(
        Process.begin(
            user_id=user_id, tool_name="image-generator", category="image", req=req, provider=provider
        )
    )


async def send(session: Session, name: str, payload: dict[str, Any]) -> None:
    data = {"name": name, "payload": payload, "router_data": {"pathname": "/"}}
    await session.socket.emit("event", data, namespace="/_event")


async def webhook_round(client: httpx.AsyncClient, sessions: list[Session], progress: int) -> list[float]:
    body = {"status": "processing", "progress": progress}
    began = time.perf_counter()
    posts = [client.post(session.webhook, json=body) for session in sessions]
    ends = [session.told(f"{progress}%") for session in sessions]
    done = await asyncio.gather(*ends, *posts)
    return [(end - began) * 1000 for end in done[: len(sessions)]]


async def echo_round(sessions: list[Session], seed: int) -> list[float]:
    began = time.perf_counter()
    for session in sessions:
        await send(session, f"{STATE}.write_seed", {"seed": str(seed)})
    ends = await asyncio.gather(*(session.told(f"seed {seed}") for session in sessions))
    return [(end - began) * 1000 for end in ends]


async def watched(page: Page, url: str, store: SqlStore, webhooks: Webhooks) -> str:
    """Open the Studio with a running process; returns its webhook."""
    await page.goto(url)
    cookies = await page.context.cookies()
    process = await begun(store, str(cookies[0].get("value")).split(".")[0])
    await page.wait_for_selector(f"#job-{process.process_id}")
    await page.evaluate("""
        window.seen = new Map();
        new MutationObserver(() => {
            const figure = document.querySelector('article .hw-figure');
            if (figure && !window.seen.has(figure.textContent))
                window.seen.set(figure.textContent, performance.timeOrigin + performance.now());
        }).observe(document.body, {subtree: true, childList: true, characterData: true});
    """)
    return webhooks.url("image", process.process_id)


async def dom_round(page: Page, client: httpx.AsyncClient, webhook: str, progress: int) -> float:
    began = time.time()
    await client.post(webhook, json={"status": "processing", "progress": progress})
    await page.wait_for_function(f"window.seen.has('{progress}%')", timeout=PATIENCE * 1000)
    return await page.evaluate(f"window.seen.get('{progress}%')") - began * 1000


async def click_to_picture(page: Page) -> float:
    """Milliseconds from Ctrl+Enter to a decoded 1024 × 1024 picture's thumbnail in the DOM."""
    await page.fill("textarea[name=prompt]", "Cold harbour at dawn, mountains far behind")
    began = time.perf_counter()
    await page.keyboard.press("Control+Enter")
    await page.wait_for_selector("article[data-state=done] a[href$='.webp']", timeout=PATIENCE * 1000)
    return (time.perf_counter() - began) * 1000


def row(name: str, times: list[float], floor: list[float]) -> None:
    ordered = sorted(times)
    p50, p95 = statistics.median(ordered), ordered[int(len(ordered) * 0.95)]
    print(f"{name:44} p50 {p50:7.1f}  p95 {p95:7.1f}  x echo {p50 / statistics.median(floor):5.1f}")


async def measure(count: int, rounds: int, page: Page, url: str, store: SqlStore, webhooks: Webhooks) -> None:
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(
            httpx.AsyncClient(limits=httpx.Limits(max_connections=count + 1), timeout=PATIENCE)
        )
        sessions = await asyncio.gather(*(joined(url, store, webhooks, i) for i in range(count)))
        for session in sessions:
            stack.push_async_callback(session.socket.disconnect)
        webhook = await watched(page, url, store, webhooks)
        floor, told, seen = list[float](), list[float](), list[float]()
        for progress in range(1, rounds + 1):
            floor += await echo_round(sessions, 1000 + progress)
            round_, dom = await asyncio.gather(
                webhook_round(client, sessions, progress), dom_round(page, client, webhook, progress)
            )
            told += round_
            seen.append(dom)
        row(f"echo of an event, {count} at once", floor, floor)
        row(f"webhook -> session told, {count} at once", told, floor)
        row(f"webhook -> DOM changed, beside {count} others", seen, floor)


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 50])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--browser", default=os.environ.get("HEXWAVE_TEST_BROWSER", "/usr/bin/chromium"))
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder)
        async with served(data_dir) as url, SqlStore.open(data_dir / "hexwave.db") as store:
            webhooks = Webhooks(url, Secret.kept_in(data_dir / "secret.key").key("webhook"))
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(
                    executable_path=chosen.browser,
                    args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"],
                )
                for count in chosen.sessions:
                    page = await browser.new_page()
                    await measure(count, chosen.rounds, page, url, store, webhooks)
                    await page.context.close()
                page = await browser.new_page()
                await page.goto(url)
                await page.wait_for_timeout(1500)
                clicks = [await click_to_picture(page) for _ in range(1)]
                print(f"{'click -> 1024 x 1024 picture on screen':44} {clicks[0]:10.0f} ms")
                await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
