"""Processes live through faults; afterwards each is looked at."""

import asyncio
import contextlib
import random
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from ably import AblyRealtime

from hexwave_app.processes import Filter, Process, ProcessStatus, ProcessStore, StatusMessage
from hexwave_app.processes.model import EventType
from hexwave_app.realtime.ably import channel_name
from hexwave_app.stores.mongo import MongoStore
from hexwave_app.stores.sql import SqlStore
from tests.conftest import free_port
from tests.faults.external import ExternalApi
from tests.faults.guest import Guest
from tests.faults.stage import KEY, Program, ably, server
from tests.stores.mongod import Mongod

JOBS = 10
SETTLED = 60.0

_ENDS = {EventType.SAVED, EventType.FAILED, EventType.CANCELLED}
_STATES = {"completed": "done", "failed": "failed", "cancelled": "cancelled"}


@dataclass
class Tally:
    """What was done and seen in all batches."""

    runs: int = 0
    faults: dict[str, int] = field(default_factory=lambda: defaultdict[str, int](int))
    ends: dict[str, int] = field(default_factory=lambda: defaultdict[str, int](int))
    terminal_messages: int = 0
    broken: list[str] = field(default_factory=list[str])


@dataclass
class Stage:
    """Everything that runs, and what each fault does to it."""

    store: ProcessStore
    server: Program
    ably: Program
    mongod: Mongod | None
    external: ExternalApi
    ably_port: int
    url: str
    died: int = 0
    # One change at a time: a fault brings back what it took before the next, or a look at the server, comes.
    _changing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def disturb(self, chance: random.Random, tally: Tally) -> None:
        """One fault after another, until cancelled; what was stopped is then running again."""
        faults: list[tuple[str, Callable[[float], Awaitable[None]]]] = [
            ("server killed", self._kill_server),
            ("ably stopped", self._stop_ably),
        ]
        if self.mongod is not None:
            faults.append(("mongod killed", self._kill_mongod))
        while True:
            # What has come the least comes next: a batch may be too short for more than one.
            order = chance.sample(faults, len(faults))
            for name, fault in sorted(order, key=lambda each: tally.faults[each[0]]):
                await asyncio.sleep(chance.uniform(0.3, 2.5))
                tally.faults[name] += 1
                async with self._changing:
                    await fault(chance.uniform(0, 1))

    async def revive(self) -> None:
        """Start what died by itself, as a supervisor would."""
        async with self._changing:
            if self.server.dead:
                self.died += 1
                await self.server.start()

    async def mend(self) -> None:
        if self.mongod is not None:
            await asyncio.to_thread(self.mongod.start)
        if self.ably.dead:
            await self.ably.start()
        await self.revive()

    async def _kill_server(self, pause: float) -> None:
        await self.server.kill()
        await asyncio.sleep(pause)
        await self.server.start()

    async def _stop_ably(self, pause: float) -> None:
        await self.ably.kill()
        await asyncio.sleep(pause)
        await self.ably.start()

    async def _kill_mongod(self, pause: float) -> None:
        assert self.mongod is not None
        # Not in a thread: called off in the middle, it would go on there, and kill what has been mended.
        self.mongod.kill()
        await asyncio.sleep(pause)
        await asyncio.to_thread(self.mongod.start)


@asynccontextmanager
async def staged(folder: Path, seed: int, mongod: Mongod | None) -> AsyncGenerator[Stage, None]:
    async with AsyncExitStack() as stack:
        external, port = ExternalApi(random.Random(seed)), free_port()
        external_port, ably_port = free_port(), free_port()
        await stack.enter_async_context(_hosted(external, external_port))
        place = {"ABLY_ENDPOINT": f"127.0.0.1:{ably_port}"}
        if mongod is not None:
            place["MONGODB_URI"] = mongod.uri()
        programs = (
            server(port, f"http://127.0.0.1:{external_port}", seed, folder, place),
            ably(ably_port, folder),
        )
        for program in reversed(programs):
            stack.push_async_callback(program.kill)
            await program.start()
            assert not program.dead, program.log.read_text()
        store = await stack.enter_async_context(_store(folder, mongod))
        yield Stage(store, *programs, mongod, external, ably_port, f"http://127.0.0.1:{port}")


def _store(folder: Path, mongod: Mongod | None) -> AbstractAsyncContextManager[ProcessStore]:
    return SqlStore.open(folder / "data" / "hexwave.db") if mongod is None else MongoStore.open(mongod.uri())


@asynccontextmanager
async def _hosted(external: ExternalApi, port: int) -> AsyncGenerator[None, None]:
    config = uvicorn.Config(external.app(), port=port, log_config=None, lifespan="off")
    hosted = uvicorn.Server(config)
    hosted.install_signal_handlers = lambda: None  # type: ignore[method-assign]
    task = asyncio.create_task(hosted.serve())
    async with asyncio.timeout(SETTLED):
        while not hosted.started:
            await asyncio.sleep(0.01)
    yield
    hosted.should_exit = True
    await task


async def trial(runs: int, seed: int, folder: Path, mongod: Mongod | None, guests: int = 10) -> Tally:
    """At least `runs` processes, a batch of ten for each guest at a time, all drawn from `seed`."""
    tally = Tally()
    async with staged(folder, seed, mongod) as stage:
        while tally.runs < runs and not tally.broken:
            await _batch(stage, guests, random.Random(f"{seed}-{tally.runs}"), tally)
        tally.faults["server died between save and publish"] = stage.died
    return tally


