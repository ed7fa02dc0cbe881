"""A page's websocket as the server sees it: events go in, deltas come out."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

STUDIO = "reflex___state____state.hexwave_app___ui___pages___studio____studio_state"
BARE = "reflex___state____state.bench___bare_app____bare_state"
PATIENCE = 60.0
"""Seconds that anything is waited for."""


@dataclass(frozen=True)
class Heard:
    """When a delta came, by `time.perf_counter`, and how many bytes it had."""

    at: float
    size: int


@dataclass
class Page:
    """A tab. It speaks Engine.IO and Socket.IO itself: a client of the library would be most of the load."""

    token: str
    state: str
    _socket: aiohttp.ClientWebSocketResponse
    _awaited: dict[asyncio.Future[Heard], str] = field(default_factory=dict[asyncio.Future[Heard], str])

    async def send(self, event: str, **payload: Any) -> None:
        """Send an event of the page's State."""
        body = {"name": f"{self.state}.{event}", "payload": payload, "router_data": {"pathname": "/"}}
        await self._socket.send_str("42/_event," + json.dumps(["event", body]))

    async def told(self, sign: str) -> Heard:
        """The first delta from now on that holds `sign`."""
        future = asyncio.get_running_loop().create_future()
        self._awaited[future] = sign
        try:
            async with asyncio.timeout(PATIENCE):
                return await future
        finally:
            del self._awaited[future]

    async def read(self) -> None:
        async for message in self._socket:
            text = str(message.data)
            if text == "2":
                await self._socket.send_str("3")
                continue
            for future, sign in self._awaited.items():
                if sign in text and not future.done():
                    future.set_result(Heard(time.perf_counter(), len(text.encode())))


@asynccontextmanager
async def page(
    http: aiohttp.ClientSession, url: str, state: str, token: str, cookie: str = ""
) -> AsyncGenerator[Page, None]:
    """A tab that is connected until the block is left."""
    address = f"{url}/_event/?EIO=4&transport=websocket&token={token}"
    async with asyncio.timeout(PATIENCE):
        socket = await http.ws_connect(address, headers={"Cookie": cookie} if cookie else {}, max_msg_size=0)
        await socket.receive_str()
        await socket.send_str("40/_event,")
        await socket.receive_str()
    opened = Page(token, state, socket)
    reading = asyncio.create_task(opened.read())
    try:
        yield opened
    finally:
        reading.cancel()
        await asyncio.gather(reading, socket.close(), return_exceptions=True)
