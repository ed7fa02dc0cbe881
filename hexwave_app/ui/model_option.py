"""A model as the settings panel offers it."""

from dataclasses import dataclass


@dataclass
class ModelOption:
    """`reason` says why the model cannot be chosen ("Needs a key") and is empty when it can."""

    id: str = ""
    title: str = ""
    reason: str = ""
