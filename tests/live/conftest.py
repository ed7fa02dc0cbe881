"""A stranger's app, and its browser tabs."""

import json
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.conftest import PATIENCE, eventually
from tests.live.reflex_server import ReflexServer, served
from tests.security.page_socket import PageSocket

APP = Path(__file__).parent / "stranger"
_STATES = "reflex___state____state.stranger___stranger____"
ONE, MANY = f"{_STATES}one", f"{_STATES}many"


@dataclass
class Tab:
    """A browser tab, known by its token; each `open` is a load of its page."""

    server: ReflexServer
    http: httpx.AsyncClient
    token: str = field(default_factory=lambda: str(uuid.uuid4()))
    ids: set[str] = field(default_factory=set[str])

    @asynccontextmanager
    async def open(self) -> AsyncIterator[PageSocket]:
        async with PageSocket.open(self.server.url, None, token=self.token) as page:
            yield page

    async def begin(self) -> str:
        """The id of a process of this tab, which runs until the test says otherwise."""
        answer = await self.http.post("/begin", params={"user": self.token})
        self.ids.add(process_id := answer.raise_for_status().json())
        return process_id

    async def do(self, act: str, **parameters: Any) -> None:
        (await self.http.post(f"/{act}", params=parameters)).raise_for_status()

    async def until_told(self, number: int) -> list[dict[str, Any]]:
        """Every call of a hook for its processes, once there are `number`."""
        file = self.server.folder / "told.jsonl"

        async def enough() -> list[dict[str, Any]] | None:
            told = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
            mine = [each for each in told if each["id"] in self.ids]
            return mine if len(mine) >= number else None

        return await eventually(enough)

    async def followers(self, number: int) -> None:
        """Return once the server has so many followers."""

        async def so_many() -> bool:
            return (await self.http.get("/followers")).json() == number

        await eventually(so_many)


@pytest.fixture(scope="session")
def stranger_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReflexServer]:
    folder = tmp_path_factory.mktemp("stranger") / "app"
    shutil.copytree(APP, folder)
    with served(folder, "stranger.stranger:app") as server:
        yield server


@pytest_asyncio.fixture
async def tab(stranger_app: ReflexServer) -> AsyncIterator[Tab]:
    async with httpx.AsyncClient(base_url=stranger_app.url, timeout=PATIENCE) as http:
        tab = Tab(stranger_app, http)
        yield tab
        await tab.followers(0)
