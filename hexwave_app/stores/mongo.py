"""Processes in MongoDB: the store for several hosts."""

import asyncio
import re
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pymongo
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection
from pymongo import ASCENDING, DESCENDING, IndexModel, UpdateOne
from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern

from hexwave_app.processes.errors import SettingsError, StoreUnavailable
from hexwave_app.processes.model import Process, utc_now
from hexwave_app.processes.ports import Cursor, Filter
from hexwave_app.processes.search import searchable, words
from hexwave_app.stores import mongo_keys

_GRACE = 1.0
_DATABASE = "hexwave"

_LONGEST_SILENT_FIRST = [("leaseUntil", ASCENDING), ("updatedAt", ASCENDING)]
_OLDEST_FIRST = [("leaseUntil", ASCENDING), ("createdAt", ASCENDING)]
_NEWEST_FIRST = [("createdAt", DESCENDING), ("processId", DESCENDING)]
_OLDEST_OF_LIST = [("createdAt", ASCENDING), ("processId", ASCENDING)]

# MongoDB uses a partial index only where the query names its condition.
_RUNNING = {"status": "processing"}
_UNPUBLISHED = {"unpublished": True}
_DELETED = {"deletedAt": {"$exists": True}}

_LISTED = "listed"
_FORMER = "by_user"
_NO_SUCH_INDEX = 27
_BATCH = 1000

_KEYED = {"idempotencyKey": {"$exists": True}}

_INDEXES = [
    IndexModel([("processId", ASCENDING)], name="process_id", unique=True),
    # All that a list is narrowed by is in its index: what does not fit is passed over without its document.
    IndexModel(
        [
            *(("userId", ASCENDING), *_NEWEST_FIRST),
            *((name, ASCENDING) for name in ("status", "category", "toolName")),
            *((name, ASCENDING) for name in ("provider.name", "provider.model", "favourite", "search")),
        ],
        name=_LISTED,
    ),
    IndexModel(
        [("userId", ASCENDING), ("idempotencyKey", ASCENDING)],
        name="by_idempotency_key",
        unique=True,
        partialFilterExpression=_KEYED,
    ),
    IndexModel(_LONGEST_SILENT_FIRST, name="unfinished_by_lease", partialFilterExpression=_RUNNING),
    IndexModel(_OLDEST_FIRST, name="overdue_by_lease", partialFilterExpression=_RUNNING),
    IndexModel(_LONGEST_SILENT_FIRST, name="unpublished_by_lease", partialFilterExpression=_UNPUBLISHED),
    IndexModel([("deletedAt", ASCENDING)], name="deleted", partialFilterExpression=_DELETED),
]

_Document = dict[str, Any]

_FIELDS = frozenset(field.serialization_alias or name for name, field in Process.model_fields.items())

# The lease's fields are not among them, nor those of a newer version: a save leaves them as they are.
_OWN_FIELDS = _FIELDS | {"unpublished", "search"}


