"""Channels: order, recent history, idempotent ids and the connections attached."""

import re
import secrets
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Protocol, cast

from .clock import now
from .error import AblyError
from .limits import Limits
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

    @property
    def serial(self) -> str:
        return self._serial(self._number, self._timestamp)

    def publish(self, messages: list[Fields], base_id: str, connection_id: str | None = None) -> list[str]:
        """Put `messages` on the channel and return their serials (PBR2a).

        A first message whose id was seen before, within the history's age, is the same publish sent
        again: it is not stored and gets the serials of the first time (RSL1k, RTN19a).
        """
        self._expire()
        for index, message in enumerate(messages):
            message.setdefault("id", f"{base_id}:{index}")
        first_id = cast(str, messages[0]["id"])
        if first_id in self._ids:
            return self._ids[first_id].serials()
        publication = self._append(messages, connection_id)
        self._ids[first_id] = Publish(publication.serial, publication.timestamp, len(messages))
        for subscriber, modes in self.attached.items():
            if Flag.SUBSCRIBE in modes and (subscriber.echo or subscriber.id != connection_id):
                subscriber.send_frame(publication.frame(subscriber.format))
        return self._ids[first_id].serials()

    def _append(self, messages: list[Fields], connection_id: str | None) -> Publication:
        self._number += 1
        self._timestamp = self.used_at = max(self._timestamp, now())  # serials must sort by time
        serial = self.serial
        for index, message in enumerate(messages):
            message.update(timestamp=self._timestamp, serial=f"{serial}:{index:03d}", action=0)
            if connection_id is not None:
                message["connectionId"] = connection_id
        size = sum(len(cast(str, message.get("data", ""))) for message in messages)
        publication = Publication(
            self.name, serial, self._number, self._timestamp, connection_id, messages, size
        )
        self._history.append(publication)
        self._history_messages += len(messages)
        self._history_bytes += size
        return publication

    def resume(self, serial: str) -> Backlog:
        """Return what was published after `serial`, or why that is no longer known (RTL4c1, RTL2f)."""
        self._expire()
        match = _SERIAL.fullmatch(serial)
        if not match or match[3] != self._epoch or int(match[2]) > self._number:
            return self._lost(90005, "Unable to recover channel (no matching epoch): read the state again.")
        number = int(match[2])
        oldest = self._history[0].number if self._history else self._number + 1
        if number + 1 < oldest:
            return self._lost(90003, "Unable to recover channel (messages expired): read the state again.")
        missed = [publication for publication in self._history if publication.number > number]
        return Backlog(serial, missed, resumed=True)

    def _lost(self, code: int, message: str) -> Backlog:
        return Backlog(self.serial, [], error=AblyError(code, message, 404))

    def rewind(self, count: int, since: int = 0) -> Backlog:
        """Return the last `count` messages not older than `since` (ms), in whole publishes
        (https://ably.com/docs/channels/options/rewind)."""
        self._expire()
        chosen: deque[Publication] = deque()
        for publication in reversed(self._history):
            fits = len(publication.messages) <= count or (count > 0 and not chosen)
            if publication.timestamp < since or not fits:
                break
            count -= len(publication.messages)
            chosen.appendleft(publication)
        serial = self._serial(chosen[0].number - 1, chosen[0].timestamp) if chosen else self.serial
        return Backlog(serial, list(chosen))

    def history(self) -> list[Fields]:
        """Return the messages still held, oldest first."""
        self._expire()
        return [message for publication in self._history for message in publication.messages]

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

    def get(self, name: object) -> Channel:
        """Return the channel, made when missing. Raises AblyError 40010 for a name Ably does not take."""
        channel = self._channels.get(check_channel_name(name))
        if channel is None:
            self._sweep()
            channel = self._channels[cast(str, name)] = Channel(cast(str, name), self._limits)
        return channel

    def detach(self, channel: Channel, subscriber: Subscriber) -> None:
        channel.attached.pop(subscriber, None)
        channel.used_at = now()

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
