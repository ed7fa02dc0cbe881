"""Where the pages live, and which of them the header offers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hexwave_app.tools.image_generator import IMAGE_GENERATOR
from hexwave_app.tools.registry import TOOLS
from hexwave_app.tools.tool import Tool
from hexwave_app.tools.video_generator import VIDEO_GENERATOR
from hexwave_app.ui.form_input import has_form

STUDIO = "/"
VIDEO = "/video"
GALLERY = "/gallery"
PROCESS = "/p/[process_id]"
INSPECTOR = "/inspector"
KEYS = "/settings/keys"


@dataclass(frozen=True)
class Tab:
    """A page the header leads to, on phones the person's menu unless `narrow`; `icon` is a lucide name.

    Where it is not `wide` either, only the menu leads to it.
    """

    title: str
    href: str
    icon: str
    narrow: bool = True
    wide: bool = True


_OWN_PAGES: Mapping[str, str] = {IMAGE_GENERATOR.name: STUDIO, VIDEO_GENERATOR.name: VIDEO}


def tool_page(tool: Tool) -> str:
    return f"/tools/{tool.action}"


def without_own_page(tools: Iterable[Tool]) -> list[Tool]:
    """Those whose page is made from the model of their request."""
    return [tool for tool in tools if tool.name not in _OWN_PAGES and has_form(tool.request)]


MADE = without_own_page(TOOLS.values())

TABS = [
    Tab("Image", STUDIO, "image"),
    Tab("Video", VIDEO, "clapperboard"),
    # The header of a tablet has room for one more.
    *[Tab(tool.title, tool_page(tool), "sparkles", narrow=False, wide=not i) for i, tool in enumerate(MADE)],
    Tab("Gallery", GALLERY, "layout-grid"),
    Tab("Inspector", INSPECTOR, "activity", narrow=False),
]

FORMS: Mapping[str, str] = {**_OWN_PAGES, **{tool.name: tool_page(tool) for tool in MADE}}
"""The page with the form of a tool, by its name."""


def process_page(process_id: str) -> str:
    return PROCESS.replace("[process_id]", process_id)
