"""Creating, changing and following, over a store that races and a channel that cannot be trusted."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hexwave_app.background import BackgroundTasks
from hexwave_app.processes import (
    Completed,
    Failed,
    Process,
    Processes,
    ProcessNotFound,
    Progressed,
    StatusMessage,
    Submitted,
    Update,
)
from hexwave_app.processes.errors import InvalidRequest, ProcessConflict, StoreUnavailable
from hexwave_app.processes.feed import Feed
from hexwave_app.processes.model import utc_now
from tests.processes.memory import FaultyChannel, MemoryStore, away
from tests.processes.test_transition import begun, updates

DONE = Completed(("/media/a.webp",))
AN_HOUR = timedelta(hours=1)
SOON = 0.02


async def collected(versions: AsyncIterator[Process]) -> list[Process]:
    async with asyncio.timeout(60):
        return [process async for process in versions]


async def attached(channel: FaultyChannel, process_id: str) -> None:
    async with asyncio.timeout(60):
        while not channel.mailboxes[process_id]:
            await asyncio.sleep(0)


def unreliable(chance: random.Random):
    """Drops, repeats and reorders by `chance`."""

    def fate(sent: list[StatusMessage]) -> list[StatusMessage]:
        told = [message for message in sent if chance.random() < 0.4] + sent[-1:] * chance.choice([0, 1, 2])
        chance.shuffle(told)
        return told

    return fate


@settings(max_examples=150)
@given(st.lists(updates, max_size=15), st.randoms(use_true_random=False))
def test_a_follower_sees_only_newer_versions_and_always_the_end(
    said: list[Update], chance: random.Random
) -> None:
    """Updates race each other; messages are lost, doubled and reordered."""

    async def scenario() -> None:
        channel = FaultyChannel(unreliable(chance))
        store = MemoryStore()
        processes = Processes(store, channel, reread=SOON)
        process = await processes.create(begun())
        follower = asyncio.create_task(collected(processes.follow(process.process_id)))
        await attached(channel, process.process_id)
        await asyncio.gather(*(processes.update(process.process_id, update) for update in said))
        await processes.update(process.process_id, DONE)
        seen = await follower
        sequences = [version.sequence for version in seen]
        assert sequences == sorted(set(sequences))
        assert seen[-1].terminal
        kept = store.kept[process.process_id]
        assert (seen[-1].status, seen[-1].sequence, seen[-1].data) == (kept.status, kept.sequence, kept.data)
        terminal = {m.sequence for m in channel.sent if m.status.terminal}
        assert len(terminal) == 1
        assert processes.followers == 0

    asyncio.run(scenario())


async def test_racing_updates_are_all_decided_on_the_newest_version() -> None:
    """Fifty writers at once: no change is lost, none is applied to an old version."""
    processes = Processes(MemoryStore(), FaultyChannel())
    process = await processes.create(begun())
    changes = [Progressed(notice=str(i)) for i in range(50)]
    await asyncio.gather(*(processes.update(process.process_id, change) for change in changes))
    assert (await processes.load(process.process_id)).sequence == 51


async def test_a_follower_that_comes_late_sees_the_state_at_once() -> None:
    """Nothing needs to be published for it."""
    processes = Processes(MemoryStore(), FaultyChannel(lambda sent: []))
    process = await processes.create(begun())
    await processes.update(process.process_id, Progressed(40))
    async with asyncio.timeout(60):
        async for seen in processes.follow(process.process_id):
            assert seen.data.progress == 40
            break


async def test_following_a_finished_process_yields_it_and_ends() -> None:
    """There is nothing to wait for."""
    processes = Processes(MemoryStore(), FaultyChannel(lambda sent: []), reread=60)
    process = await processes.create(begun())
    await processes.update(process.process_id, DONE)
    assert [seen.terminal for seen in await collected(processes.follow(process.process_id))] == [True]


async def test_with_the_channel_away_updates_are_saved_and_followers_read_the_store() -> None:
    """The channel is a hint: losing it costs time, never a result."""
    processes = Processes(MemoryStore(), FaultyChannel(away), reread=SOON)
    process = await processes.create(begun())
    follower = asyncio.create_task(collected(processes.follow(process.process_id)))
    await processes.update(process.process_id, DONE)
    assert (await follower)[-1].data.generations == DONE.generations


async def test_an_update_that_says_nothing_new_is_not_published() -> None:
    """A doubled webhook is told once."""
    channel = FaultyChannel()
    processes = Processes(MemoryStore(), channel)
    process = await processes.create(begun())
    for _ in range(3):
        await processes.update(process.process_id, DONE)
    assert [message.sequence for message in channel.sent] == [2]


class Slow(FaultyChannel):
    """Takes nothing until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()

    async def publish(self, message: StatusMessage) -> None:
        await self.go.wait()
        await super().publish(message)


