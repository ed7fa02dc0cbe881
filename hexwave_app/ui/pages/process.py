"""One process: its pictures, what they were made with, and how they came about, live."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

import reflex as rx

from hexwave_app.live.serving import served
from hexwave_app.processes.errors import ProcessNotFound, StoreUnavailable
from hexwave_app.processes.lifecycle import PAGE_LIMIT
from hexwave_app.processes.model import Process, utc_now
from hexwave_app.processes.observer import Act, Deed
from hexwave_app.services import current
from hexwave_app.tools.provider import titles
from hexwave_app.ui import layout
from hexwave_app.ui.components import mark
from hexwave_app.ui.components.fact_list import fact_list
from hexwave_app.ui.components.lightbox import lightbox
from hexwave_app.ui.components.process_notes import process_notes
from hexwave_app.ui.components.share_dialog import share_dialog
from hexwave_app.ui.components.timeline import timeline_list
from hexwave_app.ui.components.toast import undo_toast
from hexwave_app.ui.components.viewer import viewer
from hexwave_app.ui.fact import Fact, as_text, facts
from hexwave_app.ui.job import Frame, Job, Standing, frames, outcome
from hexwave_app.ui.routes import GALLERY, PROCESS, STUDIO, TABS, process_page
from hexwave_app.ui.status import RESCAN, feed_of, patiently, present
from hexwave_app.ui.timeline import Line, Part, parts, timeline, whole
from hexwave_app.ui.upscaling import Upscaling


class ProcessState(Upscaling, rx.State):
    """The process that the address names, if it is the user's."""

    job: Job = Job()
    now: Standing = Standing()
    frames: list[Frame] = []
    facts: list[Fact] = []
    lines: list[Line] = []
    parts: list[Part] = []
    total: str = ""
    total_of: str = ""
    settings: str = ""
    missing: bool = False
    running: int = 0
    demo: bool = False
    announcement: str = ""
    favourite: bool = False
    link: str = ""

    _open: str = ""
    _seen: int = 0
    _ran: bool = False
    _on_screen: datetime | None = None

    @rx.event(background=True, supersedes=True)
    async def watch(self) -> AsyncIterator[Any]:
        """One follower a tab, of the one process; Reflex ends it when the tab's connection does."""
        async for event in patiently(self, self._followed, self.__class__.watch):
            yield event

    async def _followed(self) -> AsyncIterator[Any]:
        async with self:
            token, user_id = self.router.session.client_token, self._user_id()
            process_id = self._turned_to()
        async with feed_of(token) as feed:
            while True:
                # Read outside the lock, and whole: a status message has no timeline.
                look = await _Look.at(process_id, user_id)
                if feed.ended or not present(token):
                    return
                async with self:
                    delivered = self._awaits(look)
                    events = self._take(look)
                if delivered is not None:
                    served().observer.observe(Act(Deed.DELIVERED, delivered))
                for event in events:
                    yield event
                if look.process is None and not look.failed:
                    return
                if look.process is not None and not look.process.terminal:
                    feed.add(process_id)
                await feed.next(RESCAN)

    @rx.event
    def mark_on_screen(self, shown: bool) -> None:
        """The page has shown the end; the server's clock counts."""
        if shown and self._on_screen is None and self.now.state == "done":
            self._on_screen = utc_now()
            self._wake()

    @rx.event(background=True)
    async def cancel(self) -> list[Any]:
        return await self._attempt(
            lambda user_id, _: current().runs.cancel(self._open, user_id), self._look_again
        )

    @rx.event(background=True)
    async def retry(self) -> list[Any]:
        """Begin it again, and go to what was begun."""
        return await self._attempt(
            lambda user_id, address: current().runs.retry_once(self._open, user_id, address=address),
            self._begun,
        )

    @rx.event(background=True)
    async def favour(self, on: bool) -> list[Any]:
        return await self._attempt(
            lambda user_id, _: current().processes.favour([self._open], user_id, on), self._look_again
        )

    @rx.event(background=True)
    async def discard(self) -> list[Any]:
        """Delete it, say how that is undone, and leave its page."""
        return await self._attempt(
            lambda user_id, _: current().processes.discard([self._open], user_id), _discarded
        )

    @rx.event(background=True)
    async def restore(self, process_id: str) -> list[Any]:
        """Undo the deletion, and go back to it."""
        return await self._attempt(
            lambda user_id, _: current().processes.restore([process_id], user_id), _restored
        )

    @rx.event(background=True)
    async def share(self) -> list[Any]:
        """Make a link for anybody."""
        return await self._attempt(
            lambda user_id, _: current().shares.share(self._open, user_id), self._look_again
        )

    @rx.event(background=True)
    async def revoke(self) -> list[Any]:
        """Take the link back."""
        return await self._attempt(
            lambda user_id, _: current().shares.revoke(self._open, user_id), self._look_again
        )

    def _begun(self, process: Process) -> list[Any]:
        return [rx.redirect(process_page(process.process_id))]

    def _look_again(self, _: object) -> None:
        self._wake()

    def _turned_to(self) -> str:
        """The id in the address; what was shown of another one is gone."""
        # The route gives every State this var.
        process_id = str(self.process_id)  # pyright: ignore[reportAttributeAccessIssue]
        self._seen = 0
        if process_id != self._open:
            self._open, self._ran, self._on_screen = process_id, False, None
            self._say(loaded=False, missing=False, announcement="")
        return process_id

    def _awaits(self, look: "_Look") -> Process | None:
        """The process, where it is news of what the page shows, and no first look at it."""
        process = look.process
        return process if process is not None and 0 < self._seen < process.sequence else None

    def _take(self, look: "_Look") -> list[Any]:
        """Show what was read, and ask the page when it has shown the end; call it under the state lock."""
        self._say(behind=look.failed, running=look.running)
        process = look.process
        if process is None:
            self._say(missing=not look.failed, loaded=self.loaded or not look.failed)
            return []
        ended = process.terminal and self._ran
        self._ran, self._seen = not process.terminal, process.sequence
        self._show(process)
        if not ended:
            return []
        self.announcement = f"{self.job.name}: {outcome(process)}."
        if self.now.state != "done":
            return []
        return [rx.call_script("window.hexwave.shown()", callback=ProcessState.mark_on_screen)]

    def _show(self, process: Process) -> None:
        provider, model = titles(current().providers, process.provider)
        job, settings = Job.of(process), facts(process, model)
        total, total_of = whole(process, self._on_screen)
        self._say(
            job=job,
            now=Standing.of(process),
            frames=frames(process),
            facts=settings,
            settings=as_text(job.prompt, settings),
            lines=timeline(process, provider, self._on_screen),
            parts=parts(process, self._on_screen),
            total=total,
            total_of=total_of,
            demo=process.provider.name == "demo",
            favourite=process.favourite,
            link=current().shares.url(process),
            missing=False,
            loaded=True,
        )


