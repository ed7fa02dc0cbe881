"""Many messages on their way to Ably at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import msgpack
import pytest
from ably.types.message import Message
from ably.util.exceptions import AblyException
from starlette.requests import Request

from hexwave_app.processes.errors import ChannelUnavailable
from hexwave_app.realtime import outbox
from hexwave_app.realtime.ably import AblyChannel
from hexwave_app.realtime.outbox import AT_ONCE, CHANNELS_LIMIT, Outbox
from tests.conftest import PATIENCE
from tests.realtime.conftest import KEY, FaultyAbly, received, until
from tests.realtime.test_mailbox import messages

BATCH = "/messages"


class Busy:
    """Holds up as many requests as may be on their way, until it is let go."""

    def __init__(self, faulty: FaultyAbly) -> None:
        self.faulty = faulty
        self.batches: list[list[dict[str, object]]] = []
        self.refused: set[int] = set()
        """Statuses that batches are answered with, once each."""
        self.gone = asyncio.Event()
        faulty.fault = self

    async def __call__(self, request: Request) -> int | None:
        await self.gone.wait()
        if request.url.path == BATCH:
            self.batches.append(msgpack.unpackb(self.faulty.bodies[-1]))
            return self.refused.pop() if self.refused else None
        return None


@pytest.fixture
async def channel(faulty: FaultyAbly) -> AsyncIterator[AblyChannel]:
    async with AblyChannel.open(KEY, faulty.endpoint) as channel:
        yield channel


@pytest.fixture
def sender(channel: AblyChannel) -> Outbox:
    return channel._publisher._outbox


async def waiting(sender: Outbox, faulty: FaultyAbly, names: list[str]) -> list[asyncio.Task[None]]:
    """A sending of each, of which all but the first few wait."""
    tasks = [asyncio.create_task(sender.send(name, Message("n", name, id=f"{name}:0"))) for name in names]
    await until(lambda: faulty.together == AT_ONCE and len(sender._waiting) == len(names) - AT_ONCE)
    return tasks


def numbered(count: int) -> list[str]:
    return [f"job-{number}" for number in range(count)]


async def test_a_message_alone_waits_for_nobody(faulty: FaultyAbly, sender: Outbox) -> None:
    """Each of few has a request of its own."""
    busy = Busy(faulty)
    busy.gone.set()
    for name in numbered(AT_ONCE):
        await sender.send(name, Message("n", "x"))
    assert faulty.published == AT_ONCE
    assert busy.batches == []


async def test_those_that_wait_go_together(faulty: FaultyAbly, sender: Outbox) -> None:
    """In as few requests as Ably's limit allows, in their order."""
    busy = Busy(faulty)
    names = numbered(AT_ONCE + CHANNELS_LIMIT + 5)
    tasks = await waiting(sender, faulty, names)
    busy.gone.set()
    await asyncio.gather(*tasks)
    assert sorted(map(len, busy.batches)) == [5, CHANNELS_LIMIT]
    full = max(busy.batches, key=len)
    assert [spec["channels"] for spec in full] == names[AT_ONCE : AT_ONCE + CHANNELS_LIMIT]
    await until(lambda: sender._busy == 0)


