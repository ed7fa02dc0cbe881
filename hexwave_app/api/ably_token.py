"""`GET /api/ably/token`: lets another frontend follow the caller's own processes live."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from hexwave_app.api.context import CurrentUser, OpenServices
from hexwave_app.api.limits import ClientAddress
from hexwave_app.processes.errors import NotSignedIn, ProcessNotFound
from hexwave_app.processes.lifecycle import PAGE_LIMIT, Processes
from hexwave_app.processes.model import ProcessStatus
from hexwave_app.processes.ports import Filter

router = APIRouter(tags=["ably"])

_RUNNING = Filter(status=ProcessStatus.PROCESSING)
_CONNECTION_CHANNELS = 200
"""Channels that one Ably connection takes (https://ably.com/docs/platform/pricing/limits)."""


@router.get("/api/ably/token")
async def ably_token(
    request: Request,
    response: Response,
    services: OpenServices,
    user: CurrentUser,
    address: ClientAddress,
    process_id: Annotated[str | None, Query(alias="processId", max_length=64)] = None,
) -> dict[str, Any]:
    """An Ably TokenRequest: subscribe only, for the one process, or for all that are running.

    Of more than 200 running ones it is for the newest: one connection follows no more. Where the Ably
    server is not Ably's own, the header `Hexwave-Ably-Endpoint` names its `host:port`.
    """
    if request.state.fresh:
        raise NotSignedIn("There is no session. Send the cookie that the first answer set.")
    await services.limits.token(user.id, address)
    if process_id is not None:
        ids = [(await services.processes.get(process_id, user.id)).process_id]
    else:
        ids = await _running(services.processes, user.id)
    if not ids:
        raise ProcessNotFound("None of your processes is running.")
    # A request is good for one token: from a cache, the next renewal would be refused as a replay.
    response.headers["Cache-Control"] = "private, no-store"
    if services.channel.endpoint is not None:
        response.headers["Hexwave-Ably-Endpoint"] = services.channel.endpoint
    return await services.channel.token_request(ids, user.id)


async def _running(processes: Processes, user_id: str) -> list[str]:
    """The ids of the user's running processes, newest first, as many as a connection can follow."""
    ids: list[str] = []
    cursor = None
    while len(ids) < _CONNECTION_CHANNELS:
        page = await processes.list(user_id, narrow=_RUNNING, limit=PAGE_LIMIT, cursor=cursor)
        ids += [process.process_id for process in page.processes]
        if (cursor := page.cursor) is None:
            break
    return ids