async def test_with_an_owner_for_it_telling_of_progress_is_not_waited_for() -> None:
    """The change is saved; what is told is marked with the next one, and an end is waited for."""
    channel = Slow()
    async with BackgroundTasks.open() as tasks, asyncio.timeout(60):
        processes = Processes(MemoryStore(), channel, spawn=tasks.spawn)
        process = await processes.create(begun())
        assert (await processes.update(process.process_id, Progressed(10))).sequence == 2
        ending = asyncio.create_task(processes.update(process.process_id, DONE))
        await asyncio.sleep(0)
        assert channel.sent == []
        channel.go.set()
        assert (await ending).published == 3
        # An end does not wait for its progress: whichever comes first, followers go by the sequence.
        assert {message.sequence for message in channel.sent} == {2, 3}


async def test_an_acceptance_is_saved_and_not_told() -> None:
    """A message has no word of the provider: followers would see no difference, and are owed none."""
    channel = FaultyChannel()
    processes = Processes(MemoryStore(), channel)
    process = await processes.create(begun())
    accepted = await processes.update(process.process_id, Submitted("job-1"))
    assert (accepted.sequence, accepted.revision, accepted.unpublished) == (1, 2, False)
    assert (await processes.load(process.process_id)).provider.job_id == "job-1"
    assert channel.sent == []


async def test_a_beginning_is_not_published() -> None:
    """Nobody can follow what has no id yet, and nobody has to make up for it."""
    channel = FaultyChannel()
    processes = Processes(MemoryStore(), channel)
    assert not (await processes.create(begun())).unpublished
    assert channel.sent == []


async def test_a_repeated_idempotency_key_returns_the_first_process() -> None:
    """One key of a user is one process."""
    processes = Processes(MemoryStore(), FaultyChannel())
    first, second = (begun().model_copy(update={"idempotency_key": "k"}) for _ in range(2))
    assert await processes.create(first) is first
    assert await processes.create(second) is first


async def test_anothers_process_is_not_found() -> None:
    """Whether it exists is not told either."""
    processes = Processes(MemoryStore(), FaultyChannel())
    process = await processes.create(begun())
    for id_, user in ((process.process_id, "g_2"), ("p_none", "g_1")):
        with pytest.raises(ProcessNotFound):
            await processes.get(id_, user)


async def test_a_running_process_cannot_be_deleted() -> None:
    """Its webhook would find nothing."""
    processes = Processes(MemoryStore(), FaultyChannel())
    process = await processes.create(begun())
    with pytest.raises(ProcessConflict):
        await processes.delete(process.process_id, "g_1")
    await processes.update(process.process_id, DONE)
    await processes.delete(process.process_id, "g_1")
    with pytest.raises(ProcessNotFound):
        await processes.load(process.process_id)


async def ended(processes: Processes, user_id: str = "g_1") -> Process:
    process = await processes.create(begun().model_copy(update={"user_id": user_id}))
    return await processes.update(process.process_id, DONE)


async def test_a_mark_moves_the_revision_and_nothing_that_followers_are_told() -> None:
    """A favourite is its owner's business: no sequence, no message, no time of change."""
    channel = FaultyChannel()
    processes = Processes(MemoryStore(), channel)
    before = await ended(processes)
    told = len(channel.sent)
    (liked,) = await processes.favour([before.process_id], "g_1", True)
    assert liked == before.model_copy(update={"favourite": True, "revision": before.revision + 1})
    assert await processes.favour([before.process_id], "g_1", True) == [liked]
    (plain,) = await processes.favour([before.process_id], "g_1", False)
    assert (plain.favourite, plain.revision) == (False, liked.revision + 1)
    assert len(channel.sent) == told