async def test_what_comes_right_after_others_goes_together(
    faulty: FaultyAbly, sender: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though those were taken at once: in a crowd, requests of their own would cost more than all else."""
    monkeypatch.setattr(outbox, "TURN", 1.0)
    busy = Busy(faulty)
    busy.gone.set()
    for name in numbered(AT_ONCE):
        await sender.send(name, Message("n", "x"))
    await asyncio.gather(*(sender.send(name, Message("n", "x")) for name in numbered(5)))
    assert [len(batch) for batch in busy.batches] == [5]


async def test_each_is_heard_where_it_belongs(faulty: FaultyAbly, channel: AblyChannel) -> None:
    """Whether it went alone or with others."""
    busy = Busy(faulty)
    told = [messages(1)[0] for _ in range(AT_ONCE + 3)]
    async with AsyncExitStack() as stack:
        heard = [await stack.enter_async_context(channel.subscribe(message.process_id)) for message in told]
        tasks = [asyncio.create_task(channel.publish(message)) for message in told]
        await until(lambda: len(channel._publisher._outbox._waiting) == 3)
        busy.gone.set()
        await asyncio.gather(*tasks)
        assert [await received(mailbox) for mailbox in heard] == told


async def test_what_is_large_goes_in_several_requests(
    faulty: FaultyAbly, sender: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is larger than Ably takes."""
    monkeypatch.setattr(outbox, "BYTES_LIMIT", 100)
    busy = Busy(faulty)
    tasks = await waiting(sender, faulty, numbered(AT_ONCE + 9))
    busy.gone.set()
    await asyncio.gather(*tasks)
    assert all(len(batch) < 4 for batch in busy.batches)


async def test_what_was_overtaken_while_it_waited_is_left_out(faulty: FaultyAbly, sender: Outbox) -> None:
    """Nobody has a use for it any more."""
    busy = Busy(faulty)
    tasks = await waiting(sender, faulty, numbered(AT_ONCE + 2))
    stale = asyncio.create_task(sender.send("stale", Message("n", "x"), busy.gone.is_set))
    await until(lambda: len(sender._waiting) == 3)
    busy.gone.set()
    await asyncio.gather(*tasks, stale)
    assert [spec["channels"] for spec in busy.batches[0]] == [f"job-{AT_ONCE}", f"job-{AT_ONCE + 1}"]


async def test_one_that_is_refused_fails_alone(faulty: FaultyAbly, sender: Outbox) -> None:
    """The others of its request have been taken."""
    busy = Busy(faulty)
    tasks = await waiting(sender, faulty, [*numbered(AT_ONCE + 2), "[no-name"])
    busy.gone.set()
    *fine, refused = await asyncio.gather(*tasks, return_exceptions=True)
    assert len(busy.batches) == 1
    assert fine == [None] * (AT_ONCE + 2)
    assert isinstance(refused, AblyException)
    assert sender.trouble is None


@pytest.mark.parametrize("status", [400, 404])
async def test_where_batches_are_refused_each_goes_alone(
    faulty: FaultyAbly, sender: Outbox, status: int
) -> None:
    """A server that knows none is no outage."""
    busy = Busy(faulty)
    busy.refused = {status}
    tasks = await waiting(sender, faulty, numbered(AT_ONCE + 4))
    busy.gone.set()
    await asyncio.gather(*tasks)
    assert len(busy.batches) == 1
    assert faulty.published == AT_ONCE + 1 + 4
    assert sender.trouble is None


@pytest.mark.parametrize("status", [401, 429, 503])
async def test_a_failed_request_fails_all_that_were_in_it(
    faulty: FaultyAbly, sender: Outbox, status: int
) -> None:
    """Whoever sent each decides whether it is worth another try."""
    busy = Busy(faulty)
    # The SDK asks once more with a fresh token.
    faulty.fault = lambda request: _refused(busy, request, status)
    tasks = await waiting(sender, faulty, numbered(AT_ONCE + 4))
    busy.gone.set()
    said = await asyncio.gather(*tasks, return_exceptions=True)
    assert said[:AT_ONCE] == [None] * AT_ONCE
    assert all(isinstance(each, AblyException) and each.status_code == status for each in said[AT_ONCE:])
    assert sender.trouble is None


async def _refused(busy: Busy, request: Request, status: int) -> int | None:
    await busy.gone.wait()
    return status if request.url.path == BATCH else None


async def test_a_lost_answer_is_repeated_and_heard_once(faulty: FaultyAbly, channel: AblyChannel) -> None:
    """Ably took all of them and said nothing."""
    busy = Busy(faulty)
    told = [messages(1)[0] for _ in range(AT_ONCE + 3)]
    async with channel.subscribe(told[-1].process_id) as mailbox:
        tasks = [asyncio.create_task(channel.publish(message)) for message in told]
        await until(lambda: len(channel._publisher._outbox._waiting) == 3)

        async def lose(request: Request) -> None:
            await busy.gone.wait()
            faulty.after = 503 if request.url.path == BATCH and not busy.batches else None
            if request.url.path == BATCH:
                busy.batches.append([])

        faulty.fault = lose
        busy.gone.set()
        await asyncio.gather(*tasks)
        assert await received(mailbox) == told[-1]
        assert await mailbox.next(0.01) is None


async def test_whoever_is_called_off_holds_up_nobody(faulty: FaultyAbly, sender: Outbox) -> None:
    """One that waited is left out; one on its way leaves its turn to the next."""
    busy = Busy(faulty)
    tasks = await waiting(sender, faulty, numbered(AT_ONCE + 3))
    tasks[AT_ONCE].cancel()
    for task in tasks[:AT_ONCE]:
        task.cancel()
    await asyncio.wait([tasks[AT_ONCE]])
    busy.gone.set()
    await asyncio.gather(*tasks[AT_ONCE + 1 :])
    assert [spec["channels"] for spec in busy.batches[0]] == [f"job-{AT_ONCE + 1}", f"job-{AT_ONCE + 2}"]
    await until(lambda: sender._busy == 0)


async def test_its_end_leaves_nobody_waiting(faulty: FaultyAbly) -> None:
    """What was not sent is unpublished, as while Ably is away."""
    busy = Busy(faulty)
    async with AblyChannel.open(KEY, faulty.endpoint) as channel:
        async with Outbox.open(channel._rest) as sender:
            tasks = await waiting(sender, faulty, numbered(AT_ONCE + 3))
        said = await asyncio.gather(*tasks[AT_ONCE:], return_exceptions=True)
        assert all(isinstance(each, ChannelUnavailable) for each in said)
        busy.gone.set()
        await asyncio.gather(*tasks[:AT_ONCE])


async def test_a_request_that_is_called_off_before_it_begins_leaves_nobody_waiting(
    faulty: FaultyAbly,
) -> None:
    """At the end, those it was to take along have been taken from the queue already."""
    busy = Busy(faulty)
    async with AblyChannel.open(KEY, faulty.endpoint) as channel:
        async with Outbox.open(channel._rest) as sender:
            tasks = await waiting(sender, faulty, numbered(AT_ONCE + 3))
            sender._pass_on()
        async with asyncio.timeout(PATIENCE):
            said = await asyncio.gather(*tasks[AT_ONCE:], return_exceptions=True)
        assert all(isinstance(each, ChannelUnavailable) for each in said)
        busy.gone.set()
        await asyncio.gather(*tasks[:AT_ONCE])


async def test_a_key_of_no_app_is_an_outage(faulty: FaultyAbly, sender: Outbox) -> None:
    """Ably answers 404 to it, also where a batch was asked for."""
    busy = Busy(faulty)

    async def unknown(request: Request) -> int:
        await busy.gone.wait()
        return 404

    faulty.fault = unknown
    tasks = await waiting(sender, faulty, numbered(AT_ONCE + 3))
    busy.gone.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert sender.trouble
    assert "key" in sender.trouble
