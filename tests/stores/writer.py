"""A server process of its own, for races and sudden death: `python writer.py {race,write} DATABASE ID`."""

import asyncio
import sys
from pathlib import Path

from hexwave_app.processes import Process, Progressed, ProviderJob, transition
from hexwave_app.processes.model import utc_now
from hexwave_app.stores.sql import SqlStore

ROUNDS = 60
LANES = 8


async def race(store: SqlStore, process_id: str) -> None:
    """Prints each sequence that this process was told it had won."""
    while (process := await store.get(process_id)) is not None and process.sequence <= ROUNDS:
        update = Progressed(min(100, process.sequence), notice=f"{process.sequence}")
        if await store.replace(transition(process, update, utc_now())):
            print(process.sequence, flush=True)


async def write(store: SqlStore, _process_id: str) -> None:
    """Prints the id and sequence of every write once it is acknowledged, until it is killed.

    Many write at once, so that it is killed in the middle of what is committed together.
    """
    await asyncio.gather(*(_write(store) for _ in range(LANES)))


async def _write(store: SqlStore) -> None:
    while True:
        process = Process.begin(
            user_id="g_a", tool_name="t", category="image", req={}, provider=ProviderJob(name="demo")
        )
        await store.insert(process)
        print(process.process_id, 1, flush=True)
        await store.replace(transition(process, Progressed(5), utc_now()))
        print(process.process_id, 2, flush=True)


async def main(do: str, database: str, process_id: str) -> None:
    async with SqlStore.open(Path(database)) as store:
        print("open", flush=True)
        await {"race": race, "write": write}[do](store, process_id)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
