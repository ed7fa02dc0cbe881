"""Cuts, resumes and lost continuity."""

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any

import pytest
from ably.types.message import Message

from hexwave_app.ably_local import Limits, serve
from tests.ably_local.conftest import KEYS, Clients

pytestmark = pytest.mark.asyncio(loop_scope="module")
RESUMED, HAS_BACKLOG = 1 << 2, 1 << 1


async def numbers(queue: "asyncio.Queue[Any]", count: int) -> list[str]:
    async with asyncio.timeout(60):
        return [(await queue.get()).data for _ in range(count)]


async def back(connection: Any) -> None:
    """Wait for the SDK to notice a cut and be connected again."""
    async with asyncio.timeout(60):
        while connection.state == "connected":
            await connection.once_async()
        while connection.state != "connected":
            await connection.once_async()


@pytest.mark.parametrize("binary", [True, False])
async def test_missed_messages_follow_a_cut(clients: Any, wire: Any, binary: bool) -> None:
    """After a cut the SDK resumes the same connection and gets what it missed, once and in order."""
    name = f"resume:sdk:{binary}"
    rest = clients.rest()
    client = clients.realtime(port=wire.port, use_binary_protocol=binary)
    channel = client.channels.get(name, params={"rewind": "1"})
    queue: asyncio.Queue[Any] = asyncio.Queue()
    async with asyncio.timeout(60):
        await channel.subscribe(lambda message: queue.put_nowait(message))
    before = client.connection.connection_manager.connection_id
    changes: list[Any] = []
    channel.on("attached", lambda change: changes.append(change))
    await rest.channels.get(name).publish("n", "0")
    assert await numbers(queue, 1) == ["0"]
    await wire.close()
    for index in range(1, 5):
        await rest.channels.get(name).publish("n", str(index))
    await wire.open()
    await back(client.connection)
    assert await numbers(queue, 4) == ["1", "2", "3", "4"]
    assert client.connection.connection_manager.connection_id == before
    assert [change.resumed for change in changes] == [True]
    assert queue.empty()


async def test_a_publish_cut_off_from_its_ack_is_stored_once(clients: Any, server: Any) -> None:
    """The same msgSerial sent again after a resume is acknowledged with the first serials (RTN19a)."""
    first = await clients.raw()
    await first.send(15, channel="resume:ack", msgSerial=0, messages=[{"data": "x"}])
    ack = await first.receive(1)
    first.socket.transport.abort()
    second = await clients.raw(resume=first.connected["connectionKey"])
    assert second.connected["connectionId"] == first.connected["connectionId"]
    assert "error" not in second.connected
    await second.send(15, channel="resume:ack", msgSerial=0, messages=[{"data": "x"}])
    assert (await second.receive(1))["res"] == ack["res"]
    assert len(server.app_state.channels.find("resume:ack").history()) == 1


async def test_attach_with_a_serial_replays_from_there(clients: Any) -> None:
    """RESUMED and HAS_BACKLOG tell what happened, and the backlog comes before newer messages."""
    rest = clients.rest().channels.get("resume:serial")
    raw = await clients.raw(binary=True)
    attached = await raw.attach("resume:serial")
    assert attached["flags"] & (RESUMED | HAS_BACKLOG) == 0
    await rest.publish("n", "1")
    serial = (await raw.receive(15))["channelSerial"]
    await raw.send(12, channel="resume:serial")
    await raw.receive(13)
    attached = await raw.attach("resume:serial", channelSerial=serial)
    assert attached["flags"] & RESUMED
    assert not attached["flags"] & HAS_BACKLOG
    await raw.send(12, channel="resume:serial")
    await raw.receive(13)
    await rest.publish([Message("n", "2"), Message("n", "3")])
    await rest.publish("n", "4")
    attached = await raw.attach("resume:serial", channelSerial=serial)
    assert attached["flags"] & RESUMED
    assert attached["flags"] & HAS_BACKLOG
    await rest.publish("n", "5")
    received = [m["data"] for _ in range(3) for m in (await raw.receive(15))["messages"]]
    assert received == ["2", "3", "4", "5"]


async def test_a_cut_during_a_replay_loses_nothing(clients: Any) -> None:
    """The serial on ATTACHED is the start of the replay, so attaching with it replays again."""
    rest = clients.rest().channels.get("resume:replay")
    for index in range(3):
        await rest.publish("n", str(index))
    raw = await clients.raw()
    attached = await raw.attach("resume:replay", params={"rewind": "2"})
    raw.socket.transport.abort()
    again = await clients.raw(resume=raw.connected["connectionKey"])
    await again.attach("resume:replay", channelSerial=attached["channelSerial"], params={"rewind": "2"})
    assert [(await again.receive(15))["messages"][0]["data"] for _ in range(2)] == ["1", "2"]


