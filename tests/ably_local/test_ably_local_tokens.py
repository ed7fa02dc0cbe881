"""Token requests, and what tokens allow."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
import pytest_asyncio
from ably.types.message import Message
from ably.util.exceptions import AblyException

from hexwave_app.ably_local import AblyError, Limits, create_app, serve
from hexwave_app.ably_local.capability import Capability
from hexwave_app.ably_local.credential import Authenticator, Credential
from tests.ably_local.conftest import KEYS, Clients

pytestmark = pytest.mark.asyncio(loop_scope="module")


def signed(secret: str = "secret", **changes: Any) -> dict[str, Any]:
    """Return a token request with a valid mac for its fields, as any other program would make it."""
    request = {
        "keyName": "app.key",
        "ttl": 60_000,
        "capability": '{"*":["*"]}',
        "clientId": "ann",
        "timestamp": time.time_ns() // 1_000_000,
        "nonce": f"nonce-{time.time_ns()}-{len(changes)}",
        **changes,
    }
    names = ("keyName", "ttl", "capability", "clientId", "timestamp", "nonce")
    text = "".join(f"{'' if request[name] is None else request[name]}\n" for name in names)
    digest = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return {**request, "mac": base64.b64encode(digest).decode()}


async def ask(clients: Any, request: Any, key: str | None = None, name: str = "app.key") -> tuple[int, Any]:
    answer = await clients.http(key=key).post(f"/keys/{name}/requestToken", json=request)
    return answer.status_code, answer.json()


async def test_a_signed_request_gives_a_token(clients: Any) -> None:
    """The answer holds token, capability, identity and the time asked for."""
    status, details = await ask(clients, signed())
    assert status == 201
    assert details["clientId"] == "ann"
    assert details["keyName"] == "app.key"
    assert details["expires"] - details["issued"] == 60_000
    assert json.loads(details["capability"]) == {"*": ["*"]}
    assert details["token"].startswith("app.")


async def test_defaults(clients: Any) -> None:
    """A bare request gives a token for an hour, with the key's capability and no identity."""
    _, details = await ask(clients, signed(ttl=None, capability=None, clientId=None))
    assert details["expires"] - details["issued"] == 3_600_000
    assert json.loads(details["capability"]) == {"*": ["*"]}
    assert "clientId" not in details


