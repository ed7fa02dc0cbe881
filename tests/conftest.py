"""What several rooms' tests share: a data directory, and the API served over real HTTP."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import uvicorn

from hexwave_app.api.app import create_api
from hexwave_app.api.body_limit import BodyLimitMiddleware
from hexwave_app.identity.session import SessionMiddleware
from hexwave_app.services import Services, lifespan
from hexwave_app.settings import Settings

PATIENCE = 60.0
"""Seconds that a test waits for something that should come; it never takes that long."""

_VARIABLES = [
    field.validation_alias if isinstance(field.validation_alias, str) else f"HEXWAVE_{name.upper()}"
    for name, field in Settings.model_fields.items()
]


@dataclass(frozen=True)
class Served:
    """The running API and what it runs on."""

    url: str
    services: Services


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the test run."""
        yield


async def eventually(condition: Callable[[], Awaitable[Any]]) -> Any:
    """What `condition` answers as soon as that is true; TimeoutError when it never is."""
    async with asyncio.timeout(PATIENCE):
        while not (answer := await condition()):
            await asyncio.sleep(0.01)
        return answer


@asynccontextmanager
async def serve(settings: Settings) -> AsyncIterator[Served]:
    """The API as the app serves it, at `settings.port`."""
    async with lifespan(settings) as services:
        wrapped = SessionMiddleware(BodyLimitMiddleware(create_api()), services.sessions)
        server = _Server(
            uvicorn.Config(wrapped, port=settings.port, log_config=None, lifespan="off", ws="none")
        )
        serving = asyncio.create_task(server.serve())
        async with asyncio.timeout(PATIENCE):
            while not server.started:
                await asyncio.sleep(0.005)
        yield Served(settings.base_url, services)
        server.should_exit = True
        await serving


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session", autouse=True)
def no_settings() -> Iterator[None]:
    """The settings of whoever runs the tests, `.env` files included, are none of theirs."""
    with pytest.MonkeyPatch.context() as patch:
        for name in _VARIABLES:
            patch.delenv(name, raising=False)
        patch.setitem(Settings.model_config, "env_file", None)
        yield


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """One for a module's tests; each guest is a user apart."""
    async with serve(Settings(data_dir=tmp_path_factory.mktemp("data"), port=free_port())) as served:
        yield served
