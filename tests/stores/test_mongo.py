"""What MongoDB adds to the contract: its document, its indexes, and a server that dies and comes back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from pydantic_core import to_jsonable_python
from pymongo import MongoClient
from pymongo.database import Database

from hexwave_app.processes import (
    Answered,
    Completed,
    Cursor,
    Filter,
    Process,
    ProcessStatus,
    Progressed,
    transition,
)
from hexwave_app.processes.errors import SettingsError, StoreUnavailable
from hexwave_app.processes.model import utc_now
from hexwave_app.stores.mongo import MongoStore
from tests.conftest import PATIENCE, eventually, free_port
from tests.stores.conftest import begun
from tests.stores.mongod import Mongod

AN_HOUR = timedelta(hours=1)
INDEXES = {
    *("_id_", "process_id", "listed", "by_idempotency_key", "deleted"),
    *("unfinished_by_lease", "overdue_by_lease", "unpublished_by_lease"),
}
EVERYTHING = Filter()
SEARCHED = "möwen über dem meer 🌊"
SOON = 1.0
"""A deadline for operations that are meant to miss it."""

Document = dict[str, Any]


@pytest.fixture
def database(mongodb_uri: str) -> Iterator[Database[Document]]:
    """What the store keeps, as any other client reads it."""
    with MongoClient[Document](mongodb_uri, tz_aware=True) as client:
        yield client.get_default_database()


@pytest_asyncio.fixture
async def store(mongodb_uri: str) -> AsyncIterator[MongoStore]:
    async with MongoStore.open(mongodb_uri) as store:
        yield store


def finished(process: Process, at: datetime) -> Process:
    for update in (Progressed(40), Answered({"results": ["demo:1"]}), Completed(("/media/a.webp",))):
        process = transition(process, update, at)
    return process


async def test_the_document_is_the_contracts(store: MongoStore, database: Database[Document]) -> None:
    """A process under its wire names, the mark of what is yet to be published, and what is searched."""
    process = await store.insert(begun(idempotency_key="k", retry_of="p_before", published=0))
    kept = database.processes.find_one({}, {"_id": False})
    assert to_jsonable_python(kept) == process.wire() | {"unpublished": True, "search": SEARCHED}


async def test_what_is_unset_is_not_in_the_document(store: MongoStore, database: Database[Document]) -> None:
    """Neither after a save that takes it away: an index on what exists has only what exists."""
    first = await store.insert(begun())
    answered = transition(first, Answered({"results": ["demo:1"]}), utc_now())
    assert await store.replace(answered)
    assert "answer" in (database.processes.find_one() or {})
    done = transition(answered, Completed(()), utc_now())
    done = done.model_copy(update={"published": done.sequence})
    assert await store.replace(done)
    kept = database.processes.find_one({}, {"_id": False})
    assert to_jsonable_python(kept) == done.wire() | {"search": SEARCHED}
    gone = done.marked(deleted_at=utc_now())
    assert await store.replace(gone)
    assert to_jsonable_python(database.processes.find_one({}, {"_id": False})) == gone.wire()


async def test_a_lease_is_beside_the_process_in_the_document(
    store: MongoStore, database: Database[Document]
) -> None:
    """Under two names of its own, which a save leaves alone."""
    process = await store.insert(begun())
    until = utc_now() + AN_HOUR
    assert await store.lease(process.process_id, "one", until)
    assert await store.replace(transition(process, Progressed(1), utc_now()))
    kept = database.processes.find_one() or {}
    assert (kept["leaseOwner"], kept["leaseUntil"]) == ("one", until)


async def test_times_are_dates_of_whole_milliseconds(store: MongoStore, database: Database[Document]) -> None:
    """So that other programs can query them; they come back aware of their zone."""
    at = datetime(2026, 1, 1, 12, 0, 0, 123_000, tzinfo=UTC)
    process = begun(created_at=at, updated_at=at)
    process = process.model_copy(update={"events": (process.events[0].model_copy(update={"at": at}),)})
    await store.insert(process)
    kept = database.processes.find_one() or {}
    assert kept["createdAt"] == kept["updatedAt"] == kept["events"][0]["at"] == at
    read = await store.get(process.process_id)
    assert read is not None
    assert [time.isoformat() for time in (read.created_at, read.updated_at, read.events[0].at)] == [
        at.isoformat()
    ] * 3


async def test_servers_may_start_on_an_empty_database_at_once(
    mongodb_uri: str, database: Database[Document]
) -> None:
    """Each makes the indexes or finds them made, as does every later start."""

    async def start() -> None:
        async with MongoStore.open(mongodb_uri):
            pass

    for _ in range(2):
        await asyncio.gather(*(start() for _ in range(4)))
        assert database.processes.index_information().keys() == INDEXES


async def test_every_query_goes_by_an_index(store: MongoStore, database: Database[Document]) -> None:
    """As the server itself explains them: no collection is scanned, and no result sorted afterwards."""
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    for number in range(60):
        at = noon + timedelta(seconds=number)
        process = begun(f"g_{number % 2}", created_at=at, updated_at=at, idempotency_key=f"k{number}")
        await store.insert(process if number % 3 else finished(process, at))
    cursor, running = (
        Cursor(noon + AN_HOUR, "p_x"),
        Filter(ProcessStatus.PROCESSING, "image-generator", "image"),
    )
    everything = replace(
        running,
        **{"provider": "demo", "model": "m", "favourite": True, "search": "sea"},
        since=noon,
        until=noon + AN_HOUR,
    )
    expected: list[tuple[Awaitable[object], set[str]]] = [
        (store.find("g_0", Filter(), 9, None), {"listed"}),
        (store.find("g_0", Filter(), 9, cursor), {"listed"}),
        (store.find("g_0", running, 9, None), {"listed"}),
        (store.find("g_0", running, 9, cursor), {"listed"}),
        (store.find("g_0", everything, 9, cursor), {"listed"}),
        (store.find("g_0", replace(everything, oldest_first=True), 9, cursor), {"listed"}),
        (store.owned("g_0", ["p_x", "p_y"]), {"process_id"}),
        (store.deleted(noon, 9), {"deleted"}),
        (store.unfinished(noon + AN_HOUR, 9), {"unfinished_by_lease"}),
        (store.overdue(noon + AN_HOUR, 9), {"overdue_by_lease"}),
        (store.unpublished(noon + AN_HOUR, 9), {"unpublished_by_lease"}),
        (store.get("p_x"), {"process_id"}),
        (store.replace(begun()), {"process_id"}),
        (store.lease("p_x", "one", noon), {"process_id"}),
        (store.delete("p_x"), {"process_id"}),
        (store.insert(begun("g_0", idempotency_key="k0")), {"process_id", "by_idempotency_key"}),
    ]
    for query, indexes in expected:
        plans = explained(database, await profiled(database, query))
        assert {plan["indexName"] for plan in plans if "indexName" in plan} == indexes, plans
        assert not {plan["stage"] for plan in plans} & {"COLLSCAN", "SORT"}, plans


async def test_a_page_reads_no_more_than_it_shows(store: MongoStore, database: Database[Document]) -> None:
    """However far down the list it is; what the reconciler asks for, alike, however many are leased."""
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    times = [noon + timedelta(seconds=number) for number in range(40)]
    made = [await store.insert(begun(created_at=at, updated_at=at, published=0)) for at in times]
    cursor = Cursor(made[20].created_at, made[20].process_id)
    for process in made[:20]:
        await store.lease(process.process_id, "one", utc_now() + AN_HOUR)
    for query in (
        store.find("g_a", Filter(), 5, None),
        store.find("g_a", Filter(), 5, cursor),
        store.unfinished(noon + AN_HOUR, 5),
        store.overdue(noon + AN_HOUR, 5),
        store.unpublished(noon + AN_HOUR, 5),
    ):
        (asked,) = await profiled(database, query)
        # One more: the cursor's own.
        assert asked["docsExamined"] <= 6
        assert asked["nreturned"] == 5


async def test_what_a_list_is_narrowed_by_is_read_from_the_index(
    store: MongoStore, database: Database[Document]
) -> None:
    """A document is read once it is found, and none to count."""
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    for number in range(40):
        at = noon + timedelta(seconds=number)
        marks: dict[int, Document] = {0: {"favourite": True}, 1: {"deleted_at": at}}
        await store.insert(begun(created_at=at, updated_at=at, **marks.get(number % 10, {})))
    for narrow, found in ((Filter(favourite=True, search="meer"), 4), (Filter(search="none"), 0)):
        (asked,) = await profiled(database, store.find("g_a", narrow, 60, None))
        assert (asked["docsExamined"], asked["nreturned"]) == (found, found)
    (asked,) = await profiled(database, store.count("g_a", Filter(search="meer")))
    assert (asked["docsExamined"], await store.count("g_a", EVERYTHING)) == (0, 36)


async def test_documents_of_before_there_was_a_search_are_found(
    mongodb_uri: str, database: Database[Document]
) -> None:
    """The first start that knows of it fills them in and drops the index of before; so do several."""

    async def found() -> set[str]:
        async with MongoStore.open(mongodb_uri) as store:
            return {each.process_id for each in await store.find("g_a", Filter(search="MÖWEN"), 9, None)}

    async with MongoStore.open(mongodb_uri) as store:
        made = [await store.insert(begun()) for _ in range(3)]
    database.processes.update_many({}, {"$unset": {"search": "", "favourite": ""}})
    database.processes.drop_index("listed")
    database.processes.create_index([("userId", 1), ("createdAt", -1), ("processId", -1)], name="by_user")
    for seen in await asyncio.gather(*(found() for _ in range(4))):
        assert seen == {process.process_id for process in made}
    assert database.processes.index_information().keys() == INDEXES


async def profiled(database: Database[Document], query: Awaitable[object]) -> list[Document]:
    """What the server noted of the commands that `query` sent it, inserts aside."""
    database.command("profile", 2)
    await query
    database.command("profile", 0)
    noted = list(
        database["system.profile"].find({"ns": f"{database.name}.processes", "op": {"$ne": "insert"}})
    )
    database.drop_collection("system.profile")
    assert noted
    return noted


def explained(database: Database[Document], noted: list[Document]) -> list[Document]:
    """Every stage of the server's plans for those commands."""
    plans: list[Document] = []
    for asked in noted:
        command = {key: value for key, value in asked["command"].items() if key in PLANNED}
        if asked["op"] == "update":
            command = {"update": "processes", "updates": [command]}
        elif asked["op"] == "remove":
            command = {"delete": "processes", "deletes": [command]}
        answer = database.command("explain", command, verbosity="queryPlanner")
        plans += stages(answer["queryPlanner"]["winningPlan"])
    return plans


