"""Channels: order, recent history, idempotent ids and the connections attached."""

import re
import secrets
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Protocol, cast

from .clock import now
from .error import AblyError
from .limits import Limits
from .message import message_size
from .wire import Action, Fields, Flag, Format, Frame, encode, wire_messages

_SERIAL = re.compile(r"(\d{1,18})-(\d{1,18})@([\w-]{1,32})(?::\d{1,9})?", re.ASCII)


class Subscriber(Protocol):
    """What a channel needs of a connection."""

    @property
    def id(self) -> str: ...
    @property
    def format(self) -> Format: ...
    @property
    def echo(self) -> bool: ...
    def send_frame(self, frame: Frame) -> None: ...


@dataclass(slots=True)
class Publication:
    """What one publish put on a channel: a MESSAGE protocol message, encoded once for each format in use."""

    channel: str
    serial: str
    number: int
    timestamp: int  # milliseconds since the epoch
    connection_id: str | None
    messages: list[Fields]
    size: int
    _frames: dict[Format, Frame] = field(default_factory=dict[Format, Frame])

    def frame(self, format: Format) -> Frame:
        frame = self._frames.get(format)
        if frame is None:
            message = {
                "action": Action.MESSAGE,
                "channel": self.channel,
                "channelSerial": self.serial,
                "timestamp": self.timestamp,
                "messages": wire_messages(self.messages, format),
            }
            frame = self._frames[format] = encode(message, format)
        return frame


@dataclass(frozen=True, slots=True)
class Publish:
    """What is remembered of an id: enough to answer a repeat."""

    serial: str
    timestamp: int
    count: int

    def serials(self) -> list[str]:
        return [f"{self.serial}:{index:03d}" for index in range(self.count)]


@dataclass(frozen=True, slots=True)
class Backlog:
    """What an attach replays: the serial it starts after, and the error when continuity is lost."""

    serial: str
    publications: list[Publication]
    resumed: bool = False
    error: AblyError | None = None


