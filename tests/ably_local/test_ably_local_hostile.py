"""Hostile input: every answer is an error in Ably's form, and the server lives on."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import quote

import httpx
import msgpack
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hexwave_app.ably_local import Limits, create_app, serve
from tests.ably_local.conftest import KEYS, Clients, Until

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOUNDED = settings(
    max_examples=60,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ENDING = {6, 9}  # DISCONNECTED, ERROR

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
messages = st.fixed_dictionaries(
    {"action": st.integers(-2, 25) | values},
    optional={
        name: values | st.sampled_from(["hostile:x", "process:1", "[x]", 0, 1])
        for name in ("channel", "channelSerial", "msgSerial", "messages", "flags", "params", "auth", "id")
    },
)
message_fields = st.dictionaries(
    st.sampled_from(
        ["id", "name", "data", "encoding", "clientId", "extras", "timestamp", "serial", "action"]
    ),
    values,
    max_size=5,
)


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def alive(clients: Any) -> AsyncIterator[None]:
    """After each test the server still answers."""
    yield
    raw = await clients.raw()
    await raw.send(0, id="alive")
    assert (await raw.receive(0))["id"] == "alive"


async def answer(clients: Any, raw_frame: str | bytes, binary: bool = False) -> dict[str, Any] | None:
    """Send one frame and a ping after it; return the first answer that is not the ping's."""
    raw = await clients.raw(binary=binary)
    try:
        await raw.socket.send(raw_frame)
        if binary:
            await raw.socket.send(msgpack.packb({"action": 0, "id": "ping"}))
        else:
            await raw.socket.send(json.dumps({"action": 0, "id": "ping"}))
        message = await raw.receive()
        if message["action"] in ENDING and "channel" not in message:
            assert message["error"]["code"] in (40010, 40101, 40143, 80003, 80013)
            await raw.ended()
        return None if message.get("id") == "ping" else message
    finally:
        raw.socket.transport.abort()


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "{",
        "null",
        "[]",
        '"text"',
        "{}",
        '{"action":"15"}',
        '{"action":true}',
        '{"action":15.5}',
        '{"action":99}',
        '{"action":-1}',
        '{"action":3}',
        '{"action":1e400}',
        '{"action":15}',
        '{"action":15,"msgSerial":-1}',
        '{"action":15,"msgSerial":' + "9" * 5000 + "}",
        '{"action":15,"msgSerial":true,"channel":"x"}',
        '{"action":10}',
        '{"action":10,"channel":7}',
        '{"action":12,"channel":null}',
        '{"action":17}',
        '{"action":17,"auth":[]}',
        '{"action":0,"id":"\\ud800"}',
        "[" * 100_000,
        b"\x00\xff",
        b"{}",
    ],
)
async def test_what_breaks_the_protocol_ends_the_connection(clients: Any, frame: str | bytes) -> None:
    """A JSON frame that is no protocol message gets an ERROR with its code, and the socket is closed."""
    message = await answer(clients, frame)
    assert message
    assert message["action"] == 9
    assert message["error"]["code"] in (40010, 40101, 80013)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\xc1",
        b"\x81",
        b"\x91" * 100_000,
        b"\xdf\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xffabc",
        msgpack.packb([1]),
        msgpack.packb({1: 2}),
        msgpack.packb({"action": msgpack.Timestamp(1)}),
        msgpack.packb({"action": msgpack.ExtType(1, b"x")}),
        msgpack.packb({b"action": 0}),
        "text",
    ],
)
async def test_garbage_messagepack_ends_the_connection(clients: Any, frame: str | bytes) -> None:
    """The same for MessagePack, with sizes that lie and extension types."""
    message = await answer(clients, frame, binary=True)
    assert message
    assert message["action"] == 9
    assert message["error"]["code"] == 80013


@pytest.mark.parametrize("channel", ["", " ", "[?rewind=1]x", ":x", "a\nb", "x" * 2_000])
async def test_wrong_channel_names_fail_the_channel_only(clients: Any, channel: str) -> None:
    """A name Ably does not take is refused with 40010 for that channel; the connection stands."""
    raw = await clients.raw()
    await raw.send(10, channel=channel)
    refused = await raw.receive(9)
    assert (refused["channel"], refused["error"]["code"]) == (channel, 40010)
    await raw.attach("hostile:fine")


