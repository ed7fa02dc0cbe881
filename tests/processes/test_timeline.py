"""The timeline: what happened, when, and who said so."""

import asyncio
import random
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hexwave_app.processes import (
    Answered,
    Completed,
    Failed,
    Process,
    Processes,
    Progressed,
    Source,
    Stage,
    StatusMessage,
    Submitted,
    Update,
    transition,
)
from hexwave_app.processes.errors import ChannelUnavailable, StoreUnavailable
from hexwave_app.processes.model import EVENTS_KEPT, EventType, utc_now
from tests.processes.memory import FaultyChannel, MemoryStore, away
from tests.processes.test_transition import AT, after, begun, updates

DONE = Completed(("/media/a.webp",))
OTHERS = (EventType.PUBLISHED, EventType.IGNORED, EventType.RECONCILED)


class Watched(MemoryStore):
    """Keeps every version that was ever saved."""

    def __init__(self) -> None:
        super().__init__()
        self.versions: list[Process] = []

    async def insert(self, process: Process) -> Process:
        kept = await super().insert(process)
        self.versions.append(kept)
        return kept

    async def replace(self, process: Process) -> bool:
        saved = await super().replace(process)
        if saved:
            self.versions.append(process)
        return saved


class Full(MemoryStore):
    """Takes no line of the timeline: the database went away after the change."""

    async def replace(self, process: Process) -> bool:
        if process.events[-1].type is EventType.PUBLISHED:
            raise StoreUnavailable("The database does not answer.")
        return await super().replace(process)


async def started(store: MemoryStore, channel: FaultyChannel | None = None) -> tuple[Processes, Process]:
    processes = Processes(store, channel or FaultyChannel())
    return processes, await processes.create(begun())


@pytest.mark.parametrize(
    ("update", "type_", "detail"),
    [
        (Submitted("job-1"), EventType.SUBMITTED, "demo"),
        (Progressed(40), EventType.PROGRESS, "40%"),
        (Progressed(stage=Stage.PAINTING), EventType.PROGRESS, "painting"),
        (Answered({"results": ["x"]}), EventType.WEBHOOK, None),
        (Completed(("a", "b")), EventType.SAVED, "2 kept"),
        (Failed("It failed.", "timeout"), EventType.FAILED, "timeout"),
        (Failed("You stopped it.", "cancelled"), EventType.CANCELLED, "cancelled"),
    ],
    ids=lambda value: str(value)[:20],
)
@pytest.mark.parametrize("source", Source)
async def test_each_change_is_one_line(
    update: Update, type_: EventType, detail: str | None, source: Source
) -> None:
    """What, when, by whom, and the sequence it led to, saved in the one write of the change itself.

    Followers are told nothing of an acceptance, in which they would see no difference.
    """
    store = Watched()
    processes, process = await started(store, FaultyChannel(away))
    before = utc_now()
    after = await processes.update(process.process_id, update, source=source)
    line = after.events[-1]
    sequence = 1 if type_ is EventType.SUBMITTED else 2
    assert (line.type, line.detail, line.source, line.sequence) == (type_, detail, source, sequence)
    assert before <= line.at <= utc_now()
    assert store.versions == [process, after]


async def test_it_begins_with_the_user() -> None:
    """The first line is there in the first write."""
    store = Watched()
    _, process = await started(store)
    (line,) = store.versions[0].events
    assert (line.type, line.source, line.sequence) == (EventType.CREATED, Source.USER, 1)
    assert line.at == process.created_at


async def test_the_end_is_marked_as_published() -> None:
    """By the worker that published it, with the sequence that followers were told."""
    processes, process = await started(MemoryStore())
    for update in (Submitted("job-1"), Progressed(10), DONE):
        ended = await processes.update(process.process_id, update)
    line = ended.events[-1]
    assert (line.type, line.source, line.sequence) == (EventType.PUBLISHED, Source.SERVER, 3)
    assert (ended.published, ended.unpublished) == (3, False)
    assert await processes.load(process.process_id) == ended


async def test_on_the_way_what_was_told_is_marked_with_the_next_change() -> None:
    """No write of its own, no line of its own."""
    store = Watched()
    processes, process = await started(store)
    for progress in (10, 20, 30):
        await processes.update(process.process_id, Progressed(progress))
    assert [version.published for version in store.versions] == [1, 1, 2, 3]
    assert [version.revision for version in store.versions] == [1, 2, 3, 4]


