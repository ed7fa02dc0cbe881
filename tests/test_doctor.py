"""`python -m hexwave_app.doctor`, run as people run it."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hexwave_app.ably_local.server import serve as serve_ably
from hexwave_app.settings import Settings
from tests.conftest import PATIENCE, free_port, serve
from tests.stores.mongod import binary, running

SECRET = "a-secret-that-nobody-prints"


@dataclass(frozen=True)
class Answer:
    code: int
    said: str

    @property
    def checks(self) -> dict[str, dict[str, Any]]:
        return {check["key"]: check for check in json.loads(self.said)["checks"]}


async def doctor(data_dir: Path, *words: str, **settings: str) -> Answer:
    """What it says, on either channel, and its exit code."""
    own = {"HEXWAVE_DATA_DIR": str(data_dir), "HEXWAVE_PORT": str(free_port())} | settings
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hexwave_app.doctor", *words),
        env=os.environ | own,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(PATIENCE):
        said, _ = await process.communicate()
    text = said.decode()
    assert "Traceback" not in text
    assert SECRET not in text
    return Answer(process.returncode or 0, text)


async def test_with_nothing_set_up_all_is_well(data_dir: Path) -> None:
    """What is not set is no fault: it says what is used in its place."""
    answer = await doctor(data_dir)
    assert answer.code == 0
    assert "Using the built-in database" in answer.said
    assert "Using the demo painter" in answer.said
    assert "No server runs at http://127.0.0.1:" in answer.said
    assert answer.said.rstrip().endswith("All is well.")


async def test_it_says_that_a_server_runs(data_dir: Path) -> None:
    """Beside which it does no harm: both look at the same data."""
    settings = Settings(data_dir=data_dir, port=free_port())
    async with serve(settings):
        answer = await doctor(data_dir, "--json", HEXWAVE_PORT=str(settings.port))
    said = json.loads(answer.said)
    assert (answer.code, said["ok"]) == (0, True)
    assert said["server"] == {"url": settings.base_url, "running": True}
    assert set(answer.checks) == {"store", "reconciler", "channel", "library", "provider.demo", "webhooks"}
    store = answer.checks["store"]
    assert store.keys() == {"key", "name", "state", "ok", "milliseconds", "detail", "remedy"}
    assert (store["state"], store["ok"]) == ("Not set up", True)


async def test_a_database_that_is_away_is_down(data_dir: Path) -> None:
    """It gives up soon, and says which setting to look at; the rest is examined all the same."""
    uri = f"mongodb://hexwave:{SECRET}@127.0.0.1:{free_port()}/hexwave?replicaSet=rs0"
    answer = await doctor(data_dir, "--json", MONGODB_URI=uri)
    store = answer.checks["store"]
    assert (answer.code, store["state"]) == (1, "Down")
    assert "MONGODB_URI" in store["remedy"]
    assert answer.checks["library"]["ok"]


@pytest.fixture(scope="module")
def mongodb_uri(tmp_path_factory: pytest.TempPathFactory) -> Any:
    if (path := binary()) is None:
        pytest.skip("No MongoDB server runs here.")
    with running(path, tmp_path_factory.mktemp("mongod")) as server:
        yield server.uri("doctor")


async def test_a_database_of_ones_own_is_healthy(data_dir: Path, mongodb_uri: str) -> None:
    answer = await doctor(data_dir, "--json", MONGODB_URI=mongodb_uri)
    assert (answer.code, answer.checks["store"]["name"], answer.checks["store"]["state"]) == (
        0,
        "MongoDB",
        "Healthy",
    )


async def test_ably_that_is_away_is_down(data_dir: Path) -> None:
    where = f"127.0.0.1:{free_port()}"
    answer = await doctor(data_dir, ABLY_API_KEY=f"app.key:{SECRET}", ABLY_ENDPOINT=where)
    assert answer.code == 1
    assert "Down: Ably." in answer.said
    assert "See that a server runs at ABLY_ENDPOINT" in answer.said


async def test_ably_that_takes_the_key_is_connected(data_dir: Path) -> None:
    """A message of its own went there and came back."""
    key = f"app.key:{SECRET}"
    async with serve_ably({key: {"*": ["*"]}}) as server:
        where = f"{server.host}:{server.port}"
        answer = await doctor(data_dir, "--json", ABLY_API_KEY=key, ABLY_ENDPOINT=where)
        refused = await doctor(data_dir, "--json", ABLY_API_KEY="app.key:wrong", ABLY_ENDPOINT=where)
    assert (answer.code, answer.checks["channel"]["state"]) == (0, "Connected")
    assert (refused.code, refused.checks["channel"]["state"]) == (1, "Down")
    assert "key" in refused.checks["channel"]["detail"]


@asynccontextmanager
async def answering(status: str) -> AsyncIterator[int]:
    """The port of a server that answers everything with this."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def test_a_provider_that_refuses_the_key_is_down(data_dir: Path) -> None:
    async with answering("401 Unauthorized") as port:
        url = f"http://127.0.0.1:{port}/v1"
        answer = await doctor(data_dir, "--json", OPENAI_API_KEY=SECRET, OPENAI_BASE_URL=url)
    provider = answer.checks["provider.openai"]
    assert (answer.code, provider["state"]) == (1, "Down")
    assert "refused our key (401)" in provider["detail"]
    assert "OPENAI_API_KEY" in provider["remedy"]


async def test_another_program_at_our_port_is_a_fault(data_dir: Path) -> None:
    async with answering("200 OK") as port:
        answer = await doctor(data_dir, HEXWAVE_PORT=str(port))
    assert answer.code == 1
    assert "Another program listens" in answer.said


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("MONGODB_URI", f"postgres://{SECRET}"),
        ("HEXWAVE_PROVIDER", "dali"),
        ("HEXWAVE_SECRET_KEY", SECRET[:8]),
    ],
)
async def test_a_setting_that_cannot_work_is_one_line(data_dir: Path, setting: str, value: str) -> None:
    """It names the setting, and nothing else is tried."""
    answer = await doctor(data_dir, **{setting: value})
    assert answer.code == 2
    assert answer.said.startswith(f"{setting} cannot work: ")
    assert answer.said.count("\n") == 1
    told = await doctor(data_dir, "--json", **{setting: value})
    assert json.loads(told.said) == {"ok": False, "error": answer.said.strip()}