async def test_a_giant_frame_closes_the_socket(clients: Any) -> None:
    """A frame beyond the bound is not read: close code 1009."""
    raw = await clients.raw()
    await raw.socket.send("x" * 600_000)
    assert await raw.ended() == 1009


async def test_text_that_is_not_utf8_closes_the_socket(clients: Any) -> None:
    """Close code 1007, without a stack trace in the log."""
    raw = await clients.raw()
    await raw.socket.send(b"\xff\xfe", text=True)
    assert await raw.ended() == 1007


async def test_a_message_too_large_is_refused_and_the_connection_stands(clients: Any) -> None:
    """More than 65536 bytes of messages get a NACK with 40009."""
    raw = await clients.raw()
    await raw.send(15, channel="hostile:large", msgSerial=0, messages=[{"data": "x" * 65_537}])
    assert (await raw.receive(2))["error"]["code"] == 40009
    await raw.attach("hostile:large")


async def test_a_timestamp_in_messagepack_data_is_refused(clients: Any) -> None:
    """Values that JSON has no form for cannot enter a channel, where a JSON client may listen."""
    raw, listener = await clients.raw(binary=True), await clients.raw()
    await listener.attach("hostile:values")
    stamp = msgpack.Timestamp(1)
    extension = msgpack.ExtType(5, b"x")
    bodies = ({"data": [stamp]}, {"data": extension}, {"data": {"a": extension}})
    bodies += ({"extras": {"a": stamp}}, {"extras": {"a": extension}}, {"extras": {"a": b"x"}})
    for serial, body in enumerate(bodies):
        await raw.send(15, channel="hostile:values", msgSerial=serial, messages=[body])
        assert (await raw.receive(2))["error"]["code"] in (40013, 40032)


async def test_a_socket_cut_mid_frame(clients: Any) -> None:
    """Half a frame and a cut leave nothing behind."""
    raw = await clients.raw()
    raw.socket.transport.write(b"\x81\xfe\xff\xff")
    raw.socket.transport.abort()


async def test_a_socket_cut_in_the_handshake(server: Any) -> None:
    """A client that leaves right after asking for a websocket leaves nothing behind."""
    ask = (
        f"GET /?v=5&key=app.key:secret HTTP/1.1\r\nHost: {server.host}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n"
    )
    for _ in range(20):
        _, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(ask.encode())
        writer.transport.abort()


async def test_raw_nonsense_on_the_port(server: Any) -> None:
    """Bytes that are not HTTP get an answer or a closed socket, not a crash."""
    for nonsense in (b"\x00" * 100 + b"\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01" + b"x" * 50 + b"\n\n"):
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(nonsense)
        async with asyncio.timeout(60):
            await reader.read(1_000)
        writer.close()


@pytest.mark.parametrize("rest_of_a_frame", [b"", b"\x81\xfe\xff\xff"], ids=["silent", "mid-frame"])
async def test_a_half_open_socket_is_found(until: Until, rest_of_a_frame: bytes) -> None:
    """A client that is gone without a word, even in the middle of a frame, is detached and may resume."""
    async with AsyncExitStack() as stack:
        limits = Limits(max_idle_interval=50, request_seconds=0.2)
        running = await stack.enter_async_context(serve(KEYS, limits=limits))
        raw = await Clients(running, stack).raw()
        await raw.attach("half-open")
        raw.socket.transport.write(rest_of_a_frame)
        raw.socket.transport.pause_reading()  # so that no ping is answered
        await until(lambda: not running.app_state.attachments)
        await until(lambda: raw.connected["connectionKey"] in running.app_state.sessions.lost)


async def test_a_body_that_never_ends_is_given_up() -> None:
    """A request whose body does not arrive in time gets 50003 and leaves nothing behind."""
    async with serve(KEYS, limits=Limits(request_seconds=0.1)) as running:
        reader, writer = await asyncio.open_connection(running.host, running.port)
        writer.write(
            b"POST /keys/app.key/requestToken HTTP/1.1\r\nhost: x\r\n"
            b"content-type: application/json\r\ncontent-length: 99\r\n\r\n{"
        )
        async with asyncio.timeout(60):
            head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503")
        assert b"x-ably-errorcode: 50003" in head
        writer.close()


