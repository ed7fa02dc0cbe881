"""Counts that all servers share, in Redis."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

from limits.aio.storage import MemoryStorage, Storage
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, AuthorizationError, RedisError, ResponseError

from hexwave_app.processes.errors import SettingsError

log = logging.getLogger(__name__)

_DEADLINE = 0.5
"""Seconds that a request waits for Redis; on one network it answers in less than a thousandth of that."""

_AWAY = 5.0
"""Seconds in which a Redis that did not answer is not asked again."""

_PREFIX = "hexwave:limits:"

# As one step, so that no count is left behind that never ends.
_COUNT = """
local count = redis.call('INCRBY', KEYS[1], ARGV[2])
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return count
"""

T = TypeVar("T")


class SharedCounts(Storage):
    """Counts in Redis; while that is away, in the memory of this server, which then holds its own allowances.

    Nobody is refused for want of Redis, and nobody is let in without being counted: of several servers each
    gives a whole allowance until Redis is back, and then the counts from before go on.
    """

    STORAGE_SCHEME = None

    def __init__(self, redis: Redis) -> None:
        super().__init__()
        self._redis = redis
        self._count = redis.register_script(_COUNT)
        self._memory = MemoryStorage()
        self._away_until = 0.0

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncGenerator["SharedCounts", None]:
        """Counts in the database that `url` names. `SettingsError` when it is no address, or lets us not in.

        One that does not answer is no reason not to start: it is away, and may come back.
        """
        try:
            pool = ConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType]
                url,
                socket_timeout=_DEADLINE,
                socket_connect_timeout=_DEADLINE,
                # Once: whoever waits is a person, and the memory counts as well.
                retry=Retry(NoBackoff(), 0),
            )
        except ValueError:
            raise _unusable("it is no address of a Redis") from None
        redis = Redis(connection_pool=pool)
        counts = cls(redis)
        try:
            await counts._greet()
            yield counts
        finally:
            await redis.aclose()
            await pool.aclose()

    @property
    def base_exceptions(self) -> type[Exception]:
        return RedisError

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        async def count() -> int:
            return int(cast(int, await self._count(keys=[_PREFIX + key], args=[expiry, amount])))

        return await self._asked(count, lambda: self._memory.incr(key, expiry, amount))

    async def get(self, key: str) -> int:
        async def read() -> int:
            return int(await self._redis.get(_PREFIX + key) or 0)

        return await self._asked(read, lambda: self._memory.get(key))

    async def get_expiry(self, key: str) -> float:
        async def rest() -> float:
            return max(await self._redis.pttl(_PREFIX + key), 0) / 1000 + time.time()

        return await self._asked(rest, lambda: self._memory.get_expiry(key))

    async def check(self) -> bool:
        """Whether Redis counts at the moment."""
        return time.monotonic() >= self._away_until

    async def clear(self, key: str) -> None:
        await self._redis.delete(_PREFIX + key)
        await self._memory.clear(key)

    async def reset(self) -> int | None:
        raise NotImplementedError("The counts of other servers are not ours to forget.")

    async def _asked(self, redis: Callable[[], Awaitable[T]], memory: Callable[[], Awaitable[T]]) -> T:
        now = time.monotonic()
        if now < self._away_until:
            return await memory()
        was_away = self._away_until > 0
        if was_away:
            # One asks whether it is back; whoever comes meanwhile does not wait for the answer.
            self._away_until = now + _AWAY
        try:
            async with asyncio.timeout(_DEADLINE):
                answer = await redis()
        except (RedisError, OSError, TimeoutError) as error:
            self._left(error)
            return await memory()
        if was_away:
            self._away_until = 0.0
            log.warning("Redis is back, limits are counted there again")
        return answer

    async def _greet(self) -> None:
        try:
            async with asyncio.timeout(2 * _DEADLINE):
                pong: Any = self._redis.ping()  # pyright: ignore[reportUnknownMemberType]
                await pong
        except (AuthenticationError, AuthorizationError, ResponseError):
            raise _unusable("its server does not take this user and password") from None
        except (RedisError, OSError, TimeoutError) as error:
            self._left(error)

    def _left(self, error: Exception) -> None:
        if not self._away_until:
            log.warning("Redis is away, limits are counted here meanwhile: %s", type(error).__name__)
        self._away_until = time.monotonic() + _AWAY


def _unusable(reason: str) -> SettingsError:
    # Without the driver's own words, which may repeat the password.
    return SettingsError(
        f"REDIS_URL cannot be used: {reason}. Write it as redis://user:password@host:6379/0.",
        field="REDIS_URL",
    )
