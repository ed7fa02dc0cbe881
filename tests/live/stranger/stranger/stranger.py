"""Its States, and doors by which a test moves processes; each hook's call is a line of told.jsonl."""

import json
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import reflex as rx
from fastapi import FastAPI

from hexwave_app.live import LiveProcess, LiveProcesses, serving
from hexwave_app.processes import (
    Completed,
    Failed,
    Process,
    ProcessData,
    Processes,
    ProcessStatus,
    Progressed,
    StatusMessage,
)
from hexwave_app.realtime.ably import AblyChannel
from hexwave_app.realtime.channel import status_channel
from hexwave_app.stores.sql import SqlStore

DATABASE = Path("processes.db")
heart: Processes
channel: AblyChannel


@asynccontextmanager
async def services() -> AsyncGenerator[None, None]:
    global heart, channel
    async with SqlStore.open(DATABASE) as store, status_channel() as channel:
        heart = Processes(store, channel)
        async with serving(heart):
            yield


def stored(process_id: str) -> str:
    with sqlite3.connect(DATABASE) as connection:
        query = "SELECT status FROM processes WHERE process_id = ?"
        return connection.execute(query, (process_id,)).fetchone()[0]


def note(**told: Any) -> None:
    with Path("told.jsonl").open("a") as file:
        file.write(json.dumps(told) + "\n")


class One(LiveProcess, rx.State):
    @rx.event
    async def follow(self, process_id: str):
        return self._follow(await heart.get(process_id, self._user_id()))

    def on_complete(self, data: ProcessData) -> None:
        note(id=self.process_id, completed=data.result, stored=stored(self.process_id))

    def on_error(self, error: str) -> None:
        note(id=self.process_id, failed=error, stored=stored(self.process_id))


class Many(LiveProcesses, rx.State):
    def on_complete(self, process_id: str, data: ProcessData) -> None:
        note(id=process_id, completed=data.result, stored=stored(process_id))

    def on_error(self, process_id: str, error: str) -> None:
        note(id=process_id, failed=error, stored=stored(process_id))


api = FastAPI()


@api.post("/begin")
async def begin(user: str) -> str:
    process = Process.begin(user_id=user, tool_name="test", category="test", req={"secret": "of the request"})
    return (await heart.create(process)).process_id


@api.post("/update")
async def update(id: str, progress: int | None = None, error: str | None = None) -> None:
    """Further by that much, or failed, or completed; saved and published."""
    end = Failed(error, "test") if error is not None else Completed(result={"answer": 42})
    await heart.update(id, end if progress is None else Progressed(progress))


@api.post("/publish")
async def publish(id: str, sequence: int | None = None) -> None:
    """Tell it again, as it is, or as an old message under that sequence."""
    message = StatusMessage.of(await heart.load(id))
    if sequence is not None:
        old = ProcessData(progress=1)
        known = {"sequence": sequence, "status": ProcessStatus.PROCESSING, "data": old}
        message = message.model_copy(update=known)
    await channel._publisher.publish(f"process:{id}", message)


@api.post("/delete")
async def delete(id: str, user: str) -> None:
    await heart.delete(id, user)


@api.get("/followers")
async def followers() -> int:
    return heart.followers


@rx.page(route="/", on_load=One.watch)
def index() -> rx.Component:
    return rx.el.p(One.status, rx.foreach(Many.processes, lambda process: process.status))


app = rx.App(api_transformer=api)
app.register_lifespan_task(services)
