"""As many realtime connections as the followed channels need."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from hexwave_app.processes.model import StatusMessage
from hexwave_app.realtime.connection import Connection
from hexwave_app.realtime.mailbox import Mailbox
from hexwave_app.realtime.topic import Topic

CHANNELS = 180
"""Channels on one connection; Ably refuses more than 200 (error 90010)."""

_ATTACH_PATIENCE = 2.0


class _Place(NamedTuple):
    connection: Connection
    topic: Topic


class Connections:
    """Gives each channel that is followed a place on a connection, opened when the others are full.

    A worker's followers of one channel share it; the last one to leave detaches and releases it.
    """

    def __init__(self, options: dict[str, Any]) -> None:
        self._places: dict[str, _Place] = {}
        self._options = options
        self._open = [Connection(options)]
        self._ending: set[asyncio.Task[None]] = set()

    @classmethod
    @asynccontextmanager
    async def open(cls, options: dict[str, Any]) -> AsyncGenerator["Connections", None]:
        """`options` are the SDK's, and say who connects where."""
        connections = cls(options)
        try:
            yield connections
        finally:
            await connections._close()

    def __len__(self) -> int:
        return len(self._open)

    @property
    def topics(self) -> int:
        """How many channels are followed."""
        return len(self._places)

    def follows(self, name: str) -> bool:
        """Whether somebody here follows the channel."""
        return name in self._places

    def notify(self, name: str, message: StatusMessage) -> None:
        """Hand the message to those that follow the channel here."""
        place = self._places.get(name)
        if place is not None:
            place.topic.deliver(message)

    @property
    def trouble(self) -> str | None:
        """What keeps a connection or a channel away at the moment."""
        return next((connection.trouble for connection in self._open if connection.trouble), None)

    @asynccontextmanager
    async def subscribe(self, name: str) -> AsyncGenerator[Mailbox, None]:
        """The channel's news. Attached on entry, or after two seconds still attaching."""
        mailbox = Mailbox()
        place = self._places.get(name)
        if place is None:
            connection = self._connection(name)
            place = self._places[name] = _Place(connection, connection.add(name))
        mailboxes = place.topic.mailboxes
        mailboxes.add(mailbox)
        try:
            await place.topic.attached(_ATTACH_PATIENCE)
            yield mailbox
        finally:
            mailboxes.discard(mailbox)
            if not mailboxes:
                del self._places[name]
                self._run(self._leave(place), f"leave {name}")

    def _connection(self, name: str) -> Connection:
        # A channel that is being left goes on holding its place, and may be taken up again only there.
        for connection in self._open:
            if name in connection.topics:
                return connection
        for connection in self._open:
            if len(connection.topics) < CHANNELS:
                return connection
        self._open.append(Connection(self._options))
        return self._open[-1]

    async def _leave(self, place: _Place) -> None:
        connection = place.connection
        await connection.remove(place.topic)
        # Half a connection's room elsewhere keeps one at the brim from being opened and closed in turn.
        room = sum(CHANNELS - len(other.topics) for other in self._open if other is not connection)
        if not connection.topics and room >= CHANNELS // 2 and connection in self._open:
            self._open.remove(connection)
            await connection.close()

    def _run(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _close(self) -> None:
        # A closed connection has detached its channels: nobody who leaves waits any longer.
        closing, self._open = self._open, []
        await asyncio.gather(*(connection.close() for connection in closing))
        await asyncio.gather(*self._ending, return_exceptions=True)
