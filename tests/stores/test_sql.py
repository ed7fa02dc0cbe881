"""What SQLite adds to the contract: its file, its migrations, other processes, sudden death."""

import asyncio
import json
import os
import re
import sqlite3
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, event, inspect

from alembic import command
from hexwave_app.processes import Cursor, Filter, ProcessStatus, ProviderJob
from hexwave_app.processes import Process as ProcessModel
from hexwave_app.processes.errors import StoreUnavailable
from hexwave_app.processes.model import utc_now
from hexwave_app.stores.sql import SqlStore, _row, alembic_config, metadata, migrate  # pyright: ignore[reportPrivateUsage]
from tests.conftest import PATIENCE
from tests.stores import writer
from tests.stores.conftest import begun

ROOT = Path(__file__).parents[2]
INDEX = re.compile(r"USING (?:COVERING )?INDEX (\w+)")
ADDED = {"provider", "model", "favourite", "deleted_at", "search"}
BY_ID = "sqlite_autoindex_processes_1"


@pytest.fixture
def database(data_dir: Path) -> Path:
    data_dir.mkdir()
    return data_dir / "hexwave.db"


def tables(database: Path) -> set[str]:
    engine = create_engine(f"sqlite:///{database}")
    found = set(inspect(engine).get_table_names())
    engine.dispose()
    return found


def test_the_migrations_go_up_and_down_again(database: Path) -> None:
    """From nothing to the newest, back to nothing, and up once more."""
    url = f"sqlite:///{database}"
    migrate(url)
    assert tables(database) == {"api_keys", "processes", "alembic_version"}
    migrate(url)
    command.downgrade(alembic_config(url), "base")
    assert tables(database) == {"alembic_version"}
    migrate(url)
    assert "processes" in tables(database)


def test_every_migration_can_be_taken_back(database: Path) -> None:
    """One by one, and what was kept before it is kept."""
    url = f"sqlite:///{database}"
    migrate(url, "0001")
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        columns = "process_id, user_id, tool_name, category, status, sequence, revision, unpublished"
        columns += ", created_at, updated_at, document"
        values = "'p_x', 'g_a', 'image-generator', 'image', 'processing', 1, 1, 1, 0, 0, '{}'"
        connection.execute(f"INSERT INTO processes ({columns}) VALUES ({values})")
        before = connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
        migrate(url)
        assert connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall() != before
        command.downgrade(alembic_config(url), "0001")
        assert connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall() == before
        assert connection.execute("SELECT process_id FROM processes").fetchall() == [("p_x",)]


def test_the_models_match_the_migrations(database: Path) -> None:
    """What the code expects is what the migrations make, indexes included."""
    migrate(f"sqlite:///{database}")
    engine = create_engine(f"sqlite:///{database}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_the_command_line_migrates_the_database_of_the_settings(data_dir: Path) -> None:
    """`alembic upgrade head` needs nothing but HEXWAVE_DATA_DIR, which need not be there yet."""
    subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head"],
        cwd=ROOT,
        env=os.environ | {"HEXWAVE_DATA_DIR": str(data_dir)},
        check=True,
        timeout=PATIENCE,
        capture_output=True,
    )
    assert "processes" in tables(data_dir / "hexwave.db")


