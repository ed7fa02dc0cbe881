"""The realtime protocol without an SDK: connecting, acknowledgements, attachments, limits."""

import asyncio
import itertools
from contextlib import AsyncExitStack
from typing import Any

import pytest

from hexwave_app.ably_local import Limits, serve
from tests.ably_local.conftest import KEYS, Clients

pytestmark = pytest.mark.asyncio(loop_scope="module")
PUBLISH, SUBSCRIBE = 1 << 17, 1 << 18


async def test_connected_carries_the_details(clients: Any) -> None:
    """CONNECTED names the connection and the limits the client must keep to."""
    connected = (await clients.raw(clientId="ann")).connected
    details = connected["connectionDetails"]
    assert details["connectionKey"].startswith(connected["connectionId"])
    assert details["clientId"] == "ann"
    assert (details["maxMessageSize"], details["connectionStateTtl"]) == (65_536, 120_000)
    assert details["maxIdleInterval"] > 0
    assert details["serverId"]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"key": "nonsense"}, 40101),
        ({"key": "other.key:secret"}, 40101),
        ({"key": "app.key:wrong"}, 40101),
        ({"accessToken": "app.unknown"}, 40143),
        ({"accessToken": "nonsense"}, 40101),
        ({"accessToken": "a.b.c"}, 40144),
        ({"accessToken": ""}, 40101),
        ({"v": "1.2"}, 40017),
        ({"v": "2x"}, 40017),
        ({"v": ""}, 40017),
        ({"format": "xml"}, 40003),
        ({"clientId": "*"}, 40012),
        ({"clientId": ""}, 40012),
    ],
)
async def test_a_wrong_connect_is_refused(clients: Any, params: dict[str, str], code: int) -> None:
    """What is wrong with the address comes as an ERROR with its code, and the socket is closed."""
    raw = await clients.raw(connected=False, **params)
    error = (await raw.receive(9))["error"]
    assert error["code"] == code
    assert await raw.ended() == 1008


async def test_a_token_binds_the_identity(clients: Any) -> None:
    """A token's clientId is the connection's; another, or one on a token without, is refused with 40102."""
    ann, nobody = await clients.token(clientId="ann"), await clients.token()
    assert (await clients.raw(accessToken=ann)).connected["connectionDetails"]["clientId"] == "ann"
    for token in (ann, nobody):
        raw = await clients.raw(accessToken=token, clientId="bob", connected=False)
        assert (await raw.receive(9))["error"]["code"] == 40102
    anyone = await clients.token(clientId="*")
    raw = await clients.raw(accessToken=anyone, clientId="bob")
    assert raw.connected["connectionDetails"]["clientId"] == "bob"


async def test_ack_and_nack_answer_each_message(clients: Any) -> None:
    """Each msgSerial is answered in order: ACK with the serials, NACK with the reason."""
    raw = await clients.raw(binary=True)
    await raw.send(15, channel="proto:ack", msgSerial=0, messages=[{"data": "a"}, {"data": b"b"}])
    await raw.send(15, channel="proto:ack", msgSerial=1, messages=[{"data": 1}])
    await raw.send(15, channel="[bad]", msgSerial=2, messages=[{"data": "x"}])
    await raw.send(14, channel="proto:ack", msgSerial=3, presence=[{"action": 2}])
    ack = await raw.receive(1)
    assert (ack["msgSerial"], ack["count"], len(ack["res"][0]["serials"])) == (0, 1, 2)
    nacks = [await raw.receive(2) for _ in range(3)]
    assert [(n["msgSerial"], n["error"]["code"]) for n in nacks] == [(1, 40013), (2, 40010), (3, 40021)]


async def test_echo_can_be_turned_off(clients: Any) -> None:
    """With echo=false a connection hears others but not itself."""
    quiet, other = await clients.raw(echo="false"), await clients.raw()
    await quiet.attach("proto:echo")
    await quiet.send(15, channel="proto:echo", msgSerial=0, messages=[{"data": "own"}])
    await quiet.receive(1)
    await other.send(15, channel="proto:echo", msgSerial=0, messages=[{"data": "other"}])
    assert (await quiet.receive(15))["messages"][0]["data"] == "other"


async def test_heartbeat_is_echoed_with_its_id(clients: Any) -> None:
    """A ping's id comes back; a ping without one gets none."""
    raw = await clients.raw()
    await raw.send(0, id="abc")
    assert (await raw.receive(0))["id"] == "abc"
    await raw.send(0)
    assert "id" not in await raw.receive(0)


async def test_detach_and_disconnect_and_close(clients: Any) -> None:
    """DETACH is confirmed, even when not attached; DISCONNECT keeps the connection, CLOSE ends it."""
    raw = await clients.raw()
    await raw.send(12, channel="proto:never")
    assert (await raw.receive(13))["channel"] == "proto:never"
    await raw.send(5)
    await raw.receive(6)
    await raw.ended()
    again = await clients.raw(resume=raw.connected["connectionKey"])
    assert again.connected["connectionId"] == raw.connected["connectionId"]
    await again.send(7)
    await again.receive(8)
    assert await again.ended() == 1000


