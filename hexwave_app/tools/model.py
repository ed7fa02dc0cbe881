"""What a provider can run a tool with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from pydantic.alias_generators import to_camel

from hexwave_app.processes.errors import InvalidRequest
from hexwave_app.tools.tool import ToolRequest


@dataclass(frozen=True)
class Limit:
    """What a model takes for one input: any of `choices`, no more than `most`, or whatever the tool takes."""

    choices: tuple[Any, ...] = ()
    most: int | None = None

    def admits(self, value: Any) -> bool:
        return (not self.choices or value in self.choices) and (self.most is None or value <= self.most)

    def __str__(self) -> str:
        if self.choices:
            return " or ".join((", ".join(map(str, self.choices[:-1])), str(self.choices[-1])))
        return f"at most {self.most}"


ANY = Limit()


@dataclass(frozen=True)
class Model:
    """One model of a provider, for the tool named `tool`.

    `inputs` are the fields of the tool's request that the model knows, each with its limit; `seconds` is
    how long it typically takes and `price` what it costs, both as published, where they are. `ai` is false
    for what is drawn by rules.
    """

    name: str
    title: str
    tool: str
    inputs: Mapping[str, Limit] = field(default_factory=lambda: MappingProxyType({"prompt": ANY}))
    seconds: float | None = None
    price: str | None = None
    ai: bool = True

    def check(self, request: ToolRequest) -> None:
        """Raise `InvalidRequest` for an input that the model does not know, or not to that extent."""
        for name in sorted(request.model_fields_set - ToolRequest.model_fields.keys()):
            value, limit = getattr(request, name), self.inputs.get(name)
            if value == type(request).model_fields[name].default:
                continue
            if limit is None:
                known = ", ".join(to_camel(each) for each in self.inputs)
                raise InvalidRequest(
                    f"{self.title} does not know this. It takes {known}.", field=to_camel(name)
                )
            if not limit.admits(value):
                raise InvalidRequest(f"{self.title} takes {limit}.", field=to_camel(name))

    def asked(self, request: ToolRequest) -> dict[str, Any]:
        """The request as it is kept, without what was filled in and the model has no use for."""
        unknown = type(request).model_fields.keys() - ToolRequest.model_fields.keys() - self.inputs.keys()
        filled_in = unknown - request.model_fields_set
        return request.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=filled_in)
