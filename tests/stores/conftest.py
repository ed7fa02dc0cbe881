"""Every implementation of the store, behind one name."""

import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from pymongo import MongoClient

from hexwave_app.processes import Process, ProcessStore, ProviderJob
from hexwave_app.stores.mongo import MongoStore
from hexwave_app.stores.sql import SqlStore
from tests.stores.mongod import INSTALL, NAMED_SERVER, Mongod, binary, running

OpenStore = Callable[[], AbstractAsyncContextManager[SqlStore | MongoStore]]


def begun(user_id: str = "g_a", **fields: Any) -> Process:
    """A fresh process; `fields` are set as they are."""
    process = Process.begin(
        user_id=user_id,
        tool_name="image-generator",
        category="image",
        req={"prompt": "Möwen über dem Meer 🌊", "count": 1},
        provider=ProviderJob(name="demo"),
    )
    return process.model_copy(update=fields)


def no_server(advice: str) -> NoReturn:
    """Skips the test, and fails it in CI: there, silence would pass for success."""
    if os.environ.get("CI"):
        pytest.fail(advice, pytrace=False)
    pytest.skip(advice)


@pytest.fixture(scope="session")
def own_mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod | None]:
    """The run's own server; `None` where its binary does not run."""
    if (path := binary()) is None:
        yield None
        return
    with running(path, tmp_path_factory.mktemp("mongod")) as server:
        yield server


@pytest.fixture
def mongod(own_mongod: Mongod | None) -> Iterator[Mongod]:
    """A server to do harm to; it runs again afterwards."""
    if own_mongod is None:
        no_server(f"This test kills a MongoDB server of its own, which does not run here. {INSTALL}.")
    yield own_mongod
    own_mongod.start()


@pytest.fixture
def mongodb_uri(own_mongod: Mongod | None) -> Iterator[str]:
    """The address of an empty database, which is dropped afterwards."""
    name = f"hexwave_test_{secrets.token_hex(6)}"
    if own_mongod is not None:
        uri = own_mongod.uri(name)
    elif NAMED_SERVER:
        uri = urlsplit(NAMED_SERVER)._replace(path=f"/{name}").geturl()
    else:
        no_server(
            f"MongoDB does not run here. {INSTALL}, or set MONGODB_URI to a server that tests may write to."
        )
    yield uri
    with MongoClient[dict[str, Any]](uri) as client:
        client.drop_database(name)


@pytest.fixture(params=["sqlite", "mongo"])
def open_store(request: pytest.FixtureRequest, data_dir: Path) -> OpenStore:
    """Opens the same store each time it is called, as a second server process would."""
    if request.param == "sqlite":
        return lambda: SqlStore.open(data_dir / "hexwave.db")
    uri: str = request.getfixturevalue("mongodb_uri")
    return lambda: MongoStore.open(uri)


@pytest_asyncio.fixture
async def store(open_store: OpenStore) -> AsyncIterator[ProcessStore]:
    async with open_store() as store:
        yield store
