"""Video: write a shot, or bring its first frame, and watch the clip come."""

from typing import Any, ClassVar, cast

import reflex as rx

from hexwave_app.processes.ports import Filter
from hexwave_app.tools.video_generator import CLIP_SIZES, LENGTHS, VIDEO_GENERATOR, ClipRatio
from hexwave_app.ui.components import settings_panel as panel
from hexwave_app.ui.components.job_page import job_page
from hexwave_app.ui.components.prompt_bar import Invitation, prompt_bar
from hexwave_app.ui.components.stream import Start
from hexwave_app.ui.job import spoken
from hexwave_app.ui.job_form import JobForm, Settings
from hexwave_app.ui.model_option import CAMERAS, ModelOption
from hexwave_app.ui.routes import VIDEO
from hexwave_app.ui.shape import CLIP_SHAPES

INVITATION = Invitation(
    label="New clip",
    placeholder="Describe a shot: what is in frame, how the camera moves",
    blank="Describe the shot first.",
    surprises=[
        "A lighthouse in a storm at night, waves breaking, the camera holds still",
        "Low winter sun over a fishing village, slow pan right",
        "Pine forest in mist, first light between the trees, slow push in",
        "A sailing boat far out at dusk, the sea almost still",
        "Neon city across the bay, after rain, slow pan left",
        "Dunes under a huge moon, drifting clouds, slow pull out",
    ],
)
START = Start(
    title="No clips yet",
    write="Write a shot",
    examples=[
        ("/examples/skyline.webp", "A skyline in amber light, slow push in"),
        ("/examples/moonlight.webp", "Night sea, one path of moonlight, still"),
        ("/examples/arctic.webp", "Arctic lake at first sun, slow pan left"),
    ],
)


class VideoSettings(Settings):
    seconds: str = ""
    camera: str = ""


class VideoState(JobForm, rx.State):
    """The settings of the next clip, and the clips there are."""

    _narrow: ClassVar = Filter(category="video")
    _tool: ClassVar = VIDEO_GENERATOR
    _kept: ClassVar = VideoSettings

    shape: str = "16:9"
    seconds: str = "4"
    camera: str = "still"

    @rx.var(initial_value="")
    def dimensions(self) -> str:
        """Of the demo painter; other models have sizes of their own."""
        width, height = CLIP_SIZES[cast(ClipRatio, self.shape)]
        return f"{width} × {height}" if self._option().id.startswith("demo|") else ""

    @rx.var
    def summary(self) -> str:
        seed = [f"seed {self.seed}"] if self.seed else []
        return " · ".join((self.shape, f"{self.seconds} s", spoken(self.camera), *seed))

    @rx.var
    def brief(self) -> str:
        """The same in a few letters."""
        return f"{self.shape} · {self.seconds} s"

    @rx.event
    def choose_length(self, seconds: str) -> None:
        if seconds in self._option().lengths:
            self.seconds = seconds

    @rx.event
    def choose_camera(self, camera: str) -> None:
        if camera in self._option().cameras:
            self.camera = camera

    def _settings(self) -> Settings:
        return VideoSettings(
            model=self.model, shape=self.shape, seconds=self.seconds, camera=self.camera, seed=self.seed
        )

    def _suit(self, option: ModelOption) -> None:
        if self.seconds not in option.lengths:
            self.seconds = next((str(each) for each in LENGTHS if str(each) in option.lengths), "4")
        if self.camera not in option.cameras:
            self.camera = "still"

    def _take(self, settings: VideoSettings, option: ModelOption) -> None:
        self.choose_length(settings.seconds)
        self.choose_camera(settings.camera)

    def _lacking(self, form: dict[str, Any], option: ModelOption) -> str:
        return "first frame" if option.first_frame_needed and not form.get("firstFrame") else ""

    def _own(self, form: dict[str, Any], option: ModelOption) -> dict[str, Any]:
        asked: dict[str, Any] = {"seconds": int(self.seconds), "camera": self.camera}
        if option.first_frame and form.get("firstFrame"):
            asked["firstFrame"] = form["firstFrame"]
        return asked


@rx.page(route=VIDEO, title="Video · Hexwave", on_load=[VideoState.watch, VideoState.arrive])
def video() -> rx.Component:
    return view(VideoState)


def view(state: Any) -> rx.Component:
    """The page, drawn from a State class: as `job_page`, with the vars dimensions ("768 × 432"), seconds
    ("4") and camera ("pan-left"), and the handlers choose_length(seconds) and choose_camera(camera).
    """
    return job_page(
        state,
        current=VIDEO,
        tool=VIDEO_GENERATOR.action,
        start=START,
        prompt=prompt_bar(
            INVITATION,
            generate=state.generate,
            enhance=state.enhance,
            summary=state.summary,
            brief=state.brief,
            hint=state.hint,
        ),
        settings=_settings(state),
    )


def _settings(state: Any) -> rx.Component:
    option = state.option
    lengths = [str(each) for each in LENGTHS]
    return panel.settings_panel(
        panel.models(state.models, option, state.choose_model),
        panel.picture("firstFrame", "First frame", option.first_frame, option.first_frame_needed),
        panel.shapes(
            CLIP_SHAPES, state.shape, option.shapes, state.choose_shape, dimensions=state.dimensions
        ),
        panel.segments("Length", lengths, state.seconds, option.lengths, state.choose_length, unit=" s"),
        panel.choices("Camera", CAMERAS, state.camera, option.cameras, state.choose_camera),
        panel.seed(option.seed, state.seed, state.write_seed, state.roll_seed),
        panel.leave_out(option.leave_out),
        kept=state.kept,
    )
