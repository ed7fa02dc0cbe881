"""How fast the status channel is: our adapter, the SDK and the local server, beside a bare websocket.

    python bench/channel.py [--rounds 300]

The server is a process of its own. Every figure is also given as a multiple of the floor, a message's way
there and back over a bare websocket, measured in the same run.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

import argparse
import asyncio
import gc
import resource
import statistics
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from ably import AblyRealtime
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

sys.path.insert(0, str(Path(__file__).parents[1]))

from hexwave_app.processes import Process, StatusMessage
from hexwave_app.processes.model import ProviderJob
from hexwave_app.realtime.ably import AblyChannel, channel_name

KEY = "app.key:secret"
CONNECTIONS = 200
CHANNELS = 1000


def message() -> StatusMessage:
    provider = ProviderJob(name="bench")
    return StatusMessage.of(
        Process.begin(user_id="u", tool_name="image-generator", category="image", req={}, provider=provider)
    )


@asynccontextmanager
async def ably_server() -> AsyncGenerator[str, None]:
    command = [sys.executable, "-m", "hexwave_app.ably_local", "--key", KEY, "--port", "0"]
    server = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert server.stdout is not None
    ready = await server.stdout.readline()
    try:
        yield ready.decode().strip().rpartition("//")[2]
    finally:
        server.terminate()
        await server.wait()


async def floor(rounds: int) -> list[float]:
    """Milliseconds there and back over a bare websocket."""

    async def echo(socket: ServerConnection) -> None:
        async for received in socket:
            await socket.send(received)

    async with serve(echo, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}") as socket:
            times = list[float]()
            for _ in range(rounds):
                began = time.perf_counter()
                await socket.send("x" * 300)
                await socket.recv()
                times.append((time.perf_counter() - began) * 1000)
            return times


async def publish_to_follower(channel: AblyChannel, rounds: int) -> list[float]:
    """Milliseconds from publishing over REST to the follower's mailbox."""
    times = list[float]()
    sent = message()
    async with channel.subscribe(sent.process_id) as mailbox:
        for sequence in range(2, rounds + 2):
            began = time.perf_counter()
            publishing = asyncio.create_task(channel.publish(sent.model_copy(update={"sequence": sequence})))
            while (heard := await mailbox.next(10)) is None or heard.sequence < sequence:
                pass
            times.append((time.perf_counter() - began) * 1000)
            await publishing
            # Beyond the pace of one channel, what is measured would be the pace.
            await asyncio.sleep(0.03)
    return times


async def fan_out(channel: AblyChannel, endpoint: str, rounds: int) -> list[float]:
    """Milliseconds from publishing to the last of 200 connections."""
    sent = message()
    async with AsyncExitStack() as stack:
        waiting, everybody = 0, asyncio.Event()

        def hear(_: object) -> None:
            nonlocal waiting
            waiting -= 1
            if waiting == 0:
                everybody.set()

        for _ in range(CONNECTIONS):
            client = AblyRealtime(key=KEY, tls=False, endpoint=f"{endpoint}/")
            stack.push_async_callback(client.close)
            await client.channels.get(channel_name(sent.process_id)).subscribe(hear)
        times = list[float]()
        for sequence in range(2, rounds + 2):
            waiting = CONNECTIONS
            everybody.clear()
            began = time.perf_counter()
            await channel.publish(sent.model_copy(update={"sequence": sequence}))
            await everybody.wait()
            times.append((time.perf_counter() - began) * 1000)
        return times


async def attach_many(channel: AblyChannel) -> tuple[float, float]:
    """Seconds to follow 1,000 processes at once, and the KiB of this worker's memory that each takes."""
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with AsyncExitStack() as stack:
        began = time.perf_counter()
        await asyncio.gather(
            *(stack.enter_async_context(channel.subscribe(message().process_id)) for _ in range(CHANNELS))
        )
        took = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return took, (after - before) / CHANNELS


def told(name: str, times: list[float], unit: float) -> None:
    median, last = statistics.median(times), statistics.quantiles(times, n=20)[-1]
    print(f"{name:44} p50 {median:7.2f} ms  p95 {last:7.2f} ms  {median / unit:6.1f} x floor")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=300)
    rounds = parser.parse_args().rounds
    bare = await floor(rounds)
    unit = statistics.median(bare)
    told("bare websocket, there and back", bare, unit)
    async with ably_server() as endpoint, AblyChannel.open(KEY, endpoint) as channel:
        # First: the highest memory ever used is what the system tells.
        took, memory = await attach_many(channel)
        told("REST publish to a follower", await publish_to_follower(channel, rounds), unit)
        told(f"publish to the last of {CONNECTIONS} connections", await fan_out(channel, endpoint, 20), unit)
        print(f"{CHANNELS} processes followed at once: {took:.2f} s, {memory:.1f} KiB each")


if __name__ == "__main__":
    asyncio.run(main())
