"""`GET /media/{processId}/{name}`: kept files, for their owner."""

import re

from fastapi import APIRouter, Response

from hexwave_app.api.context import CurrentUser, OpenServices
from hexwave_app.processes.errors import ProcessNotFound

router = APIRouter(tags=["media"])

_NAME = re.compile(r"[a-z0-9-]{1,40}\.webp")
_HEADERS = {
    # A name is never given to other content, and only its owner's browser may keep it.
    "Cache-Control": "private, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


@router.get("/media/{process_id}/{name}", response_class=Response)
async def get_media(process_id: str, name: str, services: OpenServices, user: CurrentUser) -> Response:
    """The file; 404 for another's, or once its process is deleted."""
    await services.processes.get(process_id, user.id)
    content = await services.library.get(process_id, name) if _NAME.fullmatch(name) else None
    if content is None:
        raise ProcessNotFound("There is no such file.")
    return Response(content, media_type="image/webp", headers=_HEADERS)
