"""REST: time, publish, history, errors and CORS."""

import base64
from typing import Any

import msgpack
import pytest
from ably.types.message import Message
from ably.util.exceptions import AblyException

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("binary", [True, False])
async def test_sdk_publishes_and_reads_history(clients: Any, binary: bool) -> None:
    """What the SDK publishes comes back from history newest first, with its types."""
    channel = clients.rest(use_binary_protocol=binary).channels.get(f"rest:types:{binary}")
    for data in ("text", {"a": [1]}, b"\x00\xff", None):
        await channel.publish("name", data)
    page = await channel.history()
    assert [message.data for message in page.items] == [None, b"\x00\xff", {"a": [1]}, "text"]
    assert page.items[0].name == "name"
    assert page.items[0].timestamp > 0
    assert not page.has_next()


async def test_formats_cross(clients: Any) -> None:
    """Bytes published as MessagePack reach a JSON client as base64, named in the encoding."""
    await clients.rest().channels.get("rest:cross").publish("n", b"\x00\xff")
    answer = await clients.http().get("/channels/rest:cross/messages")
    assert (answer.json()[0]["data"], answer.json()[0]["encoding"]) == ("AP8=", "base64")


async def test_encoding_is_kept_as_sent(clients: Any) -> None:
    """The server hands on an encoding it does not know, such as encrypted data."""
    body = {"data": "AAAA", "encoding": "utf-8/cipher+aes-128-cbc/base64"}
    http = clients.http()
    assert (await http.post("/channels/rest:enc/messages", json=body)).status_code == 201
    stored = (await http.get("/channels/rest:enc/messages")).json()[0]
    assert {key: stored[key] for key in body} == body


async def test_history_pages_in_both_directions(clients: Any) -> None:
    """Pages follow each other without a gap or a repeat, forwards and backwards."""
    channel = clients.rest().channels.get("rest:pages")
    await channel.publish([Message("n", str(index)) for index in range(7)])
    for direction, expected in (("forwards", "0123456"), ("backwards", "6543210")):
        page, seen = await channel.history(direction=direction, limit=3), ""
        while page:
            assert len(page.items) <= 3
            seen += "".join(message.data for message in page.items)
            page = await page.next()
        assert seen == expected


async def test_history_until_attach(clients: Any) -> None:
    """With the serial of an attach only what was published before it is returned, page after page;
    a serial of another channel is refused with 40024."""
    http, raw = clients.http(), await clients.raw()
    path = "/channels/rest:until/messages"
    await http.post(path, json=[{"data": str(index)} for index in range(3)])
    serial = (await raw.attach("rest:until"))["channelSerial"]
    await http.post(path, json={"data": "after"})
    for parameter in ("fromSerial", "from_serial"):
        page = await http.get(path, params={parameter: serial, "limit": 2})
        assert [message["data"] for message in page.json()] == ["2", "1"]
        following = await http.get(f"/channels/rest:until/{page.links['next']['url']}")
        assert [message["data"] for message in following.json()] == ["0"]
        assert "next" not in following.links
    await (await clients.raw()).attach("rest:until:other")
    other = await http.get("/channels/rest:until:other/messages", params={"fromSerial": serial})
    assert (other.status_code, other.json()["error"]["code"]) == (400, 40024)


async def test_a_repeated_id_is_stored_once(clients: Any) -> None:
    """Publishing the same message id again changes nothing and returns the same serial."""
    channel = clients.rest().channels.get("rest:once")
    first = await channel.publish(Message("n", "1", id="p-1:0"))
    second = await channel.publish(Message("n", "changed", id="p-1:0"))
    assert first.serials == second.serials
    assert [message.data for message in (await channel.history()).items] == ["1"]


