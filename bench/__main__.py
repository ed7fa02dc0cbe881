"""`python -m bench [--quick] [--store sqlite|mongo] [--json FILE]`: what Hexwave takes, beside its floors.

Prints one Markdown table; what its lines mean is in docs/performance.md. Every group of lines has servers and
a database of its own, but for a quick run. A line that failed says so, and the rest goes on.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path

import uvloop

from bench.browser import dom
from bench.create import creations, webhooks
from bench.memory import memory
from bench.stage import Stage, staged
from bench.submit import submissions
from bench.table import Line, markdown
from bench.webhook import at_once, population, steady
from tests.stores.mongod import Mongod, database

_STEP_SECONDS = 150.0
"""After which a step of a group has failed."""


@dataclass(frozen=True)
class Sizes:
    """How much of each is measured."""

    in_flight: tuple[int, ...] = (1, 20, 100)
    creations: int = 1000
    processes: int = 200
    webhook_rounds: int = 10
    sessions: tuple[tuple[int, int], ...] = ((1, 30), (50, 8), (200, 4), (500, 2), (1000, 1))
    """How many sessions, and for how many rounds."""
    beside: tuple[int, ...] = (1, 50)
    """Of these, those beside which a browser is measured."""
    dom: int = 10
    steady: tuple[int, ...] = (500, 1000)
    """Of these, those that also report at a steady pace: each every `spread` seconds."""
    spread: float = 10.0
    steady_rounds: int = 2
    submits: tuple[tuple[int, int], ...] = ((1, 20), (50, 3), (200, 1))
    memory: int = 200
    apart: bool = True
    """Whether each group has servers and a database of its own."""


QUICK = Sizes(
    in_flight=(1, 5),
    creations=30,
    processes=5,
    webhook_rounds=4,
    sessions=((1, 3), (5, 2)),
    beside=(1,),
    dom=3,
    steady=(5,),
    spread=0.5,
    steady_rounds=1,
    submits=((1, 2), (5, 1)),
    memory=5,
    apart=False,
)


@dataclass
class Bench:
    """The run, and the lines that it has come to; they are told as they come."""

    sizes: Sizes
    only: str
    browser: str
    folder: Path
    lines: list[Line] = field(default_factory=list[Line])

    async def run(self, store: str, mongod: Mongod | None) -> None:
        """All groups on one store."""
        groups = {
            "start": self._start,
            "create": self._create,
            "webhooks": self._webhooks,
            "live": self._live,
            "submit": self._submit,
        }
        wanted = [name for name in groups if self.only in (name, "")]
        for names in [[name] for name in wanted] if self.sizes.apart else [wanted]:
            try:
                async with staged(self.folder / f"{store}-{names[0]}", mongod) as stage:
                    for name in names:
                        await groups[name](store, stage)
            except Exception as error:
                self._failed(store, names[0], error)

    async def _start(self, store: str, stage: Stage) -> None:
        await self._take(store, "memory", memory(stage, self.sizes.memory))

    async def _create(self, store: str, stage: Stage) -> None:
        await self._take(store, "create", creations(stage, self.sizes.in_flight, self.sizes.creations))

    async def _webhooks(self, store: str, stage: Stage) -> None:
        lines = webhooks(stage, self.sizes.processes, self.sizes.webhook_rounds)
        await self._take(store, "webhooks", lines)

    async def _live(self, store: str, stage: Stage) -> None:
        async with population(stage) as live:
            for count, rounds in self.sizes.sessions:
                await self._take(store, f"{count} sessions", at_once(live, count, rounds))
                if count in self.sizes.steady:
                    lines = steady(live, count, self.sizes.spread, self.sizes.steady_rounds)
                    await self._take(store, f"{count} live processes", lines)
                if self.browser and count in self.sizes.beside:
                    lines = dom(live, self.browser, self.sizes.dom)
                    await self._take(store, f"browser beside {count}", lines)

    async def _submit(self, store: str, stage: Stage) -> None:
        for count, rounds in self.sizes.submits:
            await self._take(store, f"{count} submissions", submissions(stage, count, rounds))

    async def _take(self, store: str, name: str, lines: AsyncGenerator[Line, None]) -> None:
        try:
            async with asyncio.timeout(_STEP_SECONDS), aclosing(lines):
                async for line in lines:
                    self._add(replace(line, store=store))
        except Exception as error:
            self._failed(store, name, error)

    def _failed(self, store: str, name: str, error: Exception) -> None:
        self._add(Line(name, "", store=store, failed=f"{type(error).__name__} {error}".strip()))

    def _add(self, line: Line) -> None:
        self.lines.append(line)
        print(line.told, file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench")
    parser.add_argument("--quick", action="store_true", help="small numbers, on SQLite alone unless told")
    parser.add_argument("--store", choices=("sqlite", "mongo"), help="both, unless one is named")
    parser.add_argument("--only", default="", choices=("start", "create", "webhooks", "live", "submit"))
    parser.add_argument("--json", type=Path, help="write the lines there too")
    parser.add_argument("--browser", default=os.environ.get("HEXWAVE_TEST_BROWSER", ""))
    chosen = parser.parse_args()
    stores = [chosen.store] if chosen.store else ["sqlite"] if chosen.quick else ["sqlite", "mongo"]
    with tempfile.TemporaryDirectory(prefix="hexwave-bench-", ignore_cleanup_errors=True) as folder:
        bench = Bench(QUICK if chosen.quick else Sizes(), chosen.only, chosen.browser, Path(folder))
        for store in stores:
            with database(store, Path(folder)) as mongod:
                uvloop.run(bench.run(store, mongod))
    print(markdown(bench.lines))
    if chosen.json is not None:
        chosen.json.write_text(json.dumps([each.json() for each in bench.lines], indent=2))
    return 1 if any(each.failed for each in bench.lines) else 0


if __name__ == "__main__":
    raise SystemExit(main())
