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


async def test_a_server_that_drains_is_up_and_not_ready_and_takes_no_job(tmp_path: Path) -> None:
    """It says in a sentence when to come again; a job that it has taken is still answered for."""
    image, once = {"prompt": "sea"}, {"Idempotency-Key": "once"}
    async with (
        serve(Settings(data_dir=tmp_path, port=free_port())) as server,
        httpx.AsyncClient(base_url=server.url) as http,
    ):
        assert (await http.get("/api/ready")).status_code == 200
        taken = await http.post("/api/generate-image", json=image, headers=once)
        server.services.draining.begin()
        assert (await http.get("/api/health")).status_code == 200
        for refused in (await http.get("/api/ready"), await http.post("/api/generate-image", json=image)):
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "server_draining")
            assert refused.json()["error"]["message"].endswith("Try again in a few seconds.")
            assert int(refused.headers["Retry-After"]) > 0
        again = await http.post("/api/generate-image", json=image, headers=once)
        assert again.json() == taken.json()