PLANNED = {"find", "filter", "sort", "limit", "q", "u", "multi", "upsert"}


def stages(plan: Any) -> Iterator[Document]:
    if isinstance(plan, dict):
        if "stage" in plan:
            yield plan
        plan = list(plan.values())
    if isinstance(plan, list):
        for part in plan:
            yield from stages(part)


@pytest.mark.parametrize(
    "uri", ["http://localhost", "mongodb://", "mongodb://u:se/cret@localhost", "mongodb://localhost/a b"]
)
async def test_an_address_that_is_none_is_told_without_its_password(uri: str) -> None:
    """The setting is named, and what to write."""
    with pytest.raises(SettingsError, match="MONGODB_URI") as told:
        async with MongoStore.open(uri):
            pass
    assert "cret" not in f"{told.value} {told.value.__cause__}"


async def test_a_start_without_a_server_is_told() -> None:
    """In time, and with the driver's reason."""
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(StoreUnavailable, match="refused"):
            async with MongoStore.open(f"mongodb://127.0.0.1:{free_port()}", SOON):
                pass


async def every_operation(store: MongoStore) -> list[object]:
    """What each operation answers or raises, all at once."""
    process = begun()
    return await asyncio.gather(
        store.insert(process),
        store.get("p_x"),
        store.find("g_a", Filter(), 9, None),
        store.count("g_a", Filter()),
        store.owned("g_a", ["p_x"]),
        store.deleted(utc_now(), 9),
        store.unfinished(utc_now(), 9),
        store.overdue(utc_now(), 9),
        store.unpublished(utc_now(), 9),
        store.replace(process),
        store.lease("p_x", "one", utc_now()),
        store.delete("p_x"),
        return_exceptions=True,
    )


