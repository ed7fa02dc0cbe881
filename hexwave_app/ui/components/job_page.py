"""A page that begins jobs of one tool and shows them: prompt, settings, the stream and its lightbox."""

from typing import Any

import reflex as rx

from hexwave_app.ui import layout
from hexwave_app.ui.components.job_row import Acts
from hexwave_app.ui.components.lightbox import lightbox
from hexwave_app.ui.components.stream import Start, stream


def job_page(
    state: Any, *, current: str, tool: str, start: Start, prompt: rx.Component, settings: rx.Component
) -> rx.Component:
    """Drawn from a State class with JobForm; `current` is its own address, `tool` its tool's action.

    Vars: ids (of a State with JobRows), running (int), shape ("3:2"), seed ("" or digits), summary ("3:2 · 4
    images · random seed"), brief (the same in a few letters), hint (why the form was refused, or ""),
    announcement, models (list[ModelOption]), option (the one chosen), demo (bool), upscales (bool: pictures
    can be made larger), loaded (bool: jobs are known), more (bool: there are older ones), behind (bool: what
    is shown may be old).
    Handlers: generate(form: dict), choose_model(id), choose_shape(ratio), write_seed(text), roll_seed(),
    cancel(id), retry(id), remix(id), vary(id), upscale(id, index), favour(id, on), delete(id), show_older(),
    enhance(text, leave_out, press).
    """
    return layout.page(
        rx.el.div(
            prompt,
            settings,
            stream(
                state.ids,
                ready=state.loaded,
                more=state.more,
                acts=Acts(
                    cancel=state.cancel,
                    retry=state.retry,
                    remix=state.remix,
                    vary=state.vary,
                    upscale=state.upscale,
                    upscales=state.upscales,
                    favour=state.favour,
                    delete=state.delete,
                ),
                start=start,
                show_older=state.show_older,
            ),
            class_name="hw-studio",
            custom_attrs={"data-tool": tool},
        ),
        lightbox(upscale=state.upscale, upscales=state.upscales),
        current=current,
        running=state.running,
        demo=state.demo,
        behind=state.behind,
        announcement=state.announcement,
    )
