"""The two encodings of the protocol: JSON text and MessagePack binary (RSC8, RTN2a)."""

import base64
import json
from collections.abc import Callable, Iterable
from enum import Enum, IntEnum, IntFlag
from typing import NoReturn, cast

import msgpack  # pyright: ignore[reportMissingTypeStubs]

Fields = dict[str, object]
Frame = str | bytes
_pack = cast(Callable[[object], bytes], msgpack.packb)  # pyright: ignore[reportUnknownMemberType]
_unpack = cast(Callable[..., object], msgpack.unpackb)  # pyright: ignore[reportUnknownMemberType]


class Format(Enum):
    JSON = "json"
    MSGPACK = "msgpack"

    @property
    def media_type(self) -> str:
        return "application/json" if self is Format.JSON else "application/x-msgpack"


class Action(IntEnum):
    """ProtocolMessage actions (TR2)."""

    HEARTBEAT = 0
    ACK = 1
    NACK = 2
    CONNECTED = 4
    DISCONNECT = 5
    DISCONNECTED = 6
    CLOSE = 7
    CLOSED = 8
    ERROR = 9
    ATTACH = 10
    ATTACHED = 11
    DETACH = 12
    DETACHED = 13
    PRESENCE = 14
    MESSAGE = 15
    AUTH = 17
    OBJECT = 19
    ANNOTATION = 21


class Flag(IntFlag):
    """ProtocolMessage flags (TR3)."""

    HAS_BACKLOG = 1 << 1
    RESUMED = 1 << 2
    ATTACH_RESUME = 1 << 5
    PUBLISH = 1 << 17
    SUBSCRIBE = 1 << 18


def encode(value: object, format: Format) -> Frame:
    """Return `value` as JSON text or MessagePack bytes; for JSON it must hold no bytes."""
    if format is Format.JSON:
        return json.dumps(value, separators=(",", ":"))
    return _pack(value)


def decode(raw: Frame, format: Format) -> object:
    """Return the value in `raw`. Raises ValueError for whatever does not decode, however hostile."""
    try:
        if format is Format.JSON:
            value: object = json.loads(raw, parse_constant=_refuse_constant)
            # An escaped lone surrogate decodes, but could never be encoded again for another client.
            json.dumps(value, ensure_ascii=False).encode()
            return value
        if isinstance(raw, str):
            raise TypeError("text in place of binary")
        return _unpack(raw, raw=False)
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        raise ValueError(f"not one complete value in {format.value}") from error


def json_message(message: Fields) -> Fields:
    """Return a message for a JSON client: binary data becomes base64, noted in `encoding` (RSL4d1)."""
    data = message.get("data")
    if not isinstance(data, bytes):
        return message
    encoding = message.get("encoding")
    text = base64.b64encode(data).decode()
    return {**message, "data": text, "encoding": f"{encoding}/base64" if encoding else "base64"}


def wire_messages(messages: Iterable[Fields], format: Format) -> list[Fields]:
    return [json_message(message) if format is Format.JSON else message for message in messages]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
