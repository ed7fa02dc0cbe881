"""What a token from the API lets its holder do, shown with Ably's own SDK."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from ably import AblyRealtime
from ably.types.message import Message
from ably.util.exceptions import AblyException

from hexwave_app.ably_local import serve as serve_ably
from hexwave_app.processes import Failed, Progressed
from hexwave_app.settings import Settings
from tests.api.conftest import Guest
from tests.conftest import PATIENCE, Served, free_port
from tests.conftest import serve as serve_api

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "app.key:secret"
URL = "/api/ably/token"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ably() -> AsyncIterator[str]:
    """`host:port` of an Ably-compatible server."""
    async with serve_ably({KEY: {"*": ["*"]}}) as running:
        yield f"{running.host}:{running.port}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(ably: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """The API, told of that server by its settings."""
    data_dir = tmp_path_factory.mktemp("data")
    settings = Settings(data_dir=data_dir, port=free_port(), ably_api_key=KEY, ably_endpoint=ably)
    async with serve_api(settings) as served:
        yield served


async def request_token(guest: Guest, **query: str) -> dict[str, Any]:
    answer = await guest.http.get(URL, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_token_is_for_the_callers_process_only(guest: Guest, stranger: Guest) -> None:
    """Subscribe, that one channel, the caller's own client id whatever the query says, an hour at most."""
    process = await guest.begin()
    await guest.begin()
    await stranger.begin()
    request = await request_token(guest, processId=process.process_id, clientId=stranger.id)
    assert json.loads(request["capability"]) == {f"process:{process.process_id}": ["subscribe"]}
    assert request["clientId"] == guest.id
    assert 0 < request["ttl"] <= 3_600_000
    assert request["keyName"] == KEY.split(":")[0]
    assert "secret" not in json.dumps(request)


async def test_without_a_process_it_is_for_all_that_run(
    guest: Guest, stranger: Guest, server: Served
) -> None:
    """The caller's own, and none that has ended; with none running there is nothing to follow."""
    assert (await guest.http.get(URL)).status_code == 404
    await stranger.begin()
    first, second, ended = [await guest.begin() for _ in range(3)]
    await server.services.processes.update(ended.process_id, Failed("No.", "provider_refused"))
    request = await request_token(guest)
    names = {f"process:{process.process_id}" for process in (first, second)}
    assert json.loads(request["capability"]) == {name: ["subscribe"] for name in names}


async def test_all_that_run_are_as_many_as_a_connection_follows(guest: Guest) -> None:
    """More than a page of the list, and the newest 200 where there are more still."""
    processes = [await guest.begin() for _ in range(150)]
    capability = json.loads((await request_token(guest))["capability"])
    assert capability.keys() == {f"process:{process.process_id}" for process in processes}
    processes += [await guest.begin() for _ in range(60)]
    capability = json.loads((await request_token(guest))["capability"])
    # Two of one millisecond are in the order of their ids.
    newest = sorted(processes, key=lambda process: (process.created_at, process.process_id))[-200:]
    assert capability.keys() == {f"process:{process.process_id}" for process in newest}


async def test_a_token_request_is_not_cached(guest: Guest) -> None:
    """It is good for one token, and for one person."""
    process = await guest.begin()
    answer = await guest.http.get(URL, params={"processId": process.process_id})
    assert answer.headers["cache-control"] == "private, no-store"


async def test_the_answer_names_a_server_that_is_not_ablys_own(guest: Guest, ably: str) -> None:
    """The SDK cannot know it otherwise."""
    process = await guest.begin()
    answer = await guest.http.get(URL, params={"processId": process.process_id})
    assert answer.headers["hexwave-ably-endpoint"] == ably


async def test_no_token_without_a_session(guest: Guest, server: Served) -> None:
    """401 on the first visit; the cookie that came with it is good for the second."""
    async with httpx.AsyncClient(base_url=server.url) as http:
        first = await http.get(URL)
        assert (first.status_code, first.json()["error"]["code"]) == (401, "not_signed_in")
        assert (await http.get(URL)).status_code == 404


@pytest.mark.parametrize("hostile", ["*", "p_*", "[meta]log", "p_x,process:*", "p_nothing", "%2A"])
async def test_no_token_for_what_is_no_process(guest: Guest, hostile: str) -> None:
    """A wildcard or another namespace never reaches a capability."""
    await guest.begin()
    assert (await guest.http.get(URL, params={"processId": hostile})).status_code == 404


async def test_the_sdk_follows_with_it_and_can_do_no_more(guest: Guest, server: Served, ably: str) -> None:
    """Ably's SDK exchanges the request, receives the next status; publishing and other channels are 40160."""
    process, other = await guest.begin(), await guest.begin()
    name = f"process:{process.process_id}"

    async def authorise(_params: Any) -> dict[str, Any]:
        return await request_token(guest, processId=process.process_id)

    client = AblyRealtime(auth_callback=authorise, tls=False, endpoint=f"{ably}/")
    try:
        received = asyncio.get_running_loop().create_future()
        async with asyncio.timeout(PATIENCE):
            await client.channels.get(name).subscribe(lambda message: received.set_result(message))
            await server.services.processes.update(process.process_id, Progressed(5))
            message = await received
        assert isinstance(message, Message)
        assert isinstance(message.data, dict)
        assert message.data.keys() == {"status", "processId", "data", "timestamp", "sequence"}
        assert (message.data["processId"], message.data["sequence"]) == (process.process_id, 2)
        for attempt in (
            client.channels.get(name).publish("status", {"status": "failed"}),
            client.channels.get(f"process:{other.process_id}").attach(),
        ):
            with pytest.raises(AblyException) as refusal:
                async with asyncio.timeout(PATIENCE):
                    await attempt
            assert refusal.value.code == 40160
    finally:
        await client.close()
