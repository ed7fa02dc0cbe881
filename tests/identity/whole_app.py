"""The whole app in a process of its own, whose log has everything that it can say."""

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from starlette.types import ASGIApp

import dev
from tests.conftest import PATIENCE, free_port

_ACCESS = '%(addr)s "%(method)s %(path)s?%(query_string)s" %(status)d cookie: %(header{cookie})s'


def start(folder: Path, port: int, settings: dict[str, str]) -> dev.subprocess.Popen[bytes]:
    """Served by what `dev.py run` serves it with, under these settings; its log is `app.log` in `folder`."""
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--factory", "--port", str(port)]
    command += ["--log-level", "debug", "--access-log", "--access-log-fmt", _ACCESS, f"{__name__}:app"]
    own = {"REFLEX_ENV_MODE": "prod", "__REFLEX_SKIP_COMPILE": "true"}
    own |= {"HEXWAVE_DATA_DIR": str(folder / "data"), "HEXWAVE_PORT": str(port)}
    with (folder / "app.log").open("ab") as log:
        return dev.start(list(command), log.fileno(), **own, **settings)


@asynccontextmanager
async def whole_app(folder: Path, settings: dict[str, str]) -> AsyncIterator[str]:
    """The URL at which it is served."""
    port = free_port()
    process = start(folder, port, settings)
    try:
        async with asyncio.timeout(PATIENCE), httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
            while not await _answers(http):
                assert process.poll() is None, (folder / "app.log").read_text()
                await asyncio.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        await asyncio.to_thread(dev.stop, process)


async def _answers(http: httpx.AsyncClient) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return (await http.get("/api/health")).is_success
    return False


def app() -> ASGIApp:
    """Started in that process."""
    logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
    from hexwave_app.hexwave_app import app

    return app()
