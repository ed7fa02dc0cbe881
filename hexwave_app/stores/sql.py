"""Processes in SQLite: the embedded store."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Collection, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from alembic.config import Config
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Delete,
    Engine,
    Index,
    Integer,
    Select,
    String,
    Table,
    Text,
    TextClause,
    Update,
    and_,
    bindparam,
    create_engine,
    delete,
    event,
    false,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from alembic import command
from hexwave_app.processes.errors import StoreUnavailable
from hexwave_app.processes.model import Process, utc_now
from hexwave_app.processes.ports import Cursor, Filter
from hexwave_app.processes.search import searchable, words
from hexwave_app.stores.sql_keys import SqlKeys
from hexwave_app.stores.sql_schema import metadata
from hexwave_app.stores.sql_writer import SqlWriter

log = logging.getLogger(__name__)

T = TypeVar("T")

_THREADS = 5

# Beside the package, where Alembic's own command looks for it; an installed package has it in this folder.
_MIGRATIONS = next(
    folder
    for folder in (Path(__file__).with_name("alembic"), Path(__file__).parents[2] / "alembic")
    if folder.is_dir()
)

# Literals: SQLite uses a partial index only where the query names its condition.
_RUNNING = text("status = 'processing'")
_UNPUBLISHED = text("unpublished = 1")
_DELETED = text("deleted_at IS NOT NULL")

processes = Table(
    "processes",
    metadata,
    Column("process_id", String(64), primary_key=True),
    Column("user_id", String(64), nullable=False),
    Column("idempotency_key", String(255)),
    Column("tool_name", String(64), nullable=False),
    Column("category", String(32), nullable=False),
    Column("status", String(16), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("unpublished", Boolean, nullable=False),
    Column("created_at", Integer, nullable=False, comment="milliseconds since the epoch"),
    Column("updated_at", Integer, nullable=False, comment="milliseconds since the epoch"),
    Column("lease_owner", String(64)),
    Column(
        "lease_until", Integer, nullable=False, server_default="0", comment="milliseconds since the epoch"
    ),
    Column("document", JSON, nullable=False, comment="the whole process under its wire names"),
    Column("provider", String(64), nullable=False, server_default=""),
    Column("model", String(255)),
    Column("favourite", Boolean, nullable=False, server_default=false()),
    Column("deleted_at", Integer, comment="milliseconds since the epoch"),
    Column("search", Text, nullable=False, server_default="", comment="the prompt, as it is searched"),
    # All that a list is narrowed by is in its index: what does not fit is passed over without its row.
    Index(
        *("processes_by_user", "user_id", "created_at", "process_id", "deleted_at", "status", "category"),
        *("tool_name", "provider", "model", "favourite", "search"),
    ),
    Index("processes_by_idempotency_key", "user_id", "idempotency_key", unique=True),
    Index("processes_unfinished", "lease_until", "updated_at", sqlite_where=_RUNNING),
    Index("processes_overdue", "lease_until", "created_at", sqlite_where=_RUNNING),
    Index("processes_unpublished", "lease_until", "updated_at", sqlite_where=_UNPUBLISHED),
    Index("processes_deleted", "deleted_at", sqlite_where=_DELETED),
)


# Made once: to build a statement costs more than to run it, and these run at every change.
_INSERT = insert(processes)
_GET = select(processes.c.document).where(processes.c.process_id == bindparam("id"))
_REPLACE = update(processes).where(
    processes.c.process_id == bindparam("id"), processes.c.revision == bindparam("before")
)


# One statement, so that all of it is done or none; the document says what the columns say.
_ADOPT = text(
    """
    UPDATE processes SET
        user_id = :adopter,
        revision = revision + 1,
        idempotency_key = CASE WHEN taken THEN NULL ELSE idempotency_key END,
        document = json_set(
            CASE WHEN taken THEN json_remove(document, '$.idempotencyKey') ELSE document END,
            '$.userId', :adopter, '$.revision', revision + 1
        )
    FROM (
        SELECT process_id AS id, EXISTS (
            SELECT 1 FROM processes AS own
            WHERE own.user_id = :adopter AND own.idempotency_key = theirs.idempotency_key
        ) AS taken
        FROM processes AS theirs WHERE theirs.user_id = :user
    )
    WHERE process_id = id
    """
)


class SqlStore:
    """A `ProcessStore` on SQLite in WAL mode; an acknowledged write is on the disk.

    The atomicity of `replace` comes from its single UPDATE, so several server processes may share a file.
    """

    def __init__(self, engine: Engine, threads: ThreadPoolExecutor) -> None:
        self._engine = engine
        self._threads = threads
        # Waiting there is cheaper than in SQLite's busy handler.
        self._writer = SqlWriter(engine, threads)
        self.keys = SqlKeys(self._read, self._write)

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path) -> AsyncGenerator["SqlStore", None]:
        """The store in the file `path`, brought to the newest schema; `StoreUnavailable` when it can't be."""
        path.parent.mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{path}"
        try:
            await asyncio.to_thread(migrate, url)
        except SQLAlchemyError as error:
            raise StoreUnavailable(f"The database {path} cannot be opened: {error}") from error
        engine = create_engine(url, isolation_level="AUTOCOMMIT", pool_size=_THREADS)
        event.listen(engine, "connect", _configure)
        threads = ThreadPoolExecutor(_THREADS, "sqlite")
        store = cls(engine, threads)
        try:
            yield store
        finally:
            store._writer.close()
            await asyncio.to_thread(threads.shutdown)
            engine.dispose()

    async def insert(self, process: Process) -> Process:
        try:
            await self._write(lambda connection: connection.execute(_INSERT, _row(process)))
        except IntegrityError as error:
            kept = await self._one(select(processes.c.document).where(_same(process)))
            if kept is None:
                raise StoreUnavailable("This was just deleted elsewhere. Try again.") from error
            return kept
        return process

    async def get(self, process_id: str) -> Process | None:
        return await self._one(_GET, {"id": process_id})

    async def begun(self, user_id: str, idempotency_key: str) -> Process | None:
        table = processes.c
        key = and_(table.user_id == user_id, table.idempotency_key == idempotency_key)
        return await self._one(select(table.document).where(key))

    async def find(self, user_id: str, narrow: Filter, limit: int, after: Cursor | None) -> list[Process]:
        query = _listing(narrow, limit)
        if after is not None:
            query = query.where(*_beyond(after, narrow.oldest_first))
        return await self._all(query, {"user": user_id})

    async def count(self, user_id: str, narrow: Filter) -> int:
        query = select(func.count()).select_from(processes).where(*_narrowed(narrow))
        user = {"user": user_id}
        return await self._read(lambda connection: connection.execute(query, user).scalar_one())

    async def owned(self, user_id: str, process_ids: Collection[str]) -> list[Process]:
        table = processes.c
        # The plus keeps SQLite from reading the whole list of the user instead.
        theirs = text("+user_id = :user").bindparams(user=user_id)
        return await self._all(select(table.document).where(table.process_id.in_(process_ids), theirs))

    async def deleted(self, before: datetime, limit: int) -> list[Process]:
        table = processes.c
        query = select(table.document).where(_DELETED, table.deleted_at < _milliseconds(before))
        return await self._all(query.order_by(table.deleted_at).limit(limit))

    async def unfinished(self, before: datetime, limit: int) -> list[Process]:
        return await self._unclaimed(_RUNNING, processes.c.updated_at, before, limit)

    async def silent(self, before: datetime, limit: int) -> list[Process]:
        at = processes.c.updated_at
        query = select(processes.c.document).where(_RUNNING, at < _milliseconds(before))
        return await self._all(query.order_by(at).limit(limit))

    async def overdue(self, before: datetime, limit: int) -> list[Process]:
        return await self._unclaimed(_RUNNING, processes.c.created_at, before, limit)

    async def unpublished(self, before: datetime, limit: int) -> list[Process]:
        return await self._unclaimed(_UNPUBLISHED, processes.c.updated_at, before, limit)

    async def replace(self, process: Process) -> bool:
        before = {"id": process.process_id, "before": process.revision - 1}
        return await self._changed(_REPLACE, before | _row(process))

    async def lease(self, process_id: str, owner: str, until: datetime) -> bool:
        table = processes.c
        free = or_(_free(), table.lease_owner == owner)
        taken = {"lease_owner": owner, "lease_until": _milliseconds(until)}
        return await self._changed(
            update(processes).where(and_(table.process_id == process_id, free)).values(taken)
        )

    async def adopt(self, user_id: str, adopter_id: str) -> None:
        theirs = {"user": user_id, "adopter": adopter_id}
        await self._write(lambda connection: connection.execute(_ADOPT, theirs))

    async def delete(self, process_id: str, revision: int | None = None) -> bool:
        table = processes.c
        statement = delete(processes).where(table.process_id == process_id)
        return await self._changed(
            statement if revision is None else statement.where(table.revision == revision)
        )

    async def _unclaimed(
        self, condition: TextClause, at: Column[int], before: datetime, limit: int
    ) -> list[Process]:
        query = select(processes.c.document).where(condition, _free(), at < _milliseconds(before))
        return await self._all(query.order_by(processes.c.lease_until, at).limit(limit))

    async def _changed(self, statement: Update | Delete, values: dict[str, Any] | None = None) -> bool:
        return await self._write(lambda connection: connection.execute(statement, values).rowcount == 1)

    async def _all(self, query: Select[Any], values: dict[str, Any] | None = None) -> list[Process]:
        return await self._read(
            lambda connection: list(map(_process, connection.execute(query, values).scalars()))
        )

    async def _one(self, query: Select[Any], values: dict[str, Any] | None = None) -> Process | None:
        document = await self._read(lambda connection: connection.execute(query, values).scalar_one_or_none())
        return None if document is None else _process(document)

    async def _read(self, work: Callable[[Connection], T]) -> T:
        # All of it in one thread: an asynchronous driver goes to its thread and back for each step, the
        # cursor, the query, the rows and the end, and that takes longer than the steps.
        with _answering():
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._connected, work)

    async def _write(self, work: Callable[[Connection], T]) -> T:
        with _answering():
            return await self._writer.write(work)

    def _connected(self, work: Callable[[Connection], T]) -> T:
        with self._engine.connect() as connection:
            return work(connection)