@pytest.mark.parametrize(
    ("rewind", "params", "received"),
    [
        ("1", {"rewind": "1"}, ["4"]),
        (3, {"rewind": "3"}, ["2", "3", "4"]),
        ("100", {"rewind": "100"}, ["0", "1", "2", "3", "4"]),
        ("0", {"rewind": "0"}, []),
        ("30s", {"rewind": "30s"}, ["0", "1", "2", "3", "4"]),
        ("2m", {"rewind": "2m"}, ["0", "1", "2", "3", "4"]),
        ("0s", {"rewind": "0s"}, []),
        ("2h", None, []),
        ("-1", None, []),
        (None, None, []),
        ([], None, []),
    ],
)
async def test_rewind_by_count_and_time(
    clients: Any, rewind: Any, params: dict[str, str] | None, received: list[str]
) -> None:
    """A rewind that is understood is confirmed and replays; any other is left out of the params."""
    http = clients.http()
    name = f"proto:rewind:{rewind}"
    for index in range(5):
        await http.post(f"/channels/{name}/messages", json={"data": str(index)})
    raw = await clients.raw()
    async with asyncio.timeout(60):
        while rewind == "0s" and (await raw.attach(name, params={"rewind": "0s"}))["flags"] & 2:
            await raw.receive(15)  # published within this very millisecond
            await raw.send(12, channel=name)
            await raw.receive(13)
    attached = await raw.attach(name, params={"rewind": rewind}) if rewind != "0s" else {"params": params}
    assert attached.get("params") == params
    assert [(await raw.receive(15))["messages"][0]["data"] for _ in received] == received
    await raw.send(0, id="end")
    await raw.receive(0)


async def test_rewind_counts_messages_of_batches(clients: Any) -> None:
    """A batch is replayed whole or, when it exceeds the count, only as the last one."""
    http = clients.http()
    await http.post("/channels/proto:batch/messages", json=[{"data": "a"}, {"data": "b"}])
    await http.post("/channels/proto:batch/messages", json=[{"data": "c"}, {"data": "d"}])
    for count, batches in (("1", 1), ("3", 1), ("4", 2)):
        raw = await clients.raw()
        await raw.attach("proto:batch", params={"rewind": count})
        for _ in range(batches):
            assert len((await raw.receive(15))["messages"]) == 2
        await raw.send(0)
        await raw.receive(0)


async def test_rewind_beyond_its_limit_says_so(clients: Any) -> None:
    """A rewind replays at most 100 messages; when its range holds more, ATTACHED carries 90004."""
    for _ in range(2):
        await clients.http().post("/channels/proto:long/messages", json=[{"data": "x"}] * 60)
    for rewind, code in (("60", None), ("100", None), ("101", 90004), ("2m", 90004)):
        raw = await clients.raw()
        attached = await raw.attach("proto:long", params={"rewind": rewind})
        assert attached.get("error", {}).get("code") == code
        assert len((await raw.receive(15))["messages"]) == 60
        await raw.send(0)
        await raw.receive(0)


async def test_an_attach_that_resumes_does_not_rewind(clients: Any) -> None:
    """With the flag ATTACH_RESUME of older clients the attach is not the first, so nothing is replayed."""
    await clients.http().post("/channels/proto:attach-resume/messages", json={"data": "x"})
    raw = await clients.raw()
    await raw.attach("proto:attach-resume", params={"rewind": "1"}, flags=1 << 5)
    await raw.send(0)
    await raw.receive(0)


async def test_publishing_needs_no_attachment(clients: Any) -> None:
    """A message to a channel that is not attached is published (RTL6c)."""
    raw = await clients.raw()
    await raw.send(15, channel="proto:transient", msgSerial=0, messages=[{"data": "x"}])
    await raw.receive(1)
    await raw.send(0)
    await raw.receive(0)


async def test_modes_follow_the_capability(clients: Any) -> None:
    """ATTACHED grants what is both asked for and allowed; nothing left is refused with 40160."""
    raw = await clients.raw(
        accessToken=await clients.token(capability={"a": ["subscribe"], "b": ["publish"]})
    )
    both = PUBLISH | SUBSCRIBE
    assert (await raw.attach("a"))["flags"] & both == SUBSCRIBE
    assert (await raw.attach("b", flags=both))["flags"] & both == PUBLISH
    refused = (("a", PUBLISH, 40160), ("b", SUBSCRIBE, 40160), ("c", 0, 40160), ("a", 1 << 16, 40021))
    for name, flags, code in refused:
        await raw.send(10, channel=name, flags=flags)
        error = await raw.receive(9)
        assert (error["channel"], error["error"]["code"]) == (name, code)


