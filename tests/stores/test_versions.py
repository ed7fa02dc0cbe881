"""A version and the next one, side by side on one store: each reads what the other wrote, and keeps it."""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from aiohttp import web
from pymongo import MongoClient

from hexwave_app.processes import Completed, Filter, Process, ProcessStore, Progressed, Submitted, transition
from hexwave_app.processes.model import utc_now
from hexwave_app.stores.sql import SqlStore, migrate
from tests.conftest import eventually
from tests.identity.whole_app import whole_app
from tests.providers.servers import hosted
from tests.stores.conftest import OpenStore, begun

Document = dict[str, Any]


@dataclass
class _Database:
    """What is kept, from beneath the store."""

    read: Callable[[str], Document]
    write: Callable[[str, Document], None]

    def edit(self, process_id: str, change: Callable[[Document], None]) -> Document:
        document = self.read(process_id)
        change(document)
        self.write(process_id, document)
        return document


def sqlite(file: Path) -> _Database:
    def run(statement: str, *values: str) -> list[tuple[str]]:
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            return connection.execute(statement, values).fetchall()

    def read(process_id: str) -> Document:
        ((document,),) = run("SELECT document FROM processes WHERE process_id = ?", process_id)
        return json.loads(document)

    def write(process_id: str, document: Document) -> None:
        run("UPDATE processes SET document = ? WHERE process_id = ?", json.dumps(document), process_id)

    return _Database(read, write)


def mongo(uri: str) -> _Database:
    def read(process_id: str) -> Document:
        with MongoClient[Document](uri, tz_aware=True) as client:
            found = client.get_default_database().processes.find_one({"processId": process_id})
        assert found is not None
        return found

    def write(process_id: str, document: Document) -> None:
        with MongoClient[Document](uri) as client:
            client.get_default_database().processes.replace_one({"processId": process_id}, document)

    return _Database(read, write)


@pytest.fixture
def database(open_store: OpenStore, request: pytest.FixtureRequest, data_dir: Path) -> _Database:
    if request.node.callspec.params["open_store"] == "sqlite":
        return sqlite(data_dir / "hexwave.db")
    return mongo(request.getfixturevalue("mongodb_uri"))


def newer(document: Document) -> None:
    """As a version might write it that has more fields, and more words for what happens."""
    document |= {"team": {"name": "blue"}, "cost": 3}
    document["data"] |= {"quality": {"sharp": 0.5}, "stage": "polishing", "palette": ["#102030", None]}
    document["provider"]["region"] = "eu"
    line = document["events"][-1]
    document["events"].append(line | {"type": "polished", "source": "robot", "who": "r2", "detail": "twice"})


def older(document: Document) -> None:
    """As the first version wrote it."""
    for name in ("published", "favourite", "search"):
        document.pop(name, None)
    del document["data"]["stage"]


def unknown(document: Document) -> Document:
    """What the newer version has, and this one does not know."""
    return {
        "top": {name: document.get(name) for name in ("team", "cost")},
        "data": {name: document["data"].get(name) for name in ("quality", "palette")},
        "region": document["provider"].get("region"),
        "events": [event for event in document["events"] if event["type"] == "polished"],
    }


async def test_what_a_newer_version_wrote_outlives_an_older_writer(
    store: ProcessStore, database: _Database
) -> None:
    """Each field of it, wherever it is, through a whole life; nothing of it keeps that from going on."""
    process = await store.insert(begun())
    before = unknown(database.edit(process.process_id, newer))
    read = await store.get(process.process_id)
    assert read is not None
    assert (read.data.stage, read.events[-1].type, read.events[-1].source) == (
        "polishing",
        "polished",
        "robot",
    )
    for update in (Submitted("job"), Progressed(40), Completed(("/media/a.webp",))):
        changed = transition(read, update, utc_now())
        assert await store.replace(changed)
        assert await store.get(process.process_id) == changed
        read = changed
        assert unknown(database.read(process.process_id)) == before
    assert await store.replace(read.marked(favourite=True, deleted_at=utc_now()))
    assert unknown(database.read(process.process_id)) == before
    assert "stage" not in database.read(process.process_id)["data"]


async def test_an_adopter_takes_what_a_newer_version_wrote(store: ProcessStore, database: _Database) -> None:
    """A lease leaves it alone too."""
    process = await store.insert(begun())
    before = unknown(database.edit(process.process_id, newer))
    assert await store.lease(process.process_id, "one", utc_now())
    await store.adopt("g_a", "user_a")
    assert unknown(database.read(process.process_id)) == before


