"""Publishing over Ably's REST interface: at Ably's pace, again with the same id, and not at all in vain."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import asyncio
import json
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from ably.types.message import Message
from ably.util.exceptions import AblyException

from hexwave_app.processes.errors import ChannelUnavailable, StatusTooLarge
from hexwave_app.processes.model import StatusMessage
from hexwave_app.realtime.advice import advice
from hexwave_app.realtime.outbox import FAILURES, Outbox

MESSAGE_LIMIT = 65_536
"""Bytes of a message's data that Ably takes on every plan (https://ably.com/docs/platform/pricing/limits)."""

_INTERVAL = 0.025
"""Seconds between two messages of progress on a channel. Ably takes 50 messages a second on each; other
workers, and the end, which does not wait, need their share."""

_TRIES = (0.0, 0.3, 1.2)
"""Seconds of rest before each try, give or take a half."""


class Publisher:
    """Sends status messages. Each is the whole state, so a newer one makes an older one superfluous."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._lanes: dict[str, _Lane] = {}

    @property
    def trouble(self) -> str | None:
        """Why nothing is published at the moment."""
        return self._outbox.trouble

    async def publish(self, name: str, message: StatusMessage) -> None:
        """Return once Ably has `message`, or one that is newer.

        Progress waits for its turn, and is left out where something newer overtakes it; an end is sent at
        once. Raises `StatusTooLarge` before sending, and `ChannelUnavailable`: at once while Ably is known
        to be away, otherwise after three tries.
        """
        _check_size(message)
        async with self._lane(name) as lane:
            lane.offer(message)
            if message.status.terminal:
                await self._send(name, message, lane)
                return
            async with lane.turn:
                # Read again after the wait: by then there may be something newer, or nothing left to say.
                while lane.told < message.sequence and (newest := lane.progress):
                    if (wait := lane.free_at - _now()) > 0:
                        await asyncio.sleep(wait)
                    else:
                        await self._send(name, newest, lane)
                        lane.free_at = _now() + _INTERVAL

    @asynccontextmanager
    async def _lane(self, name: str) -> AsyncGenerator["_Lane", None]:
        lane = self._lanes.setdefault(name, _Lane())
        lane.users += 1
        try:
            yield lane
        finally:
            lane.users -= 1
            self._forget(name, lane)

    def _forget(self, name: str, lane: "_Lane") -> None:
        """Drop the lane when nobody is in it and its pause is over."""
        if lane.users or self._lanes.get(name) is not lane:
            return
        if (wait := lane.free_at - _now()) > 0:
            asyncio.get_running_loop().call_later(wait, self._forget, name, lane)
        else:
            del self._lanes[name]

    async def _send(self, name: str, message: StatusMessage, lane: "_Lane") -> None:
        sent = Message("status", message.wire(), id=f"{message.process_id}-{message.sequence}:0")
        failure: Exception | None = None
        for rest in _TRIES:
            await asyncio.sleep(rest * random.uniform(0.5, 1.5))
            if lane.overtakes(message):
                return
            try:
                await self._outbox.send(name, sent, lambda: lane.overtakes(message))
            except FAILURES as error:
                failure = error
                if not _worth_repeating(error):
                    break
            else:
                lane.told = max(lane.told, message.sequence)
                return
        raise ChannelUnavailable(f"Ably did not take the message: {advice(failure)}") from failure


class _Lane:
    """What is being said of one process."""

    def __init__(self) -> None:
        self.newest: StatusMessage | None = None
        self.told = 0
        self.users = 0
        self.free_at = 0.0
        self.turn = asyncio.Lock()

    def offer(self, message: StatusMessage) -> None:
        if self.newest is None or message.sequence > self.newest.sequence:
            self.newest = message

    @property
    def progress(self) -> StatusMessage | None:
        """What to say, unless the end is being said already."""
        return None if self.newest is None or self.newest.status.terminal else self.newest

    def overtakes(self, message: StatusMessage) -> bool:
        """Whether something newer is on its way, or there."""
        newest = self.newest.sequence if self.newest else 0
        return max(newest, self.told) > message.sequence


def _worth_repeating(error: Exception) -> bool:
    status = error.status_code if isinstance(error, AblyException) else None
    return status is None or status >= 500 or status == 429


def _check_size(message: StatusMessage) -> None:
    size = len(json.dumps(message.wire()).encode())
    if size > MESSAGE_LIMIT:
        raise StatusTooLarge(
            f"The status of {message.process_id} is {size} bytes; {MESSAGE_LIMIT} is the limit."
            " Send URLs, not contents."
        )


def _now() -> float:
    return asyncio.get_running_loop().time()