async def test_marks_and_news_at_once_all_hold() -> None:
    """Neither a status nor a mark is lost to the other."""
    for _ in range(20):
        processes = Processes(MemoryStore(), FaultyChannel())
        process_id = (await processes.create(begun())).process_id
        await asyncio.gather(
            processes.update(process_id, Progressed(40)),
            processes.favour([process_id], "g_1", True),
            processes.update(process_id, Submitted("job")),
            processes.favour([process_id], "g_1", True),
            processes.update(process_id, DONE),
        )
        after = await processes.load(process_id)
        assert (after.favourite, after.data.generations) == (True, DONE.generations)


async def test_what_is_discarded_is_gone_until_it_is_restored() -> None:
    """From every answer to its owner; undone, it is as it was."""
    processes = Processes(MemoryStore(), FaultyChannel())
    before = await ended(processes)
    ids = [before.process_id]
    assert [each.process_id for each in await processes.discard(ids, "g_1")] == ids
    with pytest.raises(ProcessNotFound):
        await processes.get(before.process_id, "g_1")
    assert (await processes.list("g_1")).processes == []
    assert await processes.count("g_1") == 0
    assert await processes.owned(ids, "g_1") == []
    assert await processes.favour(ids, "g_1", True) == []
    for mark in (processes.share, processes.unshare, processes.delete):
        with pytest.raises(ProcessNotFound):
            await mark(before.process_id, "g_1")
    (restored,) = await processes.restore(ids, "g_1")
    assert restored == before.model_copy(update={"revision": restored.revision})
    assert await processes.get(before.process_id, "g_1") == restored


async def test_many_are_marked_at_once_and_only_ones_own() -> None:
    """What runs is not discarded; another's, and what is not there, is passed over and left alone."""
    processes = Processes(MemoryStore(), FaultyChannel())
    mine = [await ended(processes) for _ in range(60)]
    other, runs = await ended(processes, "g_2"), await processes.create(begun())
    ids = [process.process_id for process in mine]
    asked = [other.process_id, *ids, runs.process_id, "p_none", ids[0]]
    assert [each.process_id for each in await processes.discard(asked, "g_1")] == ids
    assert {each.process_id for each in await processes.favour(asked, "g_1", True)} == {runs.process_id}
    assert await processes.get(other.process_id, "g_2") == other
    assert not (await processes.get(runs.process_id, "g_1")).terminal
    assert [each.process_id for each in await processes.restore(asked, "g_1")] == [*ids, runs.process_id]
    assert await processes.get(other.process_id, "g_2") == other


async def test_more_than_five_hundred_at_once_are_refused() -> None:
    """Before anything is read."""
    processes = Processes(MemoryStore(), FaultyChannel())
    with pytest.raises(InvalidRequest) as refused:
        await processes.discard([f"p_{number}" for number in range(501)], "g_1")
    assert refused.value.field == "ids"


async def test_what_was_restored_is_not_purged() -> None:
    """A purge is of the version that was read; one that is purged cannot be restored."""
    processes = Processes(MemoryStore(), FaultyChannel())
    ids = [(await ended(processes)).process_id]
    await processes.discard(ids, "g_1")
    (doomed,) = await processes.deleted(utc_now() + AN_HOUR, 9)
    await processes.restore(ids, "g_1")
    assert not await processes.purge(doomed)
    await processes.discard(ids, "g_1")
    (doomed,) = await processes.deleted(utc_now() + AN_HOUR, 9)
    assert await processes.purge(doomed)
    assert await processes.restore(ids, "g_1") == []