async def test_what_was_not_published_stays_visible() -> None:
    """The end is saved, nobody was told, and the document says so."""
    processes, process = await started(MemoryStore(), FaultyChannel(away))
    ended = await processes.update(process.process_id, DONE)
    assert (ended.published, ended.unpublished) == (1, True)
    assert EventType.PUBLISHED not in [event.type for event in ended.events]
    before = ended.updated_at + timedelta(milliseconds=1)
    assert await processes.unpublished(before, 10) == [ended]


async def test_a_published_end_that_cannot_be_marked_is_no_failure() -> None:
    """It is saved and told: whoever asked for it is not told otherwise, and it may be told once more."""
    channel = FaultyChannel()
    processes, process = await started(Full(), channel)
    ended = await processes.update(process.process_id, DONE)
    assert ended.terminal
    assert ended.unpublished
    assert [message.sequence for message in channel.sent] == [2]


async def test_what_was_told_is_never_unmarked() -> None:
    """A worker that told less knows less: the mark of the one that told more stands."""
    store = MemoryStore()
    one, process = await started(store)
    deaf = Processes(store, FaultyChannel(away))
    await deaf.update(process.process_id, Progressed(10))
    newest = await deaf.update(process.process_id, Progressed(20))
    await Processes(store, FaultyChannel()).republish(newest)
    assert (await one.update(process.process_id, Progressed(30))).published == newest.sequence


@pytest.mark.parametrize(
    ("said", "again", "reason"),
    [
        ([Progressed(40)], Progressed(40), "Duplicate"),
        ([Progressed(40)], Progressed(10), "Late news"),
        ([Progressed(40)], Progressed(stage=Stage.QUEUED), "Late news"),
        ([Submitted("job-1")], Submitted("job-2"), "Already submitted"),
        ([Answered({"results": ["x"]})], Answered({"results": ["y"]}), "Duplicate"),
        ([DONE], DONE, "Already completed"),
        ([DONE], Failed("No.", "provider_refused"), "Already completed"),
        ([Failed("No.", "timeout")], DONE, "Already failed"),
        ([Failed("You stopped it.", "cancelled")], DONE, "Already cancelled"),
    ],
    ids=lambda value: str(value)[:20],
)
async def test_what_changes_nothing_is_noted_with_its_reason(
    said: list[Update], again: Update, reason: str
) -> None:
    """Told often, it is one line; the sequence stays, and nobody is told."""
    channel = FaultyChannel()
    processes, process = await started(MemoryStore(), channel)
    before = noted = process
    for update in said:
        before = await processes.update(process.process_id, update)
    told = len(channel.sent)
    for _ in range(3):
        noted = await processes.update(process.process_id, again, source=Source.WEBHOOK)
    line = noted.events[-1]
    assert (line.type, line.source, line.detail) == (EventType.IGNORED, Source.WEBHOOK, reason)
    assert noted.events[:-1] == before.events
    assert (noted.sequence, noted.data, noted.updated_at) == (before.sequence, before.data, before.updated_at)
    assert (noted.revision, len(channel.sent)) == (before.revision + 1, told)


async def test_something_else_in_between_begins_a_new_line() -> None:
    """Folded is only what repeats the line before it."""
    processes, process = await started(MemoryStore())
    for progress in (40, 40, 50, 50, 10, 50):
        now = await processes.update(process.process_id, Progressed(progress), source=Source.WEBHOOK)
    assert [event.detail for event in now.events[1:]] == [
        *("40%", "Duplicate", "50%", "Duplicate", "Late news", "Duplicate")
    ]


@pytest.mark.parametrize("source", [Source.SERVER, Source.RECONCILER])
async def test_our_own_repetitions_are_not_noted(source: Source) -> None:
    """Only what came from outside, unasked, is worth a line."""
    processes, process = await started(MemoryStore())
    before = await processes.update(process.process_id, DONE)
    assert await processes.update(process.process_id, DONE, source=source) == before


