"""The status channel over the real SDK and a real socket."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from hexwave_app.ably_local.server import LocalServer, serve
from hexwave_app.processes.errors import ChannelUnavailable, StatusTooLarge
from hexwave_app.realtime.ably import AblyChannel, channel_name
from hexwave_app.realtime.publisher import MESSAGE_LIMIT
from tests.processes.test_transition import begun
from tests.realtime.conftest import KEY, received, until
from tests.realtime.test_mailbox import NEVER, PLENTY, messages


async def test_what_is_published_reaches_every_follower(channel: AblyChannel) -> None:
    """Two followers of one process share one attached channel."""
    (message,) = messages(1)
    async with channel.subscribe(message.process_id) as one, channel.subscribe(message.process_id) as two:
        assert channel.topics == 1
        await channel.publish(message)
        assert await received(one) == await received(two) == message


async def test_a_follower_hears_only_its_own_process(channel: AblyChannel) -> None:
    """Channels are apart."""
    mine, other = messages(1)[0], messages(1)[0]
    async with (
        channel.subscribe(mine.process_id) as mailbox,
        channel.subscribe(other.process_id) as elsewhere,
    ):
        await channel.publish(other)
        assert await received(elsewhere) == other
        await channel.publish(mine)
        assert await received(mailbox) == mine


async def test_a_message_published_just_before_is_rewound_to(channel: AblyChannel) -> None:
    """Attaching brings the last message, so publishing first is no race lost."""
    (message,) = messages(1)
    await channel.publish(message)
    async with channel.subscribe(message.process_id) as mailbox:
        assert await received(mailbox) == message


async def test_a_repeated_message_is_stored_once(server: LocalServer, channel: AblyChannel) -> None:
    """Its id is made of process and sequence, so a retry is harmless."""
    first, second = messages(2)
    for message in (first, first, second):
        await channel.publish(message)
    kept = server.app_state.channels.find(channel_name(first.process_id))
    assert kept is not None
    assert len(kept.history()) == 2


async def test_the_last_follower_detaches_and_releases(server: LocalServer, channel: AblyChannel) -> None:
    """Nothing is left on the server, in the SDK or in the adapter."""
    process_id = begun().process_id
    async with channel.subscribe(process_id):
        async with channel.subscribe(process_id):
            pass
        assert server.app_state.attachments == {channel_name(process_id): 1}
    await until(lambda: not server.app_state.attachments)
    assert channel.topics == 0


async def test_following_again_while_the_last_follower_leaves_still_hears(channel: AblyChannel) -> None:
    """Leaving and coming cross each other many times; the one who stays is attached."""
    (message,) = messages(1)
    for _ in range(20):
        async with channel.subscribe(message.process_id):
            pass
    async with channel.subscribe(message.process_id) as mailbox:
        await channel.publish(message)
        assert await received(mailbox) == message


async def test_many_coming_and_going_leave_nothing_behind(server: LocalServer, channel: AblyChannel) -> None:
    """A thousand followers of a hundred processes, in any order."""
    ids = [begun().process_id for _ in range(100)]

    async def follow(process_id: str) -> None:
        async with channel.subscribe(process_id):
            await asyncio.sleep(0)

    await asyncio.gather(*(follow(process_id) for process_id in ids for _ in range(10)))
    await until(lambda: not server.app_state.attachments)
    assert channel.topics == 0


async def test_a_status_over_the_limit_is_refused_before_sending(channel: AblyChannel) -> None:
    """The error names both sizes."""
    (message,) = messages(1)
    assert message.data is not None
    large = message.model_copy(
        update={"data": message.data.model_copy(update={"notice": "x" * MESSAGE_LIMIT})}
    )
    with pytest.raises(StatusTooLarge, match=str(MESSAGE_LIMIT)):
        await channel.publish(large)


async def test_with_the_server_away_publishing_fails_and_following_still_begins() -> None:
    """The error is ours, and a follower is told to read the store."""
    async with AsyncExitStack() as stack:
        async with serve({KEY: {"*": ["*"]}}) as server:
            place = f"{server.host}:{server.port}"
        channel = await stack.enter_async_context(AblyChannel.open(KEY, place))
        (message,) = messages(1)
        with pytest.raises(ChannelUnavailable):
            await channel.publish(message)
        async with channel.subscribe(message.process_id) as mailbox:
            assert await mailbox.next(NEVER) is None


async def test_after_the_server_was_away_followers_reread_and_hear_again() -> None:
    """The connection comes back by itself; what was missed is read from the store."""
    async with AsyncExitStack() as stack:
        async with serve({KEY: {"*": ["*"]}}) as server:
            port = server.port
            channel = await stack.enter_async_context(AblyChannel.open(KEY, f"127.0.0.1:{port}"))
            (message,) = messages(1)
            mailbox = await stack.enter_async_context(channel.subscribe(message.process_id))
        server = await stack.enter_async_context(serve({KEY: {"*": ["*"]}}, port=port))
        await until(lambda: server.app_state.attachments)
        assert await mailbox.next(PLENTY) is None
        await channel.publish(message)
        assert await received(mailbox) == message


async def test_what_is_not_a_status_is_passed_over(server: LocalServer, channel: AblyChannel) -> None:
    """Another publisher with the key cannot end a follower by garbage."""
    (message,) = messages(1)
    async with channel.subscribe(message.process_id) as mailbox:
        name = channel_name(message.process_id)
        for garbage in ("text", {"status": "done"}, ["x"]):
            await channel._rest.channels.get(name).publish("status", garbage)
        await channel.publish(message)
        assert await received(mailbox) == message


async def test_a_token_request_grants_reading_of_the_named_processes_alone(channel: AblyChannel) -> None:
    """Subscribe only, an hour at most, in the caller's name."""
    request = await channel.token_request(["p_1", "p_2"], "g_1")
    assert request["capability"] == '{"process:p_1": ["subscribe"], "process:p_2": ["subscribe"]}'
    assert request["clientId"] == "g_1"
    assert request["ttl"] <= 3_600_000
    assert request["mac"]
