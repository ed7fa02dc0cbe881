"""The inputs of a tool's form, read from the model of its request."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic.fields import FieldInfo

from hexwave_app.tools.model import Limit, own_fields
from hexwave_app.tools.request import OwnPicture, Reference, ToolRequest

Kind = Literal["prompt", "leave out", "seed", "shape", "picture", "choice", "switch", "number", "text"]

SEGMENTS = 6
"""Whole numbers that stand side by side; where there may be more, one is typed."""

TEXT_LIMIT = 2000
"""Characters of a text that has no limit of its own."""

_OWN_CONTROLS: Mapping[tuple[str, str], Kind] = {
    ("prompt", "text"): "prompt",
    ("negativePrompt", "text"): "leave out",
    ("seed", "number"): "seed",
}
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")
_RATIO = re.compile(r"[0-9]{1,5}:[0-9]{1,5}")


@dataclass
class InputOption:
    """An input as the chosen model takes it: not at all unless `shown`. `most` is a figure, or empty."""

    shown: bool = False
    needed: bool = False
    choices: list[str] = field(default_factory=list)
    most: str = ""


@dataclass(frozen=True)
class FormInput:
    """One input: `name` is that of the wire, `field` that of the request; `title` and `help` are for people.

    One that is not `needed` may stay empty. `default` and `choices` are as text, as the form has them, and
    `values` the same choices as the request has them; `whole` says of a number that it has no fraction.
    """

    name: str
    field: str
    title: str
    kind: Kind
    help: str = ""
    needed: bool = False
    default: str = ""
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    step: float | None = None
    whole: bool = False
    longest: int = TEXT_LIMIT
    values: tuple[Any, ...] = ()

    def option(self, inputs: Mapping[str, Limit]) -> InputOption:
        """What a model of these `inputs` takes of it."""
        limit = inputs.get(self.field)
        if limit is None:
            return InputOption()
        return InputOption(
            shown=True,
            needed=self.needed or limit.needed,
            choices=[
                choice for choice, value in zip(self.choices, self.values, strict=True) if limit.admits(value)
            ],
            most=text_of(self.most if limit.most is None else limit.most),
        )

    def fit(self, text: str, option: InputOption) -> str:
        """The text where the form can have it; of choices that the model has not, one that it has."""
        if not self.choices or not option.shown:
            return text[: self.longest]
        if text in option.choices:
            return text
        return self.default if self.default in option.choices or not self.default else option.choices[0]

    def asked(self, text: str) -> Any:
        """What the request has for the text of the form; None where the input stays empty.

        What is no number stays text, for the request to refuse it.
        """
        if self.kind == "switch":
            return text == "true" if text or self.default else None
        if not text.strip():
            return None
        if self.choices:
            return dict(zip(self.choices, self.values, strict=True)).get(text, text)
        if self.kind in ("number", "seed") and _NUMBER.fullmatch(text):
            return int(text) if "." not in text else float(text)
        return text


def form_inputs(request: type[ToolRequest]) -> list[FormInput]:
    """Those that a form can have, in the order of the request; of pictures the first one."""
    schema = request.model_json_schema(by_alias=True)
    found: list[FormInput] = []
    for name in own_fields(request):
        read = _input(name, request.model_fields[name], schema)
        again = read is not None and read.kind == "picture" and any(each.kind == "picture" for each in found)
        if read is not None and not again:
            found.append(read)
    return found


def has_form(request: type[ToolRequest]) -> bool:
    """Whether all that is needed can be given in a form; a finished picture is chosen where it is shown."""
    given = {each.field for each in form_inputs(request)}
    return all(
        name in given or not known.is_required()
        for name, known in request.model_fields.items()
        if name in own_fields(request)
    )


def _input(name: str, known: FieldInfo, schema: Mapping[str, Any]) -> FormInput | None:
    """The input of a field; None for what no form has, such as lists."""
    wire = known.alias or name
    said = _plain(schema["properties"][wire], schema)
    values = _values(said)
    choices = tuple(map(text_of, values))
    kind = _kind(wire, said, choices)
    if kind is None:
        return None
    words = name.replace("_", " ")
    return FormInput(
        name=wire,
        field=name,
        title=known.title or words[:1].upper() + words[1:],
        kind=kind,
        help=known.description or "",
        needed=known.is_required(),
        default=text_of(said.get("default")),
        choices=choices,
        least=said.get("minimum", said.get("exclusiveMinimum")),
        most=said.get("maximum", said.get("exclusiveMaximum")),
        step=said.get("multipleOf"),
        whole=said.get("type") == "integer",
        longest=said.get("maxLength", TEXT_LIMIT),
        values=values,
    )


def _plain(said: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """What the schema says of a field, without the null of one that may be empty, and names looked up."""
    some = [each for each in said.get("anyOf", ()) if each.get("type") != "null"]
    if len(some) == 1:
        return _plain({**some[0], **{key: value for key, value in said.items() if key != "anyOf"}}, schema)
    if "$ref" in said:
        return {**schema["$defs"][said["$ref"].rpartition("/")[2]], **said}
    return dict(said)


def _values(said: Mapping[str, Any]) -> tuple[Any, ...]:
    """What can be chosen from: what is listed, or the whole numbers of a short range."""
    if "enum" in said or "const" in said:
        return tuple(said.get("enum", (said.get("const"),)))
    least, most = said.get("minimum"), said.get("maximum")
    if said.get("type") != "integer" or "multipleOf" in said or least is None or most is None:
        return ()
    return tuple(range(least, most + 1)) if most - least < SEGMENTS else ()


def _kind(wire: str, said: Mapping[str, Any], choices: tuple[str, ...]) -> Kind | None:
    if choices:
        return "shape" if wire == "aspectRatio" and all(map(_RATIO.fullmatch, choices)) else "choice"
    pattern = said.get("pattern", "")
    if Reference.form in pattern:
        return "picture"
    types: dict[Any, Kind] = {"boolean": "switch", "integer": "number", "number": "number"}
    if said.get("type") == "string" and pattern != OwnPicture.form:
        types["string"] = "text"
    kind = types.get(said.get("type"))
    return kind and _OWN_CONTROLS.get((wire, kind), kind)


def text_of(value: Any) -> str:
    """A value as the form has it."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
