"""What a follower has not read yet."""

import asyncio

from hexwave_app.processes.model import StatusMessage


class Mailbox:
    """A `Subscription` that keeps the newest message alone: each one tells the whole state.

    So a slow follower costs one message of memory, however much is published.
    """

    def __init__(self) -> None:
        self._newest: StatusMessage | None = None
        self._news = asyncio.Event()

    def put(self, message: StatusMessage) -> None:
        if self._newest is None or message.sequence > self._newest.sequence:
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
        return message
