"""What several rooms' tests share: a data directory, and the API served over real HTTP."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import pytest_asyncio
import uvicorn
from starlette.types import ASGIApp
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from hexwave_app.api.app import create_api
from hexwave_app.api.body_limit import BodyLimitMiddleware
from hexwave_app.api.errors import refusal
from hexwave_app.identity.session import SessionMiddleware
from hexwave_app.services import Services, lifespan
from hexwave_app.settings import Settings
from hexwave_app.tools.registry import TOOLS
from hexwave_app.tools.tool import Tool

PATIENCE = 60.0
"""Seconds that a test waits for something that should come; it never takes that long."""

_BROWSERS = ("e2e", "examples", "hosts")
"""The rooms whose tests look at pages with a browser."""

_VARIABLES = [
    field.validation_alias if isinstance(field.validation_alias, str) else f"HEXWAVE_{name.upper()}"
    for name, field in Settings.model_fields.items()
]


# Tests hold behaviour, never a time.
hypothesis.settings.register_profile(
    "hexwave", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("hexwave")


def _room(nodeid: str) -> str:
    """The folder in which the test is."""
    return nodeid.split("/")[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first, so that no process is left alone with it."""
    longest = [*_BROWSERS, "faults"]
    items.sort(key=lambda item: (_room(item.nodeid) not in longest, _room(item.nodeid) == "faults"))


class Scheduling(LoadFileScheduling):
    """A file's tests run in one process, for what they share; all those of browsers do, which want a core."""

    def _split_scope(self, nodeid: str) -> str:
        return "browsers" if _room(nodeid) in _BROWSERS else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    return Scheduling(config, log)


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


def with_sessions(app: ASGIApp, services: Services) -> ASGIApp:
    """`app` behind what knows who is asking."""
    return SessionMiddleware(app, services.sessions, lambda: services.bearers, refusal)


@asynccontextmanager
async def serve(settings: Settings, tools: Mapping[str, Tool] = TOOLS) -> AsyncIterator[Served]:
    """The API as the app serves it, at `settings.port`."""
    async with lifespan(settings, tools) as services:
        wrapped = with_sessions(BodyLimitMiddleware(create_api(tools.values())), services)
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
