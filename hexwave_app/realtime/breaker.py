"""A circuit breaker: what keeps failing is left alone for a while."""

import asyncio

from hexwave_app.processes.errors import ChannelUnavailable

_FAILURES = 3
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 15.0


class Breaker:
    """Opens after three failures in a row; then lets one try through after each pause, up to 15 s.

    Without it every update would wait its whole deadline for a service that is known to be away.
    """

    def __init__(self) -> None:
        self.reason: str | None = None
        """Why nothing is let through; `None` while closed."""
        self._failures = 0
        self._pause = _FIRST_PAUSE
        self._next_try = 0.0

    def check(self) -> None:
        """Raise `ChannelUnavailable` while open, but for the one whose turn it is to try."""
        if self.reason is None:
            return
        if self._now() < self._next_try:
            raise ChannelUnavailable(self.reason)
        # The next turn does not wait for the end of this one, which may be called off and never come.
        self._rest()

    def succeeded(self) -> None:
        self.reason, self._failures, self._pause = None, 0, _FIRST_PAUSE

    def failed(self, reason: str) -> None:
        self._failures += 1
        if self.reason is None and self._failures >= _FAILURES:
            self.reason = reason
            self._rest()

    def _rest(self) -> None:
        self._next_try = self._now() + self._pause
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
