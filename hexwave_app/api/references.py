"""`/api/references`: pictures that people bring along, for pictures to be made of."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from hexwave_app.api.context import CurrentUser, OpenServices
from hexwave_app.api.kept_file import Wanted, found, kept_file
from hexwave_app.api.limits import ClientAddress
from hexwave_app.tools.references import THUMBNAIL

router = APIRouter(prefix="/api/references", tags=["generate"])

_KEPT = {"Cache-Control": "private, max-age=3600"}
_BODY = {
    "required": True,
    "content": {
        kind: {"schema": {"type": "string", "format": "binary"}}
        for kind in ("image/png", "image/jpeg", "image/webp")
    },
}


class Brought(BaseModel):
    """`reference` is for a request's field of that name, `thumbnail` where its owner may look at it."""

    reference: str
    thumbnail: str


@router.post("", openapi_extra={"requestBody": _BODY})
async def post_reference(
    request: Request, services: OpenServices, user: CurrentUser, address: ClientAddress
) -> Brought:
    """Keep our own copy of a PNG, JPEG or WebP of at most 10 MB, which is the body as it is.

    Kept for a day, and for as long as there is a process that is made of it.
    """
    reference = await services.references.keep(await request.body(), user.id, address)
    return Brought(reference=reference, thumbnail=f"{router.prefix}/{reference}")


@router.get("/{reference}", response_class=Response)
async def get_reference(
    reference: str, services: OpenServices, user: CurrentUser, wanted: Wanted
) -> Response:
    """Its thumbnail, at most 512 pixels a side; 404 for another's, or once it is deleted."""
    folder = services.references.folder(reference, user.id)
    file = await found(services.library, folder, THUMBNAIL)
    return kept_file(services.library, folder, THUMBNAIL, file, wanted, _KEPT)