class _Look:
    """One reading of the store: the process, and how many of its owner's run."""

    def __init__(self, process: Process | None = None, running: int = 0, failed: bool = False) -> None:
        self.process = process
        self.running = running
        self.failed = failed

    @classmethod
    async def at(cls, process_id: str, user_id: str) -> "_Look":
        processes = current().processes
        try:
            running = await processes.running(user_id, PAGE_LIMIT)
            return cls(await processes.get(process_id, user_id), running)
        except ProcessNotFound:
            return cls()
        except StoreUnavailable:
            return cls(failed=True)


def _discarded(processes: Sequence[Process]) -> list[Any]:
    undone = [ProcessState.restore(process.process_id) for process in processes]
    return [event for undo in undone for event in (undo_toast("1 deleted", undo), rx.redirect(_elsewhere()))]


def _restored(processes: Sequence[Process]) -> list[Any]:
    if not processes:
        return [rx.toast("It is gone for good.")]
    return [rx.redirect(process_page(process.process_id)) for process in processes]


def _elsewhere() -> str:
    """Where to go from a page whose process is deleted."""
    return GALLERY if any(tab.href == GALLERY for tab in TABS) else STUDIO


@rx.page(route=PROCESS, title="Hexwave", on_load=ProcessState.watch)
def process() -> rx.Component:
    return view(ProcessState)


def view(state: Any) -> rx.Component:
    """The page, drawn from a State class.

    Vars: loaded (bool), missing (bool: there is no such process, or it is another's), job (Job), now
    (Standing), frames (list[Frame]), facts (list[Fact]), settings (the facts and the prompt as text), lines
    (list[Line]), parts (list[Part]), total ("6.05 s") and total_of ("from click to screen"), running (int),
    demo (bool), behind (bool), announcement, favourite (bool), upscales (bool), link (for anybody, "" while
    there is none).
    Handlers: cancel(), retry(), upscale(id, index), favour(on), discard(), share(), revoke().
    """
    return layout.page(
        rx.cond(state.loaded, rx.cond(state.missing, _nothing(), _sheet(state))),
        lightbox(upscale=state.upscale, upscales=state.upscales),
        share_dialog(state.link, share=state.share, revoke=state.revoke),
        current=rx.cond(state.job.form == "", STUDIO, state.job.form).to(str),
        running=state.running,
        demo=state.demo,
        behind=state.behind,
        announcement=state.announcement,
    )


def _sheet(state: Any) -> rx.Component:
    return rx.el.div(
        rx.el.section(
            viewer(state.job, state.now, state.frames, retry=state.retry),
            id="results",
            tab_index=-1,
            class_name="hw-process-picture",
            custom_attrs={"aria-label": "Picture"},
        ),
        rx.el.aside(
            process_notes(state),
            timeline_list(state.lines, state.now.percent),
            class_name="hw-process-side",
            custom_attrs={"aria-label": "Details"},
        ),
        fact_list(state.facts, state.settings),
        class_name="hw-process",
    )


def _nothing() -> rx.Component:
    return rx.el.div(
        mark.empty(),
        rx.el.h2("No such picture", class_name="hw-title"),
        rx.el.p("The link is old, or it belongs to someone else.", class_name="hw-subtitle"),
        _away(),
        id="results",
        tab_index=-1,
        class_name="hw-nothing",
    )


def _away() -> rx.Component:
    place = _elsewhere()
    words = "Go to Gallery" if place == GALLERY else "Go to Studio"
    return rx.el.a(words, href=place, class_name="hw-button hw-outline")
