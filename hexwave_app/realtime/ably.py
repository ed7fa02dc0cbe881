"""The status channel over Ably's own SDK; against Ably and against a local server alike."""

# The SDK is typed in part, and wrongly for some keyword arguments.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import logging
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
from ably import AblyRest
from ably.util.exceptions import AblyException

from hexwave_app.processes.errors import ChannelUnavailable
from hexwave_app.processes.model import StatusMessage
from hexwave_app.realtime.advice import advice
from hexwave_app.realtime.connections import Connections
from hexwave_app.realtime.mailbox import Mailbox
from hexwave_app.realtime.outbox import Outbox
from hexwave_app.realtime.publisher import Publisher

TOKEN_TTL = 3600
"""Seconds that a follower's token is good for."""

_OPEN_SECONDS, _REQUEST_SECONDS = 1.5, 3.0


def channel_name(process_id: str) -> str:
    return f"process:{process_id}"


class AblyChannel:
    """A `StatusChannel`: publishes over REST, follows over as many realtime connections as it takes."""

    def __init__(
        self, rest: AblyRest, outbox: Outbox, connections: Connections, endpoint: str | None
    ) -> None:
        self.endpoint = endpoint
        """`host:port` of the server where it is not Ably's own."""
        self._rest = rest
        self._publisher = Publisher(outbox)
        self._connections = connections

    @classmethod
    @asynccontextmanager
    async def open(cls, key: str, endpoint: str | None = None) -> AsyncGenerator["AblyChannel", None]:
        """A channel with the API key `key`.

        `endpoint` is Ably's own when left out, or `host:port` of a server that speaks plain text.
        """
        # The SDK logs a stack trace at each try; what its followers should know is said here, once.
        logging.getLogger("ably").setLevel(logging.CRITICAL + 1)
        # SDK 3.1.4: with a port, the trailing slash keeps REST from appending another one to the URL.
        where: dict[str, Any] = {"tls": False, "endpoint": f"{endpoint}/"} if endpoint else {}
        async with AsyncExitStack() as stack:
            rest = AblyRest(
                key=key,
                # The SDK refuses a plain key over HTTP without TLS, but takes it over a websocket.
                use_token_auth=bool(endpoint),
                http_open_timeout=_OPEN_SECONDS,
                http_request_timeout=_REQUEST_SECONDS,
                **where,
            )
            stack.push_async_callback(rest.close)
            outbox = await stack.enter_async_context(Outbox.open(rest))
            connections = await stack.enter_async_context(Connections.open({"key": key, **where}))
            yield cls(rest, outbox, connections, endpoint)

    @property
    def topics(self) -> int:
        """How many channels this worker is attached to, or is attaching."""
        return self._connections.topics

    def follows(self, process_id: str) -> bool:
        """Whether somebody in this worker follows the process."""
        return self._connections.follows(channel_name(process_id))

    @property
    def connections(self) -> int:
        """How many realtime connections are open."""
        return len(self._connections)

    @property
    def trouble(self) -> str | None:
        """Why live updates are late, as a sentence for whoever runs the app; `None` while all is well."""
        return self._publisher.trouble or self._connections.trouble

    async def publish(self, message: StatusMessage) -> None:
        """Publish under an id made of process and sequence, so that a repetition is stored once.

        Raises `StatusTooLarge` before sending, `ChannelUnavailable` when Ably does not take it.
        """
        await self._publisher.publish(channel_name(message.process_id), message)

    def notify(self, message: StatusMessage) -> None:
        """Hand it to those that follow in this worker; when Ably brings it, they know it already."""
        self._connections.notify(channel_name(message.process_id), message)

    async def clock_skew(self) -> float:
        """Seconds that this machine's clock is ahead of Ably's. Raises `ChannelUnavailable`."""
        try:
            return time.time() - await self._rest.time() / 1000
        except (AblyException, httpx.HTTPError, OSError) as error:
            raise ChannelUnavailable(f"Ably does not say the time: {advice(error)}") from error

    @asynccontextmanager
    async def subscribe(self, process_id: str) -> AsyncGenerator[Mailbox, None]:
        async with self._connections.subscribe(channel_name(process_id)) as mailbox:
            yield mailbox

    async def token_request(self, process_ids: list[str], client_id: str) -> dict[str, Any]:
        """A signed Ably TokenRequest: subscribe only, those processes only, an hour at most.

        Signed here, without a call to Ably (https://ably.com/docs/auth/token#token-request).
        """
        capability = {channel_name(process_id): ["subscribe"] for process_id in process_ids}
        request = await self._rest.auth.create_token_request(
            {"capability": capability, "client_id": client_id, "ttl": TOKEN_TTL * 1000}
        )
        return request.to_dict()