async def test_a_repeated_batch_is_stored_once(clients: Any) -> None:
    """A batch sent again, with its ids, is stored once and in order."""
    channel = clients.rest().channels.get("rest:batch")
    batch = [Message("n", str(index), id=f"b:{index}") for index in range(3)]
    for _ in range(2):
        result = await channel.publish(batch)
        assert len(result.serials) == 3
    assert [m.data for m in (await channel.history(direction="forwards")).items] == ["0", "1", "2"]


async def test_channel_names_survive_quoting(clients: Any) -> None:
    """Names with spaces, plus signs, slashes and accents mean the same over REST and realtime."""
    name = "rest:a b+c/d é%"
    raw = await clients.raw()
    await raw.attach(name)
    await clients.rest().channels.get(name).publish("n", "x")
    assert (await raw.receive(15))["channel"] == name


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ([], 40001),
        ("text", 40001),
        ([1], 40001),
        ({"name": 1}, 40016),
        ({"data": 1}, 40013),
        ({"data": True}, 40013),
        ({"data": "x", "encoding": 1}, 40013),
        ({"id": 1}, 40031),
        ({"id": "x" * 300}, 40031),
        ({"id": ""}, 40031),
        ([{"id": "a:0"}, {"data": "b"}], 40031),
        ([{"id": "a:0"}, {"id": "b:1"}], 40031),
        ({"clientId": "*"}, 40012),
        ({"clientId": ""}, 40012),
        ({"extras": []}, 40032),
        ({"extras": {"a": 10**30}}, 40032),
        ({"extras": {"headers": {"a": []}}}, 40032),
        ({"connectionKey": "x"}, 40006),
        ({"action": 1, "serial": "s"}, 93002),
        ({"data": "x" * 65_537}, 40009),
        ({"data": "é" * 33_000}, 40009),
        ([{"data": "x" * 40_000}, {"data": "x" * 40_000}], 40009),
        ([{}] * 1_001, 40034),
        ({"data": "x" * 600_000}, 40009),
    ],
)
async def test_wrong_messages_are_refused(clients: Any, body: Any, code: int) -> None:
    """Each rule for messages has its error code, in body and header, and nothing is stored."""
    http = clients.http()
    answer = await http.post("/channels/rest:wrong/messages", json=body)
    error = answer.json()["error"]
    assert error["code"] == code, error
    assert answer.headers["x-ably-errorcode"] == str(code)
    assert error["statusCode"] == answer.status_code
    assert error["href"].endswith(str(code))
    assert (await http.get("/channels/rest:wrong/messages")).json() == []


async def test_the_largest_message_is_taken(clients: Any) -> None:
    """65536 bytes of data pass, as text and as bytes sent in base64."""
    http = clients.http()
    for body in (
        {"data": "x" * 65_536},
        {"data": base64.b64encode(bytes(65_536)).decode(), "encoding": "base64"},
    ):
        assert (await http.post("/channels/rest:large/messages", json=body)).status_code == 201


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"{", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b'{"data":"\\ud800"}', "application/json"),
        (b'{"data":NaN}', "application/json"),
        (b"[" * 200_000, "application/json"),
        (b"\xc1", "application/x-msgpack"),
        (b"\x93\x01", "application/x-msgpack"),
        (msgpack.packb(msgpack.ExtType(5, b"x")), "application/x-msgpack"),
        (b"\x91" * 200_000, "application/x-msgpack"),
        (b"data=x", "application/x-www-form-urlencoded"),
    ],
)
async def test_undecodable_bodies_are_refused(clients: Any, content: bytes, kind: str) -> None:
    """A body that does not decode, or of another type, is refused with 40001."""
    answer = await clients.http().post(
        "/channels/rest:bad/messages", content=content, headers={"content-type": kind}
    )
    assert answer.json()["error"]["code"] == 40001


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", 40003),
        ("limit=1001", 40003),
        ("limit=x", 40003),
        ("direction=up", 40003),
        ("start=2&end=1", 40003),
        ("cursor=x", 40003),
        ("fromSerial=x", 40003),
    ],
)
async def test_wrong_history_queries_are_refused(clients: Any, query: str, code: int) -> None:
    """Parameters outside their range are refused with 40003."""
    answer = await clients.http().get(f"/channels/rest:query/messages?{query}")
    assert answer.json()["error"]["code"] == code


