"""A picture within a request, for APIs that take files as data URIs.

Replicate recommends it for less than a megabyte (https://replicate.com/docs/topics/predictions/input-files),
fal takes it wherever it takes a URL (https://fal.ai/docs/documentation/model-apis/fal-cdn).
"""

import base64

from hexwave_app.media.pictures import light

BYTES_LIMIT = 700 * 1024
"""What base64 makes a little less than a megabyte of."""


def data_uri(picture: bytes) -> str:
    """The picture, as a JPEG where it would be too large. Blocks for the encoding: call it in a thread."""
    content, suffix = light(picture, BYTES_LIMIT)
    kind = {"jpg": "jpeg"}.get(suffix, suffix)
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
