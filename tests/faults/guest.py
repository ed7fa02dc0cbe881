"""A person at a page: asks until each request is accepted, and sees what the page is told."""

import asyncio
import contextlib
import random
import uuid
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import httpx
import socketio
from socketio.exceptions import SocketIOError

STATE = "reflex___state____state.hexwave_app___ui___pages___studio____studio_state"
_STANDING = ".now"
_PAUSE = 0.2
_WATCH = {"name": f"{STATE}.watch", "payload": {}, "router_data": {"pathname": "/"}}


@dataclass
class Guest:
    """One cookie, one page. `accepted` maps each idempotency key to the process it was answered with."""

    url: str
    chance: random.Random
    accepted: dict[str, str] = field(default_factory=dict[str, str])
    shown: dict[str, str] = field(default_factory=dict[str, str])
    cancelled: set[str] = field(default_factory=set[str])
    cookie: str = ""
    user_id: str = ""
    _page: asyncio.Task[None] | None = None

    async def arrive(self) -> None:
        async with httpx.AsyncClient(base_url=self.url, timeout=5) as client:
            answer = await self._until_answered(client, "GET", "/api/processes", None, {})
        self.cookie = answer.headers["set-cookie"].split(";")[0]
        self.user_id = self.cookie.split("=", 1)[1].split(".")[0]
        self._page = asyncio.create_task(self._stay(), name="page")

    async def leave(self) -> None:
        if self._page is not None:
            self._page.cancel()
            await asyncio.gather(self._page, return_exceptions=True)

    async def ask(self, count: int) -> None:
        """`count` requests at random moments; some are sent twice at once, some are called off again."""
        await asyncio.gather(*(self._ask() for _ in range(count)))

    async def _ask(self) -> None:
        await asyncio.sleep(self.chance.uniform(0, 2))
        key = uuid.UUID(int=self.chance.getrandbits(128)).hex
        times = 2 if self.chance.random() < 0.1 else 1
        calls_off = self.chance.random() < 0.1
        async with httpx.AsyncClient(base_url=self.url, timeout=5, headers={"Cookie": self.cookie}) as client:
            body = {"prompt": f"fault {key}"}
            header = {"Idempotency-Key": key}
            asked = [
                self._until_answered(client, "POST", "/api/generate-image", body, header)
                for _ in range(times)
            ]
            answers = {answer.json()["processId"] for answer in await asyncio.gather(*asked)}
            assert len(answers) == 1, f"one key, several processes: {answers}"
            self.accepted[key] = answers.pop()
            if calls_off:
                await asyncio.sleep(self.chance.uniform(0, 1.5))
                path = f"/api/processes/{self.accepted[key]}/cancel"
                if (await self._until_answered(client, "POST", path, None, {})).status_code == 200:
                    self.cancelled.add(self.accepted[key])

    async def _until_answered(
        self, client: httpx.AsyncClient, method: str, path: str, body: Any, headers: dict[str, str]
    ) -> httpx.Response:
        while True:
            with contextlib.suppress(httpx.HTTPError):
                answer = await client.request(method, path, json=body, headers=headers)
                if answer.status_code < 500:
                    return answer
                assert answer.status_code == 503, f"{method} {path}: {answer.status_code} {answer.text}"
            await asyncio.sleep(_PAUSE)

    async def _stay(self) -> None:
        """Keep a page open: connect, follow, and again whenever the server is back."""
        token = uuid.UUID(int=self.chance.getrandbits(128))
        while True:
            # A session of our own: the client leaves its own open when the server is killed.
            async with aiohttp.ClientSession() as session:
                page = socketio.AsyncClient(reconnection=False, http_session=session)
                page.on("event", self._told, namespace="/_event")
                try:
                    await page.connect(
                        f"{self.url}/?token={token}",
                        headers={"Cookie": self.cookie},
                        namespaces=["/_event"],
                        socketio_path="/_event",
                        transports=["websocket"],
                    )
                    await page.emit("event", _WATCH, namespace="/_event")
                    await page.wait()
                except SocketIOError:
                    await asyncio.sleep(_PAUSE)
                finally:
                    await page.shutdown()

    def _told(self, update: dict[str, Any]) -> None:
        for values in update.get("delta", {}).values():
            rows = {key: row for key, row in values.items() if key.endswith(_STANDING)}
            self.shown |= {key.removesuffix(_STANDING): row["state"] for key, row in rows.items()}
