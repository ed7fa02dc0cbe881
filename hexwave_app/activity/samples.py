"""The last measurements of something."""

import statistics
import time
from collections import deque

_KEPT = 200


class Samples:
    """Up to 200 measurements in seconds, those of the last `window` seconds where one is given."""

    def __init__(self, window: float | None = None) -> None:
        self._window = window
        self._kept: deque[tuple[float, float]] = deque(maxlen=_KEPT)

    def add(self, seconds: float) -> None:
        self._kept.append((time.monotonic(), seconds))

    @property
    def values(self) -> list[float]:
        """The oldest first."""
        since = 0.0 if self._window is None else time.monotonic() - self._window
        return [seconds for at, seconds in self._kept if at >= since]

    @property
    def median(self) -> float | None:
        return statistics.median(values) if (values := self.values) else None

    @property
    def p95(self) -> float | None:
        values = sorted(self.values)
        return values[min(int(len(values) * 0.95), len(values) - 1)] if values else None
