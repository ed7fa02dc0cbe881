"""The Gallery: everything that was made, however much it is."""

import json
from collections.abc import AsyncIterator
from typing import Any

import reflex as rx
from reflex_components_sonner.toast import toast_ref

from hexwave_app.processes.errors import HexwaveError
from hexwave_app.processes.model import Process
from hexwave_app.services import current
from hexwave_app.ui import layout
from hexwave_app.ui.components.gallery_wall import discard_dialog, gallery_wall
from hexwave_app.ui.job import Job, outcome
from hexwave_app.ui.model_option import ModelOption, model_option
from hexwave_app.ui.routes import GALLERY
from hexwave_app.ui.status import ProcessStatus

_UNDO_MILLISECONDS = 8000


class GalleryState(ProcessStatus, rx.State):
    """What the page is told live; its tiles it reads from the API, see gallery.js."""

    news: int = 0
    """Grows when a process began, ended or went, for the page to look again."""
    running: int = 0
    announcement: str = ""

    _ends: dict[str, bool] = {}

    @rx.var(initial_value=[])
    def models(self) -> list[ModelOption]:
        """What to look for, of every tool."""
        return [
            model_option(provider, model)
            for provider in current().providers.values()
            for model in provider.models
        ]

    @rx.var(initial_value="{}")
    def makers(self) -> str:
        """The providers' titles by their names, as JSON."""
        return json.dumps({provider.name: provider.title for provider in current().providers.values()})

    @rx.var(initial_value=False)
    def demo(self) -> bool:
        return next(iter(current().providers), "") == "demo"

    @rx.event(background=True)
    async def delete(self, ids: str) -> AsyncIterator[Any]:
        """Delete the processes whose ids are given, with commas between them, and offer to undo it."""
        async with self:
            user_id = self._user_id()
        asked = [each for each in ids.split(",") if each]
        try:
            gone = await current().processes.discard(asked, user_id)
        except HexwaveError as error:
            yield rx.toast(error.message)
            return
        ids_gone = [process.process_id for process in gone]
        if ids_gone:
            yield rx.run_script(f"window.hexwave.gallery.removed({json.dumps(ids_gone)})")
        yield _deleted_toast(ids_gone, len(asked) - len(ids_gone))

    def _show(self, process: Process) -> None:
        if self._ends.get(process.process_id) is not process.terminal:
            self._ends = {**self._ends, process.process_id: process.terminal}
            self.news += 1
            self._say(running=list(self._ends.values()).count(False))

    def _ended(self, process: Process) -> list[Any]:
        if process.data.generations:
            self.announcement = f"{Job.of(process).name}: {outcome(process)}."
        return []

    def _forget(self, process_ids: set[str]) -> None:
        if process_ids:
            self._ends = {key: end for key, end in self._ends.items() if key not in process_ids}
            self.news += 1


def _deleted_toast(ids: list[str], left: int) -> rx.event.EventSpec:
    options: dict[str, Any] = {"duration": _UNDO_MILLISECONDS}
    if ids:
        undo = rx.Var(f"() => window.hexwave.gallery.restore({json.dumps(ids)})")
        options["action"] = {"label": "Undo", "onClick": undo}
    if left:
        options["description"] = f"{left} stayed: what is running is cancelled before it is deleted."
    toast = toast_ref.to(rx.vars.FunctionVar)
    return rx.run_script(toast.call(f"{len(ids)} deleted", options))


@rx.page(route=GALLERY, title="Gallery · Hexwave", on_load=GalleryState.watch)
def gallery() -> rx.Component:
    return view(GalleryState)


def view(state: Any) -> rx.Component:
    """The page, drawn from a State class: vars models, makers, loaded, news, running, demo, behind and
    announcement, and the handler delete(ids).
    """
    return layout.page(
        gallery_wall(models=state.models, makers=state.makers, ready=state.loaded, news=state.news),
        discard_dialog(state.delete),
        current=GALLERY,
        running=state.running,
        demo=state.demo,
        behind=state.behind,
        announcement=state.announcement,
    )
