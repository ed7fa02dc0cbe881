"""ComfyUI as far as its documentation and its `server.py` say: a queue, a history, files, a websocket."""

import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from aiohttp import web

from tests.conftest import eventually
from tests.providers.servers import hosted


@dataclass
class FakeComfyUI:
    """The test decides when a prompt runs, what is seen of it, and how it ends.

    `missing` is what validation finds to be missing; `down` answers everything with 500; `old` chooses the
    prompts' ids itself.
    """

    origin: str = ""
    missing: str | None = None
    down: bool = False
    old: bool = False
    pending: list[list[Any]] = field(default_factory=list[Any])
    running: list[list[Any]] = field(default_factory=list[Any])
    history: dict[str, Any] = field(default_factory=dict[str, Any])
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    prompts: list[dict[str, Any]] = field(default_factory=list[Any])
    interrupts: list[dict[str, Any]] = field(default_factory=list[Any])
    sockets: dict[str, web.WebSocketResponse] = field(default_factory=dict[str, web.WebSocketResponse])
    connections: int = 0

    async def watched(self, prompt_id: str) -> None:
        """Wait until somebody listens to the prompt."""

        async def there() -> bool:
            return prompt_id in self.sockets

        await eventually(there)

    async def run(self, prompt_id: str) -> None:
        self.running = [prompt for prompt in self.pending if prompt[1] == prompt_id]
        self.pending = [prompt for prompt in self.pending if prompt[1] != prompt_id]
        await self.say(prompt_id, "execution_start")
        await self.say(prompt_id, "executing", node="sampler")

    async def progress(self, prompt_id: str, value: float, most: float) -> None:
        await self.say(prompt_id, "progress", node="sampler", value=value, max=most)

    async def preview(self, prompt_id: str, picture: bytes, kind: int = 1) -> None:
        await self.send(prompt_id, struct.pack(">II", kind, 1) + picture)

    async def succeed(self, prompt_id: str, *images: dict[str, str]) -> None:
        """In ComfyUI's order: the word, then the history, then the last word."""
        await self.say(prompt_id, "execution_success")
        self.end(prompt_id, "success", [["execution_success", {}]], *images)
        await self.say(prompt_id, "executing", node=None)

    async def fail(self, prompt_id: str, kind: str = "execution_error", **details: Any) -> None:
        await self.say(prompt_id, kind, **details)
        self.end(prompt_id, "error", [["execution_start", {}], [kind, details]])
        await self.say(prompt_id, "executing", node=None)

    def end(self, prompt_id: str, status: str, messages: list[Any], *images: dict[str, str]) -> None:
        """Into the history, without a word."""
        self.running = []
        outputs = {"save": {"images": list(images)}, "text": {"text": ["words"]}} if images else {}
        status_ = {"status_str": status, "completed": status == "success", "messages": messages}
        self.history[prompt_id] = {"prompt": [], "outputs": outputs, "status": status_, "meta": {}}

    async def say(self, prompt_id: str, kind: str, **data: Any) -> None:
        await self.send(prompt_id, json.dumps({"type": kind, "data": data | {"prompt_id": prompt_id}}))

    async def send(self, client_id: str, message: str | bytes) -> None:
        socket = self.sockets.get(client_id)
        if socket is not None:
            send = socket.send_str if isinstance(message, str) else socket.send_bytes
            await send(message)  # pyright: ignore[reportArgumentType]

    async def hang_up(self) -> None:
        for socket in list(self.sockets.values()):
            await socket.close()

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._unless_down])
        app.router.add_get("/ws", self._ws)
        app.router.add_post("/prompt", self._prompt)
        app.router.add_get("/queue", self._queue)
        app.router.add_post("/queue", self._delete)
        app.router.add_get("/history/{id}", self._history)
        app.router.add_post("/interrupt", self._interrupt)
        app.router.add_get("/view", self._view)
        return app

    @web.middleware
    async def _unless_down(self, request: web.Request, handler: Any) -> web.StreamResponse:
        return web.Response(status=500) if self.down else await handler(request)

    async def _ws(self, request: web.Request) -> web.WebSocketResponse:
        socket, client_id = web.WebSocketResponse(), request.query["clientId"]
        await socket.prepare(request)
        self.connections += 1
        self.sockets[client_id] = socket
        await socket.send_json({"type": "status", "data": {"status": {}, "sid": client_id}})
        try:
            async for _ in socket:
                pass
        finally:
            self.sockets.pop(client_id, None)
        return socket

    async def _prompt(self, request: web.Request) -> web.Response:
        asked = await request.json()
        prompt_id = asked["prompt_id"]
        if str(UUID(prompt_id)) != prompt_id or self.missing is not None:
            error = {"type": "prompt_outputs_failed_validation", "message": "failed", "details": self.missing}
            return web.json_response({"error": error, "node_errors": {}}, status=400)
        if self.old:
            prompt_id = str(uuid4())
        self.prompts.append(asked)
        self.pending.append([len(self.prompts), prompt_id, asked["prompt"], asked["extra_data"], ["save"]])
        return web.json_response({"prompt_id": prompt_id, "number": len(self.prompts), "node_errors": {}})

    async def _queue(self, request: web.Request) -> web.Response:
        return web.json_response({"queue_running": self.running, "queue_pending": self.pending})

    async def _delete(self, request: web.Request) -> web.Response:
        doomed = (await request.json())["delete"]
        self.pending = [prompt for prompt in self.pending if prompt[1] not in doomed]
        return web.Response()

    async def _history(self, request: web.Request) -> web.Response:
        prompt_id = request.match_info["id"]
        return web.json_response({key: ended for key, ended in self.history.items() if key == prompt_id})

    async def _interrupt(self, request: web.Request) -> web.Response:
        self.interrupts.append(await request.json())
        return web.Response()

    async def _view(self, request: web.Request) -> web.Response:
        found = self.files.get("/".join(request.query[name] for name in ("type", "subfolder", "filename")))
        return web.Response(status=404) if found is None else web.Response(body=found)


@asynccontextmanager
async def comfyui() -> AsyncIterator[FakeComfyUI]:
    fake = FakeComfyUI()
    async with hosted(fake.app()) as fake.origin:
        yield fake
