"""What people can run."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class ToolRequest(BaseModel):
    """What a tool is asked for: camelCase on the wire, nothing it does not know, no silent conversions."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid", str_strip_whitespace=True
    )

    provider: str | None = None
    model: str | None = None


@dataclass(frozen=True)
class Tool:
    """A kind of work. `category` names its API routes, `/api/generate-{category}` and the webhook's."""

    name: str
    title: str
    category: str
    request: type[ToolRequest]
