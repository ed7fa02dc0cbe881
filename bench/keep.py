"""How long it takes to keep a batch of four results, and how long the event loop is held up by it.

A server on this machine sends four 4-megapixel pictures; they are fetched, copied and kept in a directory by
the code that the app runs. Run it from the project's root: `python -m bench.keep`.
"""

import asyncio
import io
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from hexwave_app.media.fetch import Fetcher
from hexwave_app.media.library import Library
from hexwave_app.media.origin import Origin
from hexwave_app.media.pictures import copied
from hexwave_app.media.workers import Workers

BATCH = 4
SIDE = 2000
ROUNDS = 5


def picture(form: str) -> bytes:
    """Soft shapes under a film grain: about as hard to pack as a photograph."""
    random = np.random.default_rng(7)
    shapes = Image.fromarray(random.integers(0, 255, (40, 40, 3), dtype=np.uint8))
    soft = np.asarray(shapes.resize((SIDE, SIDE), Image.Resampling.BICUBIC), dtype=np.int16)
    grain = random.integers(-6, 7, soft.shape, dtype=np.int16)
    buffer = io.BytesIO()
    Image.fromarray((soft + grain).clip(0, 255).astype(np.uint8)).save(buffer, form, quality=90)
    return buffer.getvalue()


@asynccontextmanager
async def serving(content: bytes) -> AsyncGenerator[str, None]:
    """The origin of a server that answers everything with `content`."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


class Stalls:
    """The longest that the event loop came late to a millisecond's sleep, in seconds."""

    longest = 0.0

    async def watch(self) -> None:
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(0.001)
            self.longest = max(self.longest, time.perf_counter() - begun - 0.001)


async def kept(fetcher: Fetcher, workers: Workers, library: Library, url: str, index: int) -> None:
    origin = Origin("A harbour", None, 7, "model", "provider", "p_bench", datetime.now(UTC), ai=True)
    raw = await fetcher.fetch(f"{url}/{index}", origin=url)
    result = await workers.run(partial(copied, raw, origin))
    await library.put("p_bench", f"{index}-512.webp", result.thumbnail)
    await library.put("p_bench", f"{index}.{result.suffix}", result.content)


async def measure(fetcher: Fetcher, workers: Workers, library: Library, form: str) -> None:
    content = picture(form)
    async with serving(content) as url:
        for _ in range(ROUNDS):
            stalls = Stalls()
            watching = asyncio.create_task(stalls.watch())
            begun = time.perf_counter()
            await asyncio.gather(*(kept(fetcher, workers, library, url, i) for i in range(BATCH)))
            took = time.perf_counter() - begun
            watching.cancel()
            print(
                f"{form:5} {BATCH} x {len(content) / 1e6:.1f} MB: {took:5.2f} s,"
                f" longest stall {stalls.longest * 1000:5.1f} ms"
            )


async def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        library = Library(Path(directory))
        async with Workers.open() as workers, Fetcher.open() as fetcher:
            # The workers have started, as they have in an app that runs.
            await asyncio.gather(*(workers.run(partial(int, "0")) for _ in range(BATCH)))
            for form in ("PNG", "JPEG", "WEBP"):
                await measure(fetcher, workers, library, form)


if __name__ == "__main__":
    asyncio.run(main())
