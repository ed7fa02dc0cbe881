"""The sizes, counts and durations that bound the server."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Durations are milliseconds unless named otherwise; the defaults are the service's own where known."""

    message_bytes: int = 65_536  # TO3l8, CD2c
    frame_bytes: int = 524_288  # CD2d; also the largest request body, but for a batch
    batch_bytes: int = 2_097_152
    channels_per_connection: int = 200
    connection_state_ttl: int = 120_000  # CD2f
    max_idle_interval: int = 15_000  # CD2h
    history_age: int = 120_000  # https://ably.com/docs/storage-history/storage: two minutes
    history_messages: int = 1_000
    history_bytes: int = 1_048_576
    sweep_interval: int = 1_000  # how often idle channels are looked for, at most
    rewind_messages: int = 100  # https://ably.com/docs/channels/options/rewind
    channel_messages_per_second: int = 0  # 0 is no limit; the service's own is 50
    remembered_ids: int = 1_000  # idempotent publishing, per channel
    outbox_frames: int = 2_000
    outbox_bytes: int = 4_194_304
    tokens: int = 10_000
    lost_connections: int = 10_000
    # RTN22: how long before a token expires its client is asked for another; never, when it lives no longer.
    renewal_lead: int = 30_000
    request_seconds: float = 10.0
    close_seconds: float = 2.0
