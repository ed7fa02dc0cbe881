"""The benchmark's external API: takes each job at once, and does no work at all.

    python -m bench.external PORT

A job whose prompt begins with `now` is reported done at once, with the smallest of pictures; one with
`refuse` is reported as failed. Of all others nothing is heard: the benchmark itself reports on them, by the
webhooks that `GET /webhooks` lists.
"""

import asyncio
import io
import sys

import aiohttp
import uvicorn
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

_picture = io.BytesIO()
Image.new("RGB", (8, 8), "teal").save(_picture, "WEBP")
PICTURE = _picture.getvalue()


class External:
    def __init__(self, url: str) -> None:
        self._url = url
        self._webhooks: dict[str, str] = {}
        self._posting = set[asyncio.Task[None]]()
        self._http: aiohttp.ClientSession | None = None

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/jobs", self._take, methods=["POST"]),
                Route("/jobs", self._ready, methods=["GET"]),
                Route("/webhooks", self._list, methods=["GET"]),
                Route("/picture.webp", self._show, methods=["GET"]),
            ]
        )

    async def _take(self, request: Request) -> Response:
        asked = await request.json()
        key, webhook, prompt = asked["key"], asked["webhook_url"], asked["prompt"]
        self._webhooks[key] = webhook
        if prompt.startswith(("now", "refuse")):
            done: dict[str, object] = {"status": "success", "images": [f"{self._url}/picture.webp"]}
            failed: dict[str, object] = {"status": "error", "error": "The model said no."}
            body = done if prompt.startswith("now") else failed
            task = asyncio.create_task(self._report(webhook, body | {"jobId": key}))
            self._posting.add(task)
            task.add_done_callback(self._posting.discard)
        return JSONResponse({"id": key})

    async def _report(self, webhook: str, body: dict[str, object]) -> None:
        self._http = self._http or aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        async with self._http.post(webhook, json=body) as answer:
            answer.raise_for_status()

    async def _ready(self, _: Request) -> Response:
        return Response()

    async def _list(self, _: Request) -> Response:
        return JSONResponse(self._webhooks)

    async def _show(self, _: Request) -> Response:
        return Response(PICTURE, media_type="image/webp")


def main() -> None:
    port = int(sys.argv[1])
    app = External(f"http://127.0.0.1:{port}").app()
    uvicorn.run(app, port=port, log_level="warning", access_log=False, lifespan="off")


if __name__ == "__main__":
    main()