@pytest.mark.parametrize("name", ["%20", "%5Bmeta%5Dx", ":x", "x" * 1_025])
async def test_wrong_channel_names_are_refused(clients: Any, name: str) -> None:
    """Names that Ably does not take are refused with 40010."""
    answer = await clients.http().post(f"/channels/{name}/messages", json={})
    assert answer.json()["error"]["code"] == 40010


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/stats"),
        ("GET", "/channels"),
        ("GET", "/channels/x/presence"),
        ("POST", "/push/publish"),
        ("PATCH", "/channels/x/messages/serial"),
        ("GET", "/"),
    ],
)
async def test_other_parts_of_ably_say_that_they_are_missing(clients: Any, method: str, path: str) -> None:
    """Presence, push, stats and the like are refused in Ably's form with a message that says so."""
    answer = await clients.http().request(method, path)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == 40400
    assert "local server" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, 40101),
        ("Digest x", 40101),
        ("Basic !!!", 40005),
        ("Basic " + base64.b64encode(b"nonsense").decode(), 40101),
        ("Basic " + base64.b64encode(b"other.key:secret").decode(), 40101),
        ("Basic " + base64.b64encode(b"app.key:wrong").decode(), 40101),
        ("Bearer " + base64.b64encode(b"app.unknown").decode(), 40143),
        ("Bearer a.b.c", 40144),
    ],
)
async def test_wrong_credentials_are_refused(clients: Any, authorization: str | None, code: int) -> None:
    """Each kind of wrong credentials has its code."""
    headers = {"authorization": authorization} if authorization else {}
    answer = await clients.http(key=None).get("/channels/x/messages", headers=headers)
    assert answer.json()["error"]["code"] == code


async def test_identity_from_the_client_id_header(clients: Any) -> None:
    """With a key, X-Ably-ClientId names the publisher, and another clientId in a message is refused."""
    http = clients.http(headers={"x-ably-clientid": base64.b64encode(b"ann").decode()})
    assert (await http.post("/channels/rest:who/messages", json={"data": "x"})).status_code == 201
    answer = await http.post("/channels/rest:who/messages", json={"clientId": "bob"})
    assert answer.json()["error"]["code"] == 40012
    assert (await http.get("/channels/rest:who/messages")).json()[0]["clientId"] == "ann"


async def test_the_sdk_raises_the_servers_errors(clients: Any) -> None:
    """A refusal arrives in the SDK as an AblyException with the code, in either format."""
    for binary in (True, False):
        channel = clients.rest(use_binary_protocol=binary).channels.get("rest:raise")
        with pytest.raises(AblyException) as refusal:
            await channel.publish("n", "x" * 65_537)
        assert refusal.value.code == 40009


async def test_forced_refusal(clients: Any) -> None:
    """_forceNack is refused with 40099, for clients to test with."""
    with pytest.raises(AblyException) as refusal:
        await clients.rest().channels.get("x").publish(Message("n"), params={"_forceNack": True})
    assert refusal.value.code == 40099


async def test_a_browser_on_another_port_may_call(clients: Any) -> None:
    """CORS: the preflight allows the SDK's headers and the answers may be read, errors too."""
    http = clients.http(key=None, headers={"origin": "http://localhost:3000"})
    asked = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,x-ably-version,ably-agent",
    }
    preflight = await http.options("/channels/x/messages", headers=asked)
    assert preflight.status_code == 200
    assert "x-ably-version" in preflight.headers["access-control-allow-headers"]
    refused = await http.get("/channels/x/messages")
    assert refused.headers["access-control-allow-origin"] == "*"
    assert "X-Ably-Errorcode" in refused.headers["access-control-expose-headers"]
