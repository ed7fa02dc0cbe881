"""A user's 25,000 finished processes, put into a store from beneath it: through it would take minutes."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pymongo.database import Database

from hexwave_app.processes import Process, ProcessData, ProcessStatus, ProviderJob
from hexwave_app.processes.model import KeptPicture
from hexwave_app.stores.mongo import _document  # pyright: ignore[reportPrivateUsage]
from hexwave_app.stores.sql import _row  # pyright: ignore[reportPrivateUsage]

MANY = 25_000
SIZES = [(1024, 1024), (1216, 832), (832, 1216), (1344, 768)]
WORDS = ["Harbour at dawn", "Night sea", "Pine forest", "Mountain lake", "Skyline at night"]
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def painted(user_id: str, count: int) -> Iterator[Process]:
    """Oldest first, a minute apart; each hundredth is a favourite, each thousandth has a needle in it."""
    for number in range(count):
        at, (width, height) = NOON + timedelta(minutes=number), SIZES[number % len(SIZES)]
        process_id, needle = f"p_{number:020}", ", a needle" if number % 1000 == 0 else ""
        begun = Process.begin(
            user_id=user_id,
            tool_name="image-generator",
            category="image",
            req={"prompt": f"{WORDS[number % 5]}, number {number}{needle}", "aspectRatio": "1:1", "count": 1},
            provider=ProviderJob(name="demo", model="painter"),
        )
        data = ProcessData(
            req=begun.data.req,
            progress=100,
            generations=(f"/media/{process_id}/0.webp",),
            pictures=(KeptPicture(width=width, height=height, colour="#456789"),),
        )
        yield begun.model_copy(
            update={
                "process_id": process_id,
                "status": ProcessStatus.COMPLETED,
                "published": 1,
                "data": data,
                "favourite": number % 100 == 0,
                "created_at": at,
                "updated_at": at,
            }
        )


def fill_sqlite(database: Path, user_id: str, count: int = MANY) -> None:
    rows = [row | {"document": json.dumps(row["document"])} for row in map(_row, painted(user_id, count))]
    names = list(rows[0])
    statement = (
        f"INSERT INTO processes ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"
    )
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executemany(statement, rows)


def fill_mongo(database: Database[dict[str, Any]], user_id: str, count: int = MANY) -> None:
    database.processes.insert_many([_document(process) for process in painted(user_id, count)], ordered=False)
