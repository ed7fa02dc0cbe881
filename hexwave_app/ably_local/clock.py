"""Ably's time: whole milliseconds since the epoch."""

import time


def now() -> int:
    return time.time_ns() // 1_000_000
