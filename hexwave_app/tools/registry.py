"""The tools there are: a tool is a file beside this one, and a line here."""

from collections.abc import Mapping

from hexwave_app.tools.image_generator import IMAGE_GENERATOR
from hexwave_app.tools.tool import Tool
from hexwave_app.tools.upscale import UPSCALE
from hexwave_app.tools.video_generator import VIDEO_GENERATOR

TOOLS: Mapping[str, Tool] = {tool.name: tool for tool in (IMAGE_GENERATOR, VIDEO_GENERATOR, UPSCALE)}
