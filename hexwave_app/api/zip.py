"""`/api/zip`: the results of many processes in one file."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Response
from fastapi.responses import StreamingResponse

from hexwave_app.api.context import CurrentUser, OpenServices
from hexwave_app.processes.errors import ProcessNotFound
from hexwave_app.processes.lifecycle import BULK_LIMIT
from hexwave_app.services import Services
from hexwave_app.tools.archive import archive, results

router = APIRouter(tags=["media"])

_IDS_LENGTH = BULK_LIMIT * 65

_ZIP: dict[int | str, dict[str, Any]] = {200: {"content": {"application/zip": {}}}}
"""Beside the response class: that one would be taken for the form of errors, too."""

_IDS = "Process ids with commas between them, at most 500"


class Zip(StreamingResponse):
    media_type = "application/zip"


@router.get("/api/zip", response_class=Response, responses=_ZIP)
async def get_zip(
    services: OpenServices,
    user: CurrentUser,
    ids: Annotated[str, Query(max_length=_IDS_LENGTH, description=_IDS)],
) -> Zip:
    """The results of the caller's own processes, in the order of the ids; 404 when there are none."""
    return await _zip(services, user.id, ids)


@router.post("/api/zip", response_class=Response, responses=_ZIP)
async def post_zip(
    services: OpenServices,
    user: CurrentUser,
    ids: Annotated[str, Form(max_length=_IDS_LENGTH, description=_IDS)],
) -> Zip:
    """The same for a page's form, which may name more than fits into a URL. It changes nothing."""
    return await _zip(services, user.id, ids)


async def _zip(services: Services, user_id: str, ids: str) -> Zip:
    asked = [each.strip() for each in ids.split(",") if each.strip()]
    processes = await services.processes.owned(asked, user_id)
    if not results(processes):
        raise ProcessNotFound("None of these has a result of yours.")
    name = f"hexwave-{datetime.now(UTC):%Y-%m-%d}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return Zip(archive(services.library, processes), headers=headers)
