"""Counts primes, live: a Reflex app with a long task of its own."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import reflex as rx

from hexwave_app.live import LiveProcess, serving
from hexwave_app.processes import Completed, Failed, Process, ProcessData, Processes, Progressed
from hexwave_app.realtime.channel import status_channel
from hexwave_app.stores.sql import SqlStore

STEP = 20_000
DATABASE = Path("data/processes.db")
tasks = set[asyncio.Task[None]]()
heart: Processes


@asynccontextmanager
async def services() -> AsyncGenerator[None, None]:
    """Opens what the app needs. Without ABLY_API_KEY, a server of Hexwave's own carries the news."""
    global heart
    async with SqlStore.open(DATABASE) as store, status_channel(os.environ.get("ABLY_API_KEY")) as channel:
        heart = Processes(store, channel)
        async with serving(heart):
            yield


def primes(low: int, high: int) -> int:
    return sum(all(n % d for d in range(2, int(n**0.5) + 1)) for n in range(max(low, 2), high))


async def count(process: Process, limit: int) -> None:
    found = 0
    try:
        for low in range(0, limit, STEP):
            found += await asyncio.to_thread(primes, low, min(low + STEP, limit))
            far = Progressed(progress=100 * low // limit, notice=f"{found} primes so far")
            await heart.update(process.process_id, far)
        await heart.update(process.process_id, Completed(result={"primes": found}))
    except Exception:
        await heart.update(process.process_id, Failed("The count broke off.", "crashed"))
        raise


class Primes(LiveProcess, rx.State):
    @rx.event
    async def begin(self, form: dict[str, str]):
        limit, user = min(int(form["limit"]), 2_000_000), self._user_id()
        begun = Process.begin(user_id=user, tool_name="primes", category="count", req={"limit": limit})
        process = await heart.create(begun)
        tasks.add(task := asyncio.create_task(count(process, limit)))
        task.add_done_callback(tasks.discard)
        return self._follow(process)

    def on_complete(self, data: ProcessData):
        return rx.toast(f"Counted: {data.result}")


@rx.page(route="/", title="Primes", on_load=Primes.watch)
def index() -> rx.Component:
    form = rx.el.form(
        rx.el.input(name="limit", type="number", default_value="1000000", aria_label="Count up to"),
        rx.el.button("Count primes", disabled=Primes.is_loading),
        on_submit=Primes.begin,
    )
    bar = rx.cond(Primes.is_loading, rx.el.progress(value=Primes.data.progress.to(str), max="100"))
    said = rx.el.p(Primes.data.notice, Primes.error)
    return rx.el.main(form, bar, rx.el.p(Primes.status), said)


app = rx.App()
app.register_lifespan_task(services)
