"""The Inspector: everything between the click and the picture, for developers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import reflex as rx

from hexwave_app.health.checkup import INTERVAL
from hexwave_app.health.troubles import Trouble, troubles
from hexwave_app.processes.errors import HexwaveError, NotSignedIn, ProcessNotFound
from hexwave_app.processes.model import Process
from hexwave_app.services import Services, current
from hexwave_app.ui import layout
from hexwave_app.ui.components.inspector import inspector
from hexwave_app.ui.components.missing import missing_page
from hexwave_app.ui.inspection import Chart, Found, Received, Tile, wire
from hexwave_app.ui.job import Frame, frames
from hexwave_app.ui.routes import INSPECTOR
from hexwave_app.ui.status import ProcessStatus, patiently, present

PACE = 0.4
"""Seconds between two batches of lines, however many there are in each."""

_IDLE = 15.0
_SHOWN = 20
_ID_LIMIT = 64


class InspectorState(ProcessStatus, rx.State):
    """What is shown to whoever may look; nobody else's State has any of it."""

    decided: bool = False
    allowed: bool = False
    tiles: list[Tile] = []
    checked: str = ""
    troubles: list[Trouble] = []
    chart: Chart = Chart()
    received: list[Received] = []
    found: Found = Found()
    hint: str = ""
    announcement: str = ""
    running: int = 0

    @rx.event
    def enter(self) -> None:
        """Decides what of the page there is; each handler decides it again for itself."""
        self.allowed = self._may_inspect()
        self.decided = True

    @rx.event(background=True, supersedes=True)
    async def follow_activity(self) -> AsyncIterator[Any]:
        """Sends the lines to the page's script: all that are kept, then the newer ones, in batches."""
        async for event in patiently(self, self._lines, self.__class__.follow_activity):
            yield event

    async def _lines(self) -> AsyncIterator[Any]:
        async with self:
            token, allowed = self.router.session.client_token, self._may_inspect()
        if not allowed:
            return
        log = current().activity.log
        async with log.reading() as news:
            lines = log.since(0)
            yield rx.run_script(f"window.hexwave.inspector.begin({wire(lines)})")
            last = lines[-1].number if lines else 0
            while present(token):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_IDLE):
                        await news.wait()
                news.clear()
                if lines := log.since(last):
                    last = lines[-1].number
                    yield rx.run_script(f"window.hexwave.inspector.add({wire(lines)})")
                await asyncio.sleep(PACE)

    @rx.event(background=True, supersedes=True)
    async def follow_health(self) -> AsyncIterator[None]:
        """Checks every few seconds for as long as the page is there."""
        async for event in patiently(self, self._checks, self.__class__.follow_health):
            yield event

    async def _checks(self) -> AsyncIterator[None]:
        async with self:
            token, allowed = self.router.session.client_token, self._may_inspect()
        while allowed and present(token):
            await self._examine(fresh=False)
            yield
            await asyncio.sleep(INTERVAL)

    @rx.event(background=True)
    async def check_now(self) -> None:
        async with self:
            if not self._may_inspect():
                return
        await self._examine(fresh=True)
        async with self:
            self.announcement = _spoken(self.tiles)

    @rx.event(background=True)
    async def look_up(self, form: dict[str, Any]) -> None:
        """Any user's process, by the id in the form's field."""
        async with self:
            if not self._may_inspect():
                return
            user_id = self._user_id()
        process_id = str(form.get("process", "")).strip()[:_ID_LIMIT]
        try:
            process = await current().processes.load(process_id)
            found, hint = Found.of(process, _picture(process, user_id)), ""
        except ProcessNotFound:
            found, hint = Found(), "No process with that id."
        except HexwaveError as error:
            found, hint = Found(), error.message
        async with self:
            self.found, self.hint = found, hint
            self.announcement = hint or f"{found.prompt}: {found.summary}."

    @rx.event(background=True)
    async def replay(self, number: int) -> AsyncIterator[Any]:
        """Takes a verified webhook's body once more, as if it came again; says what became of it."""
        async with self:
            if not self._may_inspect():
                return
        yield rx.toast(await _replayed(current(), number))
        async with self:
            self._say(received=_received(current()))

    async def _examine(self, *, fresh: bool) -> None:
        services = current()
        report, activity = await services.checkup.report(fresh=fresh), services.activity
        tiles = [Tile.of(check, services.checkup.times(check)) for check in report.checks]
        found = await troubles(
            *(report.checks, services.settings, services.store, services.channel),
            *(activity.log, activity.webhooks),
        )
        async with self:
            self.tiles, self.checked = tiles, report.at.isoformat()
            self._say(troubles=found, chart=Chart.of(activity.latency), received=_received(services))

    def _may_inspect(self) -> bool:
        try:
            return current().may_inspect(self._user_id())
        except NotSignedIn:
            return False

    def _awaits(self, process: Process) -> bool:
        """Never: it only counts what runs, and shows nothing of it."""
        return False

    def _show(self, process: Process) -> None:
        running = len(self._running - {process.process_id}) + (not process.terminal)
        self._say(running=running)


def _received(services: Services) -> list[Received]:
    return [Received.of(delivery) for delivery in services.activity.webhooks.newest[:_SHOWN]]


def _picture(process: Process, user_id: str) -> str:
    """The first picture's thumbnail, which only its owner is given."""
    first = frames(process)[:1] if process.user_id == user_id else list[Frame]()
    return next((frame.shown for frame in first), "")


async def _replayed(services: Services, number: int) -> str:
    webhooks = services.activity.webhooks
    delivery = webhooks.find(number)
    if delivery is None or delivery.body is None:
        return "This webhook is no longer kept, or was never verified."
    body = delivery.body
    try:
        with webhooks.receiving(delivery.process_id, replay_of=number) as replay:
            replay.verified(body)
            process = await services.processes.load(delivery.process_id)
            await services.deliveries.receive(process, body)
    except HexwaveError as error:
        return f"Refused: {error.message}"
    return f"Replayed: {replay.verdict}{f', {replay.reason.lower()}' if replay.reason else ''}"


def _spoken(tiles: list[Tile]) -> str:
    return "Checked. " + " ".join(f"{tile.name}: {tile.word}." for tile in tiles)


@rx.page(
    route=INSPECTOR,
    title="Inspector · Hexwave",
    on_load=[
        InspectorState.enter,
        InspectorState.watch,
        InspectorState.follow_activity,
        InspectorState.follow_health,
    ],
)
def page() -> rx.Component:
    return view(InspectorState)


def view(state: Any) -> rx.Component:
    """The page, drawn from a State class with the vars and the handlers of `InspectorState`."""
    return layout.page(
        rx.cond(
            state.decided,
            rx.cond(state.allowed, inspector(state), missing_page()),
        ),
        current=INSPECTOR,
        running=state.running,
        demo=rx.Var.create(False),
        behind=state.behind,
        announcement=state.announcement,
    )