async def test_a_link_is_shared_until_it_is_not_and_then_another() -> None:
    """Sharing twice is one nonce; sharing again after the end of it is a fresh one."""
    processes = Processes(MemoryStore(), FaultyChannel())
    process_id = (await processes.create(begun())).process_id
    with pytest.raises(ProcessConflict):
        await processes.share(process_id, "g_1")
    await processes.update(process_id, DONE)
    with pytest.raises(ProcessNotFound):
        await processes.share(process_id, "g_2")
    first = (await processes.share(process_id, "g_1")).share
    assert first is not None
    assert (await processes.share(process_id, "g_1")).share == first
    assert (await processes.unshare(process_id, "g_1")).share is None
    assert (await processes.share(process_id, "g_1")).share not in (None, first)


@pytest.mark.parametrize("cursor", ["", "nonsense", "é", "bm8tYmFy", "MjAyNnw"])
async def test_a_cursor_that_is_not_ours_is_refused(cursor: str) -> None:
    """With a sentence that says where to take one from."""
    with pytest.raises(InvalidRequest) as refused:
        await Processes(MemoryStore(), FaultyChannel()).list("g_1", cursor=cursor)
    assert refused.value.field == "cursor"


async def test_an_abandoned_follower_lets_go_of_the_channel() -> None:
    """Cancelled in mid-wait, it unsubscribes and is no longer counted."""
    channel = FaultyChannel()
    processes = Processes(MemoryStore(), channel, reread=60)
    process = await processes.create(begun())
    follower = asyncio.create_task(collected(processes.follow(process.process_id)))
    await attached(channel, process.process_id)
    assert processes.followers == 1
    follower.cancel()
    await asyncio.wait([follower])
    assert processes.followers == 0
    assert not channel.mailboxes[process.process_id]


async def test_a_feed_brings_the_newest_version_of_each_process_and_ends_its_followers() -> None:
    """Versions that nobody took in time are dropped for newer ones."""
    channel = FaultyChannel()
    processes = Processes(MemoryStore(), channel)
    one, two = await processes.create(begun()), await processes.create(begun())
    async with Feed.open(processes) as feed:
        for process in (one, two, one):
            feed.add(process.process_id)
        await attached(channel, two.process_id)
        seen: dict[str, Process] = {}
        await processes.update(one.process_id, Submitted("job-1"))
        await processes.update(one.process_id, DONE)
        async with asyncio.timeout(60):
            while not (one.process_id in seen and seen[one.process_id].terminal and two.process_id in seen):
                seen |= {process.process_id: process for process in await feed.next(1)}
        assert processes.followers == 1
    assert processes.followers == 0


async def test_a_silent_feed_answers_with_nothing() -> None:
    """So that its owner can look whether it is still wanted."""
    async with Feed.open(Processes(MemoryStore(), FaultyChannel())) as feed:
        assert await feed.next(SOON) == []


async def test_an_update_from_an_old_version_is_decided_on_the_newest() -> None:
    """What a caller has read is a guess: a lost race, or old news, is looked at anew."""
    processes = Processes(MemoryStore(), FaultyChannel())
    old = await processes.create(begun())
    await processes.update(old.process_id, Progressed(64))
    assert (await processes.update(old.process_id, Progressed(80), old)).sequence == 3
    assert (await processes.update(old.process_id, Progressed(10), old)).data.progress == 80
    newest = await processes.update(old.process_id, DONE)
    assert await processes.update(old.process_id, Progressed(0), old) == newest


