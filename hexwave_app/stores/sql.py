"""Processes in SQLite: the embedded store."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from alembic.config import Config
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Delete,
    Index,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    TextClause,
    Update,
    and_,
    bindparam,
    delete,
    event,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from alembic import command
from hexwave_app.processes.errors import StoreUnavailable
from hexwave_app.processes.model import Process, utc_now
from hexwave_app.processes.ports import Cursor, Filter

_ROOT = Path(__file__).parents[2]

metadata = MetaData()

# Literals: SQLite uses a partial index only where the query names its condition.
_RUNNING = text("status = 'processing'")
_UNPUBLISHED = text("unpublished = 1")

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
    Index("processes_by_user", "user_id", "created_at", "process_id"),
    Index("processes_by_idempotency_key", "user_id", "idempotency_key", unique=True),
    Index("processes_unfinished", "lease_until", "updated_at", sqlite_where=_RUNNING),
    Index("processes_overdue", "lease_until", "created_at", sqlite_where=_RUNNING),
    Index("processes_unpublished", "lease_until", "updated_at", sqlite_where=_UNPUBLISHED),
)


# Made once: to build a statement costs more than to run it, and these two run at every change.
_GET = select(processes.c.document).where(processes.c.process_id == bindparam("id"))
_REPLACE = update(processes).where(
    processes.c.process_id == bindparam("id"), processes.c.revision == bindparam("before")
)


class SqlStore:
    """A `ProcessStore` on SQLite in WAL mode; an acknowledged write is on the disk.

    The atomicity of `replace` comes from its single UPDATE, so several server processes may share a file.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        # SQLite has one writer at a time: waiting here is cheaper than in its busy handler.
        self._writing = asyncio.Lock()

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path) -> AsyncGenerator["SqlStore", None]:
        """The store in the file `path`, brought to the newest schema; `StoreUnavailable` when it can't be."""
        path.parent.mkdir(parents=True, exist_ok=True)
        url = f"sqlite+aiosqlite:///{path}"
        try:
            await asyncio.to_thread(migrate, url)
        except SQLAlchemyError as error:
            raise StoreUnavailable(f"The database {path} cannot be opened: {error}") from error
        engine = create_async_engine(url, isolation_level="AUTOCOMMIT", pool_size=5)
        event.listen(engine.sync_engine, "connect", _configure)
        try:
            yield cls(engine)
        finally:
            await engine.dispose()

    async def insert(self, process: Process) -> Process:
        try:
            async with self._writer() as connection:
                await connection.execute(insert(processes).values(_row(process)))
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
        table = processes.c
        query = select(table.document).where(table.user_id == user_id)
        for column, value in (
            (table.status, narrow.status),
            (table.tool_name, narrow.tool_name),
            (table.category, narrow.category),
        ):
            if value is not None:
                query = query.where(column == value)
        if after is not None:
            at = _milliseconds(after.created_at)
            # The bound is one for the index; the alternatives only tell equal times apart.
            older = or_(table.created_at < at, table.process_id < after.process_id)
            query = query.where(table.created_at <= at, older)
        return await self._all(query.order_by(table.created_at.desc(), table.process_id.desc()).limit(limit))

    async def unfinished(self, before: datetime, limit: int) -> list[Process]:
        return await self._unclaimed(_RUNNING, processes.c.updated_at, before, limit)

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

    async def delete(self, process_id: str) -> bool:
        return await self._changed(delete(processes).where(processes.c.process_id == process_id))

    async def _unclaimed(
        self, condition: TextClause, at: Column[int], before: datetime, limit: int
    ) -> list[Process]:
        query = select(processes.c.document).where(condition, _free(), at < _milliseconds(before))
        return await self._all(query.order_by(processes.c.lease_until, at).limit(limit))

    async def _changed(self, statement: Update | Delete, values: dict[str, Any] | None = None) -> bool:
        async with self._writer() as connection:
            return (await connection.execute(statement, values)).rowcount == 1

    async def _all(self, query: Select[Any]) -> list[Process]:
        async with self._reader() as connection:
            return [
                Process.model_validate(document) for document in (await connection.execute(query)).scalars()
            ]

    async def _one(self, query: Select[Any], values: dict[str, Any] | None = None) -> Process | None:
        async with self._reader() as connection:
            document = (await connection.execute(query, values)).scalar_one_or_none()
        return None if document is None else Process.model_validate(document)

    @asynccontextmanager
    async def _reader(self) -> AsyncGenerator[AsyncConnection, None]:
        try:
            async with self._engine.connect() as connection:
                yield connection
        except IntegrityError:
            raise
        except SQLAlchemyError as error:
            raise StoreUnavailable("The database does not answer. Try again in a moment.") from error

    @asynccontextmanager
    async def _writer(self) -> AsyncGenerator[AsyncConnection, None]:
        async with self._writing, self._reader() as connection:
            yield connection


def migrate(url: str, revision: str = "head") -> None:
    """Bring the database at `url` to `revision`; blocks, so call it in a thread."""
    command.upgrade(alembic_config(url), revision)


def alembic_config(url: str) -> Config:
    """Alembic's configuration for the migrations in the repository's `alembic/`."""
    config = Config(_ROOT / "alembic.ini")
    config.set_main_option("script_location", str(_ROOT / "alembic"))
    config.set_main_option("sqlalchemy.url", url.replace("sqlite+aiosqlite", "sqlite").replace("%", "%%"))
    return config


def _configure(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


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
    }


def _free() -> ColumnElement[bool]:
    return processes.c.lease_until < _milliseconds(utc_now())


def _same(process: Process) -> ColumnElement[bool]:
    table = processes.c
    key = and_(table.user_id == process.user_id, table.idempotency_key == process.idempotency_key)
    itself = table.process_id == process.process_id
    return itself if process.idempotency_key is None else or_(itself, key)


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
