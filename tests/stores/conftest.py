"""Every implementation of the store, behind one name."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hexwave_app.processes import Process, ProcessStore, ProviderJob
from hexwave_app.stores.sql import SqlStore

OpenStore = Callable[[], AbstractAsyncContextManager[ProcessStore]]


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


@pytest.fixture(params=["sqlite"])
def open_store(request: pytest.FixtureRequest, data_dir: Path) -> OpenStore:
    """Opens the same store each time it is called, as a second server process would."""
    openers: dict[str, OpenStore] = {"sqlite": lambda: SqlStore.open(data_dir / "hexwave.db")}
    return openers[request.param]


@pytest_asyncio.fixture
async def store(open_store: OpenStore) -> AsyncIterator[ProcessStore]:
    async with open_store() as store:
        yield store
