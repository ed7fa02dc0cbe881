"""Following over the real SDK: many channels, refused keys, lost networks, and the traps of SDK 3.1.4."""

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from ably import AblyRealtime

from hexwave_app.ably_local import credential
from hexwave_app.ably_local.limits import Limits
from hexwave_app.ably_local.server import LocalServer, serve
from hexwave_app.realtime import connection, connections
from hexwave_app.realtime.ably import AblyChannel, channel_name
from hexwave_app.realtime.connections import Connections
from hexwave_app.realtime.mailbox import Mailbox
from tests.conftest import free_port
from tests.processes.test_transition import begun
from tests.realtime.conftest import KEY, received, until
from tests.realtime.test_mailbox import NEVER, PLENTY, messages

ROOT = Path(__file__).parents[2]
OTHER_KEY = "app.key:other"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried again after a pause is tried again soon."""
    monkeypatch.setattr(connection, "_FIRST_PAUSE", 0.05)
    monkeypatch.setattr(connection, "_LONGEST_PAUSE", 0.2)


@asynccontextmanager
async def following(channel: AblyChannel, ids: list[str]) -> AsyncIterator[list[Mailbox]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(channel.subscribe(each)) for each in ids]


async def heard(channel: AblyChannel, mailbox: Mailbox, process_id: str) -> None:
    """Publish one message after another until the follower hears one."""
    async with asyncio.timeout(PLENTY):
        for message in messages(90):
            mine = message.model_copy(update={"process_id": process_id})
            await channel.publish(mine)
            if await mailbox.next(0.2) == mine:
                return


def _cut(link: connection.Connection) -> None:
    """The network takes the connection away without a word."""
    transport = link._manager.transport
    assert transport is not None
    assert transport.websocket is not None
    transport.websocket.transport.abort()  # pyright: ignore[reportAttributeAccessIssue]


@asynccontextmanager
async def _server_apart() -> AsyncIterator[str]:
    command = [sys.executable, "-m", "hexwave_app.ably_local", "--key", KEY, "--port", "0"]
    server = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, cwd=ROOT)
    assert server.stdout is not None
    try:
        async with asyncio.timeout(PLENTY):
            ready = await server.stdout.readline()
        yield ready.decode().strip().rpartition("//")[2]
    finally:
        server.terminate()
        await server.wait()


# Many channels


async def test_connections_are_opened_as_they_fill_and_closed_as_they_empty(
    server: LocalServer, channel: AblyChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At most so many channels each; one connection stays."""
    monkeypatch.setattr(connections, "CHANNELS", 4)
    ids = [begun().process_id for _ in range(10)]
    async with following(channel, ids) as mailboxes:
        assert channel.connections == 3
        assert server.app_state.attachments == {channel_name(each): 1 for each in ids}
        for mailbox, each in zip(mailboxes, ids, strict=True):
            await heard(channel, mailbox, each)
    await until(lambda: not server.app_state.attachments)
    await until(lambda: channel.connections == 1)


async def test_a_connection_takes_no_more_than_ably_allows() -> None:
    """Ably refuses the 201st channel of a connection; those being left count until they are gone."""
    assert connections.CHANNELS == 180


async def test_thousands_are_followed_at_once(server: LocalServer, channel: AblyChannel) -> None:
    """Each hears its own."""
    ids = [begun().process_id for _ in range(1000)]
    async with following(channel, ids) as mailboxes:
        assert channel.connections == 6
        for index in (0, 179, 180, 999):
            await heard(channel, mailboxes[index], ids[index])
    await until(lambda: not server.app_state.attachments)


