"""All that a measurement stands on: the app, the bare app, Ably, an external API, a database."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bench.bare_app import PLACE
from bench.load import each
from bench.page import BARE, PATIENCE, STUDIO, Page, page
from bench.program import Program, program
from hexwave_app.identity.limits import Allowed
from tests.conftest import free_port
from tests.stores.mongod import Mongod

_KEY = "app.key:secret"
_METRICS = "x" * 32
_AT_ONCE = 20
_NO_LIMITS = {f"HEXWAVE_{name.upper()}": "0" for name in Allowed.__dataclass_fields__}


@dataclass
class Stage:
    """The programs, and the client that loads them."""

    http: aiohttp.ClientSession
    app: Program
    bare: Program
    external: Program
    ably: Program
    key: str = _KEY
    _guests: int = 0

    async def guest(self) -> str:
        """The cookie of somebody new."""
        async with self.http.get(f"{self.app.url}/api/processes") as answer:
            return answer.headers["set-cookie"].split(";")[0]

    async def guests(self, count: int) -> list[str]:
        cookies = [""] * count

        async def come(number: int) -> None:
            cookies[number] = await self.guest()

        await each(_AT_ONCE, count, come)
        return cookies

    async def create(self, cookie: str, prompt: str = "hold") -> str:
        """Begin a process of the guest's; returns its id."""
        asked = self.http.post(
            f"{self.app.url}/api/generate-image", json={"prompt": prompt}, headers={"Cookie": cookie}
        )
        async with asked as answer:
            answer.raise_for_status()
            return (await answer.json())["processId"]

    async def report(self, webhook: str, progress: int) -> None:
        async with self.http.post(webhook, json={"status": "processing", "progress": progress}) as answer:
            answer.raise_for_status()

    async def push(self, token: str, figure: str) -> None:
        """What the bare app does for a webhook."""
        body = {"token": token, "figure": figure}
        async with self.http.post(f"{self.bare.url}/push", json=body) as answer:
            answer.raise_for_status()

    async def insert(self) -> None:
        """What the bare app does for a creation."""
        async with self.http.post(f"{self.bare.url}/insert", json={"prompt": "hold"}) as answer:
            answer.raise_for_status()

    async def webhooks(self) -> dict[str, str]:
        """The webhook of each process that was submitted."""
        async with self.http.get(f"{self.external.url}/webhooks") as answer:
            return await answer.json()

    async def webhook_of(self, process_ids: list[str]) -> list[str]:
        """The webhooks of the processes, once all are submitted."""
        async with asyncio.timeout(PATIENCE):
            while not (known := await self.webhooks()).keys() >= set(process_ids):
                await asyncio.sleep(0.05)
        await self.quiet()
        return [known[process_id] for process_id in process_ids]

    async def quiet(self) -> None:
        """Return once the app has nothing left to submit or to save."""
        headers = {"Authorization": f"Bearer {_METRICS}"}
        async with asyncio.timeout(PATIENCE):
            while True:
                async with self.http.get(f"{self.app.url}/metrics", headers=headers) as answer:
                    lines = (await answer.text()).splitlines()
                busy = [line for line in lines if line.startswith(("hexwave_submitting", "hexwave_saving"))]
                if len(busy) == 2 and all(float(line.split()[1]) == 0 for line in busy):
                    return
                await asyncio.sleep(0.05)

    def studio(self, cookie: str) -> AbstractAsyncContextManager[Page]:
        """The Studio in a tab of the guest's."""
        self._guests += 1
        return page(self.http, self.app.url, STUDIO, f"bench-{self._guests}", cookie)

    def bare_page(self) -> AbstractAsyncContextManager[Page]:
        """A tab of the bare app."""
        self._guests += 1
        return page(self.http, self.bare.url, BARE, f"bench-{self._guests}")


@asynccontextmanager
async def staged(folder: Path, mongod: Mongod | None) -> AsyncGenerator[Stage, None]:
    """A stage with an empty database."""
    await asyncio.to_thread(folder.mkdir)
    async with AsyncExitStack() as stack:
        http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=3),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=PATIENCE),
        )
        await stack.enter_async_context(http)

        async def run(name: str, words: list[str], port: int, ready: str, **environment: str) -> Program:
            begun = program(words, port, ready, folder / f"{name}.log", environment)
            return await stack.enter_async_context(begun)

        port, external_port, ably_port, bare_port = (free_port() for _ in range(4))
        ably = await run(
            "ably",
            ["-m", "hexwave_app.ably_local", "--port", str(ably_port), "--key", _KEY],
            *(ably_port, "/time"),
        )
        external = await run("external", ["-m", "bench.external", str(external_port)], external_port, "/jobs")
        database = {} if mongod is None else {"MONGODB_URI": mongod.uri(folder.name)}
        app = await run(
            *("app", ["-m", "hexwave_app.server"], port, "/api/health"),
            HEXWAVE_DATA_DIR=str(folder / "data"),
            HEXWAVE_PORT=str(port),
            HEXWAVE_EXTERNAL_API_URL=f"{external.url}/jobs",
            HEXWAVE_METRICS_TOKEN=_METRICS,
            ABLY_API_KEY=_KEY,
            ABLY_ENDPOINT=f"127.0.0.1:{ably_port}",
            **_NO_LIMITS,
            **database,
        )
        bare = await run(
            "bare",
            [
                *("-m", "granian", "--interface", "asgi", "--factory", "--workers", "1"),
                *("--log-level", "warning", "--port", str(bare_port), "bench.bare_app:app"),
            ],
            *(bare_port, "/ready"),
            REFLEX_APP_MODULE_IMPORT="bench.bare_app",
            HEXWAVE_PORT=str(bare_port),
            REFLEX_ENV_MODE="prod",
            REFLEX_TELEMETRY_ENABLED="false",
            REFLEX_CHECK_LATEST_VERSION="false",
            __REFLEX_SKIP_COMPILE="true",
            **{PLACE: str(folder / "bare.db") if mongod is None else mongod.uri("bare")},
        )
        yield Stage(http, app, bare, external, ably)
