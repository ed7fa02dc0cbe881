"""Links by which anybody may look at one process, until its owner takes them back."""

import logging
from functools import partial

from hexwave_app.identity.secret import sign, signed
from hexwave_app.media.library import Library
from hexwave_app.media.pictures import card
from hexwave_app.media.workers import Workers
from hexwave_app.processes.errors import HexwaveError, ProcessNotFound
from hexwave_app.processes.lifecycle import Processes
from hexwave_app.processes.model import Process, ProcessStatus

log = logging.getLogger(__name__)

CARD = "card.jpg"
"""The name of the picture that other apps show beside the link."""


class Shares:
    """One link a process, `{base}/s/{processId}.{signature}`.

    The signature is HMAC-SHA256 of the id and of the nonce in the document, under a key of its own: without
    the nonce no link is good, and another nonce makes another link. The first of `keys` signs; links of the
    others are good too.
    """

    def __init__(
        self, processes: Processes, library: Library, workers: Workers, base_url: str, *keys: bytes
    ) -> None:
        self._processes = processes
        self._library = library
        self._workers = workers
        self._base_url = base_url
        self._keys = keys

    async def share(self, process_id: str, user_id: str) -> str:
        """The link to the user's process, the same one for as long as it is shared.

        `ProcessConflict` unless the process is completed.
        """
        process = await self._processes.share(process_id, user_id)
        await self._draw_card(process)
        return self.url(process)

    async def revoke(self, process_id: str, user_id: str) -> None:
        """From here on, no link to the user's process is good."""
        await self._processes.unshare(process_id, user_id)
        await self._library.delete(process_id, CARD)

    def url(self, process: Process) -> str:
        """The process's link; empty while it is not shared."""
        if process.share is None:
            return ""
        return f"{self._base_url}/s/{process.process_id}.{sign(self._keys[0], _message(process))}"

    async def opened(self, link: str) -> Process:
        """The process of `{processId}.{signature}`. `ProcessNotFound` for any other text."""
        process_id, _, signature = link.rpartition(".")
        process = await self._processes.load(process_id)
        if process.share is None or process.deleted_at or process.status is not ProcessStatus.COMPLETED:
            raise ProcessNotFound
        if not any(signed(key, _message(process), signature) for key in self._keys):
            raise ProcessNotFound
        return process

    async def _draw_card(self, process: Process) -> None:
        picture = _first_picture(process)
        try:
            if await self._library.find(process.process_id, CARD) is None:
                content = await self._library.get(process.process_id, picture)
                if content is not None:
                    drawn = await self._workers.run(partial(card, content))
                    await self._library.put(process.process_id, CARD, drawn)
        except HexwaveError as error:
            # A courtesy: without one, other apps show the words alone.
            log.warning("process %s: is shared without a card: %s", process.process_id, error)


def _message(process: Process) -> str:
    return f"{process.process_id}:{process.share}"


def _first_picture(process: Process) -> str:
    """The name of its first picture, or of the first frame of its first video."""
    pictures = process.data.pictures
    poster = pictures[0].poster if pictures else None
    return (poster or (process.data.generations or ("",))[0]).rpartition("/")[2]
