"""The heart: what a long-running process is, how it changes, and how to follow it live."""

from hexwave_app.processes.errors import HexwaveError, ProcessNotFound
from hexwave_app.processes.lifecycle import Page, Processes
from hexwave_app.processes.model import (
    Process,
    ProcessData,
    ProcessStatus,
    ProviderJob,
    Source,
    Stage,
    StatusMessage,
)
from hexwave_app.processes.observer import Act, Deed, Observer, Observers
from hexwave_app.processes.ports import Cursor, Filter, ProcessStore, StatusChannel, Subscription
from hexwave_app.processes.transition import (
    Answered,
    Completed,
    Failed,
    Progressed,
    Submitted,
    Update,
    transition,
)

__all__ = [
    "Act",
    "Answered",
    "Completed",
    "Cursor",
    "Deed",
    "Failed",
    "Filter",
    "HexwaveError",
    "Observer",
    "Observers",
    "Page",
    "Process",
    "ProcessData",
    "ProcessNotFound",
    "ProcessStatus",
    "ProcessStore",
    "Processes",
    "Progressed",
    "ProviderJob",
    "Source",
    "Stage",
    "StatusChannel",
    "StatusMessage",
    "Submitted",
    "Subscription",
    "Update",
    "transition",
]
