"""The Studio: write a prompt, watch the pictures come."""

from collections.abc import AsyncIterator
from typing import Any

import reflex as rx

from hexwave_app.processes.errors import HexwaveError
from hexwave_app.processes.model import Process
from hexwave_app.services import current
from hexwave_app.tools.image_generator import (
    IMAGE_GENERATOR,
    SEED_LIMIT,
    SIZES,
    AspectRatio,
    ImageRequest,
    random_seed,
)
from hexwave_app.ui import layout
from hexwave_app.ui.components.dialog import delete_dialog
from hexwave_app.ui.components.lightbox import lightbox
from hexwave_app.ui.components.prompt_bar import prompt_bar
from hexwave_app.ui.components.settings_panel import settings_panel
from hexwave_app.ui.components.stream import stream
from hexwave_app.ui.components.toast import ready_toast
from hexwave_app.ui.job import Job, images
from hexwave_app.ui.model_option import ModelOption, model_option
from hexwave_app.ui.routes import STUDIO
from hexwave_app.ui.status import ProcessStatus

_MILESTONES = {25: "a quarter done", 50: "half done", 75: "three quarters done"}
_CLICK_LIMIT = 64


class StudioState(ProcessStatus, rx.State):
    """The settings of the next job, and the jobs there are."""

    jobs: list[Job] = []
    shape: AspectRatio = "1:1"
    count: str = "1"
    seed: str = ""
    model: str = ""
    hint: str = ""
    announcement: str = ""

    @rx.var
    def running(self) -> int:
        return sum(1 for job in self.jobs if job.running)

    @rx.var
    def dimensions(self) -> str:
        width, height = SIZES[self.shape]
        return f"{width} × {height}"

    @rx.var
    def summary(self) -> str:
        seed = f"seed {self.seed}" if self.seed else "random seed"
        return f"{self.shape} · {images(int(self.count))} · {seed}"

    @rx.var(initial_value=[])
    def models(self) -> list[ModelOption]:
        return _models()

    @rx.var(initial_value=ModelOption())
    def option(self) -> ModelOption:
        """The model that is chosen."""
        return self._option()

    @rx.var(initial_value=False)
    def demo(self) -> bool:
        return self._option().id.startswith("demo|")

    @rx.event
    def choose_shape(self, shape: str) -> None:
        for known in SIZES:
            if known == shape:
                self.shape = known

    @rx.event
    def choose_count(self, count: str) -> None:
        if count in ("1", "2", "3", "4"):
            self.count = count

    @rx.event
    def choose_model(self, model: str) -> None:
        for option in _models():
            if option.id == model:
                self.model = model
                self.count = min(self.count, option.counts[-1])
                if self.shape not in option.shapes:
                    self.choose_shape(option.shapes[0])

    @rx.event
    def write_seed(self, seed: str) -> None:
        self.seed = _seed(seed)

    @rx.event
    def roll_seed(self) -> None:
        self.seed = str(random_seed())

    @rx.event(background=True)
    async def generate(self, form: dict[str, Any]) -> AsyncIterator[Any]:
        """Begin a job from the form and the settings; a click that arrives twice is one job."""
        async with self:
            user_id, address, asked = self._user_id(), self._address(), self._asked(form)
        click = str(form.get("click", ""))[:_CLICK_LIMIT]
        try:
            process = await current().runs.start(
                IMAGE_GENERATOR,
                ImageRequest.read(asked),
                user_id,
                idempotency_key=f"click-{click}" if click else None,
                address=address,
            )
        except HexwaveError as error:
            async with self:
                self.hint = error.message
            return
        async with self:
            self.hint = ""
            events = self._follow(process)
        for event in events:
            yield event

    @rx.event(background=True)
    async def retry(self, process_id: str) -> AsyncIterator[Any]:
        async with self:
            user_id, address = self._user_id(), self._address()
        try:
            process = await _retried(process_id, user_id, address)
        except HexwaveError as error:
            yield rx.toast(error.message)
            return
        async with self:
            events = self._follow(process)
        for event in events:
            yield event

    @rx.event(background=True)
    async def cancel(self, process_id: str) -> AsyncIterator[Any]:
        async with self:
            user_id = self._user_id()
        try:
            process = await current().runs.cancel(process_id, user_id)
        except HexwaveError as error:
            yield rx.toast(error.message)
            return
        async with self:
            self._receive([process])

    @rx.event(background=True)
    async def delete(self, process_id: str) -> AsyncIterator[Any]:
        async with self:
            user_id = self._user_id()
        try:
            await current().runs.delete(process_id, user_id)
        except HexwaveError as error:
            yield rx.toast(error.message)
            return
        async with self:
            self._forget({process_id})

    @rx.event
    def reuse(self, process_id: str) -> Any:
        """Set the next job as that one was; hexwave.js fills in the texts, which the page keeps to itself."""
        job = next((job for job in self.jobs if job.id == process_id), None)
        if job is None:
            return None
        self.choose_model(job.model)
        self.choose_shape(job.shape)
        self.choose_count(str(job.count))
        self.seed = job.seed
        return rx.toast("Settings copied")

    @rx.event
    def announce_ready(self, job_id: str, on_screen: bool) -> Any:
        """A toast for a job that ended out of sight."""
        job = next((job for job in self.jobs if job.id == job_id), None)
        if job is None or on_screen or job.state != "done":
            return None
        return ready_toast(job)

    def _show(self, process: Process) -> None:
        job = Job.of(process)
        known = next((i for i, shown in enumerate(self.jobs) if shown.id == job.id), None)
        if known is None:
            self.announcement = f"Started: {job.name}." if job.running else self.announcement
            newer = sum(1 for shown in self.jobs if shown.started > job.started)
            self.jobs.insert(newer, job)
        else:
            self.announcement = _milestone(self.jobs[known], job) or self.announcement
            self.jobs[known] = job

    def _ended(self, process: Process) -> list[Any]:
        job = Job.of(process)
        self.announcement = f"{job.name}: {_outcome(job)}."
        if job.state != "done":
            return []
        seen = rx.call_script(
            f"window.hexwave.onScreen('job-{job.id}')",
            callback=lambda seen: StudioState.announce_ready(job.id, seen),
        )
        return [seen]

    def _forget(self, process_ids: set[str]) -> None:
        if process_ids:
            self.jobs = [job for job in self.jobs if job.id not in process_ids]

    def _address(self) -> str:
        """Whom a click counts for, besides its user."""
        forwarded_for = self.router.headers.raw_headers.get("x-forwarded-for", "")
        return current().proxies.client(self.router.session.client_ip, forwarded_for)

    def _asked(self, form: dict[str, Any]) -> dict[str, Any]:
        # What is typed reaches the server a moment later; the form has it already.
        seed, option = _seed(str(form.get("seed", self.seed))), self._option()
        provider, _, model = option.id.partition("|")
        asked = {
            "prompt": form.get("prompt", ""),
            "aspectRatio": self.shape,
            "count": int(self.count),
            "provider": provider,
            "model": model,
        }
        if option.leave_out and form.get("leaveOut"):
            asked["negativePrompt"] = form["leaveOut"]
        if option.seed and seed:
            asked["seed"] = int(seed)
        return asked

    def _option(self) -> ModelOption:
        options = _models()
        return next((option for option in options if option.id == self.model), options[0])


