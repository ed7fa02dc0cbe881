"""The feeds of the browser tabs that are here."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from redis.exceptions import RedisError
from reflex.utils.prerequisites import get_app

from hexwave_app.live.serving import served
from hexwave_app.processes.feed import Feed

log = logging.getLogger(__name__)

RESCAN = 3.0
"""Seconds after which a follower looks at the store for what Ably missed and other tabs did."""

# A follower's look finds what the feed's own would; that is for what the look no longer lists.
_FEED_REREAD = 5 * RESCAN


def feeds() -> int:
    """How many feeds this worker keeps for tabs."""
    return len(served().feeds)


def feed(key: str) -> Feed | None:
    """The feed that is open under `key`."""
    return served().feeds.get(key)


@asynccontextmanager
async def feed_of(key: str) -> AsyncGenerator[Feed, None]:
    """A feed under `key`, such as a tab's token; an earlier one under it is ended.

    It ends with the block, or with the task that opened it.
    """
    here, task = served(), asyncio.current_task()
    assert task is not None
    async with Feed.open(here.processes, _FEED_REREAD) as opened:
        earlier, here.feeds[key] = here.feeds.get(key), opened
        if earlier is not None:
            earlier.end()

        def leave(_: object = None) -> None:
            if here.feeds.get(key) is opened:
                del here.feeds[key]
            opened.close()

        # A handler that is called off while what it yielded is being sent stays where it is, in its block:
        # Reflex drops the generator, and nobody closes it before the garbage is collected.
        task.add_done_callback(leave)
        try:
            yield opened
        finally:
            task.remove_done_callback(leave)
            leave()


async def patiently(state: Any, follow: Callable[[], AsyncIterator[Any]], again: Any) -> AsyncIterator[Any]:
    """All that a background handler's `follow` yields, begun once more by the event `again` after an outage.

    Redis may keep the States, and be away: a follower that gave up then would leave its page as it is for
    ever.
    """
    token = state.router.session.client_token
    try:
        async for event in follow():
            yield event
        return
    except RedisError as error:
        log.warning("a page waits for Redis, which keeps its State: %s", type(error).__name__)
    while present(token):
        await asyncio.sleep(RESCAN)
        try:
            async with state:
                pass
        except RedisError:
            continue
        # Not here: where Redis has lost the State, an event first brings what only its page knows, such as
        # who sits there, and has it loaded anew.
        yield again
        return


def present(token: str) -> bool:
    """Whether the tab is connected here: what a click started would otherwise outlive it."""
    # Not its public `token_to_sid`: that is made anew, of all tabs there are, each time it is looked at.
    tabs = get_app().app.event_namespace._token_manager
    socket = tabs.token_to_socket.get(token)
    # With Redis, tabs of other servers are known as well.
    return socket is not None and socket.instance_id == tabs.instance_id
