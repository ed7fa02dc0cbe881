"""What a tool is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetPydanticSchema, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, core_schema

from hexwave_app.processes.errors import InvalidRequest


class NamedPicture(str):
    """A picture of the caller's own that a request names."""

    form: ClassVar[str]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        form = core_schema.str_schema(pattern=cls.form)
        return core_schema.no_info_after_validator_function(cls, form)


class OwnPicture(NamedPicture):
    """A finished one, as `{processId}/{index}`."""

    form = r"^[A-Za-z0-9_-]{1,64}/[0-9]{1,2}$"

    @property
    def process_id(self) -> str:
        return self.partition("/")[0]

    @property
    def place(self) -> int:
        return int(self.partition("/")[2])


class Reference(NamedPicture):
    """One that the caller brought along, as `POST /api/references` answers with it."""

    form = r"^r_[0-9a-f]{32}\.[0-9a-f]{64}$"

    @property
    def folder(self) -> str:
        return self.partition(".")[0]


def _either(text: str) -> OwnPicture | Reference:
    return OwnPicture(text) if "/" in text else Reference(text)


# One form rather than a union: of that, an error would name the member instead of the field.
_EITHER = core_schema.no_info_after_validator_function(
    _either, core_schema.str_schema(pattern=f"{OwnPicture.form}|{Reference.form}")
)
AnyPicture = Annotated[OwnPicture | Reference, GetPydanticSchema(lambda source, handler: _EITHER)]
"""A finished one, or one brought along."""


@dataclass(frozen=True)
class Original:
    """What a `NamedPicture` names: its file, and the request that it was made of, if it was."""

    content: bytes
    req: Mapping[str, Any]


class ToolRequest(BaseModel):
    """camelCase on the wire, nothing it does not know, no silent conversions."""

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

    def pictures(self) -> Mapping[str, NamedPicture]:
        """The kept pictures that it names, by field."""
        values = ((name, getattr(self, name)) for name in type(self).model_fields)
        return {name: value for name, value in values if isinstance(value, NamedPicture)}

    def settled(self, originals: Mapping[str, Original]) -> Self:
        """The request once its pictures, by field, are known. `InvalidRequest` where one does not suit."""
        return self