class Counting(MemoryStore):
    """Counts how often it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    async def get(self, process_id: str) -> Process | None:
        self.asked += 1
        return await super().get(process_id)


async def test_a_worker_does_not_read_what_it_wrote_itself() -> None:
    """Each change is decided on the version of the one before."""
    store = Counting()
    processes = Processes(store, FaultyChannel())
    process = await processes.create(begun())
    for update in (Submitted("job-1"), Progressed(10), Progressed(20), DONE):
        process = await processes.update(process.process_id, update)
    assert store.asked == 1
    assert (process.sequence, process.status) == (4, "completed")


async def test_workers_that_take_turns_lose_nothing() -> None:
    """What another one wrote is found out by saving, and read."""
    store = MemoryStore()
    workers = [Processes(store, FaultyChannel()) for _ in range(2)]
    process = await workers[0].create(begun())
    for number in range(10):
        changed = await workers[number % 2].update(process.process_id, Progressed(10 * number))
        assert (changed.sequence, changed.data.progress) == (2 + number, 10 * number)
    ends = [await worker.update(process.process_id, DONE) for worker in workers]
    assert [end.sequence for end in ends] == [12, 12]


async def test_old_news_of_an_old_version_is_judged_by_the_newest() -> None:
    """The version that this worker wrote last would have let it pass."""
    store = MemoryStore()
    one, other = (Processes(store, FaultyChannel()) for _ in range(2))
    process = await one.create(begun())
    await one.update(process.process_id, Progressed(10))
    await other.update(process.process_id, Progressed(90))
    assert (await one.update(process.process_id, Progressed(50))).data.progress == 90
    await other.update(process.process_id, Failed("You stopped it.", "cancelled"))
    assert (await one.update(process.process_id, DONE)).data.error_code == "cancelled"


@pytest.mark.parametrize("alone", [True, False])
async def test_a_job_is_known_without_a_look_only_to_the_one_worker(alone: bool) -> None:
    """And only once there is one: until then it may yet go to another provider."""
    store = Counting()
    processes = Processes(store, FaultyChannel(), alone=alone)
    process = await processes.create(begun())
    await processes.update(process.process_id, Progressed(1), process)
    assert (await processes.reported_on(process.process_id)).provider.job_id is None
    assert store.asked == 1
    await processes.update(process.process_id, Submitted("job-1"))
    assert (await processes.reported_on(process.process_id)).provider.job_id == "job-1"
    assert store.asked == (1 if alone else 2)


async def test_a_report_on_what_another_worker_deleted_finds_that_out() -> None:
    """The guess of the one that wrote last lets it in; whatever it changes is not found."""
    store = MemoryStore()
    one, other = (Processes(store, FaultyChannel(), alone=True) for _ in range(2))
    process = await one.create(begun())
    await one.update(process.process_id, Submitted("job-1"))
    await other.update(process.process_id, Failed("You stopped it.", "cancelled"))
    await other.delete(process.process_id, process.user_id)
    guess = await one.reported_on(process.process_id)
    with pytest.raises(ProcessNotFound):
        await one.update(process.process_id, Progressed(10), guess)
    with pytest.raises(ProcessNotFound):
        await one.reported_on(process.process_id)


async def test_of_what_has_ended_or_is_gone_nothing_is_known_by_heart() -> None:
    """The store says what there is."""
    processes = Processes(MemoryStore(), FaultyChannel(), alone=True)
    process = await processes.create(begun())
    for update in (Submitted("job-1"), DONE):
        await processes.update(process.process_id, update)
    assert (await processes.reported_on(process.process_id)).terminal
    await processes.delete(process.process_id, process.user_id)
    with pytest.raises(ProcessNotFound):
        await processes.reported_on(process.process_id)


class Vague(MemoryStore):
    """Saves, and fails all the same: the answer was lost on its way."""

    lost = False

    async def replace(self, process: Process) -> bool:
        saved = await super().replace(process)
        if self.lost:
            raise StoreUnavailable("The database does not answer.")
        return saved


async def test_what_was_perhaps_saved_is_looked_at_anew() -> None:
    """Neither the version before nor the one that was to be saved is taken for the newest."""
    store = Vague()
    processes = Processes(store, FaultyChannel(), alone=True)
    process = await processes.create(begun())
    await processes.update(process.process_id, Submitted("job-1"))
    store.lost = True
    with pytest.raises(StoreUnavailable):
        await processes.update(process.process_id, DONE)
    store.lost = False
    assert (await processes.reported_on(process.process_id)).terminal
    assert (await processes.update(process.process_id, Progressed(5))).status == "completed"


async def test_a_feed_that_is_told_to_end_lets_go_of_whoever_waits() -> None:
    """At once, however long they meant to wait: another follower takes its place."""
    async with Feed.open(Processes(MemoryStore(), FaultyChannel())) as feed:
        waiting = asyncio.create_task(feed.next(timeout=3600))
        await asyncio.sleep(0)
        feed.end()
        assert await waiting == []
        assert feed.ended
