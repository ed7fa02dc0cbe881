"""Publishing over Ably's REST interface: at Ably's pace, again with the same id, and not at all in vain."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import asyncio
import json
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
from ably import AblyRest
from ably.types.message import Message
from ably.util.exceptions import AblyException

from hexwave_app.processes.errors import ChannelUnavailable, StatusTooLarge
from hexwave_app.processes.model import StatusMessage
from hexwave_app.realtime.advice import advice
from hexwave_app.realtime.breaker import Breaker

MESSAGE_LIMIT = 65_536
"""Bytes of a message's data that Ably takes on every plan (https://ably.com/docs/platform/pricing/limits)."""

_INTERVAL = 0.025
"""Seconds between two messages of progress on a channel. Ably takes 50 messages a second on each; other
workers, and the end, which does not wait, need their share."""

_AT_ONCE = 32
"""Requests on their way together. A server that comes back is not buried under all that waited for it."""

_TRIES = (0.0, 0.3, 1.2)
"""Seconds of rest before each try, give or take a half."""

_TRY_SECONDS = 6.0
"""The longest that one try may take, with whatever other hosts of Ably the SDK asks meanwhile."""


class Publisher:
    """Sends status messages. Each is the whole state, so a newer one makes an older one superfluous."""

    def __init__(self, rest: AblyRest) -> None:
        self._rest = rest
        self._breaker = Breaker()
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._lanes: dict[str, _Lane] = {}

    @property
    def trouble(self) -> str | None:
        """Why nothing is published at the moment."""
        return self._breaker.reason

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
            async with self._slots:
                # Only here: in a crowd, the wait for a place is the longest.
                if lane.overtakes(message):
                    return
                self._breaker.check()
                try:
                    async with asyncio.timeout(_TRY_SECONDS):
                        await self._rest.channels.get(name).publish(sent)
                except (AblyException, httpx.HTTPError, TimeoutError, OSError) as error:
                    failure = error
                    if not self._worth_repeating(error):
                        break
                else:
                    self._breaker.succeeded()
                    lane.told = max(lane.told, message.sequence)
                    return
                finally:
                    # The SDK keeps every channel it was ever asked for.
                    self._rest.channels.release(name)
        raise ChannelUnavailable(f"Ably did not take the message: {advice(failure)}") from failure

    def _worth_repeating(self, error: Exception) -> bool:
        status = error.status_code if isinstance(error, AblyException) else None
        if status == 429:
            # Too much for this channel, but an answer: the others may go on.
            self._breaker.succeeded()
        else:
            self._breaker.failed(f"Ably takes no messages at the moment: {advice(error)}")
        return status is None or status >= 500 or status == 429


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


def _check_size(message: StatusMessage) -> None:
    size = len(json.dumps(message.wire()).encode())
    if size > MESSAGE_LIMIT:
        raise StatusTooLarge(
            f"The status of {message.process_id} is {size} bytes; {MESSAGE_LIMIT} is the limit."
            " Send URLs, not contents."
        )


def _now() -> float:
    return asyncio.get_running_loop().time()