class MongoStore:
    """A `ProcessStore` on MongoDB; an acknowledged write is in the journals of a majority.

    The document is a process under its wire names, its times as dates, with `unpublished: true` while it
    is, `search` until its owner deletes it, and `leaseOwner` and `leaseUntil` beside it. Leases compare the
    clocks of their takers: these must agree to well within the length of a lease.
    """

    def __init__(self, processes: AsyncIOMotorCollection[_Document], deadline: float) -> None:
        self._processes = processes
        self._deadline = deadline
        self.keys = mongo_keys.MongoKeys(_keys(processes), self._answering)

    @classmethod
    @asynccontextmanager
    async def open(cls, uri: str, deadline: float = 5.0) -> AsyncGenerator["MongoStore", None]:
        """The store in the database that `uri` names, else in `hexwave`, with its indexes made.

        `deadline` is when an operation gives up, in seconds, the driver's own retries and its waiting for
        a primary included: it raises `StoreUnavailable`, and a write may have been done. Opening may take
        twice as long; it raises `SettingsError` where `uri` is no address.
        """
        processes = _collection(uri)
        try:
            await _prepare(processes, deadline)
            yield cls(processes, deadline)
        finally:
            # Says goodbye to the server first, which may not answer.
            with pymongo.timeout(_GRACE):
                await asyncio.to_thread(processes.database.client.close)

    async def insert(self, process: Process) -> Process:
        async with self._answering():
            try:
                await self._processes.insert_one(_document(process))
            except DuplicateKeyError as error:
                kept = await self._processes.find_one(_same(process))
                if kept is None:
                    raise StoreUnavailable("This was just deleted elsewhere. Try again.") from error
                return _process(kept)
        return process

    async def get(self, process_id: str) -> Process | None:
        return await self._one({"processId": process_id})

    async def begun(self, user_id: str, idempotency_key: str) -> Process | None:
        return await self._one({"userId": user_id, "idempotencyKey": idempotency_key})

    async def find(self, user_id: str, narrow: Filter, limit: int, after: Cursor | None) -> list[Process]:
        query = _narrowed(user_id, narrow)
        if after is not None:
            query["$and"] += _beyond(after, narrow.oldest_first)
        return await self._all(query, _OLDEST_OF_LIST if narrow.oldest_first else _NEWEST_FIRST, limit)

    async def count(self, user_id: str, narrow: Filter) -> int:
        async with self._answering():
            return await self._processes.count_documents(_narrowed(user_id, narrow), hint=_LISTED)

    async def owned(self, user_id: str, process_ids: Collection[str]) -> list[Process]:
        query = {"processId": {"$in": list(process_ids)}, "userId": user_id}
        async with self._answering():
            documents = await self._processes.find(query, hint="process_id").to_list(None)
        return [_process(document) for document in documents]

    async def deleted(self, before: datetime, limit: int) -> list[Process]:
        return await self._all({"deletedAt": {"$lt": before}}, [("deletedAt", ASCENDING)], limit)

    async def unfinished(self, before: datetime, limit: int) -> list[Process]:
        silent = {**_RUNNING, **_free(), "updatedAt": {"$lt": before}}
        return await self._all(silent, _LONGEST_SILENT_FIRST, limit)

    async def silent(self, before: datetime, limit: int) -> list[Process]:
        silent = {**_RUNNING, "updatedAt": {"$lt": before}}
        return await self._all(silent, [("updatedAt", ASCENDING)], limit)

    async def overdue(self, before: datetime, limit: int) -> list[Process]:
        return await self._all({**_RUNNING, **_free(), "createdAt": {"$lt": before}}, _OLDEST_FIRST, limit)

    async def unpublished(self, before: datetime, limit: int) -> list[Process]:
        untold = {**_UNPUBLISHED, **_free(), "updatedAt": {"$lt": before}}
        return await self._all(untold, _LONGEST_SILENT_FIRST, limit)

    async def replace(self, process: Process) -> bool:
        document = _document(process)
        change: _Document = {"$set": document}
        if gone := _OWN_FIELDS - document.keys():
            change["$unset"] = dict.fromkeys(sorted(gone), "")
        return await self._changed(
            {"processId": process.process_id, "revision": process.revision - 1}, change
        )

    async def lease(self, process_id: str, owner: str, until: datetime) -> bool:
        taken = {"leaseOwner": owner, "leaseUntil": until}
        return await self._changed(
            {"processId": process_id, "$or": [{"leaseOwner": owner}, _free()]}, {"$set": taken}
        )

    async def adopt(self, user_id: str, adopter_id: str) -> None:
        async with self._answering():
            moved = {"$inc": {"revision": 1}}
            keys = await self._processes.distinct("idempotencyKey", {"userId": user_id, **_KEYED})
            used = {"userId": adopter_id, "idempotencyKey": {"$in": keys}}
            taken = await self._processes.distinct("idempotencyKey", used)
            await self._processes.update_many(
                {"userId": user_id, "idempotencyKey": {"$in": taken}},
                {"$unset": {"idempotencyKey": ""}, **moved},
            )
            await self._processes.update_many({"userId": user_id}, {"$set": {"userId": adopter_id}, **moved})

    async def delete(self, process_id: str, revision: int | None = None) -> bool:
        query: _Document = {"processId": process_id} | ({} if revision is None else {"revision": revision})
        async with self._answering():
            result = await self._processes.delete_one(query)
        return result.deleted_count == 1

    async def _changed(self, query: _Document, change: _Document) -> bool:
        async with self._answering():
            result = await self._processes.update_one(query, change)
        return result.matched_count == 1

    async def _one(self, query: _Document) -> Process | None:
        async with self._answering():
            document = await self._processes.find_one(query)
        return None if document is None else _process(document)

    async def _all(self, query: _Document, order: list[tuple[str, int]], limit: int) -> list[Process]:
        async with self._answering():
            documents = await self._processes.find(query, sort=order, limit=limit).to_list(limit)
        return [_process(document) for document in documents]

    @asynccontextmanager
    async def _answering(self) -> AsyncGenerator[None, None]:
        try:
            async with _within(self._deadline):
                yield
        except (PyMongoError, TimeoutError) as error:
            raise StoreUnavailable("The database does not answer. Try again in a moment.") from error


def _collection(uri: str) -> AsyncIOMotorCollection[_Document]:
    codec: CodecOptions[_Document] = CodecOptions(
        tz_aware=True, tzinfo=UTC, uuid_representation=UuidRepresentation.STANDARD
    )
    # serverSelectionTimeoutMS stays at the driver's 30 s: a shorter one is not retried after a step-down.
    try:
        client = AsyncIOMotorClient[_Document](
            uri,
            io_loop=asyncio.get_running_loop(),
            appname="hexwave",
            w="majority",
            journal=True,
            retryWrites=True,
            readPreference="primary",
            maxPoolSize=100,
        )
        # What could still be rolled back is not read, and so never told to anyone.
        return client.get_default_database(_DATABASE).get_collection(
            "processes", codec_options=codec, read_concern=ReadConcern("majority")
        )
    except (PyMongoError, ValueError, OSError):
        # Without the driver's own words, which may repeat a part of the password.
        raise SettingsError(
            "MONGODB_URI cannot be used: write it as mongodb://user:password@host:27017/hexwave, "
            "with what is not a letter or a digit in the password percent-encoded.",
            field="MONGODB_URI",
        ) from None


