"""Many subscribers and many channels through the SDK, in both encodings at once."""

import asyncio
from typing import Any

import pytest
from ably.util.exceptions import AblyException

pytestmark = pytest.mark.asyncio(loop_scope="module")
DEADLINE = 90.0
# All begin at once: on a busy machine the last of them is answered late, and would begin anew.
PATIENT = {"realtime_request_timeout": 60_000}


async def hear(client: Any, name: str, heard: "asyncio.Queue[tuple[str, Any]]") -> None:
    """Subscribe `client` to `name`; what it hears goes into `heard` with the name."""
    async with asyncio.timeout(DEADLINE):
        await client.channels.get(name).subscribe(lambda message: heard.put_nowait((name, message.data)))


async def test_two_hundred_subscribers(clients: Any, server: Any) -> None:
    """Each of 200 connections on one channel, half of them JSON, hears each message once and in order."""
    crowd = [clients.realtime(use_binary_protocol=index % 2 == 0, **PATIENT) for index in range(200)]
    queues: list[asyncio.Queue[tuple[str, Any]]] = [asyncio.Queue() for _ in crowd]
    pairs = zip(crowd, queues, strict=True)
    await asyncio.gather(*(hear(client, "scale:crowd", queue) for client, queue in pairs))
    assert server.app_state.attachments["scale:crowd"] == 200
    rest = clients.rest().channels.get("scale:crowd")
    for index in range(5):
        await rest.publish("n", str(index))
    async with asyncio.timeout(DEADLINE):
        heard = [[(await queue.get())[1] for _ in range(5)] for queue in queues]
    assert heard == [list("01234")] * 200
    assert all(queue.empty() for queue in queues)


async def test_a_thousand_channels(clients: Any, server: Any) -> None:
    """Five connections hold 200 channels each and hear each channel's own; one more is refused with 90010."""
    names = [f"scale:many:{index}" for index in range(1_000)]
    holders = [clients.realtime(use_binary_protocol=index % 2 == 0, **PATIENT) for index in range(5)]
    heard: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
    await asyncio.gather(*(hear(holders[index // 200], name, heard) for index, name in enumerate(names)))
    assert [server.app_state.attachments[name] for name in names] == [1] * 1_000
    with pytest.raises(AblyException) as refusal:
        await holders[0].channels.get("scale:many:beyond").attach()
    assert refusal.value.code == 90010
    http = clients.http()
    for name in names:
        await http.post(f"/channels/{name}/messages", json={"data": name})
    async with asyncio.timeout(DEADLINE):
        received = [await heard.get() for _ in names]
    assert sorted(received) == sorted((name, name) for name in names)
