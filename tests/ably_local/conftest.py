"""A server, SDK clients and raw protocol clients for the tests beside this file."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import msgpack
import pytest
import pytest_asyncio
from ably import AblyRealtime, AblyRest
from websockets.asyncio.client import ClientConnection, connect

from hexwave_app.ably_local import LocalServer, serve

KEY = "app.key:secret"
NARROW_KEY = "app.narrow:secret"
KEYS = {KEY: {"*": ["*"]}, NARROW_KEY: {"process:*": ["subscribe", "history"], "open": ["publish"]}}
DEADLINE = 5.0


class RawClient:
    """Speaks protocol messages without an SDK."""

    def __init__(self, socket: ClientConnection, binary: bool) -> None:
        self.socket = socket
        self.binary = binary
        self.connected: dict[str, Any] = {}

    async def send(self, action: int, **fields: Any) -> None:
        message = {"action": action, **fields}
        await self.socket.send(msgpack.packb(message) or b"" if self.binary else json.dumps(message))

    async def receive(self, action: int | None = None) -> dict[str, Any]:
        """Return the next protocol message, and fail unless it has the action."""
        async with asyncio.timeout(DEADLINE):
            raw = await self.socket.recv()
        message = msgpack.unpackb(raw) if self.binary else json.loads(raw)
        assert action in (None, message["action"]), message
        return message

    async def attach(self, channel: str, **fields: Any) -> dict[str, Any]:
        await self.send(10, channel=channel, **fields)
        return await self.receive(11)

    async def ended(self) -> int | None:
        """Wait until the server has closed the socket and return its close code."""
        async with asyncio.timeout(DEADLINE):
            await self.socket.wait_closed()
        return self.socket.close_code


class Clients:
    """Makes clients of a server and closes them at the end."""

    def __init__(self, server: LocalServer, stack: AsyncExitStack) -> None:
        self.server = server
        self.url = f"http://{server.host}:{server.port}"
        self._stack = stack

    def rest(self, key: str = KEY, port: int | None = None, **options: Any) -> AblyRest:
        client = AblyRest(key=key, use_token_auth=True, tls=False, endpoint=self._endpoint(port), **options)
        self._stack.push_async_callback(client.close)
        return client

    def realtime(self, port: int | None = None, **options: Any) -> AblyRealtime:
        if not {"key", "token", "auth_callback"} & options.keys():
            options = {"key": KEY, **options}
        # The defaults wait 10 s and more before another attempt.
        patience = {"realtime_request_timeout": 1000, "disconnected_retry_timeout": 100}
        client = AblyRealtime(
            use_token_auth=True, tls=False, endpoint=self._endpoint(port), **{**patience, **options}
        )
        self._stack.push_async_callback(client.close)
        return client

    def http(self, key: str | None = KEY, **options: Any) -> httpx.AsyncClient:
        name, _, secret = (key or "").partition(":")
        auth = (name, secret) if key else None
        # verify=False saves loading certificates that plain HTTP has no use for.
        client = httpx.AsyncClient(base_url=self.url, auth=auth, verify=False, **options)
        self._stack.push_async_callback(client.aclose)
        return client

    async def raw(self, binary: bool = False, connected: bool = True, **params: Any) -> RawClient:
        """Open a websocket; with `connected`, wait for CONNECTED and keep it as `client.connected`."""
        defaults = {"v": "5", "format": "msgpack" if binary else "json"}
        if "accessToken" not in params:
            defaults["key"] = KEY
        query = httpx.QueryParams({**defaults, **params})
        socket = await connect(f"ws://{self.server.host}:{self.server.port}/?{query}", max_size=None)
        self._stack.callback(socket.transport.abort)
        client = RawClient(socket, binary)
        if connected:
            client.connected = await client.receive(4)
        return client

    async def token(self, **params: Any) -> str:
        """Return a token string asked for with the key."""
        answer = await self.http().post("/keys/app.key/requestToken", json={"keyName": "app.key", **params})
        assert answer.status_code == 201, answer.text
        return answer.json()["token"]

    def _endpoint(self, port: int | None) -> str:
        return f"{self.server.host}:{port or self.server.port}/"


class Wire:
    """A TCP relay in front of the server, which can be cut."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None
        self.port = 0

    async def open(self) -> None:
        self._listener = await asyncio.start_server(self._relay, "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Abort every connection; new ones are still taken."""
        for writer in self._writers:
            writer.transport.abort()

    async def close(self) -> None:
        """Abort every connection and refuse new ones until `open`."""
        if self._listener:
            self._listener.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers |= {writer, server_writer}
        for source, sink in ((reader, server_writer), (server_reader, writer)):
            task = asyncio.create_task(self._copy(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _copy(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65_536):
                sink.write(data)
                await sink.drain()
        except OSError:
            pass
        finally:
            sink.close()
            self._writers.discard(sink)


@pytest.fixture(autouse=True)
def no_stack_traces(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever a client does, the server logs no stack trace."""
    yield
    own = ("uvicorn", "hexwave_app")
    traces = [r for r in caplog.get_records("call") if r.exc_info and r.name.startswith(own)]
    assert not traces, traces


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[LocalServer]:
    async with serve(KEYS) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def clients(server: LocalServer) -> AsyncIterator[Clients]:
    async with AsyncExitStack() as stack:
        yield Clients(server, stack)


@pytest_asyncio.fixture(loop_scope="module")
async def wire(server: LocalServer) -> AsyncIterator[Wire]:
    relay = Wire(server.port)
    await relay.open()
    yield relay
    await relay.close()


Until = Callable[[Callable[[], bool]], Awaitable[None]]


@pytest_asyncio.fixture
async def until() -> Until:
    """Return a wait for a condition with a deadline."""

    async def wait(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE):
            while not condition():
                await asyncio.sleep(0.005)

    return wait
