"""What the heart needs from the outside: a store and a channel."""

from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hexwave_app.processes.model import Process, ProcessStatus, StatusMessage


@dataclass(frozen=True)
class Cursor:
    """A place in a list: after the process with this time and id."""

    created_at: datetime
    process_id: str


@dataclass(frozen=True)
class Filter:
    """What a list is narrowed to, and its order; what is not set narrows nothing.

    `search` is words, or parts of words, all of which are in the prompt, in any case of letters. `provider`
    and `model` are names; created at `since` or later, and before `until`.
    """

    status: ProcessStatus | None = None
    tool_name: str | None = None
    category: str | None = None
    provider: str | None = None
    model: str | None = None
    favourite: bool = False
    since: datetime | None = None
    until: datetime | None = None
    search: str = ""
    oldest_first: bool = False


class ProcessStore(Protocol):
    """Where processes are kept. Every acknowledged write survives a crash of this process."""

    async def insert(self, process: Process) -> Process:
        """Keep a fresh process and return it; where the user's idempotency key is taken, that process.

        After `StoreUnavailable` it may be kept all the same: the same insert again answers with it.
        """
        ...

    async def get(self, process_id: str) -> Process | None:
        """The process as last saved."""
        ...

    async def begun(self, user_id: str, idempotency_key: str) -> Process | None:
        """The user's process that this key began."""
        ...

    async def find(self, user_id: str, narrow: Filter, limit: int, after: Cursor | None) -> list[Process]:
        """Up to `limit` of the user's processes in the filter's order, beginning after `after`.

        What its owner has deleted is not among them.
        """
        ...

    async def count(self, user_id: str, narrow: Filter) -> int:
        """How many `find` would find without a limit."""
        ...

    async def owned(self, user_id: str, process_ids: Collection[str]) -> list[Process]:
        """Those of the processes that are the user's, deleted ones among them, in no order."""
        ...

    async def deleted(self, before: datetime, limit: int) -> list[Process]:
        """Up to `limit` processes of all users that were deleted before `before`, the longest ago first."""
        ...

    async def unfinished(self, before: datetime, limit: int) -> list[Process]:
        """Up to `limit` running processes of all users, last changed before `before`, and under no lease.

        Those never leased come first, the one changed longest ago at their head; then those whose lease
        ended longest ago. So who leases what it is given comes to each in turn, however many there are.
        """
        ...

    async def silent(self, before: datetime, limit: int) -> list[Process]:
        """The same, those under a lease too, the one changed longest ago first: for who only looks."""
        ...

    async def overdue(self, before: datetime, limit: int) -> list[Process]:
        """As `unfinished`, of running processes created before `before`, however lately they changed."""
        ...

    async def unpublished(self, before: datetime, limit: int) -> list[Process]:
        """The same of processes, ended or not, with a change that followers were perhaps not told."""
        ...

    async def replace(self, process: Process) -> bool:
        """Save `process` if the kept one is of the revision before it; False when that has moved on."""
        ...

    async def lease(self, process_id: str, owner: str, until: datetime) -> bool:
        """Whether `owner` alone may act on the process until then; False while another's lease lasts.

        A lease is beside the process: taking one changes neither its sequence nor its revision. While it
        lasts, the process is in no answer of `unfinished`, `overdue` and `unpublished`, its owner's included.
        """
        ...

    async def adopt(self, user_id: str, adopter_id: str) -> None:
        """Make all that is the user's the adopter's, which moves each process's revision.

        One whose idempotency key the adopter has used too goes without it. After `StoreUnavailable` a part
        may be done; the same call again does the rest.
        """
        ...

    async def delete(self, process_id: str, revision: int | None = None) -> bool:
        """Forget the process; False when there is none, or none of that revision."""
        ...


class Subscription(Protocol):
    """News of one process, in no promised order and with no promise of completeness."""

    async def next(self, timeout: float) -> StatusMessage | None:
        """The next message; `None` after `timeout` seconds, or at once when continuity was lost.

        `None` asks the follower to read the store.
        """
        ...


class StatusChannel(Protocol):
    """The fast hint beside the store."""

    async def publish(self, message: StatusMessage) -> None:
        """Tell every follower. Publishing one message twice is harmless."""
        ...

    def notify(self, message: StatusMessage) -> None:
        """Hand it to those that follow in this worker: they need not wait for its way out and back."""
        ...

    def subscribe(self, process_id: str) -> AbstractAsyncContextManager[Subscription]:
        """Attached on entry where the channel can be had in time; detached and released on exit.

        While the channel is away, entry still succeeds and `next` answers `None` at its time-outs.
        """
        ...
