"""The lines of the run, as a Markdown table."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bench.load import Load, quantile

_HEAD = ("", "", "", "p50", "p95", "p99", "floor", "× floor", "elsewhere†")


@dataclass(frozen=True)
class Line:
    """What was measured; `figures` begin with the one that is compared to `floor`.

    `elsewhere` maps whose figure it is to what another machine measured.
    """

    name: str
    unit: str
    figures: tuple[float, ...] = ()
    floor: float | None = None
    elsewhere: Mapping[str, float] | None = None
    store: str = ""
    failed: str = ""

    @property
    def ratio(self) -> float | None:
        return self.figures[0] / self.floor if self.figures and self.floor else None

    def cells(self) -> list[str]:
        if self.failed:
            return [self.store, self.name, self.unit, f"failed: {self.failed}", *[""] * 5]
        figures = [_short(figure) for figure in self.figures] + [""] * (3 - len(self.figures))
        floor = "" if self.floor is None else _short(self.floor)
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        return [self.store, self.name, self.unit, *figures, floor, ratio, self._elsewhere()]

    @property
    def told(self) -> str:
        """The line for a terminal."""
        return "  ".join(cell for cell in self.cells() if cell)

    def json(self) -> dict[str, Any]:
        return asdict(self) | {"ratio": self.ratio}

    def _elsewhere(self) -> str:
        return ", ".join(f"{name} {_short(figure)}" for name, figure in (self.elsewhere or {}).items())


def line(name: str, times: Iterable[float], floor: Iterable[float] | None = None, **elsewhere: float) -> Line:
    """One of milliseconds, compared by their medians."""
    times = list(times)
    figures = tuple(quantile(times, share) for share in (0.5, 0.95, 0.99))
    return Line(name, "ms", figures, None if floor is None else quantile(floor, 0.5), elsewhere)


def rate(name: str, load: Load, floor: Load | None = None, **elsewhere: float) -> Line:
    """One of how many a second."""
    below = None if floor is None else floor.per_second
    return Line(name, "a second", (load.per_second,), below, elsewhere)


def markdown(lines: Iterable[Line]) -> str:
    rows = [_HEAD, ("---", "---", "---", *("--:",) * 5, "---"), *(each.cells() for each in lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _short(figure: float) -> str:
    return f"{figure:.0f}" if figure >= 100 else f"{figure:.1f}" if figure >= 10 else f"{figure:.2g}"
