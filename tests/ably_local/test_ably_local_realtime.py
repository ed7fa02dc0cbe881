"""Realtime through the SDK: subscribe, order, rewind, detach, capability."""

import asyncio
from typing import Any

import pytest
from ably.types.channelmode import ChannelMode
from ably.types.channeloptions import ChannelOptions
from ably.types.message import Message
from ably.util.exceptions import AblyException

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.parametrize("binary", [True, False])]


async def listen(channel: Any) -> "asyncio.Queue[Any]":
    """Subscribe and return the queue of messages."""
    queue: asyncio.Queue[Any] = asyncio.Queue()

    def take(message: Any) -> None:
        queue.put_nowait(message)

    async with asyncio.timeout(60):
        await channel.subscribe(take)
    return queue


async def take(queue: "asyncio.Queue[Any]", count: int) -> list[Any]:
    async with asyncio.timeout(60):
        return [await queue.get() for _ in range(count)]


async def test_publish_reaches_every_subscriber(clients: Any, binary: bool) -> None:
    """REST and realtime publishes arrive with name, data of each type, id and serial, whatever the format."""
    name = f"rt:all:{binary}"
    sender, other = (
        clients.realtime(use_binary_protocol=binary),
        clients.realtime(use_binary_protocol=not binary),
    )
    queues = [await listen(client.channels.get(name)) for client in (sender, other)]
    rest = clients.rest(use_binary_protocol=binary)
    await rest.channels.get(name).publish(Message("rest", {"a": [1]}, id="p-1:0"))
    await sender.channels.get(name).publish("text", "é")
    await sender.channels.get(name).publish("bytes", b"\x00\xff")
    for queue in queues:
        messages = await take(queue, 3)
        assert [(m.name, m.data) for m in messages] == [
            ("rest", {"a": [1]}),
            ("text", "é"),
            ("bytes", b"\x00\xff"),
        ]
        assert messages[0].id == "p-1:0"
        assert messages[1].connection_id == sender.connection.connection_manager.connection_id
        assert len({m.serial for m in messages}) == 3


async def test_order_is_kept(clients: Any, binary: bool) -> None:
    """Messages of concurrent publishes and batches arrive once each, in the order of their serials."""
    name = f"rt:order:{binary}"
    realtime = clients.realtime(use_binary_protocol=binary)
    queue = await listen(realtime.channels.get(name))
    rest = clients.rest(use_binary_protocol=binary)
    channel = rest.channels.get(name)
    await channel.publish("first", "x")
    publishes = [channel.publish([Message("n", f"{i}.{j}") for j in range(3)]) for i in range(20)]
    results = await asyncio.gather(*publishes)
    messages = (await take(queue, 61))[1:]
    serials = [m.serial for m in messages]
    assert serials == sorted(serials)
    assert set(serials) == {serial for result in results for serial in result.serials}


async def test_rewind_closes_the_race(clients: Any, binary: bool) -> None:
    """A subscriber with rewind gets the last messages before it, then what follows, without a repeat."""
    name = f"rt:rewind:{binary}"
    rest = clients.rest(use_binary_protocol=binary)
    for index in range(5):
        await rest.channels.get(name).publish("n", str(index))
    realtime = clients.realtime(use_binary_protocol=binary)
    channel = realtime.channels.get(name, params={"rewind": "2"})
    queue = await listen(channel)
    await rest.channels.get(name).publish("n", "5")
    assert [m.data for m in await take(queue, 3)] == ["3", "4", "5"]
    assert channel.params == {"rewind": "2"}


async def test_detach_ends_the_subscription(clients: Any, binary: bool, server: Any) -> None:
    """After detach the server counts no attachment and sends nothing; attaching again works."""
    name = f"rt:detach:{binary}"
    channel = clients.realtime(use_binary_protocol=binary).channels.get(name)
    queue = await listen(channel)
    assert server.app_state.attachments[name] == 1
    await channel.detach()
    assert name not in server.app_state.attachments
    rest = clients.rest()
    await rest.channels.get(name).publish("n", "unheard")
    await channel.attach()
    await rest.channels.get(name).publish("n", "heard")
    assert [m.data for m in await take(queue, 1)] == ["heard"]


async def test_close_ends_the_connection(clients: Any, binary: bool, server: Any, until: Any) -> None:
    """Closing the client leaves no attachment and no state to resume."""
    name = f"rt:close:{binary}"
    client = clients.realtime(use_binary_protocol=binary)
    await listen(client.channels.get(name))
    identifier = client.connection.connection_manager.connection_id
    await client.close()
    await until(lambda: name not in server.app_state.attachments)
    sessions = server.app_state.sessions
    held = [*sessions.live.values(), *sessions.lost.values()]
    assert identifier not in {session.id for session, _ in held}


async def test_ping(clients: Any, binary: bool) -> None:
    """A ping is answered."""
    client = clients.realtime(use_binary_protocol=binary)
    await client.connection.once_async("connected")
    assert await client.connection.ping() >= 0


async def test_capability_is_enforced(clients: Any, binary: bool) -> None:
    """Attaching and publishing beyond the capability fail with 40160; what is covered works on."""
    params = {"capability": {"process:1": ["subscribe"]}, "client_id": "ann"}
    client = clients.realtime(use_binary_protocol=binary, default_token_params=params)
    queue = await listen(client.channels.get("process:1"))
    with pytest.raises(AblyException) as refusal:
        await client.channels.get("process:2").attach()
    assert refusal.value.code == 40160
    assert client.channels.get("process:2").state == "failed"
    with pytest.raises(AblyException) as refusal:
        await client.channels.get("process:1").publish("n", "x")
    assert refusal.value.code == 40160
    await clients.rest().channels.get("process:1").publish("n", "x")
    assert [m.data for m in await take(queue, 1)] == ["x"]


async def test_modes_narrow_an_attachment(clients: Any, binary: bool) -> None:
    """Only the modes asked for are granted: without subscribe nothing comes, without publish nothing goes."""
    name = f"rt:modes:{binary}"
    client = clients.realtime(use_binary_protocol=binary)
    only_subscribe = client.channels.get(name, ChannelOptions(modes=[ChannelMode.SUBSCRIBE]))
    queue = await listen(only_subscribe)
    assert only_subscribe.modes == [ChannelMode.SUBSCRIBE]
    with pytest.raises(AblyException) as refusal:
        await only_subscribe.publish("n", "x")
    assert refusal.value.code == 40165
    other = clients.realtime(use_binary_protocol=binary)
    only_publish = other.channels.get(name, ChannelOptions(modes=[ChannelMode.PUBLISH]))
    deaf = await listen(only_publish)
    await only_publish.publish("n", "x")
    assert [m.data for m in await take(queue, 1)] == ["x"]
    assert deaf.empty()


async def test_presence_is_refused(clients: Any, binary: bool) -> None:
    """Entering presence fails at once, with a message that says it is missing."""
    # The SDK leaves its client_id option out of the tokens it requests.
    client = clients.realtime(use_binary_protocol=binary, default_token_params={"client_id": "ann"})
    channel = client.channels.get(f"rt:presence:{binary}")
    await asyncio.wait_for(channel.attach(), 5)
    with pytest.raises(AblyException, match="no presence"):
        await asyncio.wait_for(channel.presence.enter(), 5)