def _keys(processes: AsyncIOMotorCollection[_Document]) -> AsyncIOMotorCollection[_Document]:
    return processes.database.get_collection(
        "apiKeys", codec_options=processes.codec_options, read_concern=processes.read_concern
    )


async def _prepare(processes: AsyncIOMotorCollection[_Document], deadline: float) -> None:
    """Fill in what is searched where it is missing, then make the indexes: one of them says that it is so."""
    try:
        async with _within(2 * deadline):
            indexes = await processes.index_information()
        while _LISTED not in indexes and await _fill(processes, deadline):
            pass
        async with _within(2 * deadline):
            await processes.create_indexes(_INDEXES)
            if _FORMER in indexes:
                await _drop(processes, _FORMER)
            await _keys(processes).create_indexes(mongo_keys.INDEXES)
    except (PyMongoError, TimeoutError) as error:
        # What follows in the driver's words are its own settings and its view of every server.
        reason = re.split(r" \(configured|, Timeout:|, full error:", str(error))[0] or "no answer in time"
        raise StoreUnavailable(
            f"The database of MONGODB_URI cannot be opened: {reason}. "
            "Check that its server runs and takes this user."
        ) from error


@asynccontextmanager
async def _within(seconds: float) -> AsyncGenerator[None, None]:
    # The driver's own deadline gives its threads back; the loop's is for one that waits for a thread.
    with pymongo.timeout(seconds):
        async with asyncio.timeout(seconds + _GRACE):
            yield


async def _fill(processes: AsyncIOMotorCollection[_Document], seconds: float) -> bool:
    """Whether there was anything to fill: a thousand documents at a time."""
    bare = {"search": {"$exists": False}, "deletedAt": {"$exists": False}}
    async with _within(seconds):
        found = await processes.find(bare, {"data.req.prompt": True}, limit=_BATCH).to_list(_BATCH)
        if found:
            filled = [(each["_id"], each.get("data", {}).get("req", {})) for each in found]
            await processes.bulk_write(  # pyright: ignore[reportUnknownMemberType]
                [UpdateOne({"_id": id_}, {"$set": {"search": _searched(req)}}) for id_, req in filled],
                ordered=False,
            )
    return bool(found)


async def _drop(processes: AsyncIOMotorCollection[_Document], index: str) -> None:
    try:
        await processes.drop_index(index)
    except OperationFailure as error:
        # Another server that starts at the same time may be faster.
        if error.code != _NO_SUCH_INDEX:
            raise


def _process(document: Mapping[str, Any]) -> Process:
    return Process.model_validate({name: value for name, value in document.items() if name in _FIELDS})


def _document(process: Process) -> _Document:
    document = process.wire()
    document["createdAt"], document["updatedAt"] = process.created_at, process.updated_at
    for line, told in zip(document["events"], process.events, strict=True):
        line["at"] = told.at
    if process.deleted_at is None:
        document["search"] = _searched(process.data.req)
    else:
        document["deletedAt"] = process.deleted_at
    return document | (_UNPUBLISHED if process.unpublished else {})


def _searched(req: Mapping[str, Any]) -> str:
    return searchable(str(req.get("prompt", "")))


def _narrowed(user_id: str, narrow: Filter) -> _Document:
    exact = {
        "status": narrow.status,
        "toolName": narrow.tool_name,
        "category": narrow.category,
        "provider.name": narrow.provider,
        "provider.model": narrow.model,
        "favourite": narrow.favourite or None,
    }
    # What its owner has deleted has nothing to be searched, and so is in no list. Unlike a query for what is
    # not set, this one is answered by the index alone.
    wanted: list[_Document] = [{"search": {"$gte": ""}}]
    wanted += [{name: value} for name, value in exact.items() if value is not None]
    if narrow.since is not None:
        wanted.append({"createdAt": {"$gte": narrow.since}})
    if narrow.until is not None:
        wanted.append({"createdAt": {"$lt": narrow.until}})
    wanted += [{"search": {"$regex": re.escape(word)}} for word in words(narrow.search)]
    return {"userId": user_id, "$and": wanted}


def _beyond(after: Cursor, oldest_first: bool) -> list[_Document]:
    # The bound is one for the index; the alternatives only tell equal times apart.
    further = "$gt" if oldest_first else "$lt"
    return [
        {"createdAt": {f"{further}e": after.created_at}},
        {
            "$or": [
                {"createdAt": {further: after.created_at}},
                {"processId": {further: after.process_id}},
            ]
        },
    ]


def _free() -> _Document:
    # "Not later than now" is also true of a lease that was never taken.
    return {"leaseUntil": {"$not": {"$gte": utc_now()}}}


def _same(process: Process) -> Mapping[str, Any]:
    key = {"userId": process.user_id, "idempotencyKey": process.idempotency_key}
    itself = {"processId": process.process_id}
    return itself if process.idempotency_key is None else {"$or": [itself, key]}
