"""Reports of an engine that has no webhooks, sent to ours like any foreign API's."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx

log = logging.getLogger(__name__)

_PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds between the tries of a final report."""


class Reports:
    """Posts to one webhook, in order. While a post is under way only the newest progress waits."""

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self._client = client
        self._url = url
        self._waiting: dict[str, Any] | None = None
        self._news = asyncio.Event()
        self._posting = asyncio.Lock()

    @classmethod
    @asynccontextmanager
    async def open(cls, client: httpx.AsyncClient, url: str) -> AsyncGenerator["Reports", None]:
        reports = cls(client, url)
        sender = asyncio.create_task(reports._send_progress(), name="progress reports")
        try:
            yield reports
        finally:
            sender.cancel()
            await asyncio.wait([sender])

    def progress(self, body: dict[str, Any]) -> None:
        """Report when the line is free; lost where the webhook does not answer."""
        self._waiting = body
        self._news.set()

    async def final(self, body: dict[str, Any]) -> bool:
        """Report, and again after a pause until it is taken or refused; whether either came."""
        self._waiting = None
        for pause in (*_PAUSES, None):
            answer = await self._post(body)
            if answer is not None and not answer.is_server_error:
                return True
            if pause is not None:
                await asyncio.sleep(pause)
        return False

    async def _send_progress(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            body, self._waiting = self._waiting, None
            if body is not None:
                await self._post(body)

    async def _post(self, body: dict[str, Any]) -> httpx.Response | None:
        async with self._posting:
            try:
                return await self._client.post(self._url, json=body)
            except httpx.HTTPError as error:
                log.info("a report did not reach our webhook: %r", error)
                return None
