"""Publishing while Ably, or the network before it, misbehaves."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.requests import Request

from hexwave_app.processes import Process, StatusMessage, transition
from hexwave_app.processes.errors import ChannelUnavailable
from hexwave_app.processes.transition import Failed, Progressed
from hexwave_app.realtime import outbox
from hexwave_app.realtime.ably import AblyChannel
from tests.processes.test_transition import AT, begun
from tests.realtime.conftest import KEY, FaultyAbly, received, until
from tests.realtime.test_mailbox import NEVER, messages


@pytest.fixture
async def channel(faulty: FaultyAbly) -> AsyncIterator[AblyChannel]:
    async with AblyChannel.open(KEY, faulty.endpoint) as channel:
        yield channel


def ended(process: Process) -> StatusMessage:
    return StatusMessage.of(transition(process, Failed("Stopped.", "cancelled"), AT))


async def answered_503(request: Request) -> int:
    return 503


async def test_a_lost_answer_is_repeated_under_the_same_id(faulty: FaultyAbly, channel: AblyChannel) -> None:
    """Ably took the message and said nothing: the repetition is stored once, and heard once."""
    (message,) = messages(1)
    faulty.after = 503

    async def restore(request: Request) -> None:
        if faulty.published == 2:
            faulty.after = None

    faulty.fault = restore
    async with channel.subscribe(message.process_id) as mailbox:
        await channel.publish(message)
        assert faulty.published == 2
        assert f"{message.process_id}-{message.sequence}:0".encode() in faulty.bodies[0]
        assert faulty.bodies[0] == faulty.bodies[1]
        assert await received(mailbox) == message
        assert await mailbox.next(NEVER) is None


async def test_what_ably_never_takes_is_given_up(faulty: FaultyAbly, channel: AblyChannel) -> None:
    """Three tries, then our own error: the change stays marked as not published."""
    faulty.fault = answered_503
    with pytest.raises(ChannelUnavailable, match="50300"):
        await channel.publish(ended(begun()))
    assert faulty.published == 3


async def test_while_ably_is_known_to_be_away_nobody_waits(faulty: FaultyAbly, channel: AblyChannel) -> None:
    """After three failures in a row nothing is sent; after a pause one message tries."""
    channel._publisher._outbox._breaker._pause = 3600.0
    faulty.fault = answered_503
    with pytest.raises(ChannelUnavailable):
        await channel.publish(ended(begun()))
    for _ in range(5):
        with pytest.raises(ChannelUnavailable):
            await channel.publish(ended(begun()))
    assert faulty.published == 3
    assert channel.trouble
    assert "50300" in channel.trouble
    faulty.fault = None
    channel._publisher._outbox._breaker._next_try = 0.0
    await channel.publish(ended(begun()))
    assert channel.trouble is None


async def test_a_try_that_is_called_off_is_not_the_last(faulty: FaultyAbly, channel: AblyChannel) -> None:
    """Whoever tried an absent Ably and was cancelled over it leaves the turn to the next."""
    tried = asyncio.Event()

    async def hang(request: Request) -> None:
        tried.set()
        await asyncio.Event().wait()

    faulty.fault = answered_503
    with pytest.raises(ChannelUnavailable):
        await channel.publish(ended(begun()))
    faulty.fault = hang
    channel._publisher._outbox._breaker._next_try = 0.0
    trying = asyncio.create_task(channel.publish(ended(begun())))
    await tried.wait()
    trying.cancel()
    await asyncio.gather(trying, return_exceptions=True)
    faulty.fault = None
    channel._publisher._outbox._breaker._next_try = 0.0
    await channel.publish(ended(begun()))
    assert channel.trouble is None


async def test_progress_faster_than_ably_takes_it_is_merged(faulty: FaultyAbly, channel: AblyChannel) -> None:
    """All who publish are answered; the newest is heard, and the channel's limit is respected."""
    told = messages(90)
    async with channel.subscribe(told[0].process_id) as mailbox:
        await asyncio.gather(*(channel.publish(message) for message in told))
        assert await received(mailbox) in told
        await until(lambda: faulty.together == 0)
        assert faulty.published < 10
    async with channel.subscribe(told[0].process_id) as mailbox:
        assert await received(mailbox) == told[-1]


async def test_an_end_waits_for_no_progress(faulty: FaultyAbly, channel: AblyChannel) -> None:
    """While progress hangs on its way the end goes past it, and the progress is not tried again."""
    hangs, held = asyncio.Event(), asyncio.Event()
    process = begun()
    progress = transition(process, Progressed(10), AT)

    async def hang_the_first(request: Request) -> int | None:
        if faulty.published == 1:
            hangs.set()
            await held.wait()
            return 503
        return None

    faulty.fault = hang_the_first
    async with channel.subscribe(process.process_id) as mailbox:
        hanging = asyncio.create_task(channel.publish(StatusMessage.of(progress)))
        await hangs.wait()
        end = ended(progress)
        await channel.publish(end)
        assert await received(mailbox) == end
        held.set()
        await hanging
    assert faulty.published == 2


async def test_the_limit_of_a_channel_is_respected(faulty: FaultyAbly, channel: AblyChannel) -> None:
    """Progress that is told one after another is told no faster than Ably takes it."""
    for message in messages(60):
        await channel.publish(message)
    assert faulty.statuses == [201] * 60


async def test_too_many_requests_are_tried_again(faulty: FaultyAbly, channel: AblyChannel) -> None:
    """After a rest, under the same id."""

    async def refuse_twice(request: Request) -> int | None:
        return 429 if faulty.published <= 2 else None

    faulty.fault = refuse_twice
    end = ended(begun())
    async with channel.subscribe(end.process_id) as mailbox:
        await channel.publish(end)
        assert await received(mailbox) == end
    assert faulty.statuses == [429, 429, 201]


async def test_a_channel_at_its_limit_is_no_outage(faulty: FaultyAbly, channel: AblyChannel) -> None:
    """The others go on."""

    async def always(request: Request) -> int:
        return 429

    faulty.fault = always
    with pytest.raises(ChannelUnavailable, match="limit"):
        await channel.publish(ended(begun()))
    assert channel.trouble is None
    faulty.fault = None
    await channel.publish(ended(begun()))


async def test_a_server_that_comes_back_is_not_buried(faulty: FaultyAbly, channel: AblyChannel) -> None:
    """However many wait, few requests are on their way at once; all are told in the end."""

    async def slowly(request: Request) -> None:
        await asyncio.sleep(0.01)

    faulty.fault = slowly
    await asyncio.gather(*(channel.publish(ended(begun())) for _ in range(200)))
    assert faulty.most_together <= outbox.AT_ONCE
    assert len(faulty.statuses) == faulty.published < 200


async def test_what_was_published_leaves_nothing_behind(channel: AblyChannel) -> None:
    """Neither in the adapter nor in the SDK, which keeps every channel it was asked for."""
    await asyncio.gather(*(channel.publish(message) for _ in range(50) for message in messages(2)))
    await until(lambda: not channel._publisher._lanes)
    assert not list(channel._rest.channels)
