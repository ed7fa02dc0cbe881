"""How long a page of 25,000 processes takes at the server, beside its floor: the newest, not narrowed.

On SQLite and, where a mongod is at hand, on MongoDB. Run it from the root: `python -m bench.gallery`.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from pymongo import MongoClient

from hexwave_app.processes import Filter, Processes, ProcessStatus
from hexwave_app.processes.ports import ProcessStore
from hexwave_app.stores.mongo import MongoStore
from hexwave_app.stores.sql import SqlStore
from tests.processes.memory import FaultyChannel
from tests.stores.many import MANY, fill_mongo, fill_sqlite
from tests.stores.mongod import binary, running

ROUNDS = 30
PAGE = 100
_USER = "g_a"
_DONE = ProcessStatus.COMPLETED
LISTS = {
    "the newest": Filter(),
    "those that are done": Filter(_DONE),
    "favourites, 1 in 100": Filter(_DONE, favourite=True),
    "a rare word, 1 in 1,000": Filter(_DONE, search="needle"),
    "a word that is nowhere": Filter(_DONE, search="nowhere"),
    "the oldest": Filter(_DONE, oldest_first=True),
}


async def timed(work: Callable[[], Awaitable[object]]) -> list[float]:
    """Milliseconds of each round, in order of length; a first one that is not counted warms up."""
    await work()
    took: list[float] = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        await work()
        took.append(1000 * (time.perf_counter() - begun))
    return sorted(took)


async def measure(name: str, store: ProcessStore) -> None:
    processes, floor = Processes(store, FaultyChannel()), 0.0
    print(f"{name}: {MANY:,} processes, pages of {PAGE}, {ROUNDS} rounds")
    for what, narrow in LISTS.items():
        pages = await timed(lambda narrow=narrow: processes.list(_USER, narrow=narrow, limit=PAGE))
        counts = await timed(lambda narrow=narrow: processes.count(_USER, narrow))
        median = statistics.median(pages)
        floor = floor or median
        print(
            f"  {what:26} page p50 {median:6.1f} ms, p95 {pages[int(0.95 * ROUNDS)]:6.1f} ms, "
            f"{median / floor:4.1f} x the newest; count p50 {statistics.median(counts):6.1f} ms"
        )


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hexwave.db"
        async with SqlStore.open(path) as store:
            fill_sqlite(path, _USER)
            await measure("SQLite", store)
        mongod = binary()
        if mongod is None:
            print("MongoDB: no mongod is at hand.")
            return
        with running(mongod, Path(folder)) as server:
            async with MongoStore.open(server.uri()) as store:
                with MongoClient[dict[str, object]](server.uri()) as client:
                    fill_mongo(client.get_default_database(), _USER)
                await measure("MongoDB", store)


if __name__ == "__main__":
    asyncio.run(main())
