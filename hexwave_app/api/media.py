"""`GET /media/{processId}/{name}`: kept files, for their owner."""

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from hexwave_app.api.context import CurrentUser, OpenServices
from hexwave_app.api.kept_file import GUARDS, Wanted, disposition, found, kept_file

router = APIRouter(tags=["media"])

# A name is never given to another picture, and only its owner's browser may keep it.
_KEPT = {"Cache-Control": "private, max-age=31536000, immutable"}
_PASSING = {"Cache-Control": "private, no-store"}


@router.get("/media/{process_id}/{name}", response_class=Response)
async def get_media(
    process_id: str,
    name: str,
    services: OpenServices,
    user: CurrentUser,
    wanted: Wanted,
    download: str | None = None,
) -> Response:
    """The file, or the part of it that `Range` asks for; 404 for another's, or once its process is deleted.

    With `download` it is to be saved, under the name that is given there, without its ending. Where files are
    in a bucket, what is only shown is fetched there: the answer is a redirect that is good for five minutes.
    """
    await services.processes.get(process_id, user.id)
    library = services.library
    file = await found(library, process_id, name)
    if download is None and (url := await library.presigned(process_id, name)) is not None:
        return RedirectResponse(url, headers=_PASSING | GUARDS)
    more = _KEPT if download is None else _KEPT | disposition(download, name)
    return kept_file(library, process_id, name, file, wanted, more)