async def test_asked_again_and_answered_the_same_is_one_line() -> None:
    """Of the last time; another answer is another line."""
    processes, process = await started(MemoryStore())
    for detail in ("processing", "processing", "no answer", "processing", "processing"):
        process = await processes.note(process, EventType.RECONCILED, Source.RECONCILER, detail)
    assert [event.detail for event in process.events[1:]] == ["processing", "no answer", "processing"]
    assert process.revision == 6


async def test_a_note_on_what_was_deleted_is_no_failure() -> None:
    """There is nothing left to write it on."""
    store = MemoryStore()
    processes, process = await started(store)
    await store.delete(process.process_id)
    assert await processes.note(process, EventType.RECONCILED, Source.RECONCILER) == process
    assert store.kept == {}


async def test_it_is_bounded_whatever_is_noted() -> None:
    """The first line stays, and the newest."""
    processes, process = await started(MemoryStore())
    for number in range(2 * EVENTS_KEPT):
        process = await processes.note(process, EventType.RECONCILED, Source.RECONCILER, str(number))
    assert len(process.events) == EVENTS_KEPT
    assert process.events[0].type is EventType.CREATED
    assert process.events[-1].detail == str(2 * EVENTS_KEPT - 1)


def test_a_clock_that_is_behind_takes_no_time_back() -> None:
    """Workers' clocks differ: the line has its writer's time, the process never an earlier one."""
    process = after(Progressed(10))
    late = transition(process, Progressed(20), AT - timedelta(hours=1))
    assert late.updated_at == process.updated_at
    assert late.events[-1].at == AT - timedelta(hours=1)


noises = st.one_of(
    updates,
    st.builds(Progressed, progress=st.integers(0, 3)),
    st.sampled_from(["no answer", "processing"]),
    st.just(None),
)


@settings(max_examples=150)
@given(st.lists(st.tuples(noises, st.sampled_from(Source)), max_size=20), st.integers(0, 2**32))
def test_whatever_races_nothing_is_lost(said: list[tuple[Update | str | None, Source]], seed: int) -> None:
    """Changes, notes and marks of two workers at once: one write is one revision, one change one sequence.

    Each line that was saved stays in all later versions, but for a repetition that takes its place.
    """

    chance = random.Random(seed)

    def fate(sent: list[StatusMessage]) -> list[StatusMessage]:
        if chance.random() < 0.3:
            raise ChannelUnavailable("Ably is away.")
        return []

    async def act(processes: Processes, process: Process, what: Update | str | None, source: Source) -> None:
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
        known = await processes.load(process.process_id) if chance.random() < 0.5 else process
        if what is None:
            await processes.republish(known)
        elif isinstance(what, str):
            await processes.note(known, EventType.RECONCILED, source, what)
        else:
            guess = known if chance.random() < 0.5 else None
            await processes.update(process.process_id, what, guess, source)

    async def scenario() -> None:
        store = Watched()
        workers = [Processes(store, FaultyChannel(fate)) for _ in range(2)]
        process = await workers[0].create(begun())
        acts = [act(chance.choice(workers), process, what, source) for what, source in said]
        for outcome in await asyncio.gather(*acts, return_exceptions=True):
            assert outcome is None or isinstance(outcome, ChannelUnavailable)
        hold(store.versions)

    asyncio.run(scenario())


def hold(versions: list[Process]) -> None:
    """One history: nothing skipped, nothing taken back, ended once."""
    for before, now in pairwise(versions):
        assert now.revision == before.revision + 1
        line = now.events[-1]
        assert now.events[:-1] in (before.events, before.events[:-1])
        if now.events[:-1] != before.events:
            assert (line.type, line.detail) == (EventType.RECONCILED, before.events[-1].detail)
        assert now.published >= before.published
        if line.type in OTHERS:
            aside = {"events": (), "revision": 0, "published": 0}
            assert now.model_copy(update=aside) == before.model_copy(update=aside)
        else:
            assert not before.terminal
            told = (before.status, before.data) != (now.status, now.data)
            assert now.sequence == line.sequence == before.sequence + told
    newest = versions[-1]
    changes = [event.sequence for event in newest.events if event.type not in OTHERS]
    assert sorted(set(changes)) == list(range(1, newest.sequence + 1))
    assert newest.published <= newest.sequence