@BOUNDED
@given(
    method=st.sampled_from(["GET", "POST", "PATCH", "DELETE"]),
    path=st.sampled_from(["/channels/x/messages", "/keys/app.key/requestToken", "/time", "/stats"])
    | st.text(max_size=30).map(lambda text: f"/channels/{quote(text)}/messages"),
    query=st.dictionaries(
        st.sampled_from(["limit", "start", "end", "direction", "cursor", "fromSerial", "format"]),
        st.sampled_from(["1", "-1", "9" * 30, "forwards", "msgpack", "1-1@x", "\ud7ff"])
        | st.text(max_size=9),
    ),
    body=values | message_fields | st.lists(message_fields, max_size=3) | st.binary(max_size=40),
    headers=st.dictionaries(
        st.sampled_from(["x-ably-clientid", "accept", "content-type", "authorization"]),
        st.sampled_from(["application/json", "application/x-msgpack", "Bearer YQ==", "Basic !", "*", "YQ=="]),
    ),
)
async def test_fuzzed_requests(method: str, path: str, query: Any, body: Any, headers: Any) -> None:
    """Any request is answered, or refused in Ably's form: never a fault of the server."""
    transport = httpx.ASGITransport(create_app(KEYS), client=("127.0.0.1", 1))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://test", auth=("app.key", "secret"), verify=False
    ) as http:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = http.build_request(method, httpx.URL(path), params=query, content=content, headers=headers)
        answer = await http.send(request, auth=None if "authorization" in headers else ("app.key", "secret"))
    assert answer.status_code < 500
    if answer.status_code >= 400 and "msgpack" not in answer.headers["content-type"]:
        error = answer.json()["error"]
        assert error["statusCode"] == answer.status_code
        assert answer.headers["x-ably-errorcode"] == str(error["code"])


async def test_fuzzed_connects(clients: Any) -> None:
    """Any parameters of a connect get CONNECTED, or an ERROR with its code and a closed socket."""
    loop = asyncio.get_running_loop()

    @BOUNDED
    @given(
        st.dictionaries(
            st.sampled_from(["v", "format", "key", "accessToken", "clientId", "resume", "recover", "echo"]),
            st.sampled_from(["5", "msgpack", "app.key:secret", "app.x", "*", "a!b"]) | st.text(max_size=20),
        )
    )
    def any_connect(params: dict[str, str]) -> None:
        asyncio.run_coroutine_threadsafe(connect(params), loop).result(10)

    async def connect(params: dict[str, str]) -> None:
        raw = await clients.raw(binary=params.get("format") == "msgpack", connected=False, **params)
        message = await raw.receive()
        assert message["action"] in (4, 9)
        if message["action"] == 9:
            assert message["error"]["code"] in (40003, 40012, 40017, 40101, 40102, 40143, 40144)
            await raw.ended()
        raw.socket.transport.abort()

    await loop.run_in_executor(None, any_connect)


async def test_fuzzed_json(clients: Any) -> None:
    """Any JSON object gets an answer in Ably's form or none."""
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, _fuzz, loop, clients, False)


async def test_fuzzed_messagepack(clients: Any) -> None:
    """Any MessagePack object, the same."""
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, _fuzz, loop, clients, True)


def _fuzz(loop: asyncio.AbstractEventLoop, clients: Any, binary: bool) -> None:
    @BOUNDED
    @given(messages)
    def any_message(message: dict[str, Any]) -> None:
        _send(loop, clients, message, binary)

    @BOUNDED
    @given(st.lists(message_fields, max_size=3) | message_fields)
    def any_publish(body: Any) -> None:
        message = {"action": 15, "channel": "hostile:fuzz", "msgSerial": 0, "messages": body}
        answered = _send(loop, clients, message, binary)
        assert answered is None or answered["action"] in (1, 2, 9)

    @BOUNDED
    @given(st.binary(max_size=60))
    def any_bytes(frame: bytes) -> None:
        asyncio.run_coroutine_threadsafe(answer(clients, frame, binary), loop).result(10)

    any_message()
    any_publish()
    any_bytes()


def _send(loop: asyncio.AbstractEventLoop, clients: Any, message: Any, binary: bool) -> Any:
    try:
        frame = msgpack.packb(message) or b"" if binary else json.dumps(message)
    except (OverflowError, ValueError):  # beyond what MessagePack can say
        return None
    return asyncio.run_coroutine_threadsafe(answer(clients, frame, binary), loop).result(10)
