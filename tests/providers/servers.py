"""Servers of ours that stand for foreign ones, and for our own webhook."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.conftest import eventually


@asynccontextmanager
async def hosted(app: web.Application, port: int = 0) -> AsyncIterator[str]:
    """Serve `app` on a loopback port; yields its origin."""
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@dataclass
class Webhook:
    """Takes reports over HTTP; the first `failures` it answers with 500, and none while `open` is clear."""

    url: str = ""
    failures: int = 0
    reports: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self, request: web.Request) -> web.Response:
        if self.failures > 0:
            self.failures -= 1
            return web.Response(status=500)
        self.reports.append(await request.json())
        await self.open.wait()
        return web.Response()

    async def first(self, condition: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The first report of which `condition` holds, once it has come."""

        async def there() -> dict[str, Any] | None:
            return next((report for report in self.reports if condition(report)), None)

        return await eventually(there)

    async def final(self) -> dict[str, Any]:
        return await self.first(lambda report: report["status"] != "processing")


@asynccontextmanager
async def listening() -> AsyncIterator[Webhook]:
    webhook, app = Webhook(), web.Application()
    webhook.open.set()
    app.router.add_post("/hook", webhook.receive)
    async with hosted(app) as origin:
        webhook.url = f"{origin}/hook?processId=p_1&token=secret-token"
        yield webhook


@dataclass
class Heard:
    """A request as it arrived; `port` is the client's, and so tells its connections apart."""

    port: int
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Scripted:
    """An API that answers each POST with the next of `answers`, the last one again and again.

    An answer is a status, a body and headers; `None` breaks the connection off once the request is read.
    While `open` is clear, answers are held back.
    """

    origin: str = ""
    answers: list[tuple[int, Any, dict[str, str]] | None] = field(default_factory=list[Any])
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    heard: list[Heard] = field(default_factory=list[Heard])
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def say(self, status: int, body: Any, **headers: str) -> None:
        """Let this be the next answer."""
        self.answers.append((status, body, {name.replace("_", "-"): text for name, text in headers.items()}))

    async def asked(self, count: int = 1) -> list[Heard]:
        """What was heard, once there are `count` of it."""

        async def enough() -> bool:
            return len(self.heard) >= count

        await eventually(enough)
        return self.heard

    async def post(self, request: web.Request) -> web.Response:
        body = await request.json()
        headers = {name.lower(): text for name, text in request.headers.items()}
        assert request.transport is not None
        port = request.transport.get_extra_info("peername")[1]
        self.heard.append(Heard(port, request.path, headers, body))
        await self.open.wait()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            request.transport.abort()
            return web.Response()
        status, said, more = answer
        if isinstance(said, str):
            return web.Response(status=status, text=said, headers=more)
        return web.json_response(said, status=status, headers=more)

    async def get(self, request: web.Request) -> web.Response:
        found = self.files.get(request.path)
        return web.Response(status=404) if found is None else web.Response(body=found)


@asynccontextmanager
async def scripted() -> AsyncIterator[Scripted]:
    api, app = Scripted(), web.Application()
    api.open.set()
    app.router.add_post("/{path:.*}", api.post)
    app.router.add_get("/{path:.*}", api.get)
    async with hosted(app) as api.origin:
        yield api
