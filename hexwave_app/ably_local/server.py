"""The server inside the running event loop, for development and tests."""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from .app import create_app
from .credential import Keys
from .limits import Limits
from .loopback import is_loopback
from .state import AppState

STOP_SECONDS = 5.0

_log = logging.getLogger(__name__)
_log.setLevel(logging.WARNING)  # at INFO the address of each websocket is logged, with its key or token
_log.addFilter(lambda record: "Invalid UTF-8" not in record.getMessage())  # no stack trace for bad input


@dataclass(frozen=True, slots=True)
class LocalServer:
    """Where the server listens, and a look inside."""

    host: str
    port: int
    app_state: AppState


class _Server(uvicorn.Server):
    """Waits for `stopping` rather than polling ten times a second, and leaves signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stopping = asyncio.Event()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.stopping.wait()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class _WebSocketProtocol(WebSocketsSansIOProtocol):
    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.logger = _log


@asynccontextmanager
async def serve(
    keys: Keys, host: str = "127.0.0.1", port: int = 0, limits: Limits | None = None
) -> AsyncGenerator[LocalServer, None]:
    """Serve `keys` (see `create_app`) until the block is left; port 0 takes a free one.

    Leaving closes every connection and the socket within `STOP_SECONDS` and leaves no task behind.
    Raises OSError when the address cannot be bound.
    """
    limits = limits or Limits()
    app = create_app(keys, limits)
    if not is_loopback(host):
        _log.warning("%s is not a loopback address: tokens cross the network in the clear.", host)
    listener = _listen(host, port)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws=_WebSocketProtocol,
        ws_max_size=limits.frame_bytes,
        ws_ping_interval=limits.max_idle_interval / 1000,  # finds clients that are gone without a word
        ws_ping_timeout=limits.request_seconds,
        ws_per_message_deflate=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,  # longer than clients keep theirs, lest a request meets a closing socket
        timeout_graceful_shutdown=2,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await _started(server, task)
        yield LocalServer(host, listener.getsockname()[1], app.state.ably)
    finally:
        await _stop(server, task)
        listener.close()


def _listen(host: str, port: int) -> socket.socket:
    # asyncio sets TCP_NODELAY only where the protocol is named; without it each answer waits 40 ms.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


async def _started(server: uvicorn.Server, task: "asyncio.Task[None]") -> None:
    async with asyncio.timeout(STOP_SECONDS):
        while not server.started:
            if task.done():
                task.result()
                raise RuntimeError("the server ended before it started")
            await asyncio.sleep(0.005)


async def _stop(server: _Server, task: "asyncio.Task[None]") -> None:
    server.stopping.set()
    await asyncio.wait({task}, timeout=1.0)
    for connection in list(server.server_state.connections):
        connection.transport.abort()  # a client that does not read would hold the socket open
    _, late = await asyncio.wait({task}, timeout=STOP_SECONDS - 1.0)
    for straggler in late:
        straggler.cancel()
        with suppress(asyncio.CancelledError):
            await straggler
