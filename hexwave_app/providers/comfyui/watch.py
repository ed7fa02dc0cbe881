"""What ComfyUI says of a prompt over its websocket, while it works on it.

The messages are described at https://docs.comfy.org/development/comfyui-server/comms_messages; a binary one
is a preview: its kind and its picture format as big-endian 32-bit numbers, then the picture.
"""

import asyncio
import struct
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from hexwave_app.media.pictures import BYTES_LIMIT

LOOK_INTERVAL = 5.0
"""Seconds after which it is time to look, whatever was said meanwhile."""

_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0)
"""Seconds after each connection that ended, until they are given up."""

_PATIENCE = 10.0
_HEADER = struct.Struct(">II")
_PREVIEW_IMAGE = 1
_ENDS = {"execution_success", "execution_error", "execution_interrupted"}


@dataclass(frozen=True)
class Progress:
    percent: int


@dataclass(frozen=True)
class Preview:
    content: bytes


@dataclass(frozen=True)
class Look:
    """The prompt may have ended."""


News = Progress | Preview | Look


class _Data(BaseModel):
    prompt_id: str | None = None
    node: str | None = None
    value: float = 0.0
    max: float = 0.0


class _Message(BaseModel):
    type: str
    data: _Data


async def watch(base_url: str, prompt_id: str) -> AsyncGenerator[News, None]:
    """News of the prompt, which was submitted with its own id as `client_id`.

    What is missed shows at the next `Look`. Ends when too many connections have ended.
    """
    url = f"ws{base_url.removeprefix('http')}/ws?clientId={prompt_id}"
    for pause in _PAUSES:
        try:
            async with (
                connect(url, proxy=None, max_size=BYTES_LIMIT, open_timeout=_PATIENCE) as socket,
                aclosing(_heard(socket, prompt_id)) as heard,
            ):
                async for news in heard:
                    yield news
        except (OSError, TimeoutError, WebSocketException):
            yield Look()
        await asyncio.sleep(pause)


async def _heard(socket: ClientConnection, prompt_id: str) -> AsyncGenerator[News, None]:
    clock = asyncio.get_running_loop()
    due = clock.time() + LOOK_INTERVAL
    while True:
        try:
            async with asyncio.timeout_at(due):
                news = _understood(await socket.recv(), prompt_id)
        except TimeoutError:
            due = clock.time() + LOOK_INTERVAL
            news = Look()
        if news is not None:
            yield news


def _understood(message: str | bytes, prompt_id: str) -> News | None:
    if isinstance(message, bytes):
        kind = _HEADER.unpack_from(message)[0] if len(message) > _HEADER.size else None
        return Preview(message[_HEADER.size :]) if kind == _PREVIEW_IMAGE else None
    try:
        said = _Message.model_validate_json(message)
    except ValidationError:
        # Extensions send messages of their own.
        return None
    if said.data.prompt_id != prompt_id:
        return None
    if said.type == "progress" and 0 <= said.data.value <= said.data.max and said.data.max > 0:
        return Progress(int(100 * said.data.value / said.data.max))
    # The last word of a prompt is that no node of it is executing; its history is written just before.
    if said.type in _ENDS or (said.type == "executing" and said.data.node is None):
        return Look()
    return None