async def test_a_request_is_spent_by_its_use(clients: Any) -> None:
    """The same signed request a second time is refused with 40105."""
    request = signed()
    assert (await ask(clients, request))[0] == 201
    assert (await ask(clients, request))[1]["error"]["code"] == 40105


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"secret": "wrong"}, 40101),
        ({"timestamp": 0}, 40104),
        ({"timestamp": 10**14}, 40104),
        ({"timestamp": "soon"}, 40003),
        ({"nonce": "short"}, 40003),
        ({"nonce": None}, 40003),
        ({"ttl": 24 * 3_600_000 + 1}, 40003),
        ({"ttl": -1}, 40003),
        ({"ttl": True}, 40003),
        ({"ttl": 10**30}, 40003),
        ({"clientId": 7}, 40012),
        ({"capability": "nonsense"}, 40000),
        ({"keyName": "app.other"}, 40102),
    ],
)
async def test_wrong_requests_are_refused(clients: Any, fields: dict[str, Any], code: int) -> None:
    """Each part of a well-signed token request is checked, and refused with its code."""
    status, body = await ask(clients, signed(**fields))
    assert (body["error"]["code"], status) == (code, code // 100)


@pytest.mark.parametrize(
    "change", [{"clientId": "bob"}, {"ttl": 70_000}, {"capability": '{"x":["*"]}'}, {"mac": 7}, {"mac": None}]
)
async def test_altered_requests_are_refused(clients: Any, change: dict[str, Any]) -> None:
    """A request changed after it was signed, or stripped of its signature, is refused with 40101."""
    assert (await ask(clients, {**signed(), **change}))[1]["error"]["code"] == 40101


async def test_a_request_that_is_no_object_is_refused(clients: Any) -> None:
    """A list in place of a token request is refused with 40001."""
    assert (await ask(clients, []))[1]["error"]["code"] == 40001


async def test_an_unknown_key_is_not_found(clients: Any) -> None:
    """A key name the server does not hold is refused with 40400."""
    assert (await ask(clients, signed(keyName="no.key"), name="no.key"))[1]["error"]["code"] == 40400


async def test_an_unsigned_request_needs_the_key(clients: Any) -> None:
    """Basic authentication with the same key stands in for the signature; another key's does not."""
    assert (await ask(clients, {"ttl": "5000"}, key="app.key:secret"))[0] == 201
    assert (await ask(clients, {}, key="app.narrow:secret"))[1]["error"]["code"] == 40101


async def test_capability_is_cut_to_the_keys(clients: Any) -> None:
    """A token gets what its key allows of the request, and none at all when that is nothing."""
    wide = {"capability": '{"*":["*"]}'}
    _, details = await ask(clients, wide, key="app.narrow:secret", name="app.narrow")
    assert json.loads(details["capability"]) == {"open": ["publish"], "process:*": ["history", "subscribe"]}
    beyond = {"capability": '{"process:1":["publish"]}'}
    _, refused = await ask(clients, beyond, key="app.narrow:secret", name="app.narrow")
    assert refused["error"]["code"] == 40160


async def test_the_sdks_own_token_request_is_taken(clients: Any) -> None:
    """A token request the SDK signs, with identity and capability, yields a token that works."""
    rest = clients.rest()
    request = await rest.auth.create_token_request(
        {"client_id": "ann", "ttl": 60_000, "capability": {"process:1": ["subscribe"]}}
    )
    status, details = await ask(clients, request.to_dict())
    assert status == 201
    assert json.loads(details["capability"]) == {"process:1": ["subscribe"]}
    raw = await clients.raw(accessToken=details["token"])
    assert raw.connected["connectionDetails"]["clientId"] == "ann"
    await raw.attach("process:1")


async def test_rest_holds_to_the_capability(clients: Any) -> None:
    """Publishing and reading history outside the token's capability are refused with 40160."""
    rest = clients.rest(default_token_params={"capability": {"mine": ["publish"]}})
    await rest.channels.get("mine").publish("n", "x")
    for attempt in (rest.channels.get("yours").publish("n", "x"), rest.channels.get("mine").history()):
        with pytest.raises(AblyException) as refusal:
            await attempt
        assert (refusal.value.code, refusal.value.status_code) == (40160, 401)


@pytest.mark.parametrize(
    ("token_client", "message_client", "result"),
    [
        ("ann", None, "ann"),
        ("ann", "ann", "ann"),
        ("ann", "bob", 40012),
        (None, None, None),
        (None, "ann", 40012),
        ("*", "ann", "ann"),
        ("*", None, None),
    ],
)
async def test_client_ids_of_messages(
    clients: Any, token_client: str | None, message_client: str | None, result: Any
) -> None:
    """A token's identity is implied and enforced; none forbids one; the wildcard allows any."""
    token = await clients.token(**({"clientId": token_client} if token_client else {}))
    http = clients.http(key=None, headers={"authorization": f"Bearer {token}"})
    path = f"/channels/tokens:{token_client}:{message_client}/messages"
    answer = await http.post(path, json={"clientId": message_client} if message_client else {"data": ""})
    if isinstance(result, int):
        assert answer.json()["error"]["code"] == result
    else:
        assert (await http.get(path)).json()[0].get("clientId") == result


@pytest.mark.parametrize(
    ("token_client", "header_client", "result"),
    [
        ("*", "ann", "ann"),
        ("ann", "ann", "ann"),
        ("ann", "bob", 40102),
        (None, "ann", 40102),
        ("*", "*", 40012),
    ],
)
async def test_client_ids_of_requests(
    clients: Any, token_client: str | None, header_client: str, result: Any
) -> None:
    """The header X-Ably-ClientId identifies a request, as far as the token allows (RSA7e2)."""
    token = await clients.token(**({"clientId": token_client} if token_client else {}))
    named = {"x-ably-clientid": base64.b64encode(header_client.encode()).decode()}
    http = clients.http(key=None, headers={"authorization": f"Bearer {token}", **named})
    path = f"/channels/tokens:header:{token_client}/messages"
    answer = await http.post(path, json={})
    if isinstance(result, int):
        assert answer.json()["error"]["code"] == result
    else:
        assert (await http.get(path)).json()[0]["clientId"] == result


async def test_an_expired_token_is_refused_and_renewed(clients: Any, until: Any) -> None:
    """After its time a token is refused with 40142; the SDK then asks for another by itself."""
    details: list[Any] = []
    rest = clients.rest(default_token_params={"ttl": 60})
    channel = rest.channels.get("tokens:renew")
    await channel.publish("n", "1")
    details.append(rest.auth.token_details)
    await until(lambda: details[0].expires < time.time() * 1000)
    bearer = {"authorization": f"Bearer {details[0].token}"}
    answer = await clients.http(key=None).get("/channels/tokens:renew/messages", headers=bearer)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, 40142)
    rest.auth.auth_options.default_token_params = {"ttl": 60_000}
    await channel.publish(Message("n", "2"))
    assert rest.auth.token_details.token != details[0].token


@pytest_asyncio.fixture(loop_scope="module")
async def eager() -> AsyncIterator[Clients]:
    """Clients of a server that asks for another token 1.5 s before the end."""
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(serve(KEYS, limits=Limits(renewal_lead=1_500)))
        yield Clients(running, stack)


