"""One channel of a connection, shared by all who follow it in this worker."""

# The SDK is typed in part, and wrongly for some keyword arguments.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import asyncio
import contextlib
import logging
from collections.abc import Callable

from ably import AblyRealtime
from ably.types.channelmode import ChannelMode
from ably.types.channeloptions import ChannelOptions
from ably.types.channelstate import ChannelState, ChannelStateChange
from ably.types.message import Message
from ably.util.exceptions import AblyException
from pydantic import ValidationError

from hexwave_app.processes.model import StatusMessage
from hexwave_app.realtime.advice import advice
from hexwave_app.realtime.mailbox import Mailbox

log = logging.getLogger(__name__)

_DETACH_PATIENCE = 60.0
"""Seconds. While the connection is away, detaching waits for it: a channel that is dropped unsaid stays
attached at the server, and is counted there."""

_LEFT_TO_US = (ChannelState.INITIALIZED, ChannelState.DETACHED, ChannelState.FAILED)
"""States from which the SDK does not attach again by itself."""


class Topic:
    """Attaches from its birth; what it hears goes to every one of `mailboxes`.

    `failed` is called whenever the channel is refused.
    """

    def __init__(
        self,
        realtime: AblyRealtime,
        name: str,
        failed: Callable[[str], None],
        predecessor: "Topic | None",
    ) -> None:
        self.name = name
        self.mailboxes: set[Mailbox] = set()
        self.trouble: str | None = None
        """Why the channel is refused, while it is."""
        self.left = asyncio.Event()
        """Set once it is detached and released."""
        self._realtime = realtime
        self._failed = failed
        self._settled = False
        self._attaching = asyncio.create_task(self._attach(predecessor), name=f"attach {name}")

    async def attached(self, patience: float) -> None:
        """Return when attached, or after `patience` seconds: attaching then goes on behind."""
        await asyncio.wait([self._attaching], timeout=patience)
        # Whoever goes on now reads the store next: an attach that comes later must make it read again.
        self._settled = True

    def mend(self) -> None:
        """Attach again where the SDK would not."""
        if self._attaching.done() and not self.left.is_set() and self._channel.state in _LEFT_TO_US:
            self._attaching = asyncio.create_task(self._attach(None), name=f"attach {self.name}")

    def give_up(self) -> None:
        """Stop attaching: the connection is closed."""
        self._attaching.cancel()

    async def leave(self) -> None:
        """Detach, then release: released alone, the server would go on sending."""
        try:
            self._attaching.cancel()
            await asyncio.wait([self._attaching])
            self._channel.unsubscribe(self._receive)
            self._channel.off(self._changed)
            with contextlib.suppress(TimeoutError, AblyException):
                async with asyncio.timeout(_DETACH_PATIENCE):
                    await self._channel.detach()
        finally:
            self._realtime.channels.release(self.name)
            self.left.set()

    def deliver(self, status: StatusMessage) -> None:
        """Put it in every mailbox."""
        for mailbox in self.mailboxes:
            mailbox.put(status)

    @property
    def _channel(self):
        options = ChannelOptions(params={"rewind": "1"}, modes=[ChannelMode.SUBSCRIBE])
        return self._realtime.channels.get(self.name, options)

    async def _attach(self, predecessor: "Topic | None") -> None:
        if predecessor is not None:
            await predecessor.left.wait()
        channel = self._channel
        channel.off(self._changed)
        channel.unsubscribe(self._receive)
        channel.on(self._changed)
        with contextlib.suppress(AblyException):
            await channel.subscribe(self._receive)

    # The SDK runs coroutine listeners concurrently, out of order: these are plain functions.
    def _receive(self, message: Message) -> None:
        try:
            status = StatusMessage.model_validate(message.data)
        except ValidationError:
            log.warning("%s: a message that is no status was passed over", self.name)
            return
        self.deliver(status)

    def _changed(self, change: ChannelStateChange) -> None:
        """Let followers read the store wherever something may have been missed."""
        if change.current is ChannelState.ATTACHED:
            self.trouble = None
            # The first attach is followed by the first look at the store anyway.
            if not change.resumed and self._settled:
                self._reread()
        elif change.current is ChannelState.SUSPENDED:
            self._reread()
        elif change.current is ChannelState.FAILED:
            self.trouble = advice(change.reason)
            self._reread()
            self._failed(self.trouble)

    def _reread(self) -> None:
        for mailbox in self.mailboxes:
            mailbox.reread()
