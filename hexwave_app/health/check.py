"""One look at one thing the app stands on."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum

from hexwave_app.processes.errors import HexwaveError, SettingsError

log = logging.getLogger(__name__)

PATIENCE = 5.0
"""Seconds that a check may take."""


class State(StrEnum):
    """The word for it. `NOT_SET_UP` works all the same, with what is built in; only `DOWN` is a fault."""

    HEALTHY = "Healthy"
    CONNECTED = "Connected"
    SLOW = "Slow"
    RECONNECTING = "Reconnecting"
    NOT_SET_UP = "Not set up"
    DOWN = "Down"


@dataclass(frozen=True)
class Check:
    """What was found. `key` is for programs and stable, `remedy` what to do about what is not well.

    `seconds` is how long it took to answer, where it did.
    """

    key: str
    name: str
    state: State
    detail: str
    remedy: str = ""
    seconds: float | None = None

    @property
    def well(self) -> bool:
        return self.state is not State.DOWN


class Stopwatch:
    """`seconds` of the block, once it is left."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._began = time.monotonic()

    def stop(self) -> None:
        self.seconds = time.monotonic() - self._began


@asynccontextmanager
async def timed() -> AsyncGenerator[Stopwatch, None]:
    watch = Stopwatch()
    yield watch
    watch.stop()


async def within(check: Awaitable[Check], key: str, name: str, remedy: str) -> Check:
    """What `check` finds; what it raises, or that it is not done in time, is found to be down."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await check
    except TimeoutError:
        return Check(key, name, State.DOWN, f"No answer in {PATIENCE:.0f} s.", remedy)
    except SettingsError:
        raise
    except HexwaveError as error:
        return Check(key, name, State.DOWN, error.message, remedy)
    except Exception:
        log.exception("%s cannot be examined", name)
        return Check(key, name, State.DOWN, "It cannot be examined; the log says why.", remedy)
