"""Processes live in the States of any Reflex app; docs/guide.md shows how."""

from hexwave_app.live.process import LiveProcess
from hexwave_app.live.processes import LiveProcesses, ProcessView
from hexwave_app.live.serving import Serving, UserOf, by_tab, serving

__all__ = ["LiveProcess", "LiveProcesses", "ProcessView", "Serving", "UserOf", "by_tab", "serving"]
