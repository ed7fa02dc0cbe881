"""A kept file as an answer: whole, in part, or not again."""

import re
from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Header, Response
from fastapi.responses import StreamingResponse

from hexwave_app.media.library import KeptFile, Library
from hexwave_app.processes.errors import ProcessNotFound

GUARDS = {"Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff"}

_NAME = re.compile(r"[a-z0-9-]{1,40}\.(webp|png|jpg|mp4)")
_SAVED_AS = re.compile(r"[A-Za-z0-9-]{1,80}")
# One range: a request for several may be answered with the whole (RFC 9110, 14.2).
_RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))", re.ASCII)

_RequestHeader = Annotated[str | None, Header()]


class _Wanted:
    """What a request says of the part it wants, and of what it has."""

    def __init__(
        self,
        range: _RequestHeader = None,
        if_range: _RequestHeader = None,
        if_none_match: _RequestHeader = None,
    ) -> None:
        self.range = range
        self.if_range = if_range
        self.if_none_match = if_none_match


Wanted = Annotated[_Wanted, Depends()]


async def found(library: Library, process_id: str, name: str) -> KeptFile:
    """The file of that name, which may be any text. `ProcessNotFound` when there is none."""
    file = await library.find(process_id, name) if _NAME.fullmatch(name) else None
    if file is None:
        raise ProcessNotFound("There is no such file.")
    return file


def kept_file(
    library: Library, process_id: str, name: str, file: KeptFile, wanted: _Wanted, more: Mapping[str, str]
) -> Response:
    """The file, the part of it that is wanted, or word that it is had already; `more` are further headers."""
    headers = {"ETag": file.etag, "Accept-Ranges": "bytes", **GUARDS, **more}
    if wanted.if_none_match is not None and _names(wanted.if_none_match, file.etag):
        return Response(status_code=304, headers=headers)
    status, start, end = 200, 0, file.size
    of_this = wanted.if_range in (None, file.etag)
    if wanted.range is not None and of_this and (asked := _RANGE.fullmatch(wanted.range)):
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


def disposition(wish: str, name: str) -> dict[str, str]:
    """The header that has the file saved as `wish`, without its ending, where that is harmless."""
    stem, _, suffix = name.rpartition(".")
    saved_as = wish if _SAVED_AS.fullmatch(wish) else f"hexwave-{stem}"
    return {"Content-Disposition": f'attachment; filename="{saved_as}.{suffix}"'}


def _part(asked: re.Match[str], size: int) -> tuple[int, int]:
    first, last, suffix = asked.groups()
    if suffix is not None:
        return max(size - int(suffix), 0), size
    return int(first), min(int(last) + 1, size) if last else size


def _names(tags: str, etag: str) -> bool:
    return any(tag.strip().removeprefix("W/") in (etag, "*") for tag in tags.split(","))
