"""One realtime connection to Ably."""

# The SDK is typed in part, and wrongly for some keyword arguments.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import asyncio
import contextlib
import logging
from typing import Any

from ably import AblyRealtime
from ably.types.connectionstate import ConnectionState, ConnectionStateChange
from ably.util.exceptions import AblyException

from hexwave_app.realtime.advice import advice
from hexwave_app.realtime.topic import Topic

log = logging.getLogger(__name__)

_CLOSE_PATIENCE = 5.0
_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 60.0

# Left alone, the SDK notices a refused connection after 10 s and tries again after another 15.
_TIMES: dict[str, Any] = {
    "realtime_request_timeout": 2000,
    "disconnected_retry_timeout": 500,
    "suspended_retry_timeout": 5000,
    "channel_retry_timeout": 2000,
}

_AWAY = (ConnectionState.DISCONNECTED, ConnectionState.SUSPENDED, ConnectionState.FAILED)


class Connection:
    """A connection of the SDK, and what the SDK does not do for it.

    The SDK comes back from a lost network by itself. From a refused key, or a refused channel, it does
    not: those are tried again here, after pauses that grow to a minute.
    """

    def __init__(self, options: dict[str, Any]) -> None:
        self.topics: dict[str, Topic] = {}
        """The channels that have a place here, by name; one that is being left has it to the end."""
        self._trouble: str | None = None
        self._said: str | None = None
        self._pause = _FIRST_PAUSE
        self._retry: asyncio.TimerHandle | None = None
        self._realtime = AblyRealtime(**options, **_TIMES)
        self._manager = self._realtime.connection.connection_manager
        # SDK 3.1.4 asks a web server whether there is a network, with a call that blocks the event loop.
        self._manager.check_connection = lambda: True
        self._realtime.connection.on(self._changed)

    @property
    def trouble(self) -> str | None:
        """Why the connection, or one of its channels, is away."""
        refused = (topic.trouble for topic in self.topics.values() if topic.trouble)
        return self._trouble or next(refused, None)

    def add(self, name: str) -> Topic:
        """The channel, attaching. Its predecessor, if one is still being left, leaves first."""
        predecessor = self.topics.get(name)
        topic = self.topics[name] = Topic(self._realtime, name, self._refused, predecessor)
        return topic

    async def remove(self, topic: Topic) -> None:
        await topic.leave()
        if self.topics.get(topic.name) is topic:
            del self.topics[topic.name]

    async def close(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
        self._realtime.connection.off(self._changed)
        websocket = await self._websocket()
        with contextlib.suppress(TimeoutError, AblyException):
            async with asyncio.timeout(_CLOSE_PATIENCE):
                await self._realtime.close()
                # The SDK does not wait for its websocket, whose socket would outlive it.
                if websocket is not None:
                    await websocket.wait_closed()
        if websocket is not None:
            websocket.transport.abort()
        for topic in self.topics.values():
            topic.give_up()

    def _changed(self, change: ConnectionStateChange) -> None:
        if change.current is ConnectionState.CONNECTED:
            if self._said is not None:
                log.info("Ably is back: live updates are live again")
            self._trouble, self._said, self._pause = None, None, _FIRST_PAUSE
            self._mend()
        elif change.current in _AWAY and change.previous is not ConnectionState.CONNECTED:
            self._trouble = f"Ably is away: {advice(change.reason)}"
            self._say(self._trouble)
            self._end_attempt()
            if change.current is ConnectionState.FAILED:
                # SDK 3.1.4 forgets its timer, and would try a refused key every few seconds.
                self._manager.cancel_transition_timer()
                self._try_later()

    def _end_attempt(self) -> None:
        """End the attempt that was given up.

        After a refused TCP connection SDK 3.1.4 leaves it waiting for ever, one for each try.
        """
        attempt = self._manager.connect_base_task
        if attempt is not None and self._realtime.connection.state in _AWAY:
            attempt.cancel()

    async def _websocket(self) -> Any:
        """The open one. Any other is dropped: SDK 3.1.4 would say goodbye on it, and fail."""
        transport = self._manager.transport
        if transport is not None and transport.websocket is None:
            await transport.dispose()
            self._manager.transport = None
            return None
        return transport and transport.websocket

    def _refused(self, reason: str) -> None:
        # While the connection itself is refused, its channels say nothing of their own.
        if self._realtime.connection.state is ConnectionState.CONNECTED:
            self._say(f"Ably refuses a channel: {reason}")
            self._try_later()

    def _say(self, sentence: str) -> None:
        if self._said is None:
            log.warning("%s Until then live pages look at the store every few seconds.", sentence)
        self._said = sentence

    def _try_later(self) -> None:
        if self._retry is None:
            self._retry = asyncio.get_running_loop().call_later(self._pause, self._try_again)
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)

    def _try_again(self) -> None:
        self._retry = None
        if self._realtime.connection.state is ConnectionState.FAILED:
            self._realtime.connect()
        self._mend()

    def _mend(self) -> None:
        if self._realtime.connection.state is ConnectionState.CONNECTED:
            for topic in self.topics.values():
                topic.mend()
