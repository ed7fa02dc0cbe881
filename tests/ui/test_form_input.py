"""What a tool's request says of its fields, read as the inputs of a form."""

from enum import Enum
from typing import Annotated, Literal

import pytest
from pydantic import Field

from hexwave_app.tools.model import ANY, Limit
from hexwave_app.tools.registry import TOOLS
from hexwave_app.tools.request import AnyPicture, OwnPicture, Reference, ToolRequest
from hexwave_app.ui.form_input import TEXT_LIMIT, form_inputs, has_form
from hexwave_app.ui.routes import FORMS, MADE, TABS


class Paper(Enum):
    MATT = "matt"
    GLOSSY = "glossy"


class PostcardRequest(ToolRequest):
    """One of every kind."""

    prompt: Annotated[str, Field(max_length=300, description="What it shows")]
    negative_prompt: str | None = None
    aspect_ratio: Literal["3:2", "2:3"] = "3:2"
    place: Annotated[str, Field(max_length=80)]
    season: Literal["spring", "high-summer"] | None = None
    paper: Paper = Paper.MATT
    scale: Literal[2, 4] = 2
    stamps: Annotated[int, Field(ge=1, le=4)] = 1
    steps: Annotated[int, Field(ge=1, le=50)] = 20
    grain: Annotated[float, Field(ge=0, lt=1, multiple_of=0.25)] = 0.5
    border: Annotated[bool, Field(title="White border")] = True
    note: str | None = None
    seed: Annotated[int, Field(ge=0, default_factory=lambda: 7)]
    picture: AnyPicture | None = None
    second: Reference | None = None
    finished: OwnPicture | None = None
    tags: tuple[str, ...] = ()


FOUND = {each.name: each for each in form_inputs(PostcardRequest)}


def test_each_kind_of_field_has_its_control() -> None:
    """In the order of the request; a second picture, a finished one and lists are not for a form."""
    assert {name: each.kind for name, each in FOUND.items()} == {
        "prompt": "prompt",
        "negativePrompt": "leave out",
        "aspectRatio": "shape",
        "place": "text",
        "season": "choice",
        "paper": "choice",
        "scale": "choice",
        "stamps": "choice",
        "steps": "number",
        "grain": "number",
        "border": "switch",
        "note": "text",
        "seed": "seed",
        "picture": "picture",
    }


def test_what_the_model_says_of_a_field_is_in_the_form() -> None:
    """Its name, what it is for, whether it is needed, and its limits."""
    assert FOUND["prompt"].help == "What it shows"
    assert [FOUND[name].title for name in ("negativePrompt", "border")] == ["Negative prompt", "White border"]
    assert [name for name, each in FOUND.items() if each.needed] == ["prompt", "place"]
    assert [FOUND[name].longest for name in ("prompt", "place", "note")] == [300, 80, TEXT_LIMIT]
    assert FOUND["paper"].choices == ("matt", "glossy")
    assert FOUND["stamps"].choices == ("1", "2", "3", "4")
    steps, grain = FOUND["steps"], FOUND["grain"]
    assert (steps.least, steps.most, steps.whole) == (1, 50, True)
    assert (grain.least, grain.most, grain.step, grain.whole) == (0, 1, 0.25, False)
    defaults = {name: FOUND[name].default for name in ("season", "paper", "steps", "grain", "border", "seed")}
    assert defaults == {
        **{"season": "", "paper": "matt", "steps": "20", "grain": "0.5", "border": "true"},
        "seed": "",
    }


@pytest.mark.parametrize(
    ("name", "text", "asked"),
    [
        ("place", "Ostend", "Ostend"),
        ("note", " ", None),
        ("season", "", None),
        ("season", "high-summer", "high-summer"),
        ("scale", "4", 4),
        ("steps", "12", 12),
        ("steps", "a dozen", "a dozen"),
        ("steps", "1" * 5000, "1" * 5000),
        ("grain", "0.25", 0.25),
        ("grain", "nan", "nan"),
        ("border", "false", False),
    ],
)
def test_the_text_of_the_form_becomes_a_value(name: str, text: str, asked: object) -> None:
    """What is none stays text, and is refused with its field's name."""
    assert FOUND[name].asked(text) == asked


def test_a_request_takes_what_its_form_gives() -> None:
    given = {name: each.asked(each.default or "Ostend") for name, each in FOUND.items() if each.needed}
    assert PostcardRequest.read(given).place == "Ostend"


def test_a_model_narrows_the_form() -> None:
    """What it does not know is not shown, and of the rest only what it admits."""
    limits = {"season": Limit(("spring",), needed=True), "stamps": Limit(most=2), "steps": Limit(most=8)}
    options = {name: each.option(limits) for name, each in FOUND.items()}
    assert [name for name, each in options.items() if each.shown] == ["season", "stamps", "steps"]
    assert (options["season"].choices, options["season"].needed) == (["spring"], True)
    assert (options["stamps"].choices, options["stamps"].needed) == (["1", "2"], False)
    assert options["steps"].most == "8"


def test_a_choice_that_the_model_has_not_gives_way() -> None:
    """To the default, or where it has none to nothing; what is typed is cut off at its limit."""
    few = Limit(("spring", 1, 2, 4))
    assert _fit("stamps", "4", few) == "4"
    assert _fit("stamps", "3", few) == "1"
    assert _fit("season", "high-summer", few) == ""
    assert _fit("scale", "2", Limit((4,))) == "4"
    assert _fit("place", "x" * 100, ANY) == "x" * 80
    assert _fit("scale", "2", None) == "2"


def _fit(name: str, text: str, limit: Limit | None) -> str:
    each = FOUND[name]
    return each.fit(text, each.option({each.field: limit} if limit is not None else {}))


def test_a_tool_has_a_form_if_all_that_it_needs_can_be_given() -> None:
    class Lists(ToolRequest):
        tags: list[str]

    class Finished(ToolRequest):
        picture: OwnPicture

    assert has_form(PostcardRequest)
    assert not has_form(Lists)
    assert not has_form(Finished)


def test_the_tools_that_ship_have_pages_of_their_own() -> None:
    """Upscaling begins where the picture is shown, so the header has its four tabs."""
    assert [tool.name for tool in TOOLS.values() if tool.name not in FORMS] == ["upscale"]
    assert MADE == []
    assert [tab.title for tab in TABS] == ["Image", "Video", "Gallery", "Inspector"]
