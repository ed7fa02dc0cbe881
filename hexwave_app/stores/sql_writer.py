"""The one writer that SQLite has at a time, and who waits for it."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from hexwave_app.processes.errors import StoreUnavailable

log = logging.getLogger(__name__)

AT_ONCE = 100
"""Writes that are committed together. Who reads meanwhile reads what was before them."""

_CLOSED = "The database is closed: the server is about to end."

_T = TypeVar("_T")


@dataclass(eq=False)
class _Write:
    work: Callable[[Connection], Any]
    future: asyncio.Future[Any]
    value: Any = None
    error: Exception | None = None

    def run(self, connection: Connection) -> None:
        try:
            self.value, self.error = self.work(connection), None
        except Exception as error:
            self.error = error

    def answer(self) -> None:
        """Tell who waits, if anybody still does."""
        if not self.future.done():
            if self.error is None:
                self.future.set_result(self.value)
            else:
                self.future.set_exception(self.error)
        # Its traceback leads back to here.
        self.error = None


class SqlWriter:
    """Writes in turn, and all that came meanwhile together: one trip to a thread, one wait for the disk."""

    def __init__(self, engine: Engine, threads: ThreadPoolExecutor) -> None:
        self._engine = engine
        self._threads = threads
        self._waiting = deque[_Write]()
        self._writing = False
        self._closed = False

    async def write(self, work: Callable[[Connection], _T]) -> _T:
        """What `work` comes to, once it is on the disk.

        `work` is one statement, so that one that fails changes nothing; where it is written with others that
        fail, it is done a second time, the first one undone. Raises what `work` does, and `StoreUnavailable`.
        Who is cancelled while waiting has written nothing; afterwards, nobody knows.
        """
        if self._closed:
            raise StoreUnavailable(_CLOSED)
        write = _Write(work, asyncio.get_running_loop().create_future())
        self._waiting.append(write)
        if not self._writing:
            self._begin_turn()
        return await write.future

    def close(self) -> None:
        """Let those that wait know that it is in vain; what is being written is written."""
        self._closed = True
        writes = list(self._waiting)
        self._waiting.clear()
        _fail(writes, _CLOSED, None)

    def _begin_turn(self) -> None:
        while writes := self._next():
            try:
                # Not a task of one of those that wait, who may be cancelled while the others are written.
                turn = asyncio.get_running_loop().run_in_executor(self._threads, self._write, writes)
            except RuntimeError as error:
                # No thread is to be had.
                _fail(writes, "The server is too busy to use its database. Try again in a moment.", error)
            else:
                self._writing = True
                turn.add_done_callback(lambda turn: self._end_turn(writes, turn))
                return

    def _next(self) -> Sequence[_Write]:
        writes = list[_Write]()
        while self._waiting and len(writes) < AT_ONCE:
            write = self._waiting.popleft()
            if not write.future.done():
                writes.append(write)
        return writes

    def _end_turn(self, writes: Sequence[_Write], turn: asyncio.Future[None]) -> None:
        self._writing = False
        if (error := turn.exception()) is not None:
            _fail(writes, "The database does not answer. Try again in a moment.", error)
        for write in writes:
            write.answer()
        self._begin_turn()

    def _write(self, writes: Sequence[_Write]) -> None:
        """In a thread. Raises where the database takes nothing at all."""
        # A turn for which there was no thread is left to the next one: whoever it was for has been told.
        writes = [write for write in writes if not write.future.done()]
        with self._engine.connect() as connection:
            if len(writes) > 1 and _together(writes, connection):
                return
            # Alone, what fails spoils nothing for the others.
            for write in writes:
                write.run(connection)


def _together(writes: Sequence[_Write], connection: Connection) -> bool:
    """Whether all are written; otherwise none is."""
    # Whoever else holds the database has been waited for by all, and is nobody's fault.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        for write in writes:
            write.run(connection)
            # A duplicate is an answer like any other: the statement is undone, the transaction goes on
            # (https://www.sqlite.org/lang_conflict.html, ABORT).
            if write.error is not None and not isinstance(write.error, IntegrityError):
                raise write.error
        connection.exec_driver_sql("COMMIT")
    except Exception as error:
        log.warning("%d writes are done one by one, for together they fail: %r", len(writes), error)
        _roll_back(connection)
        return False
    return True


def _roll_back(connection: Connection) -> None:
    # A disk that is full has had it rolled back already.
    driver = connection.connection.driver_connection
    if driver is not None and driver.in_transaction:
        connection.exec_driver_sql("ROLLBACK")


def _fail(writes: Sequence[_Write], message: str, cause: BaseException | None) -> None:
    for write in writes:
        # Each its own: whoever raises one writes into it where it came from.
        write.error = StoreUnavailable(message)
        write.error.__cause__ = cause
        write.answer()
