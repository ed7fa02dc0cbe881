"""A hosted provider's servers of ours: its API over real HTTP, and the public names of its files."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import httpx
import uvicorn
from starlette.types import ASGIApp

from hexwave_app.media.fetch import Fetcher
from tests.conftest import PATIENCE


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the test run."""
        yield


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """The app's address on this machine."""
    server = _Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off", ws="none"))
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(PATIENCE):
        while not server.started:
            await asyncio.sleep(0.005)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await serving


@asynccontextmanager
async def raw(answer: bytes | None) -> AsyncIterator[str]:
    """A server that reads a request, answers these bytes and hangs up; with None it is silent."""
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            if answer is None:
                await over.wait()
            writer.write(answer or b"")
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        over.set()


class _Wire(httpx.AsyncHTTPTransport):
    """Every public address leads to the site, in plain text."""

    def __init__(self, site: str) -> None:
        super().__init__(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
        self._site = httpx.URL(site)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._site.port)
        return await super().handle_async_request(request)


@asynccontextmanager
async def open_fetcher(site: str) -> AsyncIterator[Fetcher]:
    """The app's own fetcher, for which all public names are at `site`."""

    async def resolve(name: str) -> Sequence[str]:
        return ["203.0.112.7"]

    async with Fetcher.open(resolve, _Wire(site)) as fetcher:
        yield fetcher