class Channel:
    """One channel. A serial is `<ms>-<number>@<epoch>`; the epoch changes when the channel is made anew."""

    def __init__(self, name: str, limits: Limits) -> None:
        self.name = name
        self.attached: dict[Subscriber, Flag] = {}
        self.used_at = now()
        self._limits = limits
        self._epoch = secrets.token_urlsafe(9)
        self._number = 0
        self._timestamp = self.used_at
        self._history: deque[Publication] = deque()
        self._history_messages = 0
        self._history_bytes = 0
        self._ids: OrderedDict[str, Publish] = OrderedDict()
        self._second_began = 0
        self._second_messages = 0

    @property
    def serial(self) -> str:
        return self._serial(self._number, self._timestamp)

    def publish(self, messages: list[Fields], base_id: str, connection_id: str | None = None) -> list[str]:
        """Put `messages` on the channel and return their serials (PBR2a).

        A first message whose id was seen before, within the history's age, is the same publish sent
        again: it is not stored and gets the serials of the first time (RSL1k, RTN19a).
        Raises AblyError 42913 when the channel takes no more messages in this second.
        """
        self._expire()
        for index, message in enumerate(messages):
            message.setdefault("id", f"{base_id}:{index}")
        first_id = cast(str, messages[0]["id"])
        if first_id in self._ids:
            return self._ids[first_id].serials()
        self._admit(len(messages))
        publication = self._append(messages, connection_id)
        self._ids[first_id] = Publish(publication.serial, publication.timestamp, len(messages))
        for subscriber, modes in list(self.attached.items()):  # a slow one detaches as it is sent to
            if Flag.SUBSCRIBE in modes and (subscriber.echo or subscriber.id != connection_id):
                subscriber.send_frame(publication.frame(subscriber.format))
        return self._ids[first_id].serials()

    def _admit(self, count: int) -> None:
        """Count messages against `channel_messages_per_second`, in seconds that begin with a message."""
        most = self._limits.channel_messages_per_second
        if now() - self._second_began >= 1_000:
            self._second_began, self._second_messages = now(), 0
        if most and self._second_messages + count > most:
            raise AblyError(42913, f"Rate limit exceeded: {most} messages a second on a channel; try later.")
        self._second_messages += count

    def _append(self, messages: list[Fields], connection_id: str | None) -> Publication:
        self._number += 1
        self._timestamp = self.used_at = max(self._timestamp, now())  # serials must sort by time
        serial = self.serial
        for index, message in enumerate(messages):
            message.update(timestamp=self._timestamp, serial=f"{serial}:{index:03d}", action=0)
            if connection_id is not None:
                message["connectionId"] = connection_id
        size = sum(map(message_size, messages))
        publication = Publication(
            self.name, serial, self._number, self._timestamp, connection_id, messages, size
        )
        self._history.append(publication)
        self._history_messages += len(messages)
        self._history_bytes += size
        return publication

    def detach(self, subscriber: Subscriber) -> None:
        self.attached.pop(subscriber, None)
        self.used_at = now()

    def resume(self, serial: str) -> Backlog:
        """Return what was published after `serial` (RTL4c1, RTL2f); when some of it is gone, the rest
        without `resumed` and the reason: 90003 too old, 90004 too many, 90005 not of this channel's epoch."""
        self._expire()
        position = self._position(serial)
        if position is None:
            error = AblyError(90005, "Unable to recover channel (unable to resume from elsewhere).", 404)
            return Backlog(self.serial, [], error=error)
        number, timestamp = position
        missed = [publication for publication in self._history if publication.number > number]
        if len(missed) == self._number - number:
            return Backlog(serial, missed, resumed=True)
        if timestamp < now() - self._limits.history_age:
            error = AblyError(90003, "Unable to recover channel (messages expired).", 404)
        else:
            error = AblyError(90004, "Unable to recover channel (message limit exceeded).", 404)
        return self._replay(missed, error)

    def rewind(self, count: int | None = None, since: int = 0) -> Backlog:
        """Return the last `count` messages not older than `since` (ms), in whole publishes and at most
        `rewind_messages` (https://ably.com/docs/channels/options/rewind); 90004 says there were more."""
        self._expire()
        most = self._limits.rewind_messages
        left = most if count is None else min(count, most)
        held = [publication for publication in self._history if publication.timestamp >= since]
        chosen: deque[Publication] = deque()
        for publication in reversed(held):
            left -= len(publication.messages)
            if left < 0 and (chosen or count == 0):
                break
            chosen.appendleft(publication)
        error = None
        if len(chosen) < len(held) and (count is None or count > most):
            error = AblyError(90004, "Unable to rewind further (message limit exceeded).", 404)
        return self._replay(list(chosen), error)

    def history(self, until: str = "") -> list[Fields]:
        """Return the messages still held, oldest first; those up to the channel serial `until` (RTL10b).

        Raises AblyError 40024 when that is not of this channel's epoch, 90008 when it is too old.
        """
        self._expire()
        position = self._position(until or self.serial)
        if position is None:
            raise AblyError(40024, "Unable to get channel history: the serial is not of this channel's life.")
        last, _ = position
        if self._number - last > len(self._history):
            raise AblyError(90008, "Unable to get channel history: attach point not found.")
        chosen = (publication for publication in self._history if publication.number <= last)
        return [message for publication in chosen for message in publication.messages]

    def _replay(self, publications: list[Publication], error: AblyError | None = None) -> Backlog:
        if not publications:
            return Backlog(self.serial, [], error=error)
        first = publications[0]
        return Backlog(self._serial(first.number - 1, first.timestamp), publications, error=error)

    def _position(self, serial: str) -> tuple[int, int] | None:
        """Return number and time (ms) of a serial of this channel; None for any other text."""
        match = _SERIAL.fullmatch(serial)
        if not match or match[3] != self._epoch or int(match[2]) > self._number:
            return None
        return int(match[2]), int(match[1])

    def _serial(self, number: int, timestamp: int) -> str:
        return f"{timestamp:014d}-{number:09d}@{self._epoch}"

    def _expire(self) -> None:
        limits, oldest = self._limits, now() - self._limits.history_age
        while self._history and (
            self._history[0].timestamp < oldest
            or self._history_messages > limits.history_messages
            or self._history_bytes > limits.history_bytes
        ):
            publication = self._history.popleft()
            self._history_messages -= len(publication.messages)
            self._history_bytes -= publication.size
        while self._ids and (
            len(self._ids) > limits.remembered_ids or next(iter(self._ids.values())).timestamp < oldest
        ):
            self._ids.popitem(last=False)


class Channels:
    """The channels in use. One that nobody is attached to goes when its history has aged out."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._channels: dict[str, Channel] = {}
        self._swept_at = 0

    def get(self, name: str) -> Channel:
        """Return the channel, made when missing."""
        if name not in self._channels:
            self._sweep()
            self._channels[name] = Channel(name, self._limits)
        return self._channels[name]

    def find(self, name: str) -> Channel | None:
        return self._channels.get(name)

    @property
    def attachments(self) -> dict[str, int]:
        """Live attachments: channel name to the number of connections attached."""
        return {name: len(channel.attached) for name, channel in self._channels.items() if channel.attached}

    def _sweep(self) -> None:
        time = now()
        if time - self._swept_at < self._limits.sweep_interval:
            return
        self._swept_at = time
        oldest = time - self._limits.history_age
        idle = [name for name, c in self._channels.items() if not c.attached and c.used_at < oldest]
        for name in idle:
            del self._channels[name]


def check_channel_name(name: object) -> str:
    """Return the name, or raise AblyError 40010."""
    if not isinstance(name, str) or not name.strip() or len(name) > 1_024 or name[0] in "[:" or "\n" in name:
        raise AblyError(
            40010, "Invalid channel name: text of 1 to 1024 characters that starts with neither [ nor :."
        )
    return name


def is_serial(text: str) -> bool:
    """Whether `text` has the form of the serial of a channel, or of a message on it."""
    return _SERIAL.fullmatch(text) is not None