def test_a_migration_that_is_cut_short_leaves_nothing_behind(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the next start can do it again, whole."""

    def cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    url = f"sqlite:///{database}"
    with monkeypatch.context() as patch:
        patch.setattr("alembic.op.create_index", cut)
        with pytest.raises(KeyboardInterrupt):
            migrate(url)
    assert tables(database) == set()
    migrate(url)
    assert "processes" in tables(database)


async def test_the_file_outlives_power_cuts(database: Path) -> None:
    """Write-ahead log, and every commit is on the disk before it is acknowledged."""
    async with SqlStore.open(database) as store:
        with store._engine.connect() as connection:  # pyright: ignore[reportPrivateUsage]
            answers = [
                connection.exec_driver_sql(f"PRAGMA {name}") for name in ("journal_mode", "synchronous")
            ]
            assert [answer.scalar_one() for answer in answers] == ["wal", 2]


def test_a_file_that_is_no_database_is_told(database: Path) -> None:
    """The start stops with its path, and the file is left as it is."""

    async def start() -> None:
        async with SqlStore.open(database):
            pass

    database.write_bytes(b"holiday pictures" * 100)
    with pytest.raises(StoreUnavailable, match=r"hexwave\.db"):
        asyncio.run(start())
    assert database.read_bytes() == b"holiday pictures" * 100


async def test_a_broken_database_is_unavailable(database: Path) -> None:
    """Whatever SQLite says, callers see the error that they know."""
    async with SqlStore.open(database) as store:
        connection = sqlite3.connect(database)
        connection.execute("DROP TABLE processes")
        connection.close()
        with pytest.raises(StoreUnavailable):
            await store.get("p_x")
        with pytest.raises(StoreUnavailable):
            await store.insert(begun())


async def test_every_query_goes_by_an_index(database: Path) -> None:
    """As SQLite itself explains them: no table is scanned, and no result sorted afterwards."""
    cursor, running = Cursor(utc_now(), "p_x"), Filter(ProcessStatus.PROCESSING, "image-generator", "image")
    everything = replace(
        running,
        **{"provider": "demo", "model": "m", "favourite": True, "search": "sea"},
        since=utc_now() - timedelta(days=1),
        until=utc_now(),
    )
    async with SqlStore.open(database) as store:
        process = begun(idempotency_key="k")
        expected: list[tuple[Awaitable[object], set[str]]] = [
            (store.find("g_a", Filter(), 9, None), {"processes_by_user"}),
            (store.find("g_a", Filter(), 9, cursor), {"processes_by_user"}),
            (store.find("g_a", running, 9, cursor), {"processes_by_user"}),
            (store.find("g_a", everything, 9, cursor), {"processes_by_user"}),
            (store.find("g_a", replace(everything, oldest_first=True), 9, cursor), {"processes_by_user"}),
            (store.count("g_a", Filter()), {"processes_by_user"}),
            (store.count("g_a", everything), {"processes_by_user"}),
            (store.owned("g_a", ["p_x", "p_y"]), {BY_ID}),
            (store.deleted(utc_now(), 9), {"processes_deleted"}),
            (store.unfinished(utc_now(), 9), {"processes_unfinished"}),
            (store.overdue(utc_now(), 9), {"processes_overdue"}),
            (store.unpublished(utc_now(), 9), {"processes_unpublished"}),
            (store.get("p_x"), {BY_ID}),
            (store.replace(process), {BY_ID}),
            (store.lease("p_x", "one", utc_now()), {BY_ID}),
            (store.delete("p_x"), {BY_ID}),
            (store.insert(process), set()),
            (store.insert(begun(idempotency_key="k")), {BY_ID, "processes_by_idempotency_key"}),
        ]
        for query, indexes in expected:
            plan = await explained(store, query)
            assert {index for step in plan for index in INDEX.findall(step)} == indexes, plan
            assert not [step for step in plan if "SCAN" in step or "TEMP B-TREE" in step], plan


async def test_a_count_reads_the_index_alone(database: Path) -> None:
    """And so does all that a list is narrowed by: a document is read once it is found."""
    everything = Filter(ProcessStatus.COMPLETED, "t", "image", "demo", "m", favourite=True, search="sea")
    async with SqlStore.open(database) as store:
        (step,) = await explained(store, store.count("g_a", everything))
    assert "COVERING INDEX processes_by_user" in step


def test_the_lists_of_older_processes_are_filled(database: Path) -> None:
    """With what they are searched and narrowed by, in every script."""
    url, process = f"sqlite:///{database}", begun(provider=ProviderJob(name="demo", model="painter-1"))
    migrate(url, "0002")
    row = {name: value for name, value in _row(process).items() if name not in ADDED}
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        named = ", ".join(f":{name}" for name in row)
        connection.execute(
            f"INSERT INTO processes ({', '.join(row)}) VALUES ({named})",
            row | {"document": json.dumps(row["document"])},
        )

    async def found(narrow: Filter) -> list[ProcessModel]:
        async with SqlStore.open(database) as store:
            return await store.find("g_a", narrow, 9, None)

    for narrow in (Filter(search="MÖWEN"), Filter(provider="demo", model="painter-1")):
        assert asyncio.run(found(narrow)) == [process]
    assert asyncio.run(found(Filter(favourite=True))) == []


async def test_a_page_far_down_a_list_begins_at_its_cursor(database: Path) -> None:
    """Not at the newest process."""
    async with SqlStore.open(database) as store:
        (step,) = await explained(store, store.find("g_a", Filter(), 9, Cursor(utc_now(), "p_x")))
    assert "created_at<" in step


async def explained(store: SqlStore, query: Awaitable[object]) -> list[str]:
    """The steps of SQLite's plans for the statements that `query` runs."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        asked.append((statement, parameters))

    engine = store._engine  # pyright: ignore[reportPrivateUsage]
    event.listen(engine, "before_cursor_execute", note)
    await query
    event.remove(engine, "before_cursor_execute", note)
    with engine.connect() as connection:
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", told) for text, told in asked]
        return [row.detail for plan in plans for row in plan]


async def start_writer(do: str, database: Path, process_id: str = "") -> Process:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return await asyncio.create_subprocess_exec(
        *(sys.executable, writer.__file__, do, str(database), process_id),
        stdout=PIPE,
        env=os.environ | {"PYTHONPATH": path},
    )


@pytest.mark.parametrize("revision", ["base", "0001"])
async def test_servers_may_start_at_once(database: Path, revision: str) -> None:
    """On an empty directory, or an older version's; each migrates or finds it done, and none fails."""
    if revision != "base":
        await asyncio.to_thread(migrate, f"sqlite:///{database}", revision)
    servers = await asyncio.gather(*(start_writer("race", database, "p_none") for _ in range(3)))
    async with asyncio.timeout(PATIENCE):
        said = [(await server.communicate())[0] for server in servers]
    assert said == [b"open\n"] * 3


async def test_two_server_processes_never_both_win(database: Path) -> None:
    """Racing over the same sequences, each is won exactly once."""
    async with SqlStore.open(database) as store:
        process = await store.insert(begun())
        servers = [await start_writer("race", database, process.process_id) for _ in range(2)]
        async with asyncio.timeout(PATIENCE):
            said = [(await server.communicate())[0].split() for server in servers]
        wins = [int(sequence) for lines in said for sequence in lines[1:]]
        assert sorted(wins) == list(range(1, writer.ROUNDS + 1))
        last = await store.get(process.process_id)
        assert last is not None
        assert last.sequence == writer.ROUNDS + 1


async def test_a_killed_server_loses_no_acknowledged_write(database: Path) -> None:
    """kill -9 in the middle of writing: what it said was kept is there, and the file is sound."""
    server = await start_writer("write", database)
    assert server.stdout is not None
    async with asyncio.timeout(PATIENCE):
        lines = [await server.stdout.readline() for _ in range(40)]
        server.kill()
        rest = await server.stdout.read()
        await server.wait()
    # The pipe may end in half a line; a line that is whole was acknowledged.
    told = (b"".join(lines) + rest).decode().rpartition("\n")[0].splitlines()[1:]
    acknowledged = dict(line.split() for line in told)
    async with SqlStore.open(database) as store:
        kept = {process.process_id: process for process in await store.find("g_a", Filter(), 10_000, None)}
        for process_id, sequence in acknowledged.items():
            assert kept[process_id].sequence >= int(sequence)
    connection = sqlite3.connect(database)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
