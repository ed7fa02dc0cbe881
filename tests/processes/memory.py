"""A store and a channel in memory, the channel as unreliable as a test wants it."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from hexwave_app.processes.errors import ChannelUnavailable
from hexwave_app.processes.model import Process, StatusMessage
from hexwave_app.processes.ports import Cursor, Filter
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
        raise NotImplementedError

    async def unfinished(self, before: datetime, limit: int) -> list[Process]:
        return [
            process for process in self.kept.values() if not process.terminal and process.updated_at < before
        ]

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

    async def delete(self, process_id: str) -> bool:
        return self.kept.pop(process_id, None) is not None


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