async def test_a_server_that_is_away_is_unavailable(mongod: Mongod, mongodb_uri: str) -> None:
    """Every operation says so at its deadline, however many wait; once it is back, all work."""
    async with MongoStore.open(mongodb_uri, SOON) as store:
        mongod.kill()
        async with asyncio.timeout(PATIENCE):
            crowd = await asyncio.gather(*(every_operation(store) for _ in range(20)))
        assert {type(answer) for answers in crowd for answer in answers} == {StoreUnavailable}
        mongod.start()
        await eventually(lambda: works(store))


async def test_a_server_that_answers_nothing_is_unavailable(mongod: Mongod, mongodb_uri: str) -> None:
    """Every operation says so at its deadline; once it answers again, all work."""
    async with MongoStore.open(mongodb_uri, SOON) as store:
        await eventually(lambda: works(store))
        with mongod.frozen():
            async with asyncio.timeout(PATIENCE):
                assert {type(answer) for answer in await every_operation(store)} == {StoreUnavailable}
        await eventually(lambda: works(store))


async def test_closing_does_not_wait_for_the_server(mongod: Mongod, mongodb_uri: str) -> None:
    """Its goodbye has a deadline too."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(MongoStore.open(mongodb_uri))
        assert await works(store)
        with mongod.frozen():
            # Left alone, the driver waits for 30 s and more.
            async with asyncio.timeout(15):
                await stack.aclose()


async def works(store: MongoStore) -> bool:
    return not [answer for answer in await every_operation(store) if isinstance(answer, Exception)]


async def test_a_primary_that_steps_down_for_a_moment_is_waited_for(
    mongod: Mongod, store: MongoStore
) -> None:
    """A rolling upgrade costs time and no request."""
    for _ in range(2):
        mongod.step_down(1)
        async with asyncio.timeout(PATIENCE):
            assert not [answer for answer in await every_operation(store) if isinstance(answer, Exception)]


async def test_a_killed_server_loses_no_acknowledged_write(mongod: Mongod, store: MongoStore) -> None:
    """kill -9 in the middle of writing: what was acknowledged is there, and writing goes on by itself."""
    acknowledged = dict[str, int]()

    async def write() -> None:
        while True:
            with suppress(StoreUnavailable):
                process = await store.insert(begun())
                acknowledged[process.process_id] = process.revision
                if await store.replace(transition(process, Progressed(1), utc_now())):
                    acknowledged[process.process_id] = process.revision + 1

    async def wrote(count: int) -> bool:
        return len(acknowledged) >= count

    writers = [asyncio.create_task(write()) for _ in range(10)]
    for _ in range(2):
        enough = len(acknowledged) + 100
        await eventually(lambda enough=enough: wrote(enough))
        mongod.kill()
        mongod.start()
    enough = len(acknowledged) + 100
    await eventually(lambda: wrote(enough))
    for writer in writers:
        writer.cancel()
    await asyncio.gather(*writers, return_exceptions=True)
    kept = {process.process_id: process for process in await store.find("g_a", Filter(), 100_000, None)}
    lost = {key for key, revision in acknowledged.items() if key not in kept or kept[key].revision < revision}
    assert lost == set()
