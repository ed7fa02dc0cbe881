"""`GET /api/ably/token`: lets another frontend follow the caller's own processes live."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from hexwave_app.api.context import CurrentUser, OpenServices
from hexwave_app.processes.errors import NotSignedIn, ProcessNotFound
from hexwave_app.processes.model import ProcessStatus
from hexwave_app.processes.ports import Filter

router = APIRouter(tags=["ably"])

_RUNNING = Filter(status=ProcessStatus.PROCESSING)
_RUNNING_LIMIT = 100


@router.get("/api/ably/token")
async def ably_token(
    request: Request,
    response: Response,
    services: OpenServices,
    user: CurrentUser,
    process_id: Annotated[str | None, Query(alias="processId", max_length=64)] = None,
) -> dict[str, Any]:
    """An Ably TokenRequest: subscribe only, for the one process, or for all that are running.

    Where the Ably server is not Ably's own, the header `Hexwave-Ably-Endpoint` names its `host:port`.
    """
    if request.state.fresh:
        raise NotSignedIn("There is no session. Send the cookie that the first answer set.")
    if process_id is not None:
        ids = [(await services.processes.get(process_id, user.id)).process_id]
    else:
        page = await services.processes.list(user.id, narrow=_RUNNING, limit=_RUNNING_LIMIT)
        ids = [process.process_id for process in page.processes]
    if not ids:
        raise ProcessNotFound("None of your processes is running.")
    if services.channel.endpoint is not None:
        response.headers["Hexwave-Ably-Endpoint"] = services.channel.endpoint
    return await services.channel.token_request(ids, user.id)
