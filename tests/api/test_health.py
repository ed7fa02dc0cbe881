"""What outsiders are told of the app's health."""

from pathlib import Path

import httpx

from hexwave_app.settings import Settings
from tests.conftest import eventually, free_port, serve


async def test_health_says_that_live_updates_are_down_and_no_more(tmp_path: Path) -> None:
    """The server is up all the same; why they are down is for the log."""
    settings = Settings(
        data_dir=tmp_path,
        port=free_port(),
        ably_api_key="app.key:secret",
        ably_endpoint=f"127.0.0.1:{free_port()}",
    )
    async with serve(settings) as server, httpx.AsyncClient(base_url=server.url) as http:

        async def down() -> bool:
            return (await http.get("/api/health")).json() == {"status": "up", "live": "down"}

        assert await eventually(down)
