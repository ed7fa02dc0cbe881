"""The one writer that SQLite has at a time, and who waits for it."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from hexwave_app.processes.errors import StoreUnavailable

AT_ONCE = 100
"""Writes that are committed together. Who reads meanwhile reads what was before them."""

_T = TypeVar("_T")

Work = Callable[[Connection], Any]
"""One statement: one that fails changes nothing, and leaves those before it as they are."""


@dataclass(eq=False)
class _Write:
    work: Work
    done: asyncio.Future[Any]

    def end(self, outcome: Any) -> None:
        if self.done.done():
            return
        if isinstance(outcome, Exception):
            self.done.set_exception(outcome)
        else:
            self.done.set_result(outcome)


class SqlWriter:
    """Writes in turn, and all that came meanwhile together: one trip to a thread, one wait for the disk."""

    def __init__(self, engine: Engine, threads: ThreadPoolExecutor) -> None:
        self._engine = engine
        self._threads = threads
        self._waiting = deque[_Write]()
        self._writing = False
        self._closed = False

    async def write(self, work: Callable[[Connection], _T]) -> _T:
        """What `work` comes to, once it is on the disk. Raises what `work` does, and `StoreUnavailable`.

        Who is cancelled while it waits has written nothing; afterwards, nobody knows.
        """
        if self._closed:
            raise _closed()
        write = _Write(work, asyncio.get_running_loop().create_future())
        self._waiting.append(write)
        if not self._writing:
            self._next()
        return await write.done

    def close(self) -> None:
        """Let those that wait know that it is in vain; what is being written is written."""
        self._closed = True
        while self._waiting:
            self._waiting.popleft().end(_closed())

    def _next(self) -> None:
        writes = list[_Write]()
        while self._waiting and len(writes) < AT_ONCE:
            write = self._waiting.popleft()
            if not write.done.done():
                writes.append(write)
        self._writing = bool(writes)
        if writes:
            works = [write.work for write in writes]
            # Not a task of one of those that wait, who may be cancelled while the others are being written.
            done = asyncio.get_running_loop().run_in_executor(self._threads, self._written, works)
            done.add_done_callback(lambda _: self._ended(writes, done))

    def _ended(self, writes: Sequence[_Write], done: asyncio.Future[list[Any]]) -> None:
        error = _closed() if done.cancelled() else done.exception()
        outcomes = done.result() if error is None else [error] * len(writes)
        for write, outcome in zip(writes, outcomes, strict=True):
            write.end(outcome)
        self._next()

    def _written(self, works: Sequence[Work]) -> list[Any]:
        """What each came to, or its error, in order."""
        with self._engine.connect() as connection:
            if len(works) > 1:
                try:
                    return _together(works, connection)
                except Exception:
                    _roll_back(connection)
            # Alone, what fails spoils nothing for the others.
            return [_outcome(work, connection) for work in works]


def _together(works: Sequence[Work], connection: Connection) -> list[Any]:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    outcomes = list[Any]()
    for work in works:
        try:
            outcomes.append(work(connection))
        except IntegrityError as error:
            # An answer like any other: the statement is undone, the transaction goes on
            # (https://www.sqlite.org/lang_conflict.html, ABORT).
            outcomes.append(error)
    connection.exec_driver_sql("COMMIT")
    return outcomes


def _roll_back(connection: Connection) -> None:
    # A disk that is full has had it rolled back already.
    driver = connection.connection.driver_connection
    if driver is not None and driver.in_transaction:
        connection.exec_driver_sql("ROLLBACK")


def _closed() -> StoreUnavailable:
    return StoreUnavailable("The database is closed: the server is about to end.")


def _outcome(work: Work, connection: Connection) -> Any:
    try:
        return work(connection)
    except Exception as error:
        return error
