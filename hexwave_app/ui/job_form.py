"""The form of a page's tool: what the next job is to be, kept from visit to visit, and its beginning."""

import json
from contextlib import suppress
from dataclasses import asdict
from typing import Any, ClassVar, Self

import reflex as rx
from pydantic import BaseModel, ConfigDict, ValidationError

from hexwave_app.processes.errors import HexwaveError
from hexwave_app.services import current
from hexwave_app.tools.enhance import enhance
from hexwave_app.tools.image_generator import PROMPT_LIMIT, SEED_LIMIT, random_seed
from hexwave_app.tools.tool import Tool
from hexwave_app.ui.components.toast import undo_toast
from hexwave_app.ui.job import Job
from hexwave_app.ui.job_acts import JobActs
from hexwave_app.ui.model_option import ModelOption, model_option

_CLICK_LIMIT = 64
_NONE = ModelOption(title="No model", caption="No provider here has one", shapes=[])


class Settings(BaseModel):
    """What the browser keeps of a form from one visit to the next; a page adds what is its own."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    model: str = ""
    shape: str = ""
    seed: str = ""

    @classmethod
    def of(cls, job: Job) -> Self:
        return cls.model_validate(asdict(job))


class JobForm(JobActs, mixin=True):
    """What every form has: model, shape, seed, prompt and what to leave out.

    A page's State names its tool and its settings, and says in the methods without a body what else it has.
    What is typed stays in the page; of that the server sees what is sent.
    """

    _tool: ClassVar[Tool]
    _kept: ClassVar[type[Settings]]
    _prompt_limit: ClassVar[int] = PROMPT_LIMIT

    shape: str = "1:1"
    seed: str = ""
    model: str = ""
    hint: str = ""
    _recalled: bool = False

    @rx.var
    def kept(self) -> str:
        """The settings as the browser keeps them; none before it was asked for those it has."""
        return self._settings().model_dump_json() if self._recalled else ""

    @rx.var(initial_value=[])
    def models(self) -> list[ModelOption]:
        return [*self._models(), *_keyless()]

    @rx.var(initial_value=ModelOption())
    def option(self) -> ModelOption:
        """The model that is chosen."""
        return self._option()

    @rx.var(initial_value=False)
    def demo(self) -> bool:
        return self._option().id.startswith("demo|")

    @rx.event
    def choose_model(self, model: str) -> None:
        if any(option.id == model for option in self._models()):
            self.model = model
            if self.shape not in self._option().shapes:
                self.shape = self._option().shapes[0]
            self._suit(self._option())

    @rx.event
    def choose_shape(self, shape: str) -> None:
        if shape in self._option().shapes:
            self.shape = shape

    @rx.event
    def write_seed(self, seed: str) -> None:
        self.seed = _seed(seed)

    @rx.event
    def roll_seed(self) -> None:
        self.seed = str(random_seed())

    @rx.event(background=True)
    async def generate(self, form: dict[str, Any]) -> list[Any]:
        """Begin a job from the form and the settings; a click that arrives twice is one job."""
        async with self:
            user_id, address, asked = self._user_id(), self._address(), self._asked(form)
            lacking, model = self._lacking(form, self._option()), self._option().title
            if lacking:
                self.hint = f"Add the {lacking}: {model} needs it."
                return []
        click = str(form.get("click", ""))[:_CLICK_LIMIT]
        try:
            process = await current().runs.start(
                self._tool,
                self._tool.request.read(asked),
                user_id,
                idempotency_key=f"click-{click}" if click else None,
                address=address,
            )
        except HexwaveError as error:
            async with self:
                self.hint = self._refused(error)
            return []
        async with self:
            self.hint = ""
            return self._begun(process)

    @rx.event
    def enhance(self, prompt: str, leave_out: str, press: int) -> Any:
        """Have studio.js write a few words more into the field, which the page keeps to itself."""
        if not prompt.strip():
            return None
        longer = enhance(prompt, leave_out[:PROMPT_LIMIT], press) if len(prompt) <= PROMPT_LIMIT else prompt
        if longer == prompt or len(longer) > self._prompt_limit:
            return rx.toast("It says enough of light and mood already.", id="hw-enhanced")
        asked = ", ".join(json.dumps(each) for each in (prompt, longer, press))
        return [
            rx.run_script(f"window.hexwave.enhance({asked})"),
            undo_toast("Words added", rx.run_script("window.hexwave.plain()"), id="hw-enhanced"),
        ]

    @rx.event
    def remix(self, process_id: str) -> None:
        """Set the next job as that one was; hexwave.js fills in the texts, which the page keeps to itself."""
        job = self._job(process_id)
        if job is not None:
            self._restore(self._kept.of(job))

    @rx.event
    def arrive(self) -> Any:
        """A page begins: with the settings that its device keeps, then with those of the link it came by."""
        script = f"window.hexwave?.settings?.('{self._tool.action}') ?? ''"
        return rx.call_script(script, callback=self.__class__.recall)

    @rx.event
    def recall(self, kept: str) -> Any:
        """Set what the browser kept, once a session; what is not ours, or no longer there, is passed over."""
        if not self._recalled:
            self._recalled = True
            with suppress(ValidationError):
                self._restore(self._kept.model_validate_json(kept))
        return self.__class__.remix_linked

    @rx.event(background=True)
    async def remix_linked(self) -> list[Any]:
        """The same for the job of a link, `?remix={id}`."""
        async with self:
            wanted = self.router.url.query_parameters.get("remix")
        if not wanted:
            return []
        return await self._attempt(lambda user_id, _: current().processes.get(wanted, user_id), self._remixed)

    def _suit(self, option: ModelOption) -> None:
        """Keep the page's own settings within what the model can do."""
        raise NotImplementedError

    def _settings(self) -> Settings:
        """What is set."""
        raise NotImplementedError

    def _take(self, settings: Any, option: ModelOption) -> None:
        """Set the page's own, as far as the model can do it."""
        raise NotImplementedError

    def _own(self, form: dict[str, Any], option: ModelOption) -> dict[str, Any]:
        """The page's own inputs, under their wire names."""
        raise NotImplementedError

    def _lacking(self, form: dict[str, Any], option: ModelOption) -> str:
        """What the model cannot begin without and the form has not, in people's words; or empty."""
        return ""

    def _refused(self, error: HexwaveError) -> str:
        """Why nothing was begun, in the words of the form."""
        return error.message

    def _asked(self, form: dict[str, Any]) -> dict[str, Any]:
        # What is typed reaches the server a moment later; the form has it already.
        seed, option = _seed(str(form.get("seed", self.seed))), self._option()
        provider, _, model = option.id.partition("|")
        asked = {
            "prompt": form.get("prompt", ""),
            "aspectRatio": self.shape,
            "provider": provider,
            "model": model,
            **self._own(form, option),
        }
        if option.leave_out and form.get("leaveOut"):
            asked["negativePrompt"] = form["leaveOut"]
        if option.seed and seed:
            asked["seed"] = int(seed)
        return asked

    def _remixed(self, process: Any) -> list[Any]:
        job = Job.of(process)
        self._restore(self._kept.of(job))
        texts = ", ".join(map(json.dumps, (job.prompt, job.leave_out, job.reference)))
        return [rx.run_script(f"window.hexwave.remix({texts})")]

    def _restore(self, settings: Settings) -> None:
        self.choose_model(settings.model)
        self.choose_shape(settings.shape)
        self.seed = _seed(settings.seed)
        self._take(settings, self._option())

    def _models(self) -> list[ModelOption]:
        return [
            model_option(provider, model)
            for provider in current().providers.values()
            for model in provider.models
            if model.tool == self._tool.name
        ]

    def _option(self) -> ModelOption:
        options = self._models() or [_NONE]
        return next((option for option in options if option.id == self.model), options[0])


def _keyless() -> list[ModelOption]:
    """Providers that are known, and not set up."""
    return [
        ModelOption(id=f"{name}|", title=title, label=title, reason="Needs a key")
        for name, title in current().keyless.items()
    ]


def _seed(text: str) -> str:
    digits = "".join(digit for digit in text if digit.isascii() and digit.isdecimal())[:10]
    return str(min(int(digits), SEED_LIMIT)) if digits else ""
