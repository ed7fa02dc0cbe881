"""A store and a channel in memory, the channel as unreliable as a test wants it."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from datetime import datetime

from hexwave_app.processes.errors import ChannelUnavailable
from hexwave_app.processes.model import Process, StatusMessage
from hexwave_app.processes.ports import Cursor, Filter
from hexwave_app.processes.search import searchable, words
from hexwave_app.realtime.mailbox import Mailbox


class MemoryStore:
    """A `ProcessStore` whose every call gives way to other tasks, so that races happen."""

    def __init__(self) -> None:
        self.kept: dict[str, Process] = {}

    async def insert(self, process: Process) -> Process:
        await asyncio.sleep(0)
        for kept in self.kept.values():
            if (kept.user_id, kept.idempotency_key) == (process.user_id, process.idempotency_key or object()):
                return kept
        self.kept[process.process_id] = process
        return process

    async def get(self, process_id: str) -> Process | None:
        await asyncio.sleep(0)
        return self.kept.get(process_id)

    async def begun(self, user_id: str, idempotency_key: str) -> Process | None:
        asked = (user_id, idempotency_key)
        return next(
            (kept for kept in self.kept.values() if (kept.user_id, kept.idempotency_key) == asked), None
        )

    async def find(self, user_id: str, narrow: Filter, limit: int, after: Cursor | None) -> list[Process]:
        found = [kept for kept in self.kept.values() if kept.user_id == user_id and fits(kept, narrow)]
        found.sort(key=place, reverse=not narrow.oldest_first)
        if after is not None:
            at = (after.created_at, after.process_id)
            found = [
                each for each in found if (place(each) > at if narrow.oldest_first else place(each) < at)
            ]
        return found[:limit]

    async def count(self, user_id: str, narrow: Filter) -> int:
        return len(await self.find(user_id, narrow, len(self.kept), None))

    async def owned(self, user_id: str, process_ids: Collection[str]) -> list[Process]:
        await asyncio.sleep(0)
        return [
            kept for kept in self.kept.values() if kept.user_id == user_id and kept.process_id in process_ids
        ]

    async def deleted(self, before: datetime, limit: int) -> list[Process]:
        found = [kept for kept in self.kept.values() if kept.deleted_at and kept.deleted_at < before]
        return sorted(found, key=lambda kept: kept.deleted_at or before)[:limit]

    async def unfinished(self, before: datetime, limit: int) -> list[Process]:
        return [
            process for process in self.kept.values() if not process.terminal and process.updated_at < before
        ]

    async def silent(self, before: datetime, limit: int) -> list[Process]:
        return await self.unfinished(before, limit)

    async def overdue(self, before: datetime, limit: int) -> list[Process]:
        return [
            process for process in self.kept.values() if not process.terminal and process.created_at < before
        ]

    async def unpublished(self, before: datetime, limit: int) -> list[Process]:
        return [
            process for process in self.kept.values() if process.unpublished and process.updated_at < before
        ]

    async def lease(self, process_id: str, owner: str, until: datetime) -> bool:
        return True

    async def replace(self, process: Process) -> bool:
        await asyncio.sleep(0)
        kept = self.kept.get(process.process_id)
        if kept is None or kept.revision != process.revision - 1:
            return False
        self.kept[process.process_id] = process
        return True

    async def adopt(self, user_id: str, adopter_id: str) -> None:
        raise NotImplementedError

    async def delete(self, process_id: str, revision: int | None = None) -> bool:
        kept = self.kept.get(process_id)
        if kept is None or revision not in (None, kept.revision):
            return False
        del self.kept[process_id]
        return True


def place(process: Process) -> tuple[datetime, str]:
    return process.created_at, process.process_id


def fits(process: Process, narrow: Filter) -> bool:
    """Whether the filter lets a process of its owner through."""
    exact = [
        (narrow.status, process.status),
        (narrow.tool_name, process.tool_name),
        (narrow.category, process.category),
        (narrow.provider, process.provider.name),
        (narrow.model, process.provider.model),
        (narrow.favourite or None, process.favourite),
    ]
    text = searchable(str(process.data.req.get("prompt", "")))
    return (
        process.deleted_at is None
        and all(wanted in (None, value) for wanted, value in exact)
        and (narrow.since is None or process.created_at >= narrow.since)
        and (narrow.until is None or process.created_at < narrow.until)
        and all(word in text for word in words(narrow.search))
    )


class FaultyChannel:
    """A `StatusChannel` that delivers what `fate` makes of all that was published so far.

    `fate` is asked once a publication and answers with the messages to deliver: none loses it, older
    ones repeat or reorder. Where it raises `ChannelUnavailable`, publishing fails.
    """

    def __init__(
        self, fate: Callable[[list[StatusMessage]], list[StatusMessage]] = lambda sent: sent[-1:]
    ) -> None:
        self._fate = fate
        self.sent: list[StatusMessage] = []
        self.mailboxes: defaultdict[str, set[Mailbox]] = defaultdict(set)

    async def publish(self, message: StatusMessage) -> None:
        await asyncio.sleep(0)
        self.sent.append(message)
        for told in self._fate(self.sent):
            for mailbox in self.mailboxes[told.process_id]:
                mailbox.put(told)

    def notify(self, message: StatusMessage) -> None:
        """Nobody: all who follow are in another worker."""

    @asynccontextmanager
    async def subscribe(self, process_id: str) -> AsyncIterator[Mailbox]:
        mailbox = Mailbox()
        self.mailboxes[process_id].add(mailbox)
        try:
            yield mailbox
        finally:
            self.mailboxes[process_id].discard(mailbox)


def away(_sent: list[StatusMessage]) -> list[StatusMessage]:
    """The fate of a channel that cannot be reached."""
    raise ChannelUnavailable("Ably is away.")
