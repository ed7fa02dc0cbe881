"""What a provider can run a tool with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from pydantic.alias_generators import to_camel

from hexwave_app.processes.errors import InvalidRequest
from hexwave_app.tools.request import ToolRequest


@dataclass(frozen=True)
class Limit:
    """What a model takes for one input: any of `choices`, no more than `most`, or whatever the tool takes.

    One that is `needed` has to be given. Of choices that are `joined`, one text names several, with commas.
    """

    choices: tuple[Any, ...] = ()
    most: int | None = None
    needed: bool = False
    joined: bool = False

    def admits(self, value: Any) -> bool:
        given = listed(value) if self.joined else (value,)
        known = not self.choices or all(each in self.choices for each in given)
        return known and (self.most is None or value <= self.most)

    def __str__(self) -> str:
        if self.choices:
            between = " and " if self.joined else " or "
            return between.join((", ".join(map(str, self.choices[:-1])), str(self.choices[-1])))
        return f"at most {self.most}"


ANY = Limit()


def listed(text: str) -> tuple[str, ...]:
    """The names in a text that has them with commas."""
    return tuple(name for part in text.split(",") if (name := part.strip()))


def by_wire_names(request: ToolRequest) -> dict[str, Any]:
    """The inputs of the request as they were asked for."""
    named = {to_camel(name): getattr(request, name) for name in own_fields(type(request))}
    return {name: value for name, value in named.items() if value is not None}


def own_fields(request: type[ToolRequest]) -> list[str]:
    """The names of a request's inputs, without whom it is for."""
    return [name for name in request.model_fields if name not in ToolRequest.model_fields]


@dataclass(frozen=True)
class Model:
    """One model of a provider, for the tool named `tool`.

    `inputs` are the fields of the tool's request that the model knows, each with its limit; `seconds` is
    how long it typically takes and `price` what it costs, both as published, where they are. `ai` is false
    for what is drawn by rules. `ask` makes of a request what the model is sent; a `NamedPicture` in it
    becomes what its provider takes for a file.
    """

    name: str
    title: str
    tool: str
    inputs: Mapping[str, Limit] = field(default_factory=lambda: MappingProxyType({"prompt": ANY}))
    seconds: float | None = None
    price: str | None = None
    ai: bool = True
    ask: Callable[[Any], Mapping[str, Any]] = by_wire_names

    def check(self, request: ToolRequest) -> None:
        """Raise `InvalidRequest` for an input that the model does not know, or not to that extent."""
        for name, limit in self.inputs.items():
            if limit.needed and getattr(request, name) is None:
                raise InvalidRequest(f"{self.title} needs {to_camel(name)}.", field=to_camel(name))
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