@pytest.mark.parametrize("serial", ["", "nonsense", "1-99999@other", "9" * 500])
async def test_an_unknown_serial_is_lost_continuity(clients: Any, serial: str) -> None:
    """A serial of another life of the channel attaches without RESUMED, with the reason."""
    raw = await clients.raw()
    attached = await raw.attach("resume:unknown", channelSerial=serial)
    assert not attached["flags"] & RESUMED
    assert attached.get("error", {}).get("code") == (90005 if serial else None)


async def test_a_live_connection_is_taken_over(clients: Any, server: Any, until: Any) -> None:
    """A resume while the old transport still stands ends that one, and only the new one is attached."""
    old = await clients.raw()
    await old.attach("resume:takeover")
    new = await clients.raw(resume=old.connected["connectionKey"])
    assert new.connected["connectionId"] == old.connected["connectionId"]
    assert (await old.receive(6))["error"]["code"] == 80016
    await old.ended()
    await new.attach("resume:takeover")
    assert server.app_state.attachments["resume:takeover"] == 1
    again = await clients.raw(resume=old.connected["connectionKey"])
    assert again.connected["error"]["code"] == 80008


async def test_what_cannot_be_resumed_starts_afresh(clients: Any) -> None:
    """A closed connection and another identity get a new connection with 80008, nonsense with 80018."""
    closed = await clients.raw()
    await closed.send(7)
    await closed.receive(8)
    await closed.ended()
    ann = await clients.raw(clientId="ann")
    live = await clients.raw(clientId="ann")
    ann.socket.transport.abort()
    gone = [client.connected["connectionKey"] for client in (closed, ann, live)]
    for key in ("nonsense", *gone):
        raw = await clients.raw(resume=key, clientId="bob")
        assert raw.connected["error"]["code"] == (80018 if key == "nonsense" else 80008)
        assert raw.connected["connectionId"] != key.partition("!")[0]


async def test_a_restart_is_told_to_the_sdk() -> None:
    """After a restart, which forgets all, the SDK attaches anew with resumed False and hears on."""
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(AsyncExitStack())
        running = await first.enter_async_context(serve(KEYS))
        clients = Clients(running, stack)
        client = clients.realtime()
        channel = client.channels.get("resume:restart")
        queue: asyncio.Queue[Any] = asyncio.Queue()
        async with asyncio.timeout(60):
            await channel.subscribe(lambda message: queue.put_nowait(message))
        attached: asyncio.Queue[Any] = asyncio.Queue()
        channel.on("attached", lambda change: attached.put_nowait(change))
        before = client.connection.connection_manager.connection_id
        await first.aclose()
        async with serve(KEYS, port=running.port):
            async with asyncio.timeout(60):
                assert not (await attached.get()).resumed
            assert client.connection.connection_manager.connection_id != before
            await clients.rest().channels.get("resume:restart").publish("n", "after")
            assert await numbers(queue, 1) == ["after"]


async def test_more_messages_than_are_kept_end_continuity() -> None:
    """A client that missed more is told so (90004) and gets what is left; at the very limit it resumes."""
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(serve(KEYS, limits=Limits(history_messages=5)))
        clients = Clients(running, stack)
        publish = clients.rest().channels.get("few").publish
        start = (await (await clients.raw()).attach("few"))["channelSerial"]
        for index in range(5):
            await publish("n", str(index))
        within = await clients.raw()
        assert (await within.attach("few", channelSerial=start))["flags"] & RESUMED
        await publish("n", "5")
        late = await clients.raw()
        beyond = await late.attach("few", channelSerial=start)
        assert beyond["flags"] & (RESUMED | HAS_BACKLOG) == HAS_BACKLOG
        assert (beyond["error"]["code"], beyond["error"]["statusCode"]) == (90004, 404)
        assert [(await late.receive(15))["messages"][0]["data"] for _ in range(5)] == list("12345")


async def test_a_longer_time_than_is_kept_ends_continuity(until: Any) -> None:
    """A client that was away for longer is told so (90003); one that missed nothing resumes however late."""
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(
            serve(KEYS, limits=Limits(history_age=150, connection_state_ttl=100))
        )
        clients = Clients(running, stack)
        raw = await clients.raw()
        start = (await raw.attach("few"))["channelSerial"]
        await clients.rest().channels.get("few").publish("n", "0")
        head = (await (await clients.raw()).attach("few"))["channelSerial"]
        channel = running.app_state.channels.get("few")
        await until(lambda: not channel.history())
        assert (await (await clients.raw()).attach("few", channelSerial=head))["flags"] & RESUMED
        until_attach = await clients.http().get("/channels/few/messages", params={"fromSerial": start})
        assert until_attach.json()["error"]["code"] == 90008
        expired = await (await clients.raw()).attach("few", channelSerial=start)
        assert expired["flags"] & (RESUMED | HAS_BACKLOG) == 0
        assert expired["error"]["code"] == 90003
        raw.socket.transport.abort()
        key = raw.connected["connectionKey"]
        lost = running.app_state.sessions.lost
        await until(lambda: key in lost and lost[key][1] < time.time() * 1000)
        late = await clients.raw(resume=key)
        assert late.connected["error"]["code"] == 80008
        assert key not in lost
