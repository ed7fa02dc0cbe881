"""The floors: the least that Reflex and FastAPI do for the same, in an app with nothing of ours.

One event that changes a var; one event with a background task that has no work; one push from an HTTP request
to a session's task, within the process; one insert, as durable as the app's own. Served as the app is, by one
worker of Granian.
"""

# pyright: reportUnknownMemberType=false

import asyncio
import json
import os
import secrets
import sqlite3
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import reflex as rx
from fastapi import FastAPI
from motor.motor_asyncio import AsyncIOMotorClient
from pydantic import BaseModel
from reflex.utils.prerequisites import get_app

PLACE = "BENCH_BARE_STORE"
"""The variable with the path of a SQLite file, or the URI of a MongoDB server."""

_queues: dict[str, asyncio.Queue[str]] = {}
_insert: list[Callable[[str, dict[str, Any]], Awaitable[object]]] = []


class BareState(rx.State):
    seed: str = ""
    figure: str = ""
    shown: str = ""

    @rx.event
    def write_seed(self, seed: str) -> None:
        self.seed = seed

    @rx.event(background=True)
    async def watch(self) -> None:
        async with self:
            token = self.router.session.client_token
            self.figure = "watched"
        queue = _queues[token] = asyncio.Queue()
        while token in get_app().app.event_namespace.token_to_sid:
            figure = await queue.get()
            async with self:
                self.figure = figure

    @rx.event(background=True)
    async def generate(self, name: str) -> None:
        async with self:
            self.shown = f"running {name}"
        async with self:
            self.shown = f"done {name}"


class Asked(BaseModel):
    prompt: str
    aspect_ratio: str = "1:1"


class Pushed(BaseModel):
    token: str
    figure: str


api = FastAPI()


@api.get("/ready")
async def ready() -> None:
    pass


@api.post("/insert")
async def insert(asked: Asked) -> dict[str, str]:
    identifier = secrets.token_urlsafe(15)
    # About the size of a process.
    document: dict[str, Any] = {
        "processId": identifier,
        "status": "processing",
        "createdAt": time.time(),
        "req": asked.model_dump(),
        "padding": "x" * 500,
    }
    await _insert[0](identifier, document)
    return {"processId": identifier}


@api.post("/push")
async def push(pushed: Pushed) -> dict[str, bool]:
    _queues[pushed.token].put_nowait(pushed.figure)
    return {"ok": True}


@asynccontextmanager
async def store() -> AsyncGenerator[None, None]:
    place = os.environ[PLACE]
    opened = _mongo(place) if place.startswith("mongodb") else _sqlite(place)
    async with opened as insert:
        _insert.append(insert)
        yield


@asynccontextmanager
async def _sqlite(path: str) -> AsyncGenerator[Callable[[str, dict[str, Any]], Awaitable[object]], None]:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE bare (id TEXT PRIMARY KEY, document TEXT)")
    with ThreadPoolExecutor(1) as thread:

        async def insert(identifier: str, document: dict[str, Any]) -> object:
            row = identifier, json.dumps(document)
            insertion = "INSERT INTO bare VALUES (?, ?)"
            return await asyncio.get_running_loop().run_in_executor(
                thread, connection.execute, insertion, row
            )

        yield insert
    connection.close()


@asynccontextmanager
async def _mongo(uri: str) -> AsyncGenerator[Callable[[str, dict[str, Any]], Awaitable[object]], None]:
    client = AsyncIOMotorClient[dict[str, Any]](uri, w="majority", journal=True)
    collection = client["bare"]["bare"]

    async def insert(identifier: str, document: dict[str, Any]) -> object:
        return await collection.insert_one({"_id": identifier, **document})

    yield insert
    client.close()


@rx.page(route="/")
def page() -> rx.Component:
    return rx.text(BareState.figure, BareState.shown, BareState.seed)


app = rx.App(api_transformer=api)
app.register_lifespan_task(store)