async def _batch(stage: Stage, count: int, chance: random.Random, tally: Tally) -> None:
    await stage.mend()
    guests = [Guest(stage.url, random.Random(chance.getrandbits(64))) for _ in range(count)]
    async with _listening(stage) as heard:
        watchdog = asyncio.create_task(_watchdog(stage))
        await asyncio.gather(*(guest.arrive() for guest in guests))
        await _asked(stage, guests, chance, tally)
        await stage.mend()
        ids = [process_id for guest in guests for process_id in guest.accepted.values()]
        kept = await _settled(stage, guests)
        await _shown(guests, kept)
        watchdog.cancel()
        await asyncio.gather(watchdog, return_exceptions=True)
        for guest in guests:
            await guest.leave()
    tally.runs += len(ids)
    _judge(stage, guests, kept, heard, tally)


async def _asked(stage: Stage, guests: list[Guest], chance: random.Random, tally: Tally) -> None:
    """All that the guests want is accepted, through one fault after another."""
    chaos = asyncio.create_task(stage.disturb(chance, tally))
    asking = asyncio.gather(*(guest.ask(JOBS) for guest in guests))
    try:
        # A slow machine would do nothing but start again what was killed, so the faults have an end too.
        if (await asyncio.wait({asking}, timeout=SETTLED))[0]:
            await asyncio.sleep(chance.uniform(0, 2))
    finally:
        chaos.cancel()
        await asyncio.gather(chaos, return_exceptions=True)
    async with asyncio.timeout(SETTLED * 2):
        await asking


async def _watchdog(stage: Stage) -> None:
    while True:
        await asyncio.sleep(0.2)
        with contextlib.suppress(TimeoutError):
            await stage.revive()


@asynccontextmanager
async def _listening(stage: Stage) -> AsyncGenerator[dict[str, list[StatusMessage]], None]:
    """Every message on any process's channel that a subscriber of its own hears."""
    heard = defaultdict[str, list[StatusMessage]](list)
    realtime = AblyRealtime(
        key=KEY,
        tls=False,
        endpoint=f"127.0.0.1:{stage.ably_port}/",
        realtime_request_timeout=1000,
        disconnected_retry_timeout=300,
        channel_retry_timeout=300,
    )
    # A connection carries 200 channels at most: what earlier batches submitted is not followed again.
    known = set(stage.external.submitted)

    def hear(message) -> None:
        status = StatusMessage.model_validate(message.data)
        heard[status.process_id].append(status)

    attaching = dict[str, asyncio.Task[None]]()

    async def follow() -> None:
        while True:
            for job in stage.external.submitted.keys() - known - attaching.keys():
                channel = realtime.channels.get(channel_name(job), params={"rewind": "10"})
                attaching[job] = asyncio.create_task(channel.subscribe(hear))
            await asyncio.sleep(0.05)

    task = asyncio.create_task(follow())
    yield heard
    for each in (task, *attaching.values()):
        each.cancel()
    await asyncio.gather(task, *attaching.values(), return_exceptions=True)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(5):
            await realtime.close()


async def _settled(stage: Stage, guests: list[Guest]) -> dict[str, Process]:
    """All of the guests' processes, once each has ended and been published."""
    kept: dict[str, Process] = {}
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SETTLED):
            while True:
                found = [await stage.store.find(guest.user_id, Filter(), 100, None) for guest in guests]
                kept = {process.process_id: process for page in found for process in page}
                if all(process.terminal and not process.unpublished for process in kept.values()):
                    break
                await asyncio.sleep(0.2)
    return kept


async def _shown(guests: list[Guest], kept: dict[str, Process]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SETTLED):
            while any(
                guest.shown.get(id_) != _state(kept[id_])
                for guest in guests
                for id_ in guest.accepted.values()
                if id_ in kept
            ):
                await asyncio.sleep(0.1)


def _state(process: Process) -> str:
    return _STATES.get(process.data.error_code or "", _STATES.get(process.status, "running"))


def _judge(
    stage: Stage,
    guests: list[Guest],
    kept: dict[str, Process],
    heard: dict[str, list[StatusMessage]],
    tally: Tally,
) -> None:
    accepted = {process_id for guest in guests for process_id in guest.accepted.values()}
    for stray in kept.keys() - accepted:
        tally.broken.append(f"{stray}: kept, but no request was answered with it")
    for guest in guests:
        for process_id in guest.accepted.values():
            if process_id not in kept:
                tally.broken.append(f"{process_id}: accepted, but not kept")
                continue
            process = kept[process_id]
            tally.ends[process.data.error_code or process.status] += 1
            told = heard[process_id]
            tally.terminal_messages += sum(message.status.terminal for message in told)
            for fault in _faults(process, told, stage.external.submitted[process_id], guest):
                tally.broken.append(f"{process_id}: {fault}")


def _faults(process: Process, told: list[StatusMessage], submitted: int, guest: Guest) -> list[str]:
    found = list[str]()
    if not process.terminal or process.unpublished:
        found.append(f"did not settle: {process.wire()}")
    if submitted > 1:
        found.append(f"submitted {submitted} times")
    if submitted == 0 and process.status is ProcessStatus.COMPLETED:
        found.append("completed, never submitted")
    if sum(event.type in _ENDS for event in process.events) != 1:
        found.append(f"not one end in its timeline: {[event.type.value for event in process.events]}")
    truth = StatusMessage.of(process).wire()
    for message in told:
        if message.sequence > process.sequence or (message.status.terminal and message.wire() != truth):
            found.append(f"told {message.wire()}, kept {truth}")
    if process.process_id in guest.cancelled and process.data.error_code != "cancelled":
        found.append("its cancel was confirmed, and it ended otherwise")
    if guest.shown.get(process.process_id) != _state(process):
        found.append(f"the page shows {guest.shown.get(process.process_id)}, kept is {_state(process)}")
    return found
