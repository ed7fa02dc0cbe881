"""Batches: many publishes, each of its own, in one request (https://ably.com/docs/messages/batch)."""

from dataclasses import dataclass
from typing import cast

from .error import AblyError

MAX_CHANNELS = 100


@dataclass(frozen=True, slots=True)
class Spec:
    """BSP2: the same messages for each channel."""

    channels: list[str]
    messages: object


def read_specs(body: object) -> list[Spec]:
    """Return the specs of a body, which is one or a list of them.

    Raises AblyError: 40001 wrong shape, 40000 more than 100 different channels.
    """
    specs = [_read_spec(item) for item in (cast(list[object], body) if isinstance(body, list) else [body])]
    if not specs:
        raise AblyError(40001, "The batch is empty: publish at least one message.")
    if len({channel for spec in specs for channel in spec.channels}) > MAX_CHANNELS:
        raise AblyError(40000, f"Too many channels in one batch: at most {MAX_CHANNELS}.")
    return specs


def _read_spec(item: object) -> Spec:
    fields = cast(dict[str, object], item) if isinstance(item, dict) else {}
    channels = fields.get("channels")
    names = cast(list[object], channels) if isinstance(channels, list) else [channels]
    if not names or "messages" not in fields or not all(isinstance(name, str) for name in names):
        raise AblyError(40001, "A part of a batch must be an object with channels and messages.")
    return Spec(cast(list[str], names), fields["messages"])
