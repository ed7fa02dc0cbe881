"""Pictures that people bring along: kept for a while, and for as long as a process is made of them."""

import secrets
from datetime import UTC, datetime, timedelta
from functools import partial

from hexwave_app.identity.limits import Limits
from hexwave_app.identity.secret import sign, signed
from hexwave_app.media.library import Library
from hexwave_app.media.pictures import brought
from hexwave_app.media.workers import Workers
from hexwave_app.processes.errors import InvalidRequest, ProcessNotFound, ResultLost
from hexwave_app.processes.lifecycle import Processes
from hexwave_app.tools.request import Reference

UNUSED_FOR = timedelta(days=1)
"""How long one is kept that no process is made of."""

THUMBNAIL = "0-512.webp"
_PICTURE = "0.webp"
_PREFIX = "r_"
_USE = "of-"


class References:
    """Each is a folder of the library, and its id says whose it is: `{folder}.{signature}`.

    The signature is HMAC-SHA256 of the folder and of its owner's id, under a key of its own: who only reads
    another's id can do nothing with it. The first of `keys` signs; ids of the others are good too. A file in
    the folder names each process that is made of it.
    """

    def __init__(self, library: Library, workers: Workers, limits: Limits, *keys: bytes) -> None:
        self._library = library
        self._workers = workers
        self._limits = limits
        self._keys = keys

    async def keep(self, raw: bytes, user_id: str, address: str) -> Reference:
        """Keep our own copy of the picture in `raw`. `InvalidRequest` when it is none, or over a limit."""
        await self._limits.reference(user_id, address)
        try:
            picture, thumbnail = await self._workers.run(partial(brought, raw))
        except ResultLost as error:
            raise InvalidRequest(error.message, field="body") from error
        folder = f"{_PREFIX}{secrets.token_hex(16)}"
        await self._library.put(folder, THUMBNAIL, thumbnail)
        await self._library.put(folder, _PICTURE, picture)
        return Reference(f"{folder}.{sign(self._keys[0], _message(folder, user_id))}")

    def folder(self, reference: str, user_id: str) -> str:
        """Where it is kept. `ProcessNotFound` for another's, and for any other text."""
        folder, _, signature = reference.partition(".")
        if not any(signed(key, _message(folder, user_id), signature) for key in self._keys):
            raise ProcessNotFound("There is no such reference, or it belongs to someone else.")
        return folder

    async def content(self, reference: str, user_id: str) -> bytes | None:
        """The picture; `None` once it is deleted. `ProcessNotFound` for another's."""
        return await self._library.get(self.folder(reference, user_id), _PICTURE)

    async def use(self, reference: Reference, process_id: str) -> None:
        """Keep it for as long as there is that process."""
        await self._library.put(reference.folder, f"{_USE}{process_id}", b"")


def is_reference(folder: str) -> bool:
    """Whether the library's folder is that of a reference; otherwise it is that of a process."""
    return folder.startswith(_PREFIX)


async def needed(folder: str, touched: datetime, library: Library, processes: Processes) -> bool:
    """Whether a reference's folder, which got its last file at that time, is to stay: young, or in use."""
    if touched > datetime.now(UTC) - UNUSED_FOR:
        return True
    for name in await library.names(folder):
        if name.startswith(_USE) and await exists(name.removeprefix(_USE), processes):
            return True
    return False


async def exists(process_id: str, processes: Processes) -> bool:
    """Whether there is the process, whoever's it is."""
    try:
        await processes.load(process_id)
    except ProcessNotFound:
        return False
    return True


def _message(folder: str, user_id: str) -> str:
    return f"{folder}:{user_id}"