@pytest.mark.parametrize(("ttl", "asked"), [(1_600, True), (200, False)])
async def test_an_expiring_connection_is_asked_to_renew_and_then_cut(
    eager: Clients, ttl: int, asked: bool
) -> None:
    """A client is asked for a new token some time before the end, unless its token lives no longer than
    that, then disconnected with 40142; the token is dead."""
    token = await eager.token(ttl=ttl)
    raw = await eager.raw(accessToken=token)
    if asked:
        await raw.receive(17)
    assert (await raw.receive(6))["error"]["code"] == 40142
    await raw.ended()
    again = await eager.raw(accessToken=token, connected=False)
    error = (await again.receive(9))["error"]
    assert (error["code"], error["statusCode"]) == (40142, 401)


@pytest.mark.parametrize("binary", [True, False])
async def test_the_sdk_renews_in_band(eager: Clients, binary: bool) -> None:
    """An SDK whose tokens are short-lived stays connected, on the same connection."""
    realtime = eager.realtime(default_token_params={"ttl": 2_000}, use_binary_protocol=binary)
    await realtime.connection.once_async("connected")
    before = realtime.connection.connection_manager.connection_id
    renewed: asyncio.Queue[Any] = asyncio.Queue()
    realtime.connection.on("update", renewed.put_nowait)
    async with asyncio.timeout(60):
        for _ in range(2):
            await renewed.get()
    assert realtime.connection.state == "connected"
    assert realtime.connection.connection_manager.connection_id == before


async def test_reauthentication_changes_rights_without_a_cut(clients: Any) -> None:
    """A narrower token in band keeps the channels it covers and fails the others with 40160."""
    narrow = await clients.token(clientId="ann", capability={"keep": ["subscribe"]})
    raw = await clients.raw(accessToken=await clients.token(clientId="ann"))
    await raw.attach("keep")
    await raw.attach("lose")
    await raw.send(17, auth={"accessToken": narrow})
    assert (await raw.receive(4))["connectionId"] == raw.connected["connectionId"]
    refused = await raw.receive(9)
    assert (refused["channel"], refused["error"]["code"]) == ("lose", 40160)
    await clients.rest().channels.get("lose").publish("n", "not for ann")
    await clients.rest().channels.get("keep").publish("n", "x")
    assert (await raw.receive(15))["channel"] == "keep"
    await raw.send(15, channel="keep", msgSerial=0, messages=[{"data": "x"}])
    assert (await raw.receive(2))["error"]["code"] == 40160


async def test_reauthentication_widens_rights_without_a_cut(clients: Any) -> None:
    """A wider token in band lets the connection publish where it is attached, without attaching again."""
    raw = await clients.raw(accessToken=await clients.token(capability={"wide": ["subscribe"]}))
    await raw.attach("wide")
    await raw.send(15, channel="wide", msgSerial=0, messages=[{"data": "x"}])
    assert (await raw.receive(2))["error"]["code"] == 40160
    wider = await clients.token(capability={"wide": ["subscribe", "publish"]})
    await raw.send(17, auth={"accessToken": wider})
    await raw.receive(4)
    await raw.send(15, channel="wide", msgSerial=1, messages=[{"data": "x"}])
    assert {(await raw.receive())["action"] for _ in range(2)} == {1, 15}


@pytest.mark.parametrize("other", ["bob", None])
async def test_reauthentication_as_somebody_else_is_fatal(clients: Any, other: str | None) -> None:
    """A token of another identity ends the connection with 40102."""
    raw = await clients.raw(accessToken=await clients.token(clientId="ann"))
    await raw.send(17, auth={"accessToken": await clients.token(**({"clientId": other} if other else {}))})
    assert (await raw.receive(9))["error"]["code"] == 40102
    await raw.ended()


async def test_a_key_crosses_only_loopback_or_tls(clients: Any) -> None:
    """A key is refused with 40103 from another machine over plain HTTP, and taken over HTTPS."""
    app = create_app({"app.key:secret": {"*": ["*"]}})
    for scheme, code in (("http", 40103), ("https", None)):
        transport = httpx.ASGITransport(app, client=("192.0.2.1", 5000))
        async with httpx.AsyncClient(
            transport=transport, base_url=f"{scheme}://test", auth=("app.key", "secret")
        ) as http:
            body = (await http.get("/channels/x/messages")).json()
        assert (body["error"]["code"] if code else body) == (code or [])


async def test_tokens_are_bounded() -> None:
    """The oldest tokens go when there are too many."""
    limits = Limits(tokens=3)
    authenticator = Authenticator({"app.key:secret": {"*": ["*"]}}, limits)
    key = Credential("app.key", Capability({"*": ["*"]}))
    tokens = [str(authenticator.request_token("app.key", {}, key)["token"]) for _ in range(5)]
    for token in tokens[-3:]:
        authenticator.with_token(token)
    for token in tokens[:-3]:
        with pytest.raises(AblyError, match="unrecognised"):
            authenticator.with_token(token)


async def test_malformed_keys_are_refused_at_the_start() -> None:
    """A key without its three parts is a ValueError, not a server nobody can use."""
    for key in ("nonsense", "app.key", "app:secret", "app.key:"):
        with pytest.raises(ValueError, match="appId"):
            async with serve({key: {"*": ["*"]}}):
                pass
