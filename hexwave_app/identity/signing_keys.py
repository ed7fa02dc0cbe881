"""The public keys of others, with which what they signed is checked."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from hexwave_app.processes.errors import HexwaveError, ProviderUnavailable

T = TypeVar("T")

READ_PATIENCE = 5.0
"""Seconds that what was signed may wait for the keys it is checked with."""

PAUSE = 60.0
"""Seconds within which keys that were read are not read again, so that forgeries cannot make us."""

RETRY_PAUSE = 5.0
"""Seconds within which they are not asked for again after they could not be read."""


def _provider_away() -> HexwaveError:
    return ProviderUnavailable(
        "The provider's signing keys cannot be read at the moment. Send the webhook again."
    )


class SigningKeys(Generic[T]):
    """The keys: read when first needed, one reading at a time, and cached for `keep` seconds.

    `away` makes the error that is raised while they cannot be read.
    """

    def __init__(
        self,
        read: Callable[[], Awaitable[T]],
        keep: float,
        clock: Callable[[], float],
        away: Callable[[], HexwaveError] = _provider_away,
    ) -> None:
        self._read = read
        self._keep = keep
        self._clock = clock
        self._away = away
        self._lock = asyncio.Lock()
        self._keys: T | None = None
        self._read_at = 0.0
        self._not_before = -1.0

    async def fit(self, test: Callable[[T], bool]) -> bool:
        """Whether `test` holds for the keys, or, as they may have been changed, for those read anew.

        Raises `away` while the keys cannot be read: nothing is known of the signature then, and what was
        signed is worth sending again.
        """
        try:
            async with asyncio.timeout(READ_PATIENCE):
                keys = await self._no_older_than(self._keep)
                if test(keys):
                    return True
                newer = await self._no_older_than(PAUSE)
        except TimeoutError as error:
            raise self._away() from error
        return newer is not keys and test(newer)

    async def _no_older_than(self, age: float) -> T:
        async with self._lock:
            now = self._clock()
            if self._keys is None or now - self._read_at >= age:
                if now < self._not_before:
                    raise self._away()
                self._not_before = now + RETRY_PAUSE
                self._keys = await self._read()
                self._read_at, self._not_before = now, now
            return self._keys
