"""A list of 25,000."""

from pathlib import Path

import pytest
from pymongo import MongoClient

from hexwave_app.processes import Filter, Processes, ProcessStatus
from tests.processes.memory import FaultyChannel
from tests.stores.conftest import OpenStore
from tests.stores.many import MANY, fill_mongo, fill_sqlite


@pytest.fixture
def filled(open_store: OpenStore, request: pytest.FixtureRequest, data_dir: Path):
    """Fills the store that is open."""

    def fill() -> None:
        if request.node.callspec.params["open_store"] == "sqlite":
            fill_sqlite(data_dir / "hexwave.db", "g_a")
            return
        with MongoClient(request.getfixturevalue("mongodb_uri")) as client:
            fill_mongo(client.get_default_database(), "g_a")

    return fill


async def test_every_page_of_a_long_list_comes_once(open_store: OpenStore, filled) -> None:
    """Through to its end, each process once and in order, narrowed or not; the count is of all of them."""
    async with open_store() as store:
        filled()
        processes = Processes(store, FaultyChannel())
        done = ProcessStatus.COMPLETED
        for narrow, count in (
            (Filter(done), MANY),
            (Filter(done, favourite=True), 250),
            (Filter(done, search="NEEDLE"), 25),
            (Filter(done, search="edle numb", oldest_first=True), 25),
        ):
            seen, cursor = list[str](), None
            while True:
                page = await processes.list("g_a", narrow=narrow, limit=100, cursor=cursor)
                seen += [process.process_id for process in page.processes]
                cursor = page.cursor
                if cursor is None:
                    break
            assert seen == sorted(seen, reverse=not narrow.oldest_first)
            assert len(set(seen)) == len(seen) == count == await processes.count("g_a", narrow)
