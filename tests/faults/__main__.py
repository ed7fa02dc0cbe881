"""`python -m tests.faults --runs 10000 [--store sqlite|mongo] [--seed 1]`: a long trial, with its figures."""

import argparse
import asyncio
import shutil
import tempfile
import time
from pathlib import Path

from tests.faults.trial import trial
from tests.stores.mongod import database


def main() -> int:
    parser = argparse.ArgumentParser(prog="dev.py faults")
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--store", choices=("sqlite", "mongo"), default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--guests", type=int, default=10, help="people at once, ten processes each")
    chosen = parser.parse_args()
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="hexwave-faults-"))
    with database(chosen.store, folder) as mongod:
        tally = asyncio.run(trial(chosen.runs, chosen.seed, folder, mongod, chosen.guests))
    if tally.broken:
        print(f"What the programs said is in {folder}")
    else:
        shutil.rmtree(folder)
    print(f"{tally.runs} processes on {chosen.store} in {time.monotonic() - began:.0f} s")
    for title, counts in (("faults", tally.faults), ("ends", tally.ends)):
        print(f"  {title}: " + ", ".join(f"{count} {name}" for name, count in sorted(counts.items())))
    print(f"  terminal messages heard: {tally.terminal_messages}")
    for broken in tally.broken[:20]:
        print(f"  BROKEN {broken}")
    return 1 if tally.broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
