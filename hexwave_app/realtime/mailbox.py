"""What a follower has not read yet."""

import asyncio

from hexwave_app.processes.model import StatusMessage


class Mailbox:
    """A `Subscription` that keeps the newest message alone: each one tells the whole state.

    So a slow follower costs one message of memory, however much is published.
    """

    def __init__(self) -> None:
        self._newest: StatusMessage | None = None
        self._read = 0
        self._news = asyncio.Event()

    def put(self, message: StatusMessage) -> None:
        """Keep it, unless the same or something newer is here, or was."""
        if message.sequence > (self._newest.sequence if self._newest else self._read):
            self._newest = message
            self._news.set()

    def reread(self) -> None:
        """Something may have been missed: the next `next` answers at once, with `None` if nothing waits."""
        self._news.set()

    async def next(self, timeout: float) -> StatusMessage | None:
        try:
            async with asyncio.timeout(timeout):
                await self._news.wait()
        except TimeoutError:
            return None
        self._news.clear()
        message, self._newest = self._newest, None
        if message is not None:
            self._read = message.sequence
        return message
