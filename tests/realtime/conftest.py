"""A server, a channel on it, and a server that fails as told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hexwave_app.ably_local.app import create_app
from hexwave_app.ably_local.limits import Limits
from hexwave_app.ably_local.server import LocalServer, serve
from hexwave_app.processes import StatusMessage
from hexwave_app.realtime.ably import AblyChannel
from hexwave_app.realtime.mailbox import Mailbox
from tests.conftest import free_port
from tests.realtime.test_mailbox import PLENTY

KEY = "app.key:secret"

Fault = Callable[["Request"], Awaitable[int | None]]
"""What becomes of a publish: a status that is answered in place of it, or `None` to let it happen."""


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PLENTY):
        while not condition():
            await asyncio.sleep(0.005)


async def received(mailbox: Mailbox) -> StatusMessage:
    async with asyncio.timeout(PLENTY):
        while (message := await mailbox.next(PLENTY)) is None:
            pass
        return message


@dataclass
class FaultyAbly:
    """The local server, with Ably's own limit a channel; `fault` meets whatever is published over REST."""

    app: ASGIApp
    endpoint: str
    fault: Fault | None = None
    after: int | None = None
    """The status answered once a message has been taken all the same: its publisher cannot know."""
    published: int = 0
    together: int = 0
    most_together: int = 0
    bodies: list[bytes] = field(default_factory=list[bytes])
    statuses: list[int] = field(default_factory=list[int])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].endswith("/messages"):
            await self.app(scope, receive, send)
            return
        self.published += 1
        self.together += 1
        self.most_together = max(self.most_together, self.together)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.statuses.append(message["status"])
            await send(message)

        try:
            await self._publish(scope, receive, answer)
        finally:
            self.together -= 1

    async def _publish(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        self.bodies.append(body)
        status = None if self.fault is None else await self.fault(request)
        if status is None and self.after is None:
            await self.app(scope, _again(body), send)
            return
        if self.after is not None:
            await self.app(scope, _again(body), _nowhere)
        status = status or self.after or 500
        error = {"code": status * 100, "statusCode": status, "message": "As the test asked."}
        await JSONResponse({"error": error}, status)(scope, receive, send)


def _again(body: bytes) -> Receive:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def _nowhere(message: object) -> None:
    """An answer that is lost."""


class _Server(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        """Signals belong to the test run."""


@asynccontextmanager
async def _hosted(app: ASGIApp, port: int) -> AsyncIterator[None]:
    server = _Server(
        uvicorn.Config(app, port=port, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    )
    task = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    try:
        yield
    finally:
        server.should_exit = True
        await task


@pytest.fixture
async def server() -> AsyncIterator[LocalServer]:
    async with serve({KEY: {"*": ["*"]}}) as server:
        yield server


@pytest.fixture
async def channel(server: LocalServer) -> AsyncIterator[AblyChannel]:
    async with AblyChannel.open(KEY, f"{server.host}:{server.port}") as channel:
        yield channel


@pytest.fixture
async def faulty() -> AsyncIterator[FaultyAbly]:
    port = free_port()
    app = create_app({KEY: {"*": ["*"]}}, Limits(channel_messages_per_second=50))
    faulty = FaultyAbly(app, f"127.0.0.1:{port}")
    async with _hosted(faulty, port):
        yield faulty
