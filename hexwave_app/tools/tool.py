"""What people can run."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hexwave_app.tools.model import Model
from hexwave_app.tools.request import ToolRequest


@dataclass(frozen=True)
class Tool:
    """A kind of work.

    `action` names its route, `/api/generate-{action}`; `category` says what its results are, and names the
    route of its webhooks. After `patience` seconds of silence the provider is asked; after `deadline` seconds
    a process has failed. `models` says by a provider's name how that is asked; providers that know the tool's
    kind of work by themselves bring models of their own.
    """

    name: str
    title: str
    action: str
    category: str
    request: type[ToolRequest]
    patience: float
    deadline: float
    models: Mapping[str, Sequence[Model]] = field(default_factory=dict[str, Sequence[Model]])


def offered(tools: Iterable[Tool], provider: str) -> tuple[Model, ...]:
    """The models by which the provider of that name can be asked for `tools`."""
    return tuple(model for tool in tools for model in tool.models.get(provider, ()))
