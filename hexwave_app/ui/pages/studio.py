"""The Studio: write a prompt, watch the pictures come."""

from collections.abc import Iterable
from typing import Any, ClassVar, cast

import reflex as rx

from hexwave_app.processes.ports import Filter
from hexwave_app.tools.image_generator import IMAGE_GENERATOR, SIZES, AspectRatio
from hexwave_app.ui.components import settings_panel as panel
from hexwave_app.ui.components.job_page import job_page
from hexwave_app.ui.components.prompt_bar import Invitation, prompt_bar
from hexwave_app.ui.components.reference import chip
from hexwave_app.ui.components.stream import Start
from hexwave_app.ui.job import counted
from hexwave_app.ui.job_form import JobForm, Settings
from hexwave_app.ui.model_option import COUNTS, ModelOption
from hexwave_app.ui.routes import STUDIO
from hexwave_app.ui.shape import SHAPES

INVITATION = Invitation(
    label="New picture",
    placeholder="Describe a picture",
    blank="Describe the picture first.",
    surprises=[
        "A lighthouse on a basalt cliff, first light, gulls far below",
        "Terraced rice fields after rain, low cloud in the valley",
        "An empty tram at night, wet street, one lit window",
        "Dunes under a huge moon, a single line of footprints",
        "A paper boat on a still canal, autumn leaves, soft fog",
        "Snow on a mountain pass, a red cabin with smoke rising",
        "Reeds at the edge of a lake, dusk, the water like glass",
        "A greenhouse in winter, warm inside, frost on the panes",
    ],
)
START = Start(
    title="Start with a sentence",
    write="Write a picture",
    examples=[
        ("/examples/harbour.webp", "Harbour in low amber light, mountains far behind, the sea almost still"),
        ("/examples/moonlight.webp", "Night sea, one path of moonlight, a few thin clouds"),
        ("/examples/forest.webp", "Pine forest at dusk, last light on the ridge, mist between the trees"),
    ],
)


class StudioSettings(Settings):
    count: str = ""
    styles: list[str] = []


class StudioState(JobForm, rx.State):
    """The settings of the next picture, and the pictures there are."""

    _narrow: ClassVar = Filter(category="image")
    _tool: ClassVar = IMAGE_GENERATOR
    _kept: ClassVar = StudioSettings

    count: str = "1"
    styles: list[str] = []

    @rx.var
    def dimensions(self) -> str:
        width, height = SIZES[cast(AspectRatio, self.shape)]
        return f"{width} × {height}"

    @rx.var
    def summary(self) -> str:
        seed = f"seed {self.seed}" if self.seed else "random seed"
        return " · ".join((self.shape, counted(int(self.count), "image"), *self.styles, seed))

    @rx.var
    def brief(self) -> str:
        """The same in a few letters."""
        return " · ".join((self.shape, self.count, *(style.capitalize() for style in self.styles[:1])))

    @rx.event
    def choose_count(self, count: str) -> None:
        if count in COUNTS:
            self.count = count

    @rx.event
    def toggle_style(self, style: str) -> None:
        self._choose_styles({*self.styles} ^ {style}, self._option())

    def _settings(self) -> Settings:
        return StudioSettings(
            model=self.model, shape=self.shape, count=self.count, styles=self.styles, seed=self.seed
        )

    def _suit(self, option: ModelOption) -> None:
        self.count = min(self.count, option.counts[-1])
        self._choose_styles(self.styles, option)

    def _take(self, settings: StudioSettings, option: ModelOption) -> None:
        if settings.count in option.counts:
            self.count = settings.count
        self._choose_styles(settings.styles, option)

    def _own(self, form: dict[str, Any], option: ModelOption) -> dict[str, Any]:
        asked: dict[str, Any] = {"count": int(self.count)}
        if self.styles:
            asked["style"] = ", ".join(self.styles)
        if option.reference and form.get("reference"):
            asked["reference"] = form["reference"]
        return asked

    def _choose_styles(self, styles: Iterable[str], option: ModelOption) -> None:
        """Those that the model knows, in its order."""
        self.styles = [known for known in option.styles if known in styles]


@rx.page(route=STUDIO, title="Hexwave", on_load=[StudioState.watch, StudioState.arrive])
def studio() -> rx.Component:
    return view(StudioState)


def view(state: Any) -> rx.Component:
    """The page, drawn from a State class: as `job_page`, with the vars dimensions ("1216 × 832"), count ("4")
    and styles (list[str]), and the handlers choose_count(count) and toggle_style(name).
    """
    return job_page(
        state,
        current=STUDIO,
        tool=IMAGE_GENERATOR.action,
        start=START,
        prompt=prompt_bar(
            INVITATION,
            generate=state.generate,
            enhance=state.enhance,
            summary=state.summary,
            brief=state.brief,
            hint=state.hint,
            chip=chip("reference", "Reference"),
            refers=state.option.reference,
        ),
        settings=_settings(state),
    )


def _settings(state: Any) -> rx.Component:
    option = state.option
    return panel.settings_panel(
        panel.models(state.models, option, state.choose_model),
        panel.shapes(SHAPES, state.shape, option.shapes, state.choose_shape, dimensions=state.dimensions),
        panel.segments("Images", COUNTS, state.count, option.counts, state.choose_count),
        panel.seed(option.seed, state.seed, state.write_seed, state.roll_seed),
        panel.styles(state.styles, option.styles, state.toggle_style),
        panel.leave_out(option.leave_out),
        kept=state.kept,
    )
