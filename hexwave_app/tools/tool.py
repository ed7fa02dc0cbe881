"""What people can run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from hexwave_app.processes.errors import InvalidRequest


class ToolRequest(BaseModel):
    """What a tool is asked for: camelCase on the wire, nothing it does not know, no silent conversions."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="forbid",
        str_strip_whitespace=True,
    )

    provider: str | None = None
    model: str | None = None

    @classmethod
    def read(cls, asked: Mapping[str, Any]) -> Self:
        """The request in `asked`, under its wire names. `InvalidRequest` names the field that is wrong."""
        try:
            return cls.model_validate(asked)
        except ValidationError as error:
            raise InvalidRequest.of(error.errors(include_url=False)[0]) from error


@dataclass(frozen=True)
class Tool:
    """A kind of work. `category` names its API routes, `/api/generate-{category}` and the webhook's.

    After `patience` seconds of silence the provider is asked; after `deadline` seconds a process has failed.
    """

    name: str
    title: str
    category: str
    request: type[ToolRequest]
    patience: float
    deadline: float