async def test_lists_have_what_other_versions_wrote(store: ProcessStore, database: _Database) -> None:
    """One that could not be read would take the whole list with it."""
    processes = [await store.insert(begun()) for _ in range(3)]
    database.edit(processes[0].process_id, newer)
    database.edit(processes[1].process_id, older)
    listed = await store.owned("g_a", [each.process_id for each in processes])
    assert {each.process_id for each in listed} == {each.process_id for each in processes}
    silent = await store.silent(utc_now().replace(year=9999), 9)
    assert {each.process_id for each in silent} == {each.process_id for each in processes}


async def test_what_an_older_version_wrote_is_read_and_changed(
    store: ProcessStore, database: _Database
) -> None:
    """What it does not say has its default, and is written with the next change."""
    process = await store.insert(begun())
    database.edit(process.process_id, older)
    read = await store.get(process.process_id)
    assert read is not None
    assert (read.published, read.favourite, read.data.stage) == (0, False, None)
    assert await store.replace(transition(read, Progressed(10), utc_now()))
    assert database.read(process.process_id)["favourite"] is False


def advance(file: Path) -> None:
    """As the migrations of a newer version leave a database: more columns, more tables, another revision."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("ALTER TABLE processes ADD COLUMN team VARCHAR(64) NOT NULL DEFAULT ''")
        connection.execute("CREATE TABLE teams (name VARCHAR(64) PRIMARY KEY)")
        connection.execute("CREATE INDEX processes_by_team ON processes (team)")
        connection.execute("UPDATE alembic_version SET version_num = '9999'")


def test_a_version_starts_on_the_database_of_the_next(data_dir: Path) -> None:
    """So a rollout can be taken back; what the next one added is still there."""
    file = data_dir / "hexwave.db"
    data_dir.mkdir()
    migrate(f"sqlite:///{file}")
    advance(file)

    async def work() -> list[Process]:
        async with SqlStore.open(file) as store:
            process = await store.insert(begun())
            assert await store.replace(transition(process, Progressed(1), utc_now()))
            return await store.find("g_a", Filter(search="meer"), 9, None)

    assert len(asyncio.run(work())) == 1
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]
        assert connection.execute("SELECT team FROM processes").fetchall() == [("",)]


class External:
    """An API that takes every job, and leaves the rest to the test."""

    def __init__(self) -> None:
        self.webhooks: list[str] = []

    async def take(self, request: web.Request) -> web.Response:
        self.webhooks.append((await request.json())["webhook_url"])
        return web.json_response({"id": f"job-{len(self.webhooks)}"})

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/generate", self.take)
        return app


async def test_a_job_goes_on_while_the_next_version_is_rolled_out(tmp_path: Path) -> None:
    """Begun at one server, written by the next version, reported to at a server that starts last."""
    external, file = External(), tmp_path / "data" / "hexwave.db"
    async with hosted(external.app()) as api:
        settings = {"HEXWAVE_PROVIDER": "external", "HEXWAVE_EXTERNAL_API_URL": f"{api}/generate"}
        settings["HEXWAVE_SECRET_KEY"] = "a-secret-of-two-servers-0123456789abc"
        async with whole_app(tmp_path, settings) as one, httpx.AsyncClient() as http:
            await http.get(f"{one}/api/processes")
            answer = await http.post(f"{one}/api/generate-image", json={"prompt": "sea"})
            process_id = answer.json()["processId"]

            async def submitted() -> bool:
                shown = (await http.get(f"{one}/api/processes/{process_id}")).json()
                return "jobId" in shown["provider"]

            await eventually(submitted)
            advance(file)
            before = unknown(sqlite(file).edit(process_id, newer))
            async with whole_app(tmp_path, settings) as two:
                webhook = external.webhooks[0].replace(
                    urlsplit(external.webhooks[0]).netloc, urlsplit(two).netloc
                )
                assert (await http.post(webhook, json={"status": "processing", "progress": 7})).is_success
                assert (await http.post(webhook, json={"status": "error", "error": "no"})).is_success
                for url in (one, two):
                    (shown,) = (await http.get(f"{url}/api/processes")).json()["processes"]
                    assert (shown["status"], shown["provider"]["jobId"]) == ("failed", "job-1")
                    assert not shown.keys() & {"team", "cost"}
                favourite = {"ids": [process_id], "favourite": True}
                assert (await http.post(f"{one}/api/processes/favourite", json=favourite)).is_success
            assert unknown(sqlite(file).read(process_id)) == before
