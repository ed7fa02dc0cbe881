"""The status channel over Ably's own SDK; against Ably and against a local server alike."""

# The SDK is typed in part, and wrongly for some keyword arguments.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from ably import AblyRealtime, AblyRest
from ably.types.channelstate import ChannelState, ChannelStateChange
from ably.types.message import Message
from ably.util.exceptions import AblyException
from pydantic import ValidationError

from hexwave_app.processes.errors import ChannelUnavailable, StatusTooLarge
from hexwave_app.processes.model import StatusMessage
from hexwave_app.realtime.mailbox import Mailbox

log = logging.getLogger(__name__)

MESSAGE_LIMIT = 65_536
"""Bytes of a message's data that Ably takes on every plan (https://ably.com/docs/platform/pricing/limits)."""

TOKEN_TTL = 3600
"""Seconds that a follower's token is good for."""

_ATTACH_PATIENCE = 2.0
_DETACH_PATIENCE = 5.0
_PUBLISH_PATIENCE = 3.0
_PUBLISH_TRIES = 2
_RETRY_TIMEOUTS: dict[str, Any] = {"realtime_request_timeout": 3000, "disconnected_retry_timeout": 500}


def channel_name(process_id: str) -> str:
    return f"process:{process_id}"


class AblyChannel:
    """A `StatusChannel`: publishes over REST, follows over one realtime connection."""

    def __init__(self, rest: AblyRest, realtime: AblyRealtime, endpoint: str | None) -> None:
        self.endpoint = endpoint
        """`host:port` of the server where it is not Ably's own."""
        self._rest = rest
        self._realtime = realtime
        self._topics: dict[str, _Topic] = {}
        self._leaving: dict[str, asyncio.Task[None]] = {}

    @classmethod
    @asynccontextmanager
    async def open(cls, key: str, endpoint: str | None = None) -> AsyncGenerator["AblyChannel", None]:
        """A channel with the API key `key`.

        `endpoint` is Ably's own when left out, or `host:port` of a server that speaks plain text.
        """
        # SDK 3.1.4: with a port, the trailing slash keeps REST from appending another one to the URL.
        where: dict[str, Any] = {"tls": False, "endpoint": f"{endpoint}/"} if endpoint else {}
        # The SDK refuses a plain key over HTTP without TLS, but takes it over a websocket.
        rest = AblyRest(key=key, use_token_auth=bool(endpoint), **where)
        realtime = AblyRealtime(key=key, **where, **_RETRY_TIMEOUTS)
        channel = cls(rest, realtime, endpoint)
        try:
            yield channel
        finally:
            await channel._close()

    @property
    def topics(self) -> int:
        """How many channels this worker is attached to, or is attaching."""
        return len(self._topics)

    async def publish(self, message: StatusMessage) -> None:
        """Publish under an id made of process and sequence, so that a repetition is stored once.

        Raises `StatusTooLarge` before sending, `ChannelUnavailable` after two failed tries.
        """
        data = message.wire()
        size = len(json.dumps(data).encode())
        if size > MESSAGE_LIMIT:
            raise StatusTooLarge(
                f"The status of {message.process_id} is {size} bytes; {MESSAGE_LIMIT} is the limit."
                " Send URLs, not contents."
            )
        sent = Message("status", data, id=f"{message.process_id}-{message.sequence}:0")
        await self._send(channel_name(message.process_id), sent)

    @asynccontextmanager
    async def subscribe(self, process_id: str) -> AsyncGenerator[Mailbox, None]:
        name = channel_name(process_id)
        mailbox = Mailbox()
        topic = self._topics.get(name)
        if topic is None:
            topic = self._topics[name] = _Topic(self._realtime, name, self._leaving.get(name))
        topic.mailboxes.add(mailbox)
        try:
            await topic.attached(_ATTACH_PATIENCE)
            yield mailbox
        finally:
            topic.mailboxes.discard(mailbox)
            if not topic.mailboxes:
                self._leave(name, topic)

    async def token_request(self, process_ids: list[str], client_id: str) -> dict[str, Any]:
        """A signed Ably TokenRequest: subscribe only, those processes only, an hour at most.

        Signed here, without a call to Ably (https://ably.com/docs/auth/token#token-request).
        """
        capability = {channel_name(process_id): ["subscribe"] for process_id in process_ids}
        request = await self._rest.auth.create_token_request(
            {"capability": capability, "client_id": client_id, "ttl": TOKEN_TTL * 1000}
        )
        return request.to_dict()

    async def _send(self, name: str, message: Message) -> None:
        failure: Exception | None = None
        try:
            for _ in range(_PUBLISH_TRIES):
                try:
                    async with asyncio.timeout(_PUBLISH_PATIENCE):
                        await self._rest.channels.get(name).publish(message)
                    return
                except (AblyException, httpx.HTTPError, TimeoutError, OSError) as error:
                    failure = error
        finally:
            # The SDK keeps every channel it was ever asked for.
            self._rest.channels.release(name)
        raise ChannelUnavailable(f"Ably did not take the message: {failure!r}") from failure

    def _leave(self, name: str, topic: "_Topic") -> None:
        del self._topics[name]
        task = self._leaving[name] = asyncio.create_task(topic.leave(), name=f"leave {name}")
        task.add_done_callback(lambda _: self._left(name, task))

    def _left(self, name: str, task: asyncio.Task[None]) -> None:
        if self._leaving.get(name) is task:
            del self._leaving[name]

    async def _close(self) -> None:
        # Closing the connection detaches whatever is attached.
        tasks = [*(topic.attaching for topic in self._topics.values()), *self._leaving.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(TimeoutError, AblyException):
            async with asyncio.timeout(_DETACH_PATIENCE):
                await self._realtime.close()
        await self._rest.close()


class _Topic:
    """One attached channel, shared by all who follow its process in this worker."""

    def __init__(self, realtime: AblyRealtime, name: str, predecessor: asyncio.Task[None] | None) -> None:
        self._realtime = realtime
        self._name = name
        self.mailboxes: set[Mailbox] = set()
        self.attaching = asyncio.create_task(self._attach(predecessor), name=f"attach {name}")

    async def attached(self, patience: float) -> None:
        """Return when attached, or after `patience` seconds: attaching then goes on behind."""
        await asyncio.wait([self.attaching], timeout=patience)

    async def leave(self) -> None:
        """Detach, then release: released alone, the server would go on sending."""
        self.attaching.cancel()
        await asyncio.wait([self.attaching])
        channel = self._realtime.channels.get(self._name)
        channel.unsubscribe(self._receive)
        channel.off(self._changed)
        with contextlib.suppress(TimeoutError, AblyException):
            async with asyncio.timeout(_DETACH_PATIENCE):
                await channel.detach()
        self._realtime.channels.release(self._name)

    async def _attach(self, predecessor: asyncio.Task[None] | None) -> None:
        if predecessor is not None:
            await asyncio.wait([predecessor])
        channel = self._realtime.channels.get(self._name, params={"rewind": "1"})
        channel.on(ChannelState.ATTACHED, self._changed)
        try:
            await channel.subscribe(self._receive)
        except AblyException as error:
            log.warning("%s: not attached, its followers read the store instead: %s", self._name, error)

    # The SDK runs coroutine listeners concurrently, out of order: these are plain functions.
    def _receive(self, message: Message) -> None:
        try:
            status = StatusMessage.model_validate(message.data)
        except ValidationError:
            log.warning("%s: a message that is no status was passed over", self._name)
            return
        for mailbox in self.mailboxes:
            mailbox.put(status)

    def _changed(self, change: ChannelStateChange) -> None:
        if change.resumed:
            return
        for mailbox in self.mailboxes:
            mailbox.reread()
