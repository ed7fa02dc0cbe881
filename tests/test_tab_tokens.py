"""A tab that comes to another server: with the token it had, unless it is there still."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from hexwave_app.tab_tokens import TabTokens
from tests.conftest import eventually
from tests.identity import redis_server
from tests.stores.conftest import no_server

TOKEN = "0b7d7a1e-3a49-4b43-9b58-0f8c8a8f4a51"


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server.running(tmp_path_factory.mktemp("redis")) as server:
        if server is None:
            no_server(f"There is no redis-server. {redis_server.INSTALL}.")
        yield server.url


async def _ignored(_update: Any, _token: str) -> None:
    """What Reflex does with an update is not what is tested here."""


@contextlib.asynccontextmanager
async def _server(url: str) -> AsyncIterator[TabTokens]:
    """The tokens of a server that listens; afterwards those of one that is dead, as after kill -9."""
    client = Redis.from_url(url)
    tokens = TabTokens(client)
    tokens.ensure_lost_and_found_task(_ignored)
    await eventually(lambda: tokens.listens(tokens.instance_id))
    try:
        yield tokens
    finally:
        await tokens.close()


@pytest_asyncio.fixture
async def other(redis: str) -> AsyncIterator[TabTokens]:
    """The server that the tab comes to."""
    async with _server(redis) as tokens:
        yield tokens
        await tokens.disconnect_all()


async def test_a_duplicated_tab_gets_a_token_of_its_own(redis: str, other: TabTokens) -> None:
    """Two tabs with one State would change each other's."""
    async with _server(redis) as one:
        assert await one.link_token_to_sid(TOKEN, "first") is None
        assert await other.link_token_to_sid(TOKEN, "second") not in (None, TOKEN)
        await one.disconnect_all()


async def test_a_tab_whose_server_was_killed_keeps_its_token(redis: str, other: TabTokens) -> None:
    """The record that it left behind is nobody's."""
    async with _server(redis) as one:
        assert await one.link_token_to_sid(TOKEN, "first") is None
    assert await other.link_token_to_sid(TOKEN, "second") is None


async def test_a_tab_that_was_let_go_keeps_its_token(redis: str, other: TabTokens) -> None:
    """Though its server listens still, as while it drains."""
    async with _server(redis) as one:
        assert await one.link_token_to_sid(TOKEN, "first") is None
        await one.disconnect_all()
        assert await other.link_token_to_sid(TOKEN, "second") is None
