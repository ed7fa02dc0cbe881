"""Limits that several servers count together, and a Redis that dies and comes back."""

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from hexwave_app.identity import shared_counts
from hexwave_app.identity.limits import Allowed, Limits
from hexwave_app.identity.shared_counts import SharedCounts
from hexwave_app.processes.errors import SettingsError, TooManyRequests
from tests.conftest import PATIENCE, eventually, free_port
from tests.identity.redis_server import INSTALL, RedisServer, running
from tests.stores.conftest import no_server

HOME = "198.51.100.1"


@pytest.fixture(scope="module")
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer | None]:
    with running(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis(own_redis: RedisServer | None) -> Iterator[RedisServer]:
    """An empty server to do harm to; it runs again afterwards."""
    if own_redis is None:
        no_server(f"redis-server is not on this machine. {INSTALL}.")
    yield own_redis
    own_redis.kill()
    own_redis.start()


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Redis that was away is asked again at the next request."""
    monkeypatch.setattr(shared_counts, "_AWAY", 0.01)


async def server(stack: AsyncExitStack, redis: RedisServer, **allowed: int) -> Limits:
    """The limits of one more server."""
    return Limits(Allowed(**allowed), await stack.enter_async_context(SharedCounts.open(redis.url)))


async def passed(*asked: "asyncio.Future[None] | object") -> int:
    answers = await asyncio.gather(*asked, return_exceptions=True)  # type: ignore[arg-type]
    assert all(answer is None or isinstance(answer, TooManyRequests) for answer in answers), answers
    return answers.count(None)


@pytest.mark.parametrize("name", ["user_creations_per_minute", "user_creations_per_day"])
async def test_servers_count_together(redis: RedisServer, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of forty at once at two servers, five pass, and the sentence says when to come again."""
    # On a busy machine it is slow, and not away.
    monkeypatch.setattr(shared_counts, "_DEADLINE", PATIENCE)
    async with AsyncExitStack() as stack:
        servers = [await server(stack, redis, **{name: 5}) for _ in range(2)]
        creations = [servers[each % 2].creation("g_a", HOME, 0) for each in range(40)]
        assert await passed(*creations) == 5
        with pytest.raises(TooManyRequests) as refused:
            await servers[0].creation("g_a", HOME, 0)
        assert 1 <= refused.value.retry_after <= (60 if name.endswith("minute") else 86_400)
        await servers[0].creation("g_b", HOME, 0)


async def test_a_restart_forgets_no_count(redis: RedisServer) -> None:
    """What was used up before is used up afterwards."""
    for expected in (1, 0):
        async with AsyncExitStack() as stack:
            limits = await server(stack, redis, address_sign_ins_per_minute=1)
            assert await passed(limits.sign_in(HOME)) == expected


async def test_every_count_ends(redis: RedisServer) -> None:
    """None is left in Redis that would stay for good."""
    import redis as driver

    async with AsyncExitStack() as stack:
        limits = await server(stack, redis, user_creations_per_day=9, address_webhooks_per_minute=9)
        await limits.creation("g_a", HOME, 0)
        await limits.webhook(HOME)
    with driver.Redis(port=redis.port) as client:
        lives = [client.ttl(key) for key in client.keys("hexwave:limits:*")]  # type: ignore[union-attr]
    assert len(lives) == 2
    assert all(0 < life <= 86_400 for life in lives)  # type: ignore[operator]


async def test_while_redis_is_away_the_server_counts_by_itself(
    redis: RedisServer, soon: None, caplog: pytest.LogCaptureFixture
) -> None:
    """No error, and no more than an allowance; back again, the shared counts go on. Each is said once."""
    del soon
    async with AsyncExitStack() as stack:
        limits = await server(stack, redis, user_creations_per_minute=3)
        with caplog.at_level(logging.WARNING):
            redis.kill()
            assert await passed(*(limits.creation("g_a", HOME, 0) for _ in range(20))) == 3
            redis.start()

            async def back() -> bool:
                await passed(limits.creation("g_b", HOME, 0))
                return "Redis is back" in caplog.text

            await eventually(back)
        assert caplog.text.count("Redis is away") == 1
        assert await passed(*(limits.creation("g_a", HOME, 0) for _ in range(20))) == 3


async def test_a_redis_that_is_silent_holds_up_one_request(caplog: pytest.LogCaptureFixture) -> None:
    """For its deadline; those that come afterwards do not ask it, until it may be back."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        async with asyncio.timeout(PATIENCE), SharedCounts.open(url) as counts:
            assert not await counts.check()
            limits = Limits(Allowed(user_creations_per_minute=3), counts)
            assert await passed(*(limits.creation("g_a", HOME, 0) for _ in range(200))) == 3
    assert caplog.text.count("Redis is away") == 1


async def test_a_start_without_redis_is_a_start() -> None:
    """It may come back."""
    async with SharedCounts.open(f"redis://127.0.0.1:{free_port()}/0") as counts:
        assert not await counts.check()


@pytest.mark.parametrize(
    "url", ["redis://127.0.0.1:port/0", "http://127.0.0.1", "redis://:hunter2@127.0.0.1:{port}"]
)
async def test_a_url_that_cannot_work_is_told_without_its_password(redis: RedisServer, url: str) -> None:
    """The setting is named, and how to write it; a password where none is asked for is a wrong one."""
    with pytest.raises(SettingsError, match="REDIS_URL cannot be used") as told:
        async with SharedCounts.open(url.format(port=redis.port)):
            pass
    assert "hunter2" not in f"{told.value} {told.value.__cause__}"
