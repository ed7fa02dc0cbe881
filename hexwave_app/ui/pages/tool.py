"""The page of each tool that has none of its own, made from the model of its request."""

import sys
from collections.abc import Mapping
from typing import Any, ClassVar

import reflex as rx

from hexwave_app.processes.errors import HexwaveError
from hexwave_app.processes.ports import Filter
from hexwave_app.services import current
from hexwave_app.tools.model import Limit
from hexwave_app.tools.tool import Tool
from hexwave_app.ui.components import settings_panel as panel
from hexwave_app.ui.components.form_sections import field_name, form_sections
from hexwave_app.ui.components.job_page import job_page
from hexwave_app.ui.components.prompt_bar import Invitation, prompt_bar
from hexwave_app.ui.components.stream import Start
from hexwave_app.ui.form_input import FormInput, InputOption, form_inputs
from hexwave_app.ui.job import spoken
from hexwave_app.ui.job_form import JobForm, Settings
from hexwave_app.ui.model_option import ModelOption
from hexwave_app.ui.routes import MADE, tool_page

_TYPED = ("number", "text")
_BRIEF = 2


class ToolSettings(Settings):
    values: dict[str, str] = {}


class ToolForm(JobForm, mixin=True):
    """The inputs of a tool's request, as text by their wire names, each within what the model takes."""

    _kept: ClassVar = ToolSettings
    _inputs: ClassVar[Mapping[str, FormInput]] = {}

    values: dict[str, str] = {}

    @rx.var(initial_value={})
    def options(self) -> dict[str, InputOption]:
        """What the chosen model takes of each input."""
        return self._options()

    @rx.var(initial_value="")
    def summary(self) -> str:
        seed = [f"seed {self.seed}"] if self.seed else []
        return " · ".join([*self._chosen(), *seed])

    @rx.var(initial_value="")
    def brief(self) -> str:
        """The same in a few letters."""
        return " · ".join(self._chosen()[:_BRIEF])

    @rx.event
    def choose(self, name: str, value: str) -> None:
        """Set one input; a name that is none of the form's is passed over."""
        self._fill({name: value})

    def _settings(self) -> Settings:
        return ToolSettings(model=self.model, seed=self.seed, values=self.values)

    def _suit(self, option: ModelOption) -> None:
        self._fill({})

    def _take(self, settings: ToolSettings, option: ModelOption) -> None:
        self._fill(settings.values)

    def _fill(self, values: Mapping[str, str]) -> None:
        options = self._options()
        self.values = {
            name: each.fit(values.get(name, self.values.get(name, each.default)), options[name])
            for name, each in self._inputs.items()
        }

    def _asked(self, form: dict[str, Any]) -> dict[str, Any]:
        provider, _, model = self._option().id.partition("|")
        options = self._options()
        given = {
            name: each.asked(self._text(each, form))
            for name, each in self._inputs.items()
            if options[name].shown
        }
        given = {name: value for name, value in given.items() if value is not None}
        return {"provider": provider, "model": model, **given}

    def _lacking(self, form: dict[str, Any], option: ModelOption) -> str:
        options = self._options()
        lacking = (
            each.title[:1].lower() + each.title[1:]
            for name, each in self._inputs.items()
            if options[name].needed and each.asked(self._text(each, form)) is None
        )
        return next(lacking, "")

    def _refused(self, error: HexwaveError) -> str:
        each = self._inputs.get(getattr(error, "field", None) or "")
        if each is None:
            return error.message
        rest = error.message.removeprefix(each.name)
        return f"{each.title}{rest}" if rest != error.message else f"{each.title}: {rest}"

    def _text(self, each: FormInput, form: dict[str, Any]) -> str:
        """What stands in the form for an input; what is typed reaches the State a moment later."""
        names = {"prompt": "prompt", "leave out": "leaveOut", "seed": "seed", "picture": each.name}
        if each.kind in _TYPED:
            return str(form.get(field_name(each), self.values.get(each.name, "")))
        if each.kind in names:
            return str(form.get(names[each.kind]) or "")
        return self.values.get(each.name, "")

    def _chosen(self) -> list[str]:
        """The choices that are made, as people read them."""
        options = self._options()
        chosen = [each for name, each in self._inputs.items() if each.choices and options[name].shown]
        return [spoken(value) for each in chosen if (value := self.values.get(each.name))]

    def _options(self) -> dict[str, InputOption]:
        limits = self._limits()
        return {name: each.option(limits) for name, each in self._inputs.items()}

    def _limits(self) -> Mapping[str, Limit]:
        chosen = self._option().id
        known = (
            model.inputs
            for provider in current().providers.values()
            for model in provider.models
            if model.tool == self._tool.name and f"{provider.name}|{model.name}" == chosen
        )
        return next(known, {})


def tool_state(tool: Tool) -> type[ToolForm]:
    """The State of a tool's page: one for each, so that none has what is another's."""
    inputs = {each.name: each for each in form_inputs(tool.request)}
    name = "".join(word.capitalize() for word in tool.name.split("-")) + "State"
    prompt = inputs.get("prompt")
    body: dict[str, Any] = {
        "__module__": __name__,
        "__annotations__": {"values": dict[str, str]},
        "_tool": tool,
        "_narrow": Filter(tool_name=tool.name),
        "_inputs": inputs,
        "values": {each.name: each.default for each in inputs.values()},
    }
    if prompt is not None:
        body["_prompt_limit"] = prompt.longest
    state = type(name, (ToolForm, rx.State), body)
    # With Redis a State is pickled, by the name that its module has for it.
    setattr(sys.modules[__name__], name, state)
    return state


def view(state: Any, tool: Tool) -> rx.Component:
    """The page, drawn from a State class with ToolForm: as `job_page`, with the vars values (dict of texts)
    and options (dict of InputOption), and the handler choose(name, value).
    """
    inputs = form_inputs(tool.request)
    prompt = next((each for each in inputs if each.kind == "prompt"), None)
    return job_page(
        state,
        current=tool_page(tool),
        tool=tool.action,
        start=Start(
            title="Nothing here yet", write="Write a prompt" if prompt else "Press Generate", examples=[]
        ),
        prompt=prompt_bar(
            _invitation(tool, prompt),
            generate=state.generate,
            enhance=state.enhance,
            summary=state.summary,
            brief=state.brief,
            hint=state.hint,
        ),
        settings=panel.settings_panel(
            panel.models(state.models, state.option, state.choose_model),
            *form_sections(state, inputs),
            kept=state.kept,
        ),
    )


def _invitation(tool: Tool, prompt: FormInput | None) -> Invitation:
    title = f"New {tool.title[:1].lower()}{tool.title[1:]}"
    if prompt is None:
        return Invitation(label=title, placeholder="", blank="", surprises=[], field=False)
    return Invitation(
        label=title,
        placeholder=prompt.help or "Describe it",
        blank="Write the prompt first.",
        surprises=[],
        longest=prompt.longest,
        needed=prompt.needed,
    )


def add_page(tool: Tool) -> None:
    state: Any = tool_state(tool)
    page = rx.page(
        route=tool_page(tool), title=f"{tool.title} · Hexwave", on_load=[state.watch, state.arrive]
    )
    page(lambda: view(state, tool))


for _each in MADE:
    add_page(_each)
