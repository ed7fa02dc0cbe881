"""A subscriber of Ably's: hears the messages of many processes."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp

from bench.page import PATIENCE
from hexwave_app.realtime.ably import channel_name

_CHANNELS = 200
"""Ably's limit for a connection."""

_ATTACH, _ATTACHED, _MESSAGE = 10, 11, 15


class Subscriber:
    """Attaches to channels over as many connections as they need."""

    def __init__(self, stack: AsyncExitStack, http: aiohttp.ClientSession, url: str, key: str) -> None:
        self._stack = stack
        self._http = http
        self._url = f"{url}/?key={key}&format=json&v=3"
        self._sockets: list[aiohttp.ClientWebSocketResponse] = []
        self._channels = 0
        self._awaited: dict[tuple[str, int], asyncio.Future[float]] = {}

    async def attach(self, process_id: str) -> None:
        if self._channels % _CHANNELS == 0:
            socket = await self._stack.enter_async_context(self._http.ws_connect(self._url))
            self._sockets.append(socket)
            reading = asyncio.create_task(self._read(socket))
            self._stack.callback(reading.cancel)
        self._channels += 1
        attached = self._future(process_id, -_ATTACHED)
        attach = {"action": _ATTACH, "channel": channel_name(process_id)}
        await self._sockets[-1].send_str(json.dumps(attach))
        async with asyncio.timeout(PATIENCE):
            await attached

    async def told(self, process_id: str, progress: int) -> float:
        """When the message with that progress came, by `time.perf_counter`."""
        async with asyncio.timeout(PATIENCE):
            return await self._future(process_id, progress)

    def _future(self, process_id: str, sign: int) -> asyncio.Future[float]:
        future = self._awaited[process_id, sign] = asyncio.get_running_loop().create_future()
        return future

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            at, frame = time.perf_counter(), json.loads(message.data)
            if frame["action"] == _ATTACHED:
                self._take(frame["channel"].partition(":")[2], -_ATTACHED, at)
            elif frame["action"] == _MESSAGE:
                for each in frame["messages"]:
                    status = json.loads(each["data"])
                    self._take(status["processId"], status["data"].get("progress", -1), at)

    def _take(self, process_id: str, sign: int, at: float) -> None:
        future = self._awaited.pop((process_id, sign), None)
        if future is not None and not future.done():
            future.set_result(at)


@asynccontextmanager
async def subscriber(http: aiohttp.ClientSession, url: str, key: str) -> AsyncGenerator[Subscriber, None]:
    async with AsyncExitStack() as stack:
        yield Subscriber(stack, http, url.replace("http", "ws", 1), key)
