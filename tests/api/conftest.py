"""Guests of the served API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest_asyncio

from hexwave_app.processes import Process, ProviderJob
from tests.conftest import PATIENCE, Served, eventually


class Guest:
    """Someone with a session of their own."""

    def __init__(self, http: httpx.AsyncClient, server: Served) -> None:
        self.http = http
        self._server = server

    @property
    def id(self) -> str:
        header = "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())
        user = self._server.services.sessions.user(header)
        assert user is not None
        return user.id

    async def begin(self, **fields: Any) -> Process:
        """A process of this guest that nobody works on: it runs until the test says otherwise."""
        process = Process.begin(
            user_id=self.id,
            tool_name="image-generator",
            category="image",
            req={"prompt": "A long job", "aspectRatio": "1:1", "count": 1, "seed": 7},
            provider=ProviderJob(name="demo"),
        )
        return await self._server.services.processes.create(process.model_copy(update=fields))

    async def process(self, process_id: str) -> dict[str, Any]:
        answer = await self.http.get(f"/api/processes/{process_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def ended(self, process_id: str) -> dict[str, Any]:
        """The process once it has ended."""

        async def end() -> dict[str, Any] | None:
            process = await self.process(process_id)
            return None if process["status"] == "processing" else process

        return await eventually(end)


@asynccontextmanager
async def visit(server: Served) -> AsyncIterator[Guest]:
    """A guest who has been here once, and so has a cookie."""
    async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as http:
        await http.get("/api/processes")
        yield Guest(http, server)


@pytest_asyncio.fixture(loop_scope="module")
async def guest(server: Served) -> AsyncIterator[Guest]:
    async with visit(server) as guest:
        yield guest


@pytest_asyncio.fixture(loop_scope="module")
async def stranger(server: Served) -> AsyncIterator[Guest]:
    async with visit(server) as guest:
        yield guest