@contextmanager
def _answering() -> Generator[None, None, None]:
    try:
        yield
    except IntegrityError:
        raise
    except SQLAlchemyError as error:
        raise StoreUnavailable("The database does not answer. Try again in a moment.") from error


def migrate(url: str, revision: str = "head") -> None:
    """Bring the database at `url` to `revision`; blocks, so call it in a thread.

    One that a newer version has brought further is left as it is: what that adds, this one can do without.
    """
    try:
        command.upgrade(alembic_config(url), revision)
    except CommandError as error:
        if not isinstance(error.__cause__, ResolutionError):
            raise
        log.warning("the database is a newer version's, and is used as it is: %s", error)


def alembic_config(url: str) -> Config:
    """Alembic's configuration for the migrations."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def _configure(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _process(document: Any) -> Process:
    return Process.model_validate(document)


def _row(process: Process) -> dict[str, Any]:
    return {
        "process_id": process.process_id,
        "user_id": process.user_id,
        "idempotency_key": process.idempotency_key,
        "tool_name": process.tool_name,
        "category": process.category,
        "status": process.status.value,
        "sequence": process.sequence,
        "revision": process.revision,
        "unpublished": process.unpublished,
        "created_at": _milliseconds(process.created_at),
        "updated_at": _milliseconds(process.updated_at),
        "document": process.wire(),
        "provider": process.provider.name,
        "model": process.provider.model,
        "favourite": process.favourite,
        "deleted_at": process.deleted_at and _milliseconds(process.deleted_at),
        "search": searchable(str(process.data.req.get("prompt", ""))),
    }


# Every page that is open asks for the same list, again and again, and making the statement costs more.
@lru_cache(64)
def _listing(narrow: Filter, limit: int) -> Select[Any]:
    """The first `limit` of a list of `:user`."""
    table = processes.c
    order = [table.created_at, table.process_id]
    if not narrow.oldest_first:
        order = [column.desc() for column in order]
    return select(table.document).where(*_narrowed(narrow)).order_by(*order).limit(limit)


def _narrowed(narrow: Filter) -> list[ColumnElement[bool]]:
    table = processes.c
    exact = [
        (table.status, narrow.status),
        (table.tool_name, narrow.tool_name),
        (table.category, narrow.category),
        (table.provider, narrow.provider),
        (table.model, narrow.model),
        (table.favourite, narrow.favourite or None),
    ]
    wanted = [table.user_id == bindparam("user"), table.deleted_at.is_(None)]
    wanted += [column == value for column, value in exact if value is not None]
    if narrow.since is not None:
        wanted.append(table.created_at >= _milliseconds(narrow.since))
    if narrow.until is not None:
        wanted.append(table.created_at < _milliseconds(narrow.until))
    return wanted + [func.instr(table.search, word) > 0 for word in words(narrow.search)]


def _beyond(after: Cursor, oldest_first: bool) -> list[ColumnElement[bool]]:
    # The bound is one for the index; the alternatives only tell equal times apart.
    table, at = processes.c, _milliseconds(after.created_at)
    if oldest_first:
        return [table.created_at >= at, or_(table.created_at > at, table.process_id > after.process_id)]
    return [table.created_at <= at, or_(table.created_at < at, table.process_id < after.process_id)]


def _free() -> ColumnElement[bool]:
    return processes.c.lease_until < _milliseconds(utc_now())


def _same(process: Process) -> ColumnElement[bool]:
    table = processes.c
    key = and_(table.user_id == process.user_id, table.idempotency_key == process.idempotency_key)
    itself = table.process_id == process.process_id
    return itself if process.idempotency_key is None else or_(itself, key)


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
