"""The life of processes: created, changed, read, followed."""

import base64
import binascii
import logging
import secrets
import time
from asyncio import gather
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hexwave_app.processes.errors import (
    ChannelUnavailable,
    InvalidRequest,
    ProcessConflict,
    ProcessNotFound,
    StoreUnavailable,
)
from hexwave_app.processes.model import (
    EventType,
    Process,
    ProcessEvent,
    ProcessStatus,
    Source,
    StatusMessage,
    utc_now,
)
from hexwave_app.processes.observer import Act, Deed, Observer, Observers
from hexwave_app.processes.ports import Cursor, Filter, ProcessStore, StatusChannel
from hexwave_app.processes.recent import Recent
from hexwave_app.processes.transition import Update, ignored, transition
from hexwave_app.processes.work import Work, doing, working_on

log = logging.getLogger(__name__)

PAGE_LIMIT = 100

BULK_LIMIT = 500
"""Processes that one request may mark, delete or take along."""

_AT_ONCE = 25
_SHARE_BYTES = 15
_TOLD_LIMIT = 10_000
_NOTHING = Filter()

Spawn = Callable[[Coroutine[Any, Any, Any], str], object]
"""Begins a task of that name."""

_RUNNING = Filter(status=ProcessStatus.PROCESSING)


@dataclass(frozen=True)
class Page:
    """Up to the asked number of processes in the asked order; `cursor` continues, `None` at the end."""

    processes: list[Process]
    cursor: str | None


