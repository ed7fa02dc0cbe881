"""The life of processes: created, changed, read, followed."""

import base64
import binascii
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

from hexwave_app.processes.errors import ChannelUnavailable, InvalidRequest, ProcessConflict, ProcessNotFound
from hexwave_app.processes.model import Process, StatusMessage, utc_now
from hexwave_app.processes.ports import Cursor, Filter, ProcessStore, StatusChannel
from hexwave_app.processes.transition import Update, transition

log = logging.getLogger(__name__)

PAGE_LIMIT = 100
_NOTHING = Filter()


@dataclass(frozen=True)
class Page:
    """Up to the asked number of processes, newest first; `cursor` continues, `None` at the end."""

    processes: list[Process]
    cursor: str | None


class Processes:
    """The service every tool, page and API route uses.

    `reread` is how long, in seconds, a follower trusts silence before it reads the store again.
    """

    def __init__(self, store: ProcessStore, channel: StatusChannel, reread: float = 3.0) -> None:
        self._store = store
        self._channel = channel
        self._reread = reread
        self._followers = 0

    @property
    def followers(self) -> int:
        """How many `follow` iterators are open in this worker."""
        return self._followers

    async def create(self, process: Process) -> Process:
        """Save a fresh process and publish it.

        Where its idempotency key was used before by the same user, nothing is saved and that earlier
        process is returned instead: compare the ids.
        """
        kept = await self._store.insert(process)
        if kept.process_id == process.process_id:
            await self._publish(kept)
        return kept

    async def get(self, process_id: str, user_id: str) -> Process:
        """The user's process. `ProcessNotFound` also when it is another's."""
        process = await self.load(process_id)
        if process.user_id != user_id:
            raise ProcessNotFound
        return process

    async def load(self, process_id: str) -> Process:
        """The process, whoever owns it: for what acts on behalf of the provider, never of a user."""
        process = await self._store.get(process_id)
        if process is None:
            raise ProcessNotFound
        return process

    async def unfinished(self) -> list[Process]:
        """Every process that has not ended, of all users, oldest first: for what takes work up again."""
        return await self._store.unfinished()

    async def list(
        self, user_id: str, *, narrow: Filter = _NOTHING, limit: int = 20, cursor: str | None = None
    ) -> Page:
        """A page of the user's processes, newest first; `limit` is 1 to 100."""
        if not 1 <= limit <= PAGE_LIMIT:
            raise InvalidRequest(f"limit must be 1 to {PAGE_LIMIT}.", field="limit")
        after = None if cursor is None else _decoded(cursor)
        found = await self._store.find(user_id, narrow, limit + 1, after)
        shown = found[:limit]
        return Page(shown, _encoded(shown[-1]) if len(found) > limit else None)

    async def update(self, process_id: str, update: Update, known: Process | None = None) -> Process:
        """Save what `update` changes and publish it; an update that says nothing new does neither.

        Compare-and-set on the sequence: a lost race reads again and decides anew. `known` is a version
        that the caller has read, which saves reading it again while nobody was faster.
        """
        while True:
            process, guessed = known or await self.load(process_id), known is not None
            known = None
            changed = transition(process, update, utc_now())
            if changed is process:
                if guessed:
                    continue
                return process
            if await self._store.replace(changed, process.sequence):
                await self._publish(changed)
                return changed

    async def delete(self, process_id: str, user_id: str) -> Process:
        """Forget the user's process, which must have ended; returns it as it was."""
        process = await self.get(process_id, user_id)
        if not process.terminal:
            raise ProcessConflict("This process is still running. Cancel it before deleting it.")
        await self._store.delete(process_id)
        return process

    async def follow(self, process_id: str) -> AsyncIterator[Process]:
        """The process now, then each newer version until it is finished."""
        self._followers += 1
        try:
            # Attached before reading: a change in between is queued, not missed.
            async with self._channel.subscribe(process_id) as subscription:
                process = await self.load(process_id)
                yield process
                while not process.terminal:
                    message = await subscription.next(self._reread)
                    newer = message.onto(process) if message else await self.load(process_id)
                    if newer.sequence > process.sequence:
                        process = newer
                        yield process
        finally:
            self._followers -= 1

    async def _publish(self, process: Process) -> None:
        # The database is the truth: a follower that misses this message reads it there.
        try:
            await self._channel.publish(StatusMessage.of(process))
        except ChannelUnavailable as error:
            log.warning("process %s: saved, not published: %s", process.process_id, error)


def _encoded(process: Process) -> str:
    place = f"{process.created_at.isoformat()}|{process.process_id}"
    return base64.urlsafe_b64encode(place.encode()).decode()


def _decoded(cursor: str) -> Cursor:
    try:
        created_at, process_id = base64.urlsafe_b64decode(cursor.encode()).decode().split("|", 1)
        return Cursor(datetime.fromisoformat(created_at).astimezone(UTC), process_id)
    except (binascii.Error, ValueError, OverflowError) as error:
        raise InvalidRequest(
            "cursor is not one of ours. Take it from a list's answer.", field="cursor"
        ) from error