async def test_the_two_hundred_and_first_channel_is_refused(clients: Any, server: Any) -> None:
    """A connection holds 200 channels; one more is refused with 90010 and the others stand."""
    raw = await clients.raw(binary=True)
    for index in range(200):
        await raw.attach(f"proto:many:{index}")
    await raw.send(10, channel="proto:many:200")
    assert (await raw.receive(9))["error"]["code"] == 90010
    await raw.attach("proto:many:7")
    await raw.send(12, channel="proto:many:7")
    await raw.receive(13)
    await raw.attach("proto:many:200")


async def test_each_format_gets_its_own_encoding(clients: Any) -> None:
    """One message reaches JSON and MessagePack subscribers, bytes as base64 only in JSON."""
    text, binary = await clients.raw(), await clients.raw(binary=True)
    for raw in (text, binary):
        await raw.attach("proto:formats")
    body = {"data": b"\x00\xff", "encoding": "utf-8", "extras": {"headers": {"a": 1}}}
    await binary.send(15, channel="proto:formats", msgSerial=0, messages=[body])
    message = (await text.receive(15))["messages"][0]
    assert (message["data"], message["encoding"], message["extras"]) == (
        "AP8=",
        "utf-8/base64",
        {"headers": {"a": 1}},
    )
    received = await binary.receive()
    message = (received if received["action"] == 15 else await binary.receive(15))["messages"][0]
    assert (message["data"], message["encoding"]) == (b"\x00\xff", "utf-8")


async def test_a_slow_reader_is_disconnected_and_may_resume() -> None:
    """A client that stops reading is cut with 42915 instead of filling memory; publishing goes on."""
    limits = Limits(outbox_frames=50, close_seconds=0.5)
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(serve(KEYS, limits=limits))
        clients = Clients(running, stack)
        slow, fast = await clients.raw(), await clients.raw()
        await slow.attach("flood")
        slow.socket.transport.pause_reading()
        serial, sent = 0, {"data": "x" * 60_000}
        async with asyncio.timeout(60):
            while running.app_state.attachments.get("flood"):
                await fast.send(15, channel="flood", msgSerial=serial, messages=[sent])
                await fast.receive(1)
                serial += 1
        assert slow.connected["connectionKey"] in running.app_state.sessions.lost
        again = await clients.raw(resume=slow.connected["connectionKey"])
        assert "error" not in again.connected


async def test_a_slow_reader_that_wakes_learns_why() -> None:
    """When it reads on in time, the client finds DISCONNECTED with 42915 after what was under way."""
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(serve(KEYS, limits=Limits(outbox_frames=5)))
        clients = Clients(running, stack)
        slow = await clients.raw()
        await slow.attach("burst")
        publish = running.app_state.channels.get("burst").publish
        for index in range(10):  # in one turn of the event loop, so that nothing is written between
            publish([{"data": "x"}], f"id-{index}")
        assert (await slow.receive(6))["error"]["code"] == 42915
        await slow.ended()


async def test_a_channel_takes_so_many_messages_a_second() -> None:
    """Beyond the rate REST answers 429 and realtime a NACK, both 42913; repeats and other channels pass,
    nothing refused is stored, and the next second takes messages again."""
    limits = Limits(channel_messages_per_second=3)
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(serve(KEYS, limits=limits))
        clients = Clients(running, stack)
        http, raw = clients.http(), await clients.raw()
        kept = [{"id": "a:0"}, {"id": "a:1"}, {"id": "a:2"}]
        answers = [await http.post("/channels/rate/messages", json=body) for body in (kept, {}, kept)]
        assert [answer.status_code for answer in answers] == [201, 429, 201]
        assert answers[1].json()["error"]["code"] == 42913
        await raw.send(15, channel="rate", msgSerial=0, messages=[{"data": "x"}])
        error = (await raw.receive(2))["error"]
        assert (error["code"], error["statusCode"]) == (42913, 429)
        assert (await http.post("/channels/other/messages", json={})).status_code == 201
        assert len((await http.get("/channels/rate/messages")).json()) == 3
        async with asyncio.timeout(60):
            while (await http.post("/channels/rate/messages", json={})).status_code != 201:
                await asyncio.sleep(0.05)


async def test_idle_connections_get_heartbeats() -> None:
    """Nothing to send for maxIdleInterval brings a HEARTBEAT without an id."""
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(serve(KEYS, limits=Limits(max_idle_interval=50)))
        raw = await Clients(running, stack).raw()
        assert raw.connected["connectionDetails"]["maxIdleInterval"] == 50
        assert "id" not in await raw.receive(0)


async def test_idle_channels_are_dropped() -> None:
    """A channel without attachments goes once its history has aged out; an attached one stays."""
    limits = Limits(history_age=20, sweep_interval=0)
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(serve(KEYS, limits=limits))
        clients = Clients(running, stack)
        channels = running.app_state.channels
        raw = await clients.raw()
        await raw.attach("kept")
        await clients.rest().channels.get("dropped").publish("n", "x")
        async with asyncio.timeout(60):
            for attempt in itertools.count():
                channels.get(f"new:{attempt}")  # idle channels are looked for when another is made
                if not channels.find("dropped"):
                    break
                await asyncio.sleep(0.01)
        assert channels.find("kept")