class Processes:
    """The service every tool, page and API route uses.

    `reread` is how long, in seconds, a follower trusts silence before it reads the store again. `observer`
    is told of every change, of what was passed over, and of what followers were told. With `spawn`, which
    begins a task that somebody owns, no caller waits for followers to be told of what is no end. `alone` says
    that other workers hardly ever write to the same processes.
    """

    def __init__(
        self,
        store: ProcessStore,
        channel: StatusChannel,
        reread: float = 3.0,
        observer: Observer | None = None,
        spawn: Spawn | None = None,
        alone: bool = False,
    ) -> None:
        self._alone = alone
        self._spawn = spawn
        self._store = store
        self._channel = channel
        self._reread = reread
        self._observer = observer or Observers()
        self._followers = 0
        self._worker = secrets.token_hex(8)
        self._told: dict[str, int] = {}
        self._recent = Recent()

    @property
    def followers(self) -> int:
        """How many `follow` iterators are open in this worker."""
        return self._followers

    async def create(self, process: Process) -> Process:
        """Save a fresh process. Followers are told of what becomes of it; of its beginning, its caller knows.

        Where its idempotency key was used before by the same user, nothing is saved and that earlier
        process is returned instead: compare the ids.
        """
        began = time.monotonic()
        with working_on(process.process_id):
            kept = await self._store.insert(process)
            if kept.process_id == process.process_id:
                self._observe(Deed.CREATED, kept, Source.USER, seconds=time.monotonic() - began)
        return kept

    async def begun(self, user_id: str, idempotency_key: str) -> Process | None:
        """The user's process that this key began."""
        return await self._store.begun(user_id, idempotency_key)

    async def running(self, user_id: str, limit: int) -> int:
        """How many of the user's processes run, counted up to `limit`."""
        return len(await self._store.find(user_id, _RUNNING, limit, None))

    async def get(self, process_id: str, user_id: str) -> Process:
        """The user's process. `ProcessNotFound` also when it is another's, or its owner has deleted it."""
        process = await self.load(process_id)
        if process.user_id != user_id or process.deleted_at is not None:
            raise ProcessNotFound
        return process

    async def owned(self, process_ids: Collection[str], user_id: str) -> list[Process]:
        """Those that `get` would answer, in the order of the ids, each once; at most 500 ids."""
        found = await self._owned(process_ids, user_id)
        return [process for process in found if process.deleted_at is None]

    async def load(self, process_id: str) -> Process:
        """The process, whoever owns it: for what acts on behalf of the provider, never of a user."""
        process = await self._store.get(process_id)
        if process is None:
            raise ProcessNotFound
        return process

    async def reported_on(self, process_id: str) -> Process:
        """The process that a provider reports on, for `update`: perhaps not its newest version.

        Its provider and its job are certain, for they stay the same once there is a job. Where another worker
        has deleted it meanwhile, it is `update` that raises `ProcessNotFound`.
        """
        # Where several write, the guess is mostly wrong, and a look costs less than to find that out.
        known = self._recent.get(process_id) if self._alone else None
        return known if known and known.provider.job_id else await self.load(process_id)

    async def unfinished(self, before: datetime, limit: int) -> list[Process]:
        """Up to `limit` running processes of all users that are silent since `before` and not claimed."""
        return await self._store.unfinished(before, limit)

    async def overdue(self, before: datetime, limit: int) -> list[Process]:
        """Up to `limit` running processes of all users that began before `before` and are not claimed."""
        return await self._store.overdue(before, limit)

    async def unpublished(self, before: datetime, limit: int) -> list[Process]:
        """Up to `limit`, not claimed, with a change from before `before` that was perhaps not told."""
        return await self._store.unpublished(before, limit)

    async def claim(self, process_id: str, seconds: float) -> bool:
        """Whether this worker alone may take the process up for so long."""
        return await self._store.lease(process_id, self._worker, utc_now() + timedelta(seconds=seconds))

    async def list(
        self, user_id: str, *, narrow: Filter = _NOTHING, limit: int = 20, cursor: str | None = None
    ) -> Page:
        """A page of the user's processes, `limit` of them, 1 to 100; its cursor is for the same filter."""
        if not 1 <= limit <= PAGE_LIMIT:
            raise InvalidRequest(f"limit must be 1 to {PAGE_LIMIT}.", field="limit")
        after = None if cursor is None else _decoded(cursor)
        found = await self._store.find(user_id, narrow, limit + 1, after)
        shown = found[:limit]
        return Page(shown, _encoded(shown[-1]) if len(found) > limit else None)

    async def count(self, user_id: str, narrow: Filter = _NOTHING) -> int:
        """How many processes `list` would come to."""
        return await self._store.count(user_id, narrow)

    async def update(
        self,
        process_id: str,
        update: Update,
        known: Process | None = None,
        source: Source = Source.SERVER,
    ) -> Process:
        """Save what `update` changes and publish it; one that says nothing new is noted in the timeline.

        Compare-and-set on the revision: a lost race reads again and decides anew. `known` is a version
        that the caller has read, which saves reading it again while nobody was faster; so does what this
        worker saved last. What is returned is that, so nothing in it may be changed in place.
        """
        with working_on(process_id):
            return await self._update(process_id, update, known, source)

    async def note(
        self, process: Process, type_: EventType, source: Source, detail: str | None = None
    ) -> Process:
        """One more line of the timeline. Nothing else changes, and nobody is told."""
        noted = await self._amend(process, type_, source, detail)
        self._observe(Deed(type_), noted, source, detail)
        return noted

    async def republish(self, process: Process) -> None:
        """Tell followers what they were perhaps not told; harmless when they were.

        Raises `ChannelUnavailable`.
        """
        with working_on(process.process_id):
            await self._publish(process, Source.RECONCILER)
            await self._mark(process, Source.RECONCILER)

    async def favour(self, process_ids: Collection[str], user_id: str, on: bool) -> Sequence[Process]:
        """Mark as favourites, or not so; returns those that are the user's."""
        return await self._mark_each(process_ids, user_id, lambda process: _favoured(process, on))

    async def discard(self, process_ids: Collection[str], user_id: str) -> Sequence[Process]:
        """Hide what has ended from its owner, until it is restored or purged; returns what is hidden.

        What runs, or is not the user's, is passed over.
        """
        now = utc_now()
        return await self._mark_each(process_ids, user_id, lambda process: _discarded(process, now))

    async def restore(self, process_ids: Collection[str], user_id: str) -> Sequence[Process]:
        """Take the deletion back where it is not purged yet; returns what is there again."""
        return await self._mark_each(process_ids, user_id, lambda process: process.marked(deleted_at=None))

    async def share(self, process_id: str, user_id: str) -> Process:
        """The user's process with a nonce for its link; `ProcessConflict` unless it is completed."""
        process = await self.get(process_id, user_id)
        if process.status is not ProcessStatus.COMPLETED:
            raise ProcessConflict("Only what is finished can be shared.")
        nonce = secrets.token_urlsafe(_SHARE_BYTES)
        return await self._marked_own(process, lambda each: each if each.share else each.marked(share=nonce))

    async def unshare(self, process_id: str, user_id: str) -> Process:
        """The user's process without a nonce: no link to it is good any more."""
        process = await self.get(process_id, user_id)
        return await self._marked_own(process, lambda each: each.marked(share=None))

    async def deleted(self, before: datetime, limit: int) -> Sequence[Process]:
        """Up to `limit` processes of all users that were deleted before `before`."""
        return await self._store.deleted(before, limit)

    async def purge(self, process: Process) -> bool:
        """Forget a deleted process for good; False when it was restored meanwhile."""
        return await self._store.delete(process.process_id, process.revision)

    async def adopt(self, user_id: str, adopter_id: str) -> None:
        """Make all that is the user's the adopter's, running or ended; nobody is told."""
        await self._store.adopt(user_id, adopter_id)

    async def delete(self, process_id: str, user_id: str) -> Process:
        """Forget the user's process, which must have ended; returns it as it was."""
        process = await self.get(process_id, user_id)
        if not process.terminal:
            raise ProcessConflict("This process is still running. Cancel it before deleting it.")
        await self._store.delete(process_id)
        return process

    async def follow(self, process_id: str, reread: float | None = None) -> AsyncIterator[Process]:
        """The process now, then each newer version until it is finished; newer is what has a higher sequence.

        `reread` takes the place of the service's own, for who looks at the store in another way too.
        """
        self._followers += 1
        try:
            # Attached before reading: a change in between is queued, not missed.
            async with self._channel.subscribe(process_id) as subscription:
                process = await self.load(process_id)
                yield process
                while not process.terminal:
                    message = await subscription.next(reread or self._reread)
                    newer = message.onto(process) if message else await self.load(process_id)
                    if newer.sequence > process.sequence:
                        process = newer
                        yield process
        finally:
            self._followers -= 1

    async def _owned(self, process_ids: Collection[str], user_id: str) -> Sequence[Process]:
        if len(process_ids) > BULK_LIMIT:
            raise InvalidRequest(f"ids must be at most {BULK_LIMIT}.", field="ids")
        found = {each.process_id: each for each in await self._store.owned(user_id, process_ids)}
        return [found[process_id] for process_id in dict.fromkeys(process_ids) if process_id in found]

    async def _mark_each(
        self, process_ids: Collection[str], user_id: str, mark: Callable[[Process], Process | None]
    ) -> Sequence[Process]:
        found, done = await self._owned(process_ids, user_id), list[Process | None]()
        for at in range(0, len(found), _AT_ONCE):
            done += await gather(*(self._marked(each, mark) for each in found[at : at + _AT_ONCE]))
        return [process for process in done if process is not None]

    async def _marked_own(self, process: Process, mark: Callable[[Process], Process | None]) -> Process:
        marked = await self._marked(process, lambda each: None if each.deleted_at else mark(each))
        if marked is None:
            raise ProcessNotFound
        return marked

    async def _marked(self, process: Process, mark: Callable[[Process], Process | None]) -> Process | None:
        """The process as `mark` has it, saved; decided anew where another write came first."""
        while True:
            marked = mark(process)
            if marked is None or marked is process or await self._replace(marked):
                return marked
            try:
                process = await self.load(process.process_id)
            except ProcessNotFound:
                return None

    async def _update(
        self, process_id: str, update: Update, known: Process | None, source: Source
    ) -> Process:
        known = _newer(known, self._recent.get(process_id))
        while True:
            process, guessed = known or await self.load(process_id), known is not None
            known = None
            reason = ignored(process, update)
            if reason is None:
                changed = transition(process, update, utc_now(), source)
                published = max(process.published, self._told.get(process_id, 0))
                changed = changed.model_copy(update={"published": published})
                if await self._replace(changed):
                    return await self._changed(process, changed, source)
                # Perhaps another of this worker's changes came first.
                known = self._recent.get(process_id)
            elif not guessed:
                self._observe(Deed.IGNORED, process, source, reason)
                return await self._ignore(process, reason, source)

    async def _changed(self, before: Process, process: Process, source: Source) -> Process:
        """Tell followers of what was just saved, where they would see a difference."""
        told = process.events[-1]
        self._observe(Deed(told.type), process, source, told.detail)
        if process.sequence == before.sequence:
            return process
        self._channel.notify(StatusMessage.of(process))
        if self._spawn is None or process.terminal:
            return await self._tell(process, source)
        self._spawn(self._tell(process, source), f"tell {process.process_id}")
        return process

    async def _replace(self, process: Process) -> bool:
        replaced = False
        try:
            replaced = await self._store.replace(process)
        finally:
            if replaced:
                self._recent.keep(process)
            else:
                # Outdated, or nobody knows whether it was saved.
                self._recent.drop_older(process)
        return replaced

    async def _publish(self, process: Process, source: Source) -> None:
        began = time.monotonic()
        # Told anew, it is a second span of the same news.
        which = "" if source is Source.RECONCILER else str(process.sequence)
        with doing(Work(process.process_id, "publish", which)):
            await self._channel.publish(StatusMessage.of(process))
        self._observe(Deed.PUBLISHED, process, source, seconds=time.monotonic() - began)

    def _observe(
        self,
        deed: Deed,
        process: Process,
        source: Source,
        detail: str | None = None,
        seconds: float | None = None,
    ) -> None:
        self._observer.observe(Act(deed, process, source, detail, seconds))

    async def _tell(self, process: Process, source: Source) -> Process:
        # The database is the truth: a follower that misses this message reads it there.
        try:
            await self._publish(process, source)
        except ChannelUnavailable as error:
            log.warning("process %s: saved, not published: %s", process.process_id, error)
            self._observe(Deed.UNPUBLISHED, process, source, error.message)
            return process
        if process.terminal:
            self._told.pop(process.process_id, None)
            return await self._mark_end(process)
        # Written with the next change: a mark of its own for each would double the writes.
        # Two that are told at once may be done in either order.
        told = max(process.sequence, self._told.pop(process.process_id, 0))
        self._told[process.process_id] = told
        if len(self._told) > _TOLD_LIMIT:
            # What ended before its progress was told stays here: it is what was told the longest ago.
            del self._told[next(iter(self._told))]
        return process

    async def _mark_end(self, process: Process) -> Process:
        try:
            return await self._mark(process, Source.SERVER)
        except StoreUnavailable as error:
            # Saved and told all the same; unmarked, it is told once more.
            log.warning("process %s: published, not marked: %s", process.process_id, error)
            return process

    async def _mark(self, process: Process, source: Source) -> Process:
        return await self._amend(process, EventType.PUBLISHED, source, published=process.sequence)

    async def _ignore(self, process: Process, reason: str, source: Source) -> Process:
        # What the reconciler was answered is a line of the timeline already.
        if source in (Source.SERVER, Source.RECONCILER):
            return process
        last = process.events[-1]
        # A provider that repeats itself for hours gets one line.
        if (last.type, last.detail) == (EventType.IGNORED, reason):
            return process
        return await self._amend(process, EventType.IGNORED, source, reason)

    async def _amend(
        self,
        process: Process,
        type_: EventType,
        source: Source,
        detail: str | None = None,
        published: int = 0,
    ) -> Process:
        while True:
            sequence = published or process.sequence
            event = ProcessEvent(type=type_, at=utc_now(), source=source, sequence=sequence, detail=detail)
            amended = process.amended(event, published=max(process.published, published))
            if await self._replace(amended):
                return amended
            try:
                process = await self.load(process.process_id)
            except ProcessNotFound:
                return process


def _newer(one: Process | None, other: Process | None) -> Process | None:
    if one is None or other is None:
        return one or other
    return one if one.revision > other.revision else other


def _favoured(process: Process, on: bool) -> Process | None:
    return None if process.deleted_at else process.marked(favourite=on)


def _discarded(process: Process, at: datetime) -> Process | None:
    if not process.terminal:
        return None
    return process if process.deleted_at else process.marked(deleted_at=at)


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
