"""`GET /media/{processId}/{name}`: kept files, for their owner."""

import re
from typing import Annotated

from fastapi import APIRouter, Header, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from hexwave_app.api.context import CurrentUser, OpenServices
from hexwave_app.processes.errors import ProcessNotFound

router = APIRouter(tags=["media"])

_NAME = re.compile(r"[a-z0-9-]{1,40}\.(webp|png|jpg)")
_SAVED_AS = re.compile(r"[A-Za-z0-9-]{1,80}")
# One range: a request for several may be answered with the whole (RFC 9110, 14.2).
_RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))", re.ASCII)
_GUARDS = {"Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff"}
# A name is never given to another picture, and only its owner's browser may keep it.
_KEPT = {"Cache-Control": "private, max-age=31536000, immutable"}
_PASSING = {"Cache-Control": "private, no-store"}

RequestHeader = Annotated[str | None, Header()]


@router.get("/media/{process_id}/{name}", response_class=Response)
async def get_media(
    process_id: str,
    name: str,
    services: OpenServices,
    user: CurrentUser,
    download: str | None = None,
    range: RequestHeader = None,
    if_range: RequestHeader = None,
    if_none_match: RequestHeader = None,
) -> Response:
    """The file, or the part of it that `Range` asks for; 404 for another's, or once its process is deleted.

    With `download` it is to be saved, under the name that is given there, without its ending. Where files are
    in a bucket, what is only shown is fetched there: the answer is a redirect that is good for five minutes.
    """
    await services.processes.get(process_id, user.id)
    library = services.library
    file = await library.find(process_id, name) if _NAME.fullmatch(name) else None
    if file is None:
        raise ProcessNotFound("There is no such file.")
    if download is None and (url := await library.presigned(process_id, name)) is not None:
        return RedirectResponse(url, headers=_PASSING | _GUARDS)
    headers = {"ETag": file.etag, "Accept-Ranges": "bytes"} | _KEPT | _GUARDS
    if download is not None:
        headers["Content-Disposition"] = f'attachment; filename="{_saved_as(download, name)}"'
    if if_none_match is not None and _names(if_none_match, file.etag):
        return Response(status_code=304, headers=headers)
    status, start, end = 200, 0, file.size
    if range is not None and if_range in (None, file.etag) and (asked := _RANGE.fullmatch(range)):
        start, end = _part(asked, file.size)
        if start >= end:
            return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{file.size}"})
        status = 206
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
    return StreamingResponse(
        library.read(process_id, name, start, end),
        status,
        headers | {"Content-Length": str(end - start)},
        file.content_type,
    )


def _part(asked: re.Match[str], size: int) -> tuple[int, int]:
    first, last, suffix = asked.groups()
    if suffix is not None:
        return max(size - int(suffix), 0), size
    return int(first), min(int(last) + 1, size) if last else size


def _names(tags: str, etag: str) -> bool:
    return any(tag.strip().removeprefix("W/") in (etag, "*") for tag in tags.split(","))


def _saved_as(wish: str, name: str) -> str:
    stem, _, suffix = name.rpartition(".")
    return f"{wish if _SAVED_AS.fullmatch(wish) else f'hexwave-{stem}'}.{suffix}"
