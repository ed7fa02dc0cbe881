"""The life of the server: start, stop, the command line."""

import asyncio
import signal
import socket
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosedError

from hexwave_app.ably_local import Limits, create_app, serve
from tests.ably_local.conftest import KEY, KEYS, Clients, RawClient


async def test_leaving_closes_everything() -> None:
    """After the block no task is left, the connections are closed and the port is free again."""
    before = asyncio.all_tasks()
    async with AsyncExitStack() as stack:
        async with serve(KEYS) as running:
            clients = Clients(running, stack)
            raw = await clients.raw()
            await raw.attach("x")
            assert running.app_state.attachments == {"x": 1}
        assert await raw.ended() == 1012
        assert running.app_state.attachments == {}
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(running.host, running.port)
        async with serve(KEYS, port=running.port) as again:
            assert again.port == running.port
    assert asyncio.all_tasks() == before


async def test_clients_that_do_not_read_do_not_hold_the_server() -> None:
    """Stopping aborts a connection whose client stopped reading, and one in the middle of a request."""
    async with AsyncExitStack() as stack:
        inner = await stack.enter_async_context(AsyncExitStack())
        running = await inner.enter_async_context(serve(KEYS, limits=Limits(outbox_frames=1_000)))
        slow = await Clients(running, stack).raw()
        await slow.attach("x")
        slow.socket.transport.pause_reading()
        _, writer = await asyncio.open_connection(running.host, running.port)
        stack.callback(writer.transport.abort)
        writer.write(b"POST /channels/x/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n")
        publish = running.app_state.channels.get("x").publish
        for index in range(200):
            publish([{"data": "x" * 60_000}], f"id-{index}")
            await asyncio.sleep(0)
        before = asyncio.all_tasks()
        async with asyncio.timeout(6):
            await inner.aclose()
        assert running.app_state.attachments == {}
        assert not asyncio.all_tasks() - before
        slow.socket.transport.resume_reading()
        async with asyncio.timeout(60):
            with pytest.raises(ConnectionClosedError):
                await _drain(slow)
        assert await slow.ended() == 1006  # aborted: what was not sent is not kept for the client


async def _drain(raw: RawClient) -> None:
    while True:
        await raw.socket.recv()


async def test_signal_handlers_are_left_alone() -> None:
    """The program's own handlers stay in place while the server runs and after."""
    before = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM)}
    async with serve(KEYS):
        assert {name: signal.getsignal(name) for name in before} == before
    assert {name: signal.getsignal(name) for name in before} == before


async def test_a_taken_port_is_an_error() -> None:
    """A port in use raises OSError at once."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        async with serve(KEYS, port=taken.getsockname()[1]):
            pass


async def test_the_app_runs_without_the_server() -> None:
    """create_app is plain ASGI."""
    app = create_app(KEYS)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        assert (await http.get("/time")).json()[0] > 10**12
    assert app.state.ably.attachments == {}


async def _run(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "hexwave_app.ably_local",
        *arguments,
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot send these signals to one process")
@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
async def test_the_command_serves_until_a_signal(name: signal.Signals, tmp_path: Path) -> None:
    """It prints one ready line, writes the port, answers, and ends with 0 and nothing more to say."""
    port_file = tmp_path / "port"
    process = await _run("--port", "0", "--key", KEY, "--port-file", str(port_file))
    assert process.stdout
    async with asyncio.timeout(60):
        ready = (await process.stdout.readline()).decode()
        port = int(port_file.read_text())
        assert ready.strip().endswith(f"http://127.0.0.1:{port}")
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
            assert (await http.get("/time")).status_code == 200
        process.send_signal(name)
        output, errors = await process.communicate()
    assert (process.returncode, output, errors) == (0, b"", b"")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--port", "0"], "--key"),
        (["--port", "0", "--key", "nonsense"], "appId.keyId:secret"),
        (["--port", "0", "--key", KEY, "--host", "192.0.2.1"], "not a loopback address"),
    ],
)
async def test_the_command_explains_what_is_wrong(arguments: list[str], says: str) -> None:
    """Wrong arguments end it with a sentence and no stack trace."""
    process = await _run(*arguments)
    async with asyncio.timeout(60):
        _, errors = await process.communicate()
    assert process.returncode
    assert says in errors.decode()
    assert "Traceback" not in errors.decode()


async def test_attachments_are_counted(until: Any) -> None:
    """The inspector counts connections per channel as they come and go."""
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(serve(KEYS))
        clients = Clients(running, stack)
        one, two = await clients.raw(), await clients.raw()
        for raw in (one, two):
            await raw.attach("a")
        await one.attach("b")
        assert running.app_state.attachments == {"a": 2, "b": 1}
        one.socket.transport.abort()
        await until(lambda: running.app_state.attachments == {"a": 1})
