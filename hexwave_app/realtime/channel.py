"""Opens the status channel: Ably's, or that of a server of our own."""

import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from hexwave_app.ably_local.server import serve
from hexwave_app.realtime.ably import AblyChannel


@asynccontextmanager
async def status_channel(
    key: str | None = None, endpoint: str | None = None
) -> AsyncGenerator[AblyChannel, None]:
    """A channel with the Ably API key `key`, at `endpoint` (`host:port`, in plain text) or Ably itself.

    Without a key the same adapter talks to a server of our own on this machine, with a key that lives as
    long as it.
    """
    if key is not None:
        async with AblyChannel.open(key, endpoint) as channel:
            yield channel
        return
    key = f"local.key:{secrets.token_urlsafe(24)}"
    async with (
        serve({key: {"*": ["*"]}}) as server,
        AblyChannel.open(key, f"{server.host}:{server.port}") as channel,
    ):
        yield channel