def _models() -> list[ModelOption]:
    return [
        model_option(provider, model)
        for provider in current().providers.values()
        for model in provider.models
        if model.tool == IMAGE_GENERATOR.name
    ]


def _seed(text: str) -> str:
    digits = "".join(digit for digit in text if digit.isascii() and digit.isdecimal())[:10]
    return str(min(int(digits), SEED_LIMIT)) if digits else ""


async def _retried(process_id: str, user_id: str, address: str) -> Process:
    """The retry of a process; pressed twice it is one, and the retry of its retry once that has ended too."""
    process = await current().runs.retry(
        process_id, user_id, idempotency_key=f"retry-{process_id}", address=address
    )
    return await _retried(process.process_id, user_id, address) if process.terminal else process


def _milestone(before: Job, after: Job) -> str | None:
    passed = [words for at, words in _MILESTONES.items() if before.percent < at <= after.percent]
    return f"{after.name}: {passed[-1]}." if passed and after.running else None


def _outcome(job: Job) -> str:
    return f"{images(len(job.frames))} ready" if job.state == "done" else job.word.lower()


@rx.page(route=STUDIO, title="Hexwave", on_load=StudioState.watch)
def studio() -> rx.Component:
    return view(StudioState)


def view(state: Any) -> rx.Component:
    """The page, drawn from a State class.

    Vars: jobs (list[Job], newest first), running (int), shape ("3:2"), dimensions ("1216 × 832"),
    count ("4"), seed ("" or digits), summary ("3:2 · 4 images · random seed"), hint (why the form was
    refused, or ""), announcement, models (list[ModelOption]), option (the one chosen), demo (bool),
    loaded (bool: jobs are known), more (bool: there are older ones), behind (bool: what is shown may be old).
    Handlers: generate(form: dict) with prompt, leaveOut, seed and click; choose_model(id),
    choose_shape(ratio), choose_count(count), write_seed(text), roll_seed(), cancel(id), retry(id),
    delete(id), reuse(id), show_older().
    """
    return layout.page(
        rx.el.div(
            _prompt(state),
            _settings(state),
            stream(
                state.jobs,
                ready=state.loaded,
                more=state.more,
                cancel=state.cancel,
                retry=state.retry,
                reuse=state.reuse,
                show_older=state.show_older,
            ),
            class_name="hw-studio",
        ),
        lightbox(),
        delete_dialog(state.delete),
        current=STUDIO,
        running=state.running,
        demo=state.demo,
        behind=state.behind,
        announcement=state.announcement,
    )


def _prompt(state: Any) -> rx.Component:
    return prompt_bar(
        generate=state.generate,
        summary=state.summary,
        brief=state.shape + " · " + state.count,
        hint=state.hint,
    )


def _settings(state: Any) -> rx.Component:
    return settings_panel(
        models=state.models,
        option=state.option,
        shape=state.shape,
        dimensions=state.dimensions,
        count=state.count,
        seed=state.seed,
        choose_model=state.choose_model,
        choose_shape=state.choose_shape,
        choose_count=state.choose_count,
        write_seed=state.write_seed,
        roll_seed=state.roll_seed,
    )
