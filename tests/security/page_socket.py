"""A page's websocket, spoken by hand: what no browser would send can be sent as well."""

import asyncio
import itertools
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import httpx

STUDIO = "reflex___state____state.hexwave_app___ui___pages___studio____studio_state"
VIDEO = "reflex___state____state.hexwave_app___ui___pages___video____video_state"
_SEED = "seed_rx_state_"
_numbers = itertools.count(1)
_PATIENCE = 60.0
"""Seconds that a test waits for an answer; it never takes that long."""


class PageSocket:
    """Engine.IO 4 and Socket.IO 5 over one connection, as far as Reflex uses them."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    @classmethod
    @asynccontextmanager
    async def open(
        cls, url: str, guest: httpx.AsyncClient | None, origin: str | None = None, token: str | None = None
    ) -> "AsyncIterator[PageSocket]":
        """A connection with the guest's cookie; aiohttp.WSServerHandshakeError when it is refused.

        `token` is the tab's, which it keeps when it is loaded again.
        """
        cookies = guest.cookies.items() if guest is not None else []
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies)}
        headers |= {"Origin": origin} if origin is not None else {}
        place = f"{url}/_event/?token={token or uuid.uuid4()}&EIO=4&transport=websocket"
        async with aiohttp.ClientSession() as session, session.ws_connect(place, headers=headers) as socket:
            page = cls(socket)
            await page.hear("0{")
            await socket.send_str("40/_event,")
            await page.hear("40/_event,")
            yield page

    async def emit(self, event: str, payload: Any = None, state: str = STUDIO, **fields: Any) -> None:
        """Send an event as a page does; `event` is the name of a handler of `state`."""
        sent = {"name": f"{state}.{event}", "payload": payload or {}, "router_data": {"pathname": "/"}}
        await self.socket.send_str("42/_event," + json.dumps(["event", sent | fields]))

    async def hear(self, prefix: str) -> str:
        """The next message that begins with `prefix`; AssertionError when the connection ends first."""
        async with asyncio.timeout(_PATIENCE):
            while True:
                message = await self.socket.receive()
                assert message.type is aiohttp.WSMsgType.TEXT, f"the connection ended: {message}"
                if message.data == "2":
                    await self.socket.send_str("3")
                elif message.data.startswith(prefix):
                    return message.data

    async def told(self) -> dict[str, Any]:
        """The next update of the page: `delta` by State, and `events` for the browser."""
        _, update = json.loads((await self.hear("42/_event,")).removeprefix("42/_event,"))
        return update

    async def told_until_now(self) -> list[dict[str, Any]]:
        """All updates until an event of our own, sent now, is answered: so it also says that both live."""
        seed = str(next(_numbers))
        await self.emit("write_seed", {"seed": seed})
        told: list[dict[str, Any]] = []
        while (update := await self.told()).get("delta", {}).get(STUDIO, {}).get(_SEED) != seed:
            told.append(update)
        return told
