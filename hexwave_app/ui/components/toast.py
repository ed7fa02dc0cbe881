"""What is said in passing of a job that is not on the screen."""

import reflex as rx
from reflex_components_sonner.toast import toast_ref

from hexwave_app.ui.job import Job, images


def ready_toast(job: Job) -> rx.event.EventSpec:
    """Its first picture, how many there are, whose they are, and a way to them.

    Sonner is called by hand: `rx.toast` drops custom properties from a style.
    """
    options = {
        "description": job.name,
        "className": "hw-pictured",
        "style": {"--hw-thumbnail": f"url({job.frames[0].src})"},
        "action": {
            "label": "View",
            "onClick": rx.Var(f"() => window.hexwave.view('job-{job.id}')"),
        },
    }
    toast = toast_ref.to(rx.vars.FunctionVar)
    return rx.run_script(toast.call(f"{images(len(job.frames))} ready", options))
