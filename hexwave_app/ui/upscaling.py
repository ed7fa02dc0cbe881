"""Pictures made larger from the page that shows them."""

from typing import Any

import reflex as rx

from hexwave_app.processes.model import Process
from hexwave_app.services import current
from hexwave_app.tools.upscale import UPSCALE, UpscaleRequest
from hexwave_app.ui.status import LivePage


class Upscaling(LivePage, mixin=True):
    """A page's State says in `_begun` what to do with the process that was begun."""

    @rx.var(initial_value=False)
    def upscales(self) -> bool:
        """Whether a provider has a model for it."""
        return current().offers(UPSCALE.name)

    @rx.event(background=True)
    async def upscale(self, process_id: str, index: int) -> list[Any]:
        """Make one of a process's pictures larger, counted from 0."""

        async def begin(user_id: str, address: str) -> Process:
            request = UpscaleRequest.read({"picture": f"{process_id}/{index}"})
            return await current().runs.start(UPSCALE, request, user_id, address=address)

        return await self._attempt(begin, self._begun)

    def _begun(self, process: Process) -> list[Any]:
        raise NotImplementedError
