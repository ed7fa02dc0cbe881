"""Creation over the API, beside a bare insert; and how many webhooks a second the app takes in.

A creation here is all of it: the guest is known by its cookie, the request checked, the process saved, and
then submitted to the external API behind the caller's back, within the measured time or not.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Sequence

from bench.load import Load, in_flight
from bench.messages import subscriber
from bench.stage import Stage
from bench.table import Line, line, rate

_NEXT_TIMES = {1: 3.4, 20: 37.0}
_NEXT_RATES = {1: 266.0, 20: 503.0}
_NEXT_WEBHOOKS = 446.0
_LANES = 20


async def creations(stage: Stage, at_once: Sequence[int], count: int) -> AsyncGenerator[Line, None]:
    """Two lines for each number in flight, `count` creations each; fewer for one at a time."""
    guests = await stage.guests(max(at_once))
    # Of both, what only the first ones wait for.
    await in_flight(_LANES, count // 4, lambda n: stage.create(guests[n % len(guests)]))
    await in_flight(_LANES, count // 4, lambda _: stage.insert())
    for lanes in at_once:
        amount = count if lanes > 1 else count // 3
        bare = await in_flight(lanes, amount, lambda _: stage.insert())
        await stage.quiet()
        # Guests in turn: those of one guest wait for each other.
        load = await in_flight(lanes, amount, lambda n: stage.create(guests[n % len(guests)]))
        await stage.quiet()
        elsewhere = {"Next.js": _NEXT_TIMES[lanes]} if lanes in _NEXT_TIMES else {}
        yield line(f"create, {lanes} in flight; floor: a bare insert", load.times, bare.times, **elsewhere)
        elsewhere = {"Next.js": _NEXT_RATES[lanes]} if lanes in _NEXT_RATES else {}
        yield rate(f"created, {lanes} in flight; floor: bare inserts", load, bare, **elsewhere)


async def webhooks(stage: Stage, processes: int, rounds: int) -> AsyncGenerator[Line, None]:
    """One line: reports taken in, saved and published, 20 in flight, each heard by a subscriber of Ably's."""
    guests = await stage.guests(_LANES)
    ids = [await stage.create(guests[n % _LANES]) for n in range(processes)]
    hooks = await stage.webhook_of(ids)
    bare = await in_flight(_LANES, processes * rounds, lambda _: stage.insert())
    async with subscriber(stage.http, stage.ably.url, stage.key) as ably:
        for process_id in ids:
            await ably.attach(process_id)
        began = time.perf_counter()

        def post(number: int) -> Awaitable[None]:
            return stage.report(hooks[number % processes], 1 + number // processes)

        # What is answered is not yet told: the line counts to the last message.
        last = [asyncio.ensure_future(ably.told(process_id, rounds)) for process_id in ids]
        load = await in_flight(_LANES, processes * rounds, post)
        whole = Load(load.times, max(await asyncio.gather(*last)) - began)
        yield rate(
            f"webhooks to Ably, {_LANES} in flight; floor: bare inserts",
            whole,
            bare,
            **{"Next.js": _NEXT_WEBHOOKS},
        )
