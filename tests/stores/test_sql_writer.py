"""Writes that wait for SQLite's one writer, and are committed together."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import IntegrityError, OperationalError

from hexwave_app.processes.errors import StoreUnavailable
from hexwave_app.stores.sql_writer import AT_ONCE, SqlWriter
from tests.conftest import PATIENCE

Work = Callable[[Connection], Any]


class Bench:
    """A writer to a table of unique numbers."""

    def __init__(self, writer: SqlWriter, path: Path) -> None:
        self.writer = writer
        self.path = path
        self.busy = list[str]()
        """The statements that found the database held."""

    @property
    def kept(self) -> list[int]:
        with closing(sqlite3.connect(self.path)) as connection:
            return [row[0] for row in connection.execute("SELECT n FROM numbers ORDER BY rowid")]

    @asynccontextmanager
    async def held(self) -> AsyncIterator[Awaitable[None]]:
        """While within, the writer is at a write; yields what ends when that has."""
        begun, go = threading.Event(), threading.Event()

        def hold(_connection: Connection) -> None:
            begun.set()
            assert go.wait(PATIENCE)

        holding = asyncio.ensure_future(self.writer.write(hold))
        try:
            assert await asyncio.to_thread(begun.wait, PATIENCE)
            yield holding
        finally:
            go.set()

    async def together(self, *works: Work) -> list[Any]:
        """The outcomes of works that all wait for the same turn."""
        async with self.held() as holding:
            writes = [asyncio.ensure_future(self.writer.write(work)) for work in works]
            await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE):
            await holding
            return await asyncio.gather(*writes, return_exceptions=True)


def add(number: int) -> Work:
    return lambda connection: connection.exec_driver_sql("INSERT INTO numbers VALUES (?)", (number,)).rowcount


def transaction(connection: Connection) -> bool:
    """Whether it runs in a transaction with others."""
    driver = connection.connection.driver_connection
    assert driver is not None
    return driver.in_transaction


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    path = tmp_path / "numbers.db"
    # Not a moment, where another program holds it.
    engine = create_engine(f"sqlite:///{path}", isolation_level="AUTOCOMMIT", connect_args={"timeout": 0})
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE numbers (n INTEGER UNIQUE)")
    with ThreadPoolExecutor(2) as threads:
        bench = Bench(SqlWriter(engine, threads), path)
        event.listen(engine, "handle_error", lambda context: bench.busy.append(str(context.statement)))
        yield bench
    engine.dispose()


async def test_what_waits_is_written_in_one_transaction(bench: Bench) -> None:
    """In the order in which it came; each is told what its own statement did."""
    outcomes = await bench.together(add(3), transaction, add(1), add(2))
    assert outcomes == [1, True, 1, 1]
    assert bench.kept == [3, 1, 2]


async def test_what_comes_alone_waits_for_no_transaction(bench: Bench) -> None:
    """One statement is its own transaction."""
    assert await bench.writer.write(transaction) is False
    assert await bench.writer.write(add(1)) == 1
    assert bench.kept == [1]


async def test_a_duplicate_fails_by_itself(bench: Bench) -> None:
    """What is written with it is kept, before and after."""
    first, duplicate, last = await bench.together(add(1), add(1), add(2))
    assert isinstance(duplicate, IntegrityError)
    assert (first, last) == (1, 1)
    assert bench.kept == [1, 2]


async def test_a_statement_that_cannot_work_spoils_nothing(bench: Bench) -> None:
    """Its neighbours are written all the same, each once."""

    def broken(connection: Connection) -> None:
        connection.exec_driver_sql("INSERT INTO nowhere VALUES (1)")

    first, failure, last = await bench.together(add(1), broken, add(2))
    assert isinstance(failure, OperationalError)
    assert (first, last) == (1, 1)
    assert bench.kept == [1, 2]


async def test_a_transaction_that_was_rolled_back_already_is_begun_anew(bench: Bench) -> None:
    """As SQLite itself does on a full disk: nothing of it is kept, and then each by itself is."""
    tries = 0

    def lost(connection: Connection) -> int:
        nonlocal tries
        tries += 1
        if tries == 1:
            connection.exec_driver_sql("ROLLBACK")
            raise OSError("No space left on device")
        return tries

    assert await bench.together(add(1), lost, add(2)) == [1, 2, 1]
    assert bench.kept == [1, 2]


async def test_who_is_called_off_while_waiting_has_written_nothing(bench: Bench) -> None:
    """And the others of its turn have."""
    async with bench.held() as holding:
        waiting = [asyncio.ensure_future(bench.writer.write(add(number))) for number in range(3)]
        await asyncio.sleep(0)
        waiting[1].cancel()
    async with asyncio.timeout(PATIENCE):
        await holding
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [int, asyncio.CancelledError, int]
    assert bench.kept == [0, 2]


async def test_who_is_called_off_while_writing_holds_up_nobody(bench: Bench) -> None:
    """The turn ends as it would have, and the next one begins."""
    async with bench.held() as holding:
        asyncio.ensure_future(holding).cancel()
        waiting = asyncio.ensure_future(bench.writer.write(add(1)))
        await asyncio.sleep(0)
        assert not waiting.done()
    async with asyncio.timeout(PATIENCE):
        assert await waiting == 1


async def test_a_crowd_takes_turns(bench: Bench) -> None:
    """More than one transaction takes is written by the next ones, all of it, in order."""
    numbers = list(range(2 * AT_ONCE + 1))
    assert await bench.together(*map(add, numbers)) == [1] * len(numbers)
    assert bench.kept == numbers


async def test_a_database_that_another_program_holds_is_waited_for_once(bench: Bench) -> None:
    """Not once for each of those that wait; all hear of it together, each with an error of its own."""
    with closing(sqlite3.connect(bench.path, isolation_level=None)) as other:
        async with bench.held() as holding:
            waiting = [asyncio.ensure_future(bench.writer.write(add(number))) for number in range(5)]
            await asyncio.sleep(0)
            other.execute("BEGIN IMMEDIATE")
            bench.busy.clear()
        async with asyncio.timeout(PATIENCE):
            await holding
            failures = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(failure) for failure in failures] == [StoreUnavailable] * 5
        assert len(set(map(id, failures))) == 5
        assert bench.busy == ["BEGIN IMMEDIATE"]
        other.execute("ROLLBACK")
    assert await bench.together(add(1), add(2)) == [1, 1]


async def test_without_a_thread_whoever_writes_is_told_and_the_next_one_is_not(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No writer is left waiting for a turn that never began."""

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        async with asyncio.timeout(PATIENCE):
            for _ in range(2):
                with pytest.raises(StoreUnavailable):
                    await bench.writer.write(add(1))
    async with asyncio.timeout(PATIENCE):
        assert await bench.writer.write(add(2)) == 1
    assert bench.kept == [2]


async def test_what_ends_a_thread_ends_no_other_writer_well(bench: Bench) -> None:
    """Nobody takes it for an answer."""

    def leave(_connection: Connection) -> None:
        raise SystemExit

    outcomes = await bench.together(add(1), leave, add(2))
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 3
    assert bench.kept == []


async def test_closing_leaves_nobody_waiting(bench: Bench) -> None:
    """What is being written is written; what waits, and what comes afterwards, is told so."""
    async with bench.held() as holding:
        waiting = asyncio.ensure_future(bench.writer.write(add(1)))
        await asyncio.sleep(0)
        bench.writer.close()
    async with asyncio.timeout(PATIENCE):
        await holding
        with pytest.raises(StoreUnavailable):
            await waiting
        with pytest.raises(StoreUnavailable):
            await bench.writer.write(add(2))
    assert bench.kept == []
