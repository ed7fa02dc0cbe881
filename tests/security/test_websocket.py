"""Who may open a websocket, and what may come in by it."""

import contextlib
import json
from collections.abc import Callable

import aiohttp
import httpx
import pytest

from tests.e2e.conftest import Server
from tests.security.page_socket import STUDIO, PageSocket

STATE = "reflex___state____state"


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://127.0.0.1:1",
        "https://127.0.0.1:{port}",
        "http://127.0.0.1:{port}.evil.example",
        "http://evil.example/http://127.0.0.1:{port}",
    ],
)
async def test_a_page_of_another_site_gets_no_websocket(
    server: Server, guest: httpx.AsyncClient, origin: str
) -> None:
    """Not even with the guest's own cookie, which a browser might send along."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with PageSocket.open(server.url, guest, origin.format(port=server.port)):
            pass
    assert refused.value.status == 403


@pytest.mark.parametrize("origin", ["http://127.0.0.1:{port}", "http://localhost:{port}", None])
async def test_our_own_pages_and_scripts_get_one(
    server: Server, guest: httpx.AsyncClient, origin: str | None
) -> None:
    """Browsers name where a page comes from; what is no browser names nothing."""
    origin = origin and origin.format(port=server.port)
    async with PageSocket.open(server.url, guest, origin) as page:
        assert await page.told_until_now() is not None


@pytest.mark.parametrize("cookie", ["", "hexwave=g_victim.1.0"])
async def test_nobody_gets_one_without_a_session(server: Server, cookie: str) -> None:
    """An origin of ours, or none at all, is no session."""
    for origin in (server.url, None):
        async with httpx.AsyncClient(headers={"Cookie": cookie}) as nobody:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                async with PageSocket.open(server.url, nobody, origin):
                    pass
            assert refused.value.status == 403


def event(name: str, payload: object = None, **fields: object) -> str:
    sent = {"name": name, "payload": payload if payload is not None else {}, "router_data": {"pathname": "/"}}
    return "42/_event," + json.dumps(["event", sent | fields])


SET_VARS = [
    event(f"{state}.setvar", {"var_name": "is_hydrated", "value": False})
    for state in (STATE, STUDIO, f"{STATE}.reflex___state____on_load_internal_state")
]

UNINTENDED = [
    *SET_VARS,
    event(f"{STATE}.set_is_hydrated", {"value": False}),
    event(f"{STATE}.reflex___state____on_load_internal_state.set_is_hydrated", {"value": False}),
    event(f"{STATE}.hydrate"),
    event(
        f"{STATE}.reflex___state____update_vars_internal_state.update_vars_internal",
        {"vars": {f"{STUDIO}.shape": "9:16"}},
    ),
    event(f"{STATE}.hydrate_and_load", {"vars": {"nobody.shape": "9:16"}}),
    event(f"{STUDIO}._show", {"process": {}}),
    event(f"{STUDIO}._user_id"),
    event(f"{STUDIO}.reset"),
    event(f"{STUDIO}.get_full_name"),
    event("_call_script", {"javascript_code": "alert(1)"}),
    event("nothing"),
    event(""),
]


@pytest.mark.parametrize("message", UNINTENDED, ids=range(len(UNINTENDED)))
async def test_an_event_that_no_page_sends_does_nothing(
    page: PageSocket, printed: Callable[[], str], message: str
) -> None:
    """It is neither answered nor carried out, and leaves one line in the log."""
    await page.socket.send_str(message)
    assert await page.told_until_now() == []
    assert "a message of a websocket was dropped" in printed()
    assert "Traceback" not in printed()


MALFORMED = [
    *("", "4", "42", "2probe", "5", "9", "42/_event", "42/_event,", "42/_event,[", "42/_event,{}"),
    *("42/_event,[]", '42/_event,["event"]', '42/_event,["event",1]', '42/_event,["event",{}]'),
    *('42/_event,["event",null]', '42/_event,["event","x"]', "42/_event,[1,{}]", '42/_event,["connect",{}]'),
    *('42/_event,7["event",{}]', '42["event",{}]', '42/other,["event",{}]', '42/_event,["disconnect"]'),
    *("40", "40/other,", '40/_event,{"event":1}', '40/_event,{"event":{"name":"nothing"}}', "44/_event,{}"),
    '451-/_event,["event",{"_placeholder":true,"num":0}]',
    "42/_event," + "[" * 60_000,
    '42/_event,["event",' + '{"a":' * 10_000,
    "42/_event," + "9" * 60_000,
    event(f"{STUDIO}.choose_shape", {"shape": "x" * 70_000}),
    event(f"{STUDIO}.choose_shape", {"shape": "x" * 2_000_000}),
    event(f"{STUDIO}.choose_shape", {"shape": "\ud800"}),
    event(f"{STUDIO}.choose_shape", {"shape": 1}),
    event(f"{STUDIO}.choose_shape", {"shape": None}),
    event(f"{STUDIO}.choose_shape", {"shape": ["1:1"]}),
    event(f"{STUDIO}.choose_shape", {"shape": "1:1", "more": "1"}),
    event(f"{STUDIO}.choose_shape", {}),
    event(f"{STUDIO}.choose_shape", []),
    event(f"{STUDIO}.cancel", {"process_id": {"$ne": None}}),
    event(f"{STUDIO}.generate", {"form": "prompt"}),
    event(f"{STUDIO}.roll_seed", router_data=[]),
    event(f"{STUDIO}.roll_seed", router_data={"pathname": 1}),
    event(f"{STUDIO}.roll_seed", router_data={"pathname": "/", "query": "x"}),
    event(f"{STUDIO}.roll_seed", router_data={"pathname": "/", "headers": {"cookie": "hexwave=x"}}),
    event(
        f"{STATE}.reflex___state____frontend_event_exception_state.handle_frontend_exception",
        {"info": "TypeError: can't access property \"" + '", ' * 20_000, "component_stack": ""},
    ),
]


@pytest.mark.parametrize("message", MALFORMED, ids=range(len(MALFORMED)))
async def test_a_malformed_message_harms_nobody(
    page: PageSocket, other_page: PageSocket, printed: Callable[[], str], message: str
) -> None:
    """It is dropped: no answer, no stack trace, and its sender's connection lives like everybody's."""
    await page.socket.send_str(message)
    assert await page.told_until_now() == []
    assert await other_page.told_until_now() == []
    assert "Traceback" not in printed()


async def test_a_binary_message_harms_nobody(page: PageSocket, printed: Callable[[], str]) -> None:
    """Pages send text alone."""
    await page.socket.send_bytes(b"\x04\x00\xff")
    assert await page.told_until_now() == []
    assert "Traceback" not in printed()


async def test_an_endless_message_ends_only_its_own_connection(
    server: Server, guest: httpx.AsyncClient, other_page: PageSocket, printed: Callable[[], str]
) -> None:
    """Beyond what the server reads at all, which is far beyond what the app takes."""
    async with PageSocket.open(server.url, guest) as page:
        with contextlib.suppress(ConnectionError):
            await page.socket.send_str("4" * (80 * 2**20))
        message = await page.socket.receive()
        assert message.type is not aiohttp.WSMsgType.TEXT
    assert await other_page.told_until_now() == []
    assert "Traceback" not in printed()
