"""API keys in MongoDB, beside the processes."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any

from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo import ASCENDING, DESCENDING, IndexModel

from hexwave_app.identity.api_key import ApiKey

_Document = dict[str, Any]
_NEWEST_FIRST = [("createdAt", DESCENDING)]

INDEXES = [IndexModel([("userId", ASCENDING), *_NEWEST_FIRST], name="by_user")]


class MongoKeys:
    """A `KeyStore` by the connections of a `MongoStore`; the document's `_id` is the key's.

    `answering` bounds an operation and gives its errors their names.
    """

    def __init__(
        self,
        keys: AsyncIOMotorCollection[_Document],
        answering: Callable[[], AbstractAsyncContextManager[None]],
    ) -> None:
        self._keys = keys
        self._answering = answering

    async def add(self, key: ApiKey) -> None:
        document = {
            "_id": key.id,
            "userId": key.user_id,
            "name": key.name,
            "digest": key.digest,
            "createdAt": key.created_at,
            "usedAt": key.used_at,
        }
        async with self._answering():
            await self._keys.insert_one(document)

    async def find(self, key_id: str) -> ApiKey | None:
        async with self._answering():
            document = await self._keys.find_one({"_id": key_id})
        return None if document is None else _key(document)

    async def list(self, user_id: str) -> list[ApiKey]:
        async with self._answering():
            documents = await self._keys.find({"userId": user_id}, sort=_NEWEST_FIRST).to_list(None)
        return [_key(document) for document in documents]

    async def used(self, key_id: str, at: datetime) -> None:
        async with self._answering():
            await self._keys.update_one({"_id": key_id}, {"$set": {"usedAt": at}})

    async def remove(self, key_id: str, user_id: str) -> bool:
        async with self._answering():
            result = await self._keys.delete_one({"_id": key_id, "userId": user_id})
        return result.deleted_count == 1

    async def adopt(self, user_id: str, adopter_id: str) -> None:
        async with self._answering():
            await self._keys.update_many({"userId": user_id}, {"$set": {"userId": adopter_id}})


def _key(document: _Document) -> ApiKey:
    return ApiKey(
        document["_id"],
        document["userId"],
        document["name"],
        bytes(document["digest"]),
        document["createdAt"],
        document["usedAt"],
    )
