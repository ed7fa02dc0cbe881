"""The served app with one more provider, and a guest of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from hexwave_app.settings import Settings
from hexwave_app.tools.provider import Provider
from tests.api.conftest import Guest, visit
from tests.conftest import Served, eventually, free_port, serve


class Traveller:
    """Asks for pictures of one provider, and watches what becomes of them."""

    def __init__(self, guest: Guest, served: Served, provider: str) -> None:
        self.guest = guest
        self.served = served
        self._provider = provider

    async def asks(self, **inputs: Any) -> str:
        """Ask for pictures; the process's id."""
        answer = await self.guest.http.post(
            "/api/generate-image", json={"prompt": "sea", "provider": self._provider} | inputs
        )
        assert answer.is_success, answer.text
        return answer.json()["processId"]

    async def sees(self, process_id: str, **data: Any) -> dict[str, Any]:
        """The process, once its data is so."""

        async def so() -> dict[str, Any] | None:
            process = await self.guest.process(process_id)
            return process if data.items() <= process["data"].items() else None

        return await eventually(so)

    async def gets(self, url: str) -> bytes:
        answer = await self.guest.http.get(url)
        assert answer.status_code == 200, answer.text
        return answer.content

    async def sees_no_raw_files(self, process_id: str) -> None:
        """Wait until what only the keeping needed is gone."""
        home = self.served.services.settings.data_dir / "media" / process_id

        async def gone() -> bool:
            return not any(home.glob("raw-*"))

        await eventually(gone)


@asynccontextmanager
async def served_app(data_dir: Path) -> AsyncIterator[Served]:
    async with serve(Settings(data_dir=data_dir, port=free_port())) as served:
        yield served


@asynccontextmanager
async def travelling(served: Served, provider: Provider) -> AsyncIterator[Traveller]:
    cast(dict[str, Provider], served.services.providers)[provider.name] = provider
    async with visit(served) as guest:
        yield Traveller(guest, served, provider.name)
