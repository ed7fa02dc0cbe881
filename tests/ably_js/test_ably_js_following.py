"""What ably-js, given `GET /api/ably/token` as its `authUrl`, hears and is refused."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from hexwave_app.processes import Failed, Process, Progressed, StatusMessage
from tests.ably_js.conftest import AblyJs, Refused, ably_js, backend
from tests.api.conftest import Guest, visit
from tests.conftest import Served, eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with backend(tmp_path_factory.mktemp("data")) as served:
        yield served


@pytest_asyncio.fixture(loop_scope="module")
async def guest(server: Served) -> AsyncIterator[Guest]:
    async with visit(server) as guest:
        yield guest


@pytest_asyncio.fixture(loop_scope="module")
async def stranger(server: Served) -> AsyncIterator[Guest]:
    async with visit(server) as guest:
        yield guest


def channel(process: Process) -> str:
    return f"process:{process.process_id}"


def only(process: Process) -> dict[str, str]:
    """The endpoint's parameter for this one process."""
    return {"processId": process.process_id}


@pytest.mark.parametrize("binary", [False, True], ids=["json", "msgpack"])
async def test_it_hears_every_status_in_order(server: Served, guest: Guest, binary: bool) -> None:
    """Fifty steps and the end, each as it was published, in either encoding."""
    process = await guest.begin()
    async with ably_js(server, guest, authParams=only(process), useBinaryProtocol=binary) as client:
        await client.call("subscribe", channel(process))
        published, heard = list[StatusMessage](), list[dict[str, Any]]()
        updates = [Progressed(notice=f"Étape {step} · ✓") for step in range(50)]
        for update in (*updates, Failed("No.", "provider_refused")):
            process = await server.services.processes.update(process.process_id, update)
            published.append(StatusMessage.of(process))
            # Told faster than it hears, it would be told the newest alone.
            heard = await client.heard(len(published))
    assert [message["data"] for message in heard] == [message.wire() for message in published]
    assert [message["data"]["sequence"] for message in heard] == list(range(2, 53))


async def test_its_token_is_the_callers_and_short(server: Served, guest: Guest, stranger: Guest) -> None:
    """Subscribe to the one process, under the caller's id whoever is asked for, an hour at most."""
    process = await guest.begin()
    await guest.begin()
    parameters = {**only(process), "clientId": stranger.id}
    async with ably_js(server, guest, authParams=parameters) as client:
        token = await client.call("authorize")
    assert json.loads(token["capability"]) == {channel(process): ["subscribe"]}
    assert token["clientId"] == guest.id
    assert 0 < token["expires"] - token["issued"] <= 3_600_000


async def test_without_a_process_it_hears_all_that_run(server: Served, guest: Guest) -> None:
    """One that is begun later needs another token, which leaves the channels there are alone."""
    processes = [await guest.begin() for _ in range(3)]
    async with ably_js(server, guest) as client:
        for process in processes:
            await client.call("subscribe", channel(process))
        processes.append(later := await guest.begin())
        with pytest.raises(Refused) as refusal:
            await client.call("attach", channel(later))
        assert refusal.value.code == 40160
        await client.call("authorize")
        await client.call("attach", channel(later))
        await client.call("subscribe", channel(later))
        for process in processes:
            await server.services.processes.update(process.process_id, Progressed(10))
        heard = await client.heard(len(processes))
    assert [message["channel"] for message in heard] == [channel(process) for process in processes]


async def test_it_can_do_nothing_but_listen(server: Served, guest: Guest, stranger: Guest) -> None:
    """Publishing, history and every other channel are refused with 40160; the listening goes on."""
    process, other, foreign = await guest.begin(), await guest.begin(), await stranger.begin()
    async with ably_js(server, guest, authParams=only(process)) as client:
        await client.call("subscribe", channel(process))
        for name, target in (
            *((call, channel(process)) for call in ("publish", "restPublish", "history", "restHistory")),
            *(("attach", target) for target in (channel(other), channel(foreign), "process:*", "*")),
        ):
            with pytest.raises(Refused) as refusal:
                await client.call(name, target)
            assert refusal.value.code == 40160, (name, target)
        for one in (other, foreign, process):
            await server.services.processes.update(one.process_id, Progressed(10))
        (heard,) = await client.heard(1)
    assert (heard["channel"], heard["data"]["sequence"]) == (channel(process), 2)


async def test_another_guests_process_gives_no_connection(
    server: Served, guest: Guest, stranger: Guest
) -> None:
    """The endpoint knows no such process, so ably-js goes without a token."""
    process = await guest.begin()
    await stranger.begin()
    async with ably_js(server, stranger, authParams=only(process)) as client:
        await refused(client, "process_not_found")


async def test_without_a_session_there_is_no_connection(server: Served, guest: Guest) -> None:
    """A process that exists is no way round the cookie."""
    process = await guest.begin()
    async with ably_js(server, guest, authParams=only(process), authHeaders={}) as client:
        await refused(client, "not_signed_in")


async def refused(client: AblyJs, reason: str) -> None:
    """Return once the client has given up a try to connect; the endpoint must have said `reason`."""

    async def disconnected() -> bool:
        return client.connection[-1:] != [] and client.connection[-1]["state"] == "disconnected"

    await eventually(disconnected)
    with pytest.raises(Refused, match=reason):
        await client.call("authorize")
    assert {event["error"]["code"] for event in client.connection if "error" in event} == {80019}
    assert not client.tokens
