"""`GET /api/ably/token`: lets another frontend follow the caller's own processes live."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from hexwave_app.api.context import CurrentUser, OpenServices
from hexwave_app.api.limits import ClientAddress
from hexwave_app.processes.errors import HexwaveError, NotSignedIn, ProcessNotFound
from hexwave_app.processes.lifecycle import PAGE_LIMIT, Processes
from hexwave_app.processes.model import ProcessStatus, Source
from hexwave_app.processes.observer import Act, Deed
from hexwave_app.processes.ports import Filter
from hexwave_app.services import Services

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
    observe = services.activity.observer.observe
    try:
        if request.state.fresh:
            raise NotSignedIn("There is no session. Send the cookie that the first answer set.")
        await services.limits.token(user.id, address)
        ids = await _followed(services, user.id, process_id)
    except HexwaveError as error:
        words = f"token: {error.status}, {error.message}"
        observe(Act(Deed.REFUSED, None, Source.USER, words, process_id=process_id or "", code=error.code))
        raise
    observe(Act(Deed.TOKEN, None, Source.USER, f"{len(ids)} followed, user {user.id[:8]}", process_id=ids[0]))
    # A request is good for one token: from a cache, the next renewal would be refused as a replay.
    response.headers["Cache-Control"] = "private, no-store"
    if services.channel.endpoint is not None:
        response.headers["Hexwave-Ably-Endpoint"] = services.channel.endpoint
    return await services.channel.token_request(ids, user.id)


async def _followed(services: Services, user_id: str, process_id: str | None) -> list[str]:
    """What the token is for: one process, or all of the user's that run. `ProcessNotFound` when none."""
    if process_id is not None:
        return [(await services.processes.get(process_id, user_id)).process_id]
    if ids := await _running(services.processes, user_id):
        return ids
    raise ProcessNotFound("None of your processes is running.")


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
