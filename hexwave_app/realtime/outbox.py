"""What is on its way to Ably: a message by itself, or many that had to wait, in one request."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar, cast

import httpx
import msgpack
from ably import AblyRest
from ably.types.message import Message
from ably.util.exceptions import AblyException
from pydantic import BaseModel, Field, TypeAdapter

from hexwave_app.background import BackgroundTasks
from hexwave_app.processes.errors import ChannelUnavailable
from hexwave_app.realtime.advice import advice
from hexwave_app.realtime.breaker import Breaker

log = logging.getLogger(__name__)

AT_ONCE = 2
"""Requests on their way together. A server that comes back is not buried under all that waited for it."""

TURN = 0.025
"""Seconds that a request keeps the next from beginning, though it was answered sooner: what comes meanwhile
goes together, and costs a fraction. The first ones, after a silence, wait for nobody."""

CHANNELS_LIMIT = 100
BYTES_LIMIT = 2**21 - 2**16
"""What Ably takes in one request, with room for what is around the messages."""

FAILURES = (AblyException, httpx.HTTPError, TimeoutError, OSError)
"""How a try can fail."""

_TRY_SECONDS = 6.0
"""The longest that one try may take, with whatever other hosts of Ably the SDK asks meanwhile."""

_T = TypeVar("_T")


class _Error(BaseModel):
    message: str = ""
    code: int = 50000
    status: int = Field(default=500, alias="statusCode")


class _Result(BaseModel):
    error: _Error | None = None


class _Results(BaseModel):
    results: list[_Result] = Field(min_length=1, max_length=1)


_ANSWER = TypeAdapter(list[_Results])


@dataclass(eq=False)
class _Parcel:
    """A message that waits; `taken` ends as its sending does."""

    channel: str
    message: Message
    packed: bytes
    overtaken: Callable[[], bool]
    taken: asyncio.Future[None]

    def end(self, error: Exception | None) -> None:
        if self.taken.done():
            return
        if error is None:
            self.taken.set_result(None)
        else:
            self.taken.set_exception(error)


class Outbox:
    """Sends messages over REST, each under its own id, so that a repetition is stored once.

    While few requests are on their way a message has one of its own. More of them would only wait for each
    other: those that come then are taken together by the request whose turn is next. Each succeeds or fails
    by itself (https://ably.com/docs/messages/batch).
    """

    def __init__(self, rest: AblyRest, tasks: BackgroundTasks) -> None:
        self._rest = rest
        self._tasks = tasks
        self._breaker = Breaker()
        self._busy = 0
        self._waiting = deque[_Parcel]()

    @classmethod
    @asynccontextmanager
    async def open(cls, rest: AblyRest) -> AsyncGenerator["Outbox", None]:
        """An outbox; at its end, for whoever still waits Ably is away."""
        async with BackgroundTasks.open() as tasks:
            outbox = cls(rest, tasks)
            try:
                yield outbox
            finally:
                for parcel in outbox._waiting:
                    parcel.end(_called_off())

    @property
    def trouble(self) -> str | None:
        """Why nothing is sent at the moment."""
        return self._breaker.reason

    async def send(
        self, channel: str, message: Message, overtaken: Callable[[], bool] = lambda: False
    ) -> None:
        """Return once Ably has `message`, or it had to wait and was `overtaken` meanwhile.

        Raises one of `FAILURES` where this try failed, and `ChannelUnavailable` at once while Ably is known
        to be away.
        """
        if self._busy < AT_ONCE:
            self._busy += 1
            began = _now()
            try:
                await self._alone(channel, message)
            finally:
                self._end_turn(began)
            return
        spec = {"channels": channel, "messages": message.as_dict(binary=True)}
        packed = cast(bytes, msgpack.packb(spec))
        taken = asyncio.get_running_loop().create_future()
        parcel = _Parcel(channel, message, packed, overtaken, taken)
        self._waiting.append(parcel)
        await parcel.taken

    def _end_turn(self, began: float) -> None:
        if (rest := began + TURN - _now()) > 0:
            asyncio.get_running_loop().call_later(rest, self._pass_on)
        else:
            self._pass_on()

    def _pass_on(self) -> None:
        """Leave the turn to those that wait."""
        parcels = self._next()
        if not parcels:
            self._busy -= 1
            return
        began = _now()
        task = self._tasks.spawn(self._together(parcels), "publish")
        # Not within the task, which may be called off before it begins.
        task.add_done_callback(lambda _: self._left(parcels, began))

    def _left(self, parcels: Sequence[_Parcel], began: float) -> None:
        for parcel in parcels:
            parcel.end(_called_off())
        self._end_turn(began)

    def _next(self) -> list[_Parcel]:
        parcels, size = list[_Parcel](), 0
        while self._waiting and len(parcels) < CHANNELS_LIMIT:
            parcel = self._waiting[0]
            if parcel.overtaken():
                parcel.end(None)
            if not parcel.taken.done():
                size += len(parcel.packed)
                if parcels and size > BYTES_LIMIT:
                    break
                parcels.append(parcel)
            self._waiting.popleft()
        return parcels

    async def _together(self, parcels: Sequence[_Parcel]) -> None:
        for parcel, error in zip(parcels, await self._outcomes(parcels), strict=True):
            parcel.end(error)

    async def _outcomes(self, parcels: Sequence[_Parcel]) -> list[Exception | None]:
        """What became of each."""
        if len(parcels) == 1:
            return [await self._outcome(parcels[0])]
        packer = msgpack.Packer()
        body = packer.pack_array_header(len(parcels)) + b"".join(parcel.packed for parcel in parcels)
        try:
            answer = await self._within(lambda: self._rest.http.post("/messages", body=body))
            results = _ANSWER.validate_python(answer.to_native())
            if len(results) == len(parcels):
                self._breaker.succeeded()
                return [_failure(each.results[0]) for each in results]
        except ChannelUnavailable as error:
            return [error] * len(parcels)
        except FAILURES as error:
            if not _may_be_the_batch(error):
                self._failed(error)
                return [error] * len(parcels)
        except ValueError as error:
            log.warning("Ably's answer to a batch cannot be read: %s", error)
        # A server that knows no batches, or one message that spoils all: one by one it is known which.
        return [await self._outcome(parcel) for parcel in parcels]

    async def _outcome(self, parcel: _Parcel) -> Exception | None:
        try:
            await self._alone(parcel.channel, parcel.message)
        except (*FAILURES, ChannelUnavailable) as error:
            return error
        return None

    async def _alone(self, channel: str, message: Message) -> None:
        try:
            await self._within(lambda: self._rest.channels.get(channel).publish(message))
        except FAILURES as error:
            self._failed(error)
            raise
        else:
            self._breaker.succeeded()
        finally:
            # The SDK keeps every channel it was ever asked for.
            self._rest.channels.release(channel)

    async def _within(self, request: Callable[[], Awaitable[_T]]) -> _T:
        self._breaker.check()
        async with asyncio.timeout(_TRY_SECONDS):
            return await request()

    def _failed(self, error: Exception) -> None:
        if _status(error) == 429:
            # Too much for a channel, but an answer: the others may go on.
            self._breaker.succeeded()
        else:
            self._breaker.failed(f"Ably takes no messages at the moment: {advice(error)}")


def _now() -> float:
    return asyncio.get_running_loop().time()


def _called_off() -> ChannelUnavailable:
    return ChannelUnavailable("The message was not sent: the server is about to end.")


def _status(error: Exception) -> int | None:
    return error.status_code if isinstance(error, AblyException) else None


def _may_be_the_batch(error: Exception) -> bool:
    """Whether what was refused might be taken message by message."""
    status = _status(error)
    return status is not None and 400 <= status < 500 and status not in (401, 403, 429)


def _failure(result: _Result) -> Exception | None:
    error = result.error
    return None if error is None else AblyException(error.message, error.status, error.code)
