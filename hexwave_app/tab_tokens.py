"""With Redis, a browser tab keeps its State when its server ends, by a signal or by a crash."""

import asyncio
import contextlib
import pickle

from redis.exceptions import RedisError
from reflex.app import App
from reflex.state import StateUpdate
from reflex.utils.prerequisites import get_redis
from reflex.utils.token_manager import LostAndFoundRecord, RedisTokenManager

_PATIENCE = 2.0
"""Seconds that an end waits for Redis."""


class TabTokens(RedisTokenManager):
    """Reflex's, for tabs whose server is gone.

    Reflex takes a tab that is connected already for a duplicate: it gets another token, and with it an empty
    State. A server that was killed leaves the records of its tabs behind, for an hour.
    """

    async def link_token_to_sid(self, token: str, sid: str) -> str | None:
        with contextlib.suppress(RedisError, OSError):
            await self._forget_gone(token)
        return await super().link_token_to_sid(token, sid)

    async def _forget_gone(self, token: str) -> None:
        key = self._get_redis_key(token)
        record = await self.redis.get(key)
        if record is None:
            return
        if not await self.listens(pickle.loads(record).instance_id):
            await self.redis.delete(key)

    async def listens(self, instance_id: str) -> bool:
        """Whether that server lives: from its first tab on it listens for news of them."""
        # Redis says how many heard this, which says nothing of no tab.
        nothing = pickle.dumps(LostAndFoundRecord(token="", update=StateUpdate()))
        return await self.redis.publish(f"channel:{self._get_lost_and_found_key(instance_id)}", nothing) > 0


def keep_tabs(app: App) -> None:
    """Have an app whose States are in Redis keep those of tabs whose server is gone."""
    redis, events = get_redis(), app.event_namespace
    assert redis is not None
    assert events is not None
    events._token_manager = TabTokens(redis)


async def release_tabs(app: App) -> None:
    """Let other servers have the tabs of this one, which is about to close their connections.

    Reflex does so as each closes, and by then the tab may be at another server already.
    """
    events = app.event_namespace
    assert events is not None
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE):
            await events._token_manager.disconnect_all()
