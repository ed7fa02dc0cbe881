"""What every store promises."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hexwave_app.processes import (
    Answered,
    Completed,
    Cursor,
    Failed,
    Filter,
    Process,
    ProcessStatus,
    ProcessStore,
    Progressed,
    Stage,
    Submitted,
    transition,
)
from hexwave_app.processes.model import EventType, KeptPicture, ProcessEvent, ProviderJob, Source, utc_now
from tests.stores.conftest import OpenStore, begun

EVERYTHING = Filter()
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
AN_HOUR = timedelta(hours=1)


def later(process: Process) -> Process:
    return transition(process, Progressed((process.data.progress or 0) + 1), NOON)


def told(process: Process) -> Process:
    """The process after its followers were told."""
    event = ProcessEvent(type=EventType.PUBLISHED, at=NOON, source=Source.SERVER, sequence=process.sequence)
    return process.amended(event, published=process.sequence)


def touched(at: datetime, user_id: str = "g_a", **fields: Any) -> Process:
    return begun(user_id, created_at=at, updated_at=at, **fields)


async def test_a_process_comes_back_as_it_was_saved(store: ProcessStore) -> None:
    """Every field, at every stage of its life."""
    process = begun(idempotency_key="k", retry_of="p_before")
    assert await store.insert(process) == process
    assert await store.get(process.process_id) == process
    for update in (
        Submitted("job"),
        Progressed(40, Stage.PAINTING, ("/media/a.webp", None), "a notice"),
        Answered({"results": ["demo:1"], "notice": None}),
        Completed(("/media/b.webp",), None, (KeptPicture(width=3, height=2, colour="#102030"),)),
    ):
        process = transition(process, update, NOON)
        assert await store.replace(process)
        assert await store.get(process.process_id) == process
    for marks in ({"favourite": True}, {"share": "nonce"}, {"deleted_at": NOON}, {"deleted_at": None}):
        process = process.marked(**marks)
        assert await store.replace(process)
        assert await store.get(process.process_id) == process


async def test_what_is_not_there_is_none(store: ProcessStore) -> None:
    """Neither read, nor replaced, nor leased, nor deleted."""
    process = begun()
    assert await store.get(process.process_id) is None
    assert not await store.replace(later(process))
    assert not await store.lease(process.process_id, "one", utc_now() + AN_HOUR)
    assert not await store.delete(process.process_id)
    assert await store.get(process.process_id) is None


async def test_replace_compares_the_revision(store: ProcessStore) -> None:
    """Only from the revision before; a lost race changes nothing, and neither does saving twice."""
    first = await store.insert(begun())
    second = later(first)
    assert await store.replace(second)
    assert not await store.replace(transition(first, Failed("No.", "x"), NOON))
    assert not await store.replace(second)
    assert not await store.replace(later(later(second)))
    assert await store.get(first.process_id) == second


async def test_a_line_of_the_timeline_alone_is_raced_for_too(store: ProcessStore) -> None:
    """Of two changes that leave the sequence as it is, the second must read again."""
    first = await store.insert(begun())
    assert await store.replace(told(first))
    assert not await store.replace(told(first))
    assert not await store.replace(later(first))
    assert await store.get(first.process_id) == told(first)


async def test_one_of_many_writers_wins(store: ProcessStore) -> None:
    """Twenty at once from one revision: one is told that it won, and its version is the one kept."""
    first = await store.insert(begun())
    rivals = [transition(first, Submitted(f"job-{number}"), NOON) for number in range(20)]
    won = await asyncio.gather(*(store.replace(rival) for rival in rivals))
    assert won.count(True) == 1
    assert await store.get(first.process_id) == rivals[won.index(True)]


async def test_a_process_inserted_again_is_the_one_kept(store: ProcessStore) -> None:
    """Whoever was not told that it was kept may try again, whatever became of it meanwhile."""
    for first in (begun(), begun(idempotency_key="k")):
        await store.insert(first)
        await store.replace(later(first))
        assert await store.insert(first) == later(first)


async def test_an_idempotency_key_is_kept_once_a_user(store: ProcessStore) -> None:
    """The second insert answers with the first process; other users and other keys are free."""
    first = await store.insert(begun(idempotency_key="k"))
    assert await store.insert(begun(idempotency_key="k")) == first
    for free in (begun("g_b", idempotency_key="k"), begun(idempotency_key="l"), begun(), begun()):
        assert await store.insert(free) == free


async def test_what_a_key_began_is_found_by_it(store: ProcessStore) -> None:
    """As last saved, for its own user; another key began nothing, and neither did none."""
    first = await store.insert(begun(idempotency_key="k"))
    await store.insert(begun())
    assert await store.replace(later(first))
    assert await store.begun("g_a", "k") == later(first)
    assert await store.begun("g_b", "k") is None
    assert await store.begun("g_a", "l") is None


async def test_an_idempotency_key_at_once_is_one_process(store: ProcessStore) -> None:
    """Ten inserts racing each other all answer with the same process."""
    kept = await asyncio.gather(*(store.insert(begun(idempotency_key="k")) for _ in range(10)))
    assert len({process.process_id for process in kept}) == 1
    assert await store.find("g_a", EVERYTHING, 100, None) == [kept[0]]


async def test_a_deleted_process_frees_its_key(store: ProcessStore) -> None:
    """Deleting tells whether there was one."""
    first = await store.insert(begun(idempotency_key="k"))
    assert await store.delete(first.process_id)
    assert not await store.delete(first.process_id)
    second = begun(idempotency_key="k")
    assert await store.insert(second) == second


async def test_a_list_is_newest_first_and_goes_on_after_a_cursor(store: ProcessStore) -> None:
    """Equal times are told apart by the id, so that no page repeats or skips a process."""
    times = [NOON + timedelta(milliseconds=number // 3) for number in range(10)]
    made = [await store.insert(begun(created_at=at)) for at in times]
    expected = sorted(made, key=lambda process: (process.created_at, process.process_id), reverse=True)
    found, after = list[Process](), None
    while page := await store.find("g_a", EVERYTHING, 3, after):
        assert len(page) <= 3
        found += page
        after = Cursor(page[-1].created_at, page[-1].process_id)
    assert found == expected


async def test_new_processes_do_not_move_a_list_under_its_reader(store: ProcessStore) -> None:
    """What is begun after the first page does not push one into the second."""
    made = [await store.insert(begun(created_at=NOON + timedelta(seconds=number))) for number in range(4)]
    first = await store.find("g_a", EVERYTHING, 2, None)
    await store.insert(begun(created_at=NOON + timedelta(seconds=9)))
    rest = await store.find("g_a", EVERYTHING, 9, Cursor(first[-1].created_at, first[-1].process_id))
    assert [*first, *rest] == made[::-1]


async def test_a_list_is_one_users_and_narrowed(store: ProcessStore) -> None:
    """By owner always; by status, tool and category where asked, which follow what is replaced."""
    await store.insert(begun("g_b"))
    video = await store.insert(begun(category="video", tool_name="video-generator"))
    image = await store.insert(begun())
    done = transition(image, Completed(()), NOON)
    await store.replace(done)
    assert set(await ids(store, EVERYTHING)) == {video.process_id, image.process_id}
    assert await ids(store, Filter(status=ProcessStatus.COMPLETED)) == [image.process_id]
    assert await ids(store, Filter(category="video")) == [video.process_id]
    assert await ids(store, Filter(tool_name="video-generator")) == [video.process_id]
    assert await ids(store, Filter(ProcessStatus.COMPLETED, category="video")) == []


async def ids(store: ProcessStore, narrow: Filter) -> list[str]:
    found = [process.process_id for process in await store.find("g_a", narrow, 100, None)]
    assert await store.count("g_a", narrow) == len(found)
    return found


def asked(prompt: str, **fields: Any) -> Process:
    process = begun(**fields)
    return process.model_copy(update={"data": process.data.model_copy(update={"req": {"prompt": prompt}})})


async def test_a_list_is_narrowed_by_favourites_and_by_who_made_it(store: ProcessStore) -> None:
    """By provider, and by model, which one may have without the other."""
    plain = await store.insert(begun())
    liked = await store.insert(begun(favourite=True, provider=ProviderJob(name="demo", model="painter-1")))
    other = await store.insert(begun(provider=ProviderJob(name="fal", model="painter-1")))
    assert await ids(store, Filter(favourite=True)) == [liked.process_id]
    assert set(await ids(store, Filter(provider="demo"))) == {plain.process_id, liked.process_id}
    assert set(await ids(store, Filter(model="painter-1"))) == {liked.process_id, other.process_id}
    assert await ids(store, Filter(provider="fal", model="painter-1")) == [other.process_id]
    assert await store.replace(liked.marked(favourite=False))
    assert await ids(store, Filter(favourite=True)) == []


async def test_a_list_is_narrowed_by_time(store: ProcessStore) -> None:
    """From the first moment on, and up to, without, the second; a cursor goes on within them."""
    times = [NOON + timedelta(minutes=number) for number in range(5)]
    made = [(await store.insert(begun(created_at=at))).process_id for at in times]
    between = Filter(since=times[1], until=times[4])
    assert await ids(store, between) == made[3:0:-1]
    assert await ids(store, Filter(since=times[3])) == made[:2:-1]
    assert await ids(store, Filter(until=times[1])) == made[:1]
    rest = await store.find("g_a", between, 9, Cursor(times[2], made[2]))
    assert [process.process_id for process in rest] == made[1:2]


async def test_a_list_may_be_oldest_first(store: ProcessStore) -> None:
    """The very same list, the other way round, page by page."""
    times = [NOON + timedelta(milliseconds=number // 3) for number in range(10)]
    for at in times:
        await store.insert(begun(created_at=at))
    found, after = list[Process](), None
    while page := await store.find("g_a", Filter(oldest_first=True), 3, after):
        found += page
        after = Cursor(page[-1].created_at, page[-1].process_id)
    assert found[::-1] == await store.find("g_a", EVERYTHING, 100, None)


@pytest.mark.parametrize(
    ("search", "finds"),
    [
        ("harbour", True),
        ("HARB", True),
        ("bour", True),
        ("dawn harbour", True),
        ("  dawn\tHarbour ", True),
        ("harbour dusk", False),
        ("möwen", True),
        ("MÖWEN", True),
        ("mo\u0308wen", True),
        ("STRASSE", True),
        ("straße", True),
        ("🌊", True),
        ("100%", True),
        ("100_", False),
        ("%", True),
        ("_", False),
        (".", False),
        (".*", False),
        ("(", True),
        ("[a", False),
        ("\\", False),
        ("$set", True),
        ("\x00", True),
        ("", True),
    ],
)
async def test_a_search_finds_parts_of_words_in_any_case(
    store: ProcessStore, search: str, finds: bool
) -> None:
    """All of them, in any order, in every script; what has a meaning to a database has none here."""
    kept = await store.insert(asked("Harbour at dawn, Möwen (100% $set) an der Straße 🌊"))
    await store.insert(asked("Night"))
    await store.insert(asked("Harbour at dawn", user_id="g_b"))
    assert (kept.process_id in await ids(store, Filter(search=search))) is finds


async def test_all_filters_hold_at_once(store: ProcessStore) -> None:
    """What misses one of them is not found."""
    fitting = {
        "user_id": "g_a",
        "favourite": True,
        "created_at": NOON,
        "status": ProcessStatus.COMPLETED,
        "provider": ProviderJob(name="demo", model="painter-1"),
    }
    kept = await store.insert(asked("Harbour", **fitting))
    for other in (
        {"favourite": False},
        {"created_at": NOON - AN_HOUR},
        {"created_at": NOON + AN_HOUR},
        {"status": ProcessStatus.FAILED},
        {"provider": ProviderJob(name="demo", model="painter-2")},
        {"category": "video"},
        {"deleted_at": NOON},
        {"user_id": "g_b"},
    ):
        await store.insert(asked("Harbour", **fitting | other))
    await store.insert(asked("Night", **fitting))
    wanted = Filter(
        *(ProcessStatus.COMPLETED, "image-generator", "image", "demo", "painter-1"),
        favourite=True,
        since=NOON,
        until=NOON + AN_HOUR,
        search="harb",
    )
    assert await ids(store, wanted) == [kept.process_id]


async def test_what_is_deleted_is_in_no_list_until_it_is_restored(store: ProcessStore) -> None:
    """Under no filter; by its id it can still be read, for who undoes it and who purges it."""
    gone = await store.insert(begun(deleted_at=NOON, favourite=True))
    assert await store.get(gone.process_id) == gone
    assert await store.owned("g_a", [gone.process_id]) == [gone]
    for narrow in (EVERYTHING, Filter(favourite=True), Filter(search="möwen"), Filter(oldest_first=True)):
        assert await ids(store, narrow) == []
    assert await store.replace(gone.marked(deleted_at=None))
    for narrow in (EVERYTHING, Filter(favourite=True), Filter(search="möwen"), Filter(oldest_first=True)):
        assert await ids(store, narrow) == [gone.process_id]


async def test_the_deleted_are_everyones_longest_gone_first(store: ProcessStore) -> None:
    """Until they are restored or forgotten; the limit takes the longest gone."""
    made = [
        await store.insert(begun(f"g_{number}", deleted_at=NOON + timedelta(seconds=number)))
        for number in (2, 0, 1)
    ]
    await store.insert(begun())
    assert await store.deleted(NOON + AN_HOUR, 10) == [made[1], made[2], made[0]]
    assert await store.deleted(NOON + AN_HOUR, 2) == [made[1], made[2]]
    assert await store.deleted(NOON + timedelta(seconds=1), 10) == [made[1]]
    await store.replace(made[1].marked(deleted_at=None))
    await store.delete(made[2].process_id)
    assert await store.deleted(NOON + AN_HOUR, 10) == [made[0]]


async def test_only_the_users_own_are_owned(store: ProcessStore) -> None:
    """Of any ids, five hundred of them too, and none twice."""
    mine = [await store.insert(begun()) for _ in range(2)]
    other = await store.insert(begun("g_b"))
    asked_for = [mine[0].process_id, mine[0].process_id, other.process_id, "p_none", "'", mine[1].process_id]
    found = await store.owned("g_a", asked_for + [f"p_{number}" for number in range(494)])
    assert sorted(found, key=str) == sorted(mine, key=str)
    assert await store.owned("g_a", []) == []


async def test_a_process_is_deleted_at_the_revision_that_was_read(store: ProcessStore) -> None:
    """So that a purge does not take what was restored in between."""
    first = await store.insert(begun(deleted_at=NOON))
    assert await store.replace(first.marked(deleted_at=None))
    assert not await store.delete(first.process_id, first.revision)
    assert await store.delete(first.process_id, first.revision + 1)
    assert not await store.delete(first.process_id, first.revision + 1)


async def test_the_unfinished_are_everyones_oldest_first(store: ProcessStore) -> None:
    """What has ended, or changed since, is not among them; the limit takes the oldest."""
    made = [
        await store.insert(touched(NOON + timedelta(seconds=number), f"g_{number}")) for number in (2, 0, 1)
    ]
    ended = await store.insert(touched(NOON))
    await store.replace(transition(ended, Failed("No.", "x"), NOON))
    oldest = sorted(made, key=lambda process: process.updated_at)
    assert await store.unfinished(NOON + AN_HOUR, 10) == oldest
    assert await store.unfinished(NOON + AN_HOUR, 2) == oldest[:2]
    assert await store.unfinished(NOON + timedelta(seconds=1), 10) == oldest[:1]
    assert await store.unfinished(NOON, 10) == []


async def test_the_overdue_are_the_unfinished_that_began_long_ago(store: ProcessStore) -> None:
    """However lately they changed; the limit takes those that began first."""
    made = [
        await store.insert(touched(NOON + timedelta(seconds=number), f"g_{number}")) for number in (2, 0, 1)
    ]
    ended = await store.insert(touched(NOON))
    await store.replace(transition(ended, Failed("No.", "x"), NOON))
    changed = transition(made[1], Progressed(5), NOON + AN_HOUR)
    await store.replace(changed)
    oldest = [changed, made[2], made[0]]
    assert await store.overdue(NOON + AN_HOUR, 10) == oldest
    assert await store.overdue(NOON + AN_HOUR, 2) == oldest[:2]
    assert await store.overdue(NOON + timedelta(seconds=1), 10) == oldest[:1]
    assert await store.overdue(NOON, 10) == []


async def test_what_is_leased_is_not_looked_for(store: ProcessStore) -> None:
    """While the lease lasts, by nobody; then it comes after those that waited longer."""
    times = [NOON + timedelta(seconds=number) for number in range(4)]
    made = [await store.insert(touched(time, published=0)) for time in times]
    first, second, third, fourth = made
    looks = (store.unfinished, store.overdue, store.unpublished)
    for process in made[:2]:
        assert await store.lease(process.process_id, "one", utc_now() + AN_HOUR)
    for look in looks:
        assert await look(NOON + AN_HOUR, 10) == [third, fourth]
        assert await look(NOON + AN_HOUR, 1) == [third]
    assert await store.lease(first.process_id, "one", utc_now() - AN_HOUR)
    assert await store.lease(second.process_id, "one", utc_now() - 2 * AN_HOUR)
    for look in looks:
        assert await look(NOON + AN_HOUR, 10) == [third, fourth, second, first]


async def test_the_silent_are_seen_under_a_lease_too(store: ProcessStore) -> None:
    """Who only looks is not kept out by who works on them; what has ended is of no interest."""
    made = [await store.insert(touched(NOON + timedelta(seconds=number))) for number in (1, 0, 2)]
    await store.replace(transition(made[2], Failed("No.", "x"), NOON))
    assert await store.lease(made[0].process_id, "one", utc_now() + AN_HOUR)
    assert await store.silent(NOON + AN_HOUR, 10) == [made[1], made[0]]
    assert await store.silent(NOON + AN_HOUR, 1) == [made[1]]
    assert await store.silent(NOON, 10) == []


async def test_progress_makes_a_silent_process_heard(store: ProcessStore) -> None:
    """Silence is counted from the last change that followers are told."""
    first = await store.insert(touched(NOON))
    await store.replace(transition(first, Progressed(5), NOON + AN_HOUR))
    assert await store.unfinished(NOON + AN_HOUR, 10) == []


async def test_the_unpublished_are_everyones_oldest_first(store: ProcessStore) -> None:
    """Ended or not; the limit takes the oldest."""
    made = [
        await store.insert(touched(NOON + timedelta(seconds=number), f"g_{number}", published=0))
        for number in (2, 0, 1)
    ]
    ended = transition(made[0], Failed("No.", "x"), made[0].updated_at)
    await store.replace(ended)
    oldest = [made[1], made[2], ended]
    assert await store.unpublished(NOON + AN_HOUR, 10) == oldest
    assert await store.unpublished(NOON + AN_HOUR, 2) == oldest[:2]
    assert await store.unpublished(NOON + timedelta(seconds=1), 10) == oldest[:1]
    assert await store.unpublished(NOON, 10) == []


async def test_what_followers_were_told_is_not_unpublished(store: ProcessStore) -> None:
    """Until its next change."""
    first = await store.insert(touched(NOON, published=0))
    await store.insert(touched(NOON))
    await store.replace(told(first))
    assert await store.unpublished(NOON + AN_HOUR, 10) == []
    await store.replace(later(told(first)))
    assert await store.unpublished(NOON + AN_HOUR, 10) == [later(told(first))]


async def test_a_lease_keeps_others_out_while_it_lasts(store: ProcessStore) -> None:
    """Its owner may prolong it; one that is over is free to take."""
    process_id = (await store.insert(begun())).process_id
    assert await store.lease(process_id, "one", utc_now() + AN_HOUR)
    assert not await store.lease(process_id, "other", utc_now() + AN_HOUR)
    assert await store.lease(process_id, "one", utc_now() + 2 * AN_HOUR)
    assert await store.lease(process_id, "one", utc_now() - AN_HOUR)
    assert await store.lease(process_id, "other", utc_now() + AN_HOUR)
    assert not await store.lease(process_id, "one", utc_now() + AN_HOUR)


async def test_a_lease_is_one_process_alone(store: ProcessStore) -> None:
    """The others are as free as before."""
    first, second = await store.insert(begun()), await store.insert(begun())
    assert await store.lease(first.process_id, "one", utc_now() + AN_HOUR)
    assert await store.lease(second.process_id, "other", utc_now() + AN_HOUR)


async def test_one_of_many_owners_gets_the_lease(open_store: OpenStore) -> None:
    """Twenty at once from two servers, over a free lease and over one that has just ended."""
    async with open_store() as one, open_store() as other:
        process_id = (await one.insert(begun())).process_id
        for _ in range(2):
            leases = [
                store.lease(process_id, f"{number}", utc_now() + AN_HOUR)
                for number, store in enumerate([one, other] * 10)
            ]
            won = await asyncio.gather(*leases)
            assert won.count(True) == 1
            assert await one.lease(process_id, f"{won.index(True)}", utc_now() - AN_HOUR)


async def test_a_lease_is_beside_the_process(store: ProcessStore) -> None:
    """Taking one changes nothing that is read or raced for; saving keeps whose it is."""
    first = await store.insert(begun())
    assert await store.lease(first.process_id, "one", utc_now() + AN_HOUR)
    assert await store.get(first.process_id) == first
    assert await store.replace(later(first))
    assert not await store.lease(first.process_id, "other", utc_now() + AN_HOUR)


async def test_a_lease_and_a_save_at_once_both_hold(store: ProcessStore) -> None:
    """Whichever comes first, neither undoes the other."""
    for _ in range(10):
        first = await store.insert(begun())
        done = await asyncio.gather(
            store.replace(later(first)), store.lease(first.process_id, "one", utc_now() + AN_HOUR)
        )
        assert done == [True, True]
        assert await store.get(first.process_id) == later(first)
        assert not await store.lease(first.process_id, "other", utc_now() + AN_HOUR)


async def test_a_store_keeps_over_a_restart(open_store: OpenStore) -> None:
    """Closed and opened again, everything is there."""
    async with open_store() as store:
        process = await store.insert(begun())
    async with open_store() as store:
        assert await store.get(process.process_id) == process


async def test_two_servers_see_each_others_writes(open_store: OpenStore) -> None:
    """Whichever of them opened it first."""
    async with open_store() as one, open_store() as other:
        process = await one.insert(begun())
        assert await other.get(process.process_id) == process
        assert await other.replace(later(process))
        assert not await one.replace(later(process))


@pytest.mark.parametrize("text", ["\x00", "'; DROP TABLE processes;--", "%", "é" * 64, "🌊"])
async def test_any_text_is_an_id_and_finds_nothing_else(store: ProcessStore, text: str) -> None:
    """Ids come from URLs: they are values, never part of a query."""
    kept = await store.insert(begun())
    assert await store.get(text) is None
    assert not await store.delete(text)
    assert await store.find(text, EVERYTHING, 9, None) == []
    assert await store.get(kept.process_id) == kept


async def test_what_is_adopted_is_the_adopters(store: ProcessStore) -> None:
    """Running or ended, with all that it was; what others have stays theirs."""
    running, others, own = begun("g_guest"), begun("g_other"), begun("user_a")
    ended = transition(begun("g_guest", idempotency_key="k"), Failed("No.", "x"), NOON)
    for process in (running, ended, others, own):
        await store.insert(process)
    await store.adopt("g_guest", "user_a")
    for process in (running, ended):
        moved = {"user_id": "user_a", "revision": process.revision + 1}
        assert await store.get(process.process_id) == process.model_copy(update=moved)
    assert await store.find("g_guest", EVERYTHING, 10, None) == []
    assert {each.process_id for each in await store.find("user_a", EVERYTHING, 10, None)} == {
        *(running.process_id, ended.process_id, own.process_id)
    }
    assert await store.get(others.process_id) == others
    assert await store.get(own.process_id) == own
    begun_before = await store.begun("user_a", "k")
    assert begun_before is not None
    assert begun_before.process_id == ended.process_id


async def test_a_writer_that_did_not_see_an_adoption_loses_its_race(store: ProcessStore) -> None:
    """Else it would give the process back to whom it was."""
    process = await store.insert(begun("g_guest"))
    await store.adopt("g_guest", "user_a")
    assert not await store.replace(later(process))
    adopted = await store.get(process.process_id)
    assert adopted is not None
    assert await store.replace(later(adopted))


async def test_of_two_with_one_idempotency_key_the_adopters_own_keeps_it(store: ProcessStore) -> None:
    """The other comes along without; adopting twice changes nothing more."""
    own = await store.insert(begun("user_a", idempotency_key="k"))
    theirs = await store.insert(begun("g_guest", idempotency_key="k"))
    free = await store.insert(begun("g_guest", idempotency_key="free"))
    for _ in range(2):
        await store.adopt("g_guest", "user_a")
        assert await store.begun("user_a", "k") == own
        adopted = await store.get(theirs.process_id)
        assert adopted is not None
        assert (adopted.user_id, adopted.idempotency_key) == ("user_a", None)
        kept = await store.begun("user_a", "free")
        assert kept is not None
        assert kept.process_id == free.process_id
