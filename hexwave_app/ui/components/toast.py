"""What is said in passing of a job that is not on the screen."""

from typing import Any

import reflex as rx
from reflex_components_sonner.toast import ToastAction, toast_ref

from hexwave_app.ui.job import Frame, Job, counted


def ready_toast(job: Job, frames: list[Frame]) -> rx.event.EventSpec:
    """Its first picture, how many there are, whose they are, and a way to them.

    Sonner is called by hand: `rx.toast` drops custom properties from a style.
    """
    options = {
        "description": job.name,
        "className": "hw-pictured",
        "style": {"--hw-thumbnail": f"url({frames[0].shown})"},
        "action": {
            "label": "View",
            "onClick": rx.Var(f"() => window.hexwave.view('job-{job.id}')"),
        },
    }
    toast = toast_ref.to(rx.vars.FunctionVar)
    return rx.run_script(toast.call(f"{counted(len(frames), job.noun)} ready", options))


def undo_toast(words: str, undo: Any, **options: Any) -> rx.event.EventSpec:
    """What was done, and for eight seconds the way back."""
    return rx.toast(words, duration=8000, action=ToastAction("Undo", undo), **options)
