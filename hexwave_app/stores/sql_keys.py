"""API keys in SQLite, beside the processes."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from hexwave_app.identity.api_key import ApiKey
from hexwave_app.processes.errors import StoreUnavailable
from hexwave_app.stores.sql_schema import metadata

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", String(64), primary_key=True),
    Column("user_id", String(64), nullable=False),
    Column("name", String(64), nullable=False),
    Column("digest", LargeBinary(32), nullable=False, comment="SHA-256 of the secret"),
    Column("created_at", Integer, nullable=False, comment="milliseconds since the epoch"),
    Column("used_at", Integer, comment="milliseconds since the epoch"),
    Index("api_keys_by_user", "user_id", "created_at"),
)

# Made once: to build a statement costs more than to run it, and this one runs at every request with a key.
_FIND = select(api_keys).where(api_keys.c.key_id == bindparam("id"))

T = TypeVar("T")


class Connected(Protocol):
    """Does a piece of work on a connection, off the event loop; what writes is one statement."""

    async def __call__(self, work: Callable[[Connection], T], /) -> T: ...


class SqlKeys:
    """A `KeyStore` by the connections of a `SqlStore`."""

    def __init__(self, read: Connected, write: Connected) -> None:
        self._read = read
        self._write = write

    async def add(self, key: ApiKey) -> None:
        try:
            await self._write(lambda connection: connection.execute(insert(api_keys), _row(key)))
        except IntegrityError as error:
            raise StoreUnavailable("The key could not be kept. Try again.") from error

    async def find(self, key_id: str) -> ApiKey | None:
        row = await self._read(lambda connection: connection.execute(_FIND, {"id": key_id}).one_or_none())
        return None if row is None else _key(row)

    async def list(self, user_id: str) -> list[ApiKey]:
        query = select(api_keys).where(api_keys.c.user_id == user_id).order_by(api_keys.c.created_at.desc())
        return await self._read(lambda connection: list(map(_key, connection.execute(query))))

    async def used(self, key_id: str, at: datetime) -> None:
        change = update(api_keys).where(api_keys.c.key_id == key_id).values(used_at=_milliseconds(at))
        await self._write(lambda connection: connection.execute(change))

    async def remove(self, key_id: str, user_id: str) -> bool:
        own = delete(api_keys).where(api_keys.c.key_id == key_id, api_keys.c.user_id == user_id)
        return await self._write(lambda connection: connection.execute(own).rowcount == 1)

    async def adopt(self, user_id: str, adopter_id: str) -> None:
        change = update(api_keys).where(api_keys.c.user_id == user_id).values(user_id=adopter_id)
        await self._write(lambda connection: connection.execute(change))


def _row(key: ApiKey) -> dict[str, Any]:
    return {
        "key_id": key.id,
        "user_id": key.user_id,
        "name": key.name,
        "digest": key.digest,
        "created_at": _milliseconds(key.created_at),
        "used_at": None if key.used_at is None else _milliseconds(key.used_at),
    }


def _key(row: Row[Any]) -> ApiKey:
    used_at = None if row.used_at is None else _time(row.used_at)
    return ApiKey(row.key_id, row.user_id, row.name, row.digest, _time(row.created_at), used_at)


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _time(milliseconds: int) -> datetime:
    # Whole seconds and the rest apart: as one fraction, some milliseconds would be a microsecond off.
    return datetime.fromtimestamp(milliseconds // 1000, UTC).replace(microsecond=milliseconds % 1000 * 1000)