async def test_five_thousand_coming_and_going_leave_nothing_behind() -> None:
    """As many objects live after five thousand as after one; the server is a process of its own."""
    async with _server_apart() as endpoint, AblyChannel.open(KEY, endpoint) as channel:

        async def come_and_go() -> None:
            async with channel.subscribe(begun().process_id):
                pass

        async def living_after(times: int) -> int:
            for _ in range(times // 100):
                async with asyncio.TaskGroup() as group:
                    for _ in range(100):
                        group.create_task(come_and_go())
            await until(lambda: not channel._connections._ending)
            gc.collect()
            return len(gc.get_objects())

        before = await living_after(1000)
        assert await living_after(4000) - before < 400
        assert channel.topics == 0
        assert not list(channel._connections._open[0]._realtime.channels)


# Refused and away


async def test_a_refused_key_is_said_once_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No crash and no storm: one line, a sentence for health, and recovery by itself once the key is good."""
    port = free_port()
    async with AsyncExitStack() as stack:
        async with serve({OTHER_KEY: {"*": ["*"]}}, port=port) as server:
            channel = await stack.enter_async_context(AblyChannel.open(KEY, f"127.0.0.1:{port}"))
            process_id = begun().process_id
            mailbox = await stack.enter_async_context(channel.subscribe(process_id))
            await until(lambda: channel.trouble)
            assert "40101" in str(channel.trouble)
            assert "ABLY_API_KEY" in str(channel.trouble)
            failed = channel._connections._open[0]._realtime.connection
            await until(lambda: failed.state.value == "connecting")
            await until(lambda: failed.state.value == "failed")
        lines = [each for each in caplog.records if each.levelno >= logging.WARNING]
        assert [each.name for each in lines] == ["hexwave_app.realtime.connection"]
        server = await stack.enter_async_context(serve({KEY: {"*": ["*"]}}, port=port))
        await until(lambda: server.app_state.attachments)
        await heard(channel, mailbox, process_id)
        assert channel.trouble is None


async def test_a_key_that_may_not_subscribe_is_said() -> None:
    """Its followers live on the store."""
    async with (
        serve({KEY: {"process:*": ["publish"]}}) as server,
        AblyChannel.open(KEY, f"{server.host}:{server.port}") as channel,
        channel.subscribe(begun().process_id) as mailbox,
    ):
        assert await mailbox.next(NEVER) is None
        assert "40160" in str(channel.trouble)


async def test_a_refused_channel_is_attached_as_soon_as_it_may_be() -> None:
    """The SDK leaves it failed; here it is tried again, on the same connection."""
    async with (
        serve({KEY: {"*": ["*"]}}, limits=Limits(channels_per_connection=1)) as server,
        AblyChannel.open(KEY, f"{server.host}:{server.port}") as channel,
    ):
        one, two = begun().process_id, begun().process_id
        async with channel.subscribe(one), AsyncExitStack() as stack:
            mailbox = await stack.enter_async_context(channel.subscribe(two))
            assert "90010" in str(channel.trouble)
            later = stack.pop_all()
        async with later:
            await heard(channel, mailbox, two)
            assert channel.trouble is None


async def test_names_that_cannot_be_resolved_are_an_outage_like_any_other() -> None:
    """Following begins, and says what to check."""
    async with (
        AblyChannel.open(KEY, "nowhere.invalid:1") as channel,
        channel.subscribe(begun().process_id) as mailbox,
    ):
        await until(lambda: channel.trouble)
        assert "DNS" in str(channel.trouble)
        assert await mailbox.next(NEVER) is None


async def test_continuity_that_is_lost_makes_followers_read_the_store(server: LocalServer) -> None:
    """A connection that comes back as another one has missed something: each follower is told at once."""
    port = server.port
    async with AsyncExitStack() as stack:
        async with serve({KEY: {"*": ["*"]}}) as first:
            port = first.port
            channel = await stack.enter_async_context(AblyChannel.open(KEY, f"127.0.0.1:{port}"))
            one, two = begun().process_id, begun().process_id
            mailboxes = await stack.enter_async_context(following(channel, [one, two]))
            assert [await mailbox.next(NEVER) for mailbox in mailboxes] == [None, None]
            assert not any(mailbox._news.is_set() for mailbox in mailboxes)
        await stack.enter_async_context(serve({KEY: {"*": ["*"]}}, port=port))
        await until(lambda: all(mailbox._news.is_set() for mailbox in mailboxes))


# Traps of SDK 3.1.4, each with its remedy


async def test_publishing_and_following_outlive_every_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's second renewal of a token never happens: following holds the key itself, and publishing
    asks anew each time its token is refused."""
    monkeypatch.setattr(credential, "HOUR", 300)
    issued, issue = list[object](), credential.Authenticator.request_token

    def counted(*args: Any) -> Any:
        issued.append(args)
        return issue(*args)

    monkeypatch.setattr(credential.Authenticator, "request_token", counted)
    process_id = begun().process_id
    async with (
        serve({KEY: {"*": ["*"]}}) as server,
        AblyChannel.open(KEY, f"{server.host}:{server.port}") as channel,
        channel.subscribe(process_id) as mailbox,
    ):
        told = iter(messages(90))
        while len(issued) < 5:
            message = next(told).model_copy(update={"process_id": process_id})
            await channel.publish(message)
            assert await received(mailbox) == message
            await asyncio.sleep(0.05)


async def test_looking_for_a_network_never_blocks_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between its hosts the SDK asks a web server, synchronously, whether there is a network at all."""
    asked = list[object]()

    def get(*args: object, **kwargs: object) -> httpx.Response:
        asked.append(args)
        raise httpx.ConnectError("no network")

    monkeypatch.setattr(httpx, "get", get)
    hosts = {"endpoint": "nowhere.invalid:1/", "fallback_hosts": ["nor-here.invalid:1/"]}
    async with Connections.open({"key": KEY, "tls": False, **hosts}) as opened:
        await until(lambda: opened.trouble)
    assert not asked


async def test_tries_in_vain_do_not_pile_up() -> None:
    """Each refused TCP connection would leave a task waiting in the SDK for ever."""
    async with AblyChannel.open(KEY, f"127.0.0.1:{free_port()}") as channel:
        attempts = set[asyncio.Task[None] | None]()
        manager = channel._connections._open[0]._manager

        def tried() -> int:
            attempts.add(manager.connect_base_task)
            return len(attempts)

        async with asyncio.timeout(PLENTY * 3):
            await until(lambda: tried() >= 3)
        await until(lambda: sum(each is not None and not each.done() for each in attempts) <= 1)


async def test_messages_are_heard_in_the_order_they_were_sent(
    server: LocalServer, channel: AblyChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK runs coroutine listeners side by side, where an early message may overtake no later one."""
    order, put = list[int](), Mailbox.put

    def record(mailbox: Mailbox, message) -> None:
        order.append(message.sequence)
        put(mailbox, message)

    monkeypatch.setattr(Mailbox, "put", record)
    told = messages(50)
    async with channel.subscribe(told[0].process_id):
        realtime = AblyRealtime(key=KEY, tls=False, endpoint=f"{server.host}:{server.port}/")
        other = realtime.channels.get(channel_name(told[0].process_id))
        for message in told:
            await other.publish("status", message.wire())
        await until(lambda: len(order) == len(told))
        await realtime.close()
    assert order == sorted(order)


async def test_a_connection_that_is_cut_comes_back_without_a_word(
    server: LocalServer, channel: AblyChannel, caplog: pytest.LogCaptureFixture
) -> None:
    """The SDK hands out its websocket library's error, whose close code is none of Ably's."""
    async with channel.subscribe(begun().process_id):
        link = channel._connections._open[0]
        cut = link._manager.transport
        _cut(link)
        await until(lambda: link._manager.transport not in (cut, None) and server.app_state.attachments)
        assert channel.trouble is None
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]


async def test_a_message_after_an_outage_is_heard(server: LocalServer, channel: AblyChannel) -> None:
    """Resumed, not begun anew: nothing between is lost, and no follower reads the store for it."""
    (message,) = messages(1)
    async with channel.subscribe(message.process_id) as mailbox:
        link = channel._connections._open[0]
        _cut(link)
        await channel.publish(message)
        assert await received(mailbox) == message
