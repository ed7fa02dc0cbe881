"""The whole app, served as it is for everybody, and those who come to its doors."""

from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest
import pytest_asyncio

from tests.conftest import PATIENCE
from tests.e2e.conftest import Server, browser, context, free_port
from tests.security.page_socket import PageSocket

__all__ = ["browser", "context"]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all of these tests; each guest is a user apart."""
    place = tmp_path_factory.mktemp("security")
    server = Server(place / "data", free_port(), place / "server.log")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def printed(server: Server) -> Callable[[], str]:
    """What the server has printed since the test began."""
    assert server.log is not None
    log = server.log
    begun = log.stat().st_size
    return lambda: log.read_bytes()[begun:].decode()


async def _visit(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as http:
        await http.get("/api/processes")
        yield http


guest = pytest_asyncio.fixture(_visit, name="guest")
stranger = pytest_asyncio.fixture(_visit, name="stranger")


@pytest_asyncio.fixture
async def page(server: Server, guest: httpx.AsyncClient) -> AsyncIterator[PageSocket]:
    """The websocket of a page of the guest."""
    async with PageSocket.open(server.url, guest) as page:
        yield page


@pytest_asyncio.fixture
async def other_page(server: Server, stranger: httpx.AsyncClient) -> AsyncIterator[PageSocket]:
    async with PageSocket.open(server.url, stranger) as page:
        yield page
