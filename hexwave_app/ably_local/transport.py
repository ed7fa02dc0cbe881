"""The transport of one connection: frames in, one by one; frames out, through a bounded outbox."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from .limits import Limits
from .wire import Frame


class Transport:
    """A websocket whose sender never waits. Once ended it sends what is queued, then closes."""

    def __init__(self, websocket: WebSocket, limits: Limits) -> None:
        self._websocket = websocket
        self._limits = limits
        self._outbox: deque[Frame] = deque()
        self._outbox_bytes = 0
        self._wake = asyncio.Event()
        self._close_code: int | None = None
        self._deadline: asyncio.Timeout | None = None

    @property
    def ended(self) -> bool:
        return self._close_code is not None

    def send(self, frame: Frame) -> bool:
        """Queue a frame, unless ended. False when the client reads too slowly: the queue is dropped."""
        if self.ended:
            return True
        self._outbox.append(frame)
        self._outbox_bytes += len(frame)
        self._wake.set()
        limits = self._limits
        if len(self._outbox) <= limits.outbox_frames and self._outbox_bytes <= limits.outbox_bytes:
            return True
        self._outbox.clear()
        self._outbox_bytes = 0
        return False

    def end(self, code: int) -> None:
        """Close with `code` once the queue is sent, within `close_seconds`."""
        if self.ended:
            return
        self._close_code = code
        self._wake.set()
        if self._deadline is not None:
            self._deadline.reschedule(asyncio.get_running_loop().time() + self._limits.close_seconds)

    async def run(self, receive: Callable[[Frame], None], idle: Callable[[], None]) -> None:
        """Read and write until the client leaves or `end` was called.

        `idle` is called when nothing was sent for `max_idle_interval`. What `receive` raises is raised.
        """
        reader = asyncio.create_task(self._read(receive))
        writer = asyncio.create_task(self._write(idle))
        try:
            async with asyncio.timeout(self._limits.close_seconds if self.ended else None) as self._deadline:
                await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
                if self.ended:
                    await asyncio.wait({writer})
        except TimeoutError:
            pass  # the client does not read, so what is left for it is dropped
        finally:
            self._deadline = None
            for task in (reader, writer):
                task.cancel()
            results = await asyncio.gather(reader, writer, return_exceptions=True)
        for fault in results:
            if isinstance(fault, Exception):
                raise fault

    async def _read(self, receive: Callable[[Frame], None]) -> None:
        with suppress(WebSocketDisconnect):
            while not self.ended:
                event = await self._websocket.receive()
                if event["type"] == "websocket.disconnect":
                    return
                raw: Frame | None = event.get("bytes") if event.get("text") is None else event["text"]
                receive(raw or b"")

    async def _write(self, idle: Callable[[], None]) -> None:
        with suppress(WebSocketDisconnect):
            while True:
                while self._outbox:
                    frame = self._outbox.popleft()
                    self._outbox_bytes -= len(frame)
                    kind = "text" if isinstance(frame, str) else "bytes"
                    await self._websocket.send({"type": "websocket.send", kind: frame})
                if self._close_code is not None:
                    await self._websocket.close(self._close_code)
                    return
                self._wake.clear()
                try:
                    async with asyncio.timeout(self._limits.max_idle_interval / 1000):
                        await self._wake.wait()
                except TimeoutError:
                    idle()
