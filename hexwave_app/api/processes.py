"""`/api/processes`: the caller's own."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictBool

from hexwave_app.api.context import CurrentUser, IdempotencyKey, OpenServices
from hexwave_app.api.limits import ClientAddress
from hexwave_app.processes.errors import ProcessNotFound
from hexwave_app.processes.lifecycle import BULK_LIMIT
from hexwave_app.processes.model import Process, ProcessStatus
from hexwave_app.processes.ports import Filter
from hexwave_app.services import Services

router = APIRouter(prefix="/api/processes", tags=["processes"])

_EARLIEST, _LATEST = datetime(1970, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)

Moment = Annotated[Annotated[AwareDatetime, Field(ge=_EARLIEST, le=_LATEST)] | None, Query()]
Name = Annotated[str | None, Query(max_length=255)]


class Ids(BaseModel):
    """Processes of the caller's; what is not is passed over."""

    model_config = ConfigDict(extra="forbid")

    ids: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=BULK_LIMIT)]


class Favourites(Ids):
    favourite: StrictBool


def shown(process: Process) -> dict[str, Any]:
    """The document, less what is between us and the provider, and what only a newer version knows."""
    document = process.model_copy(update={"answer": None}).wire()
    for name in process.model_extra or ():
        document.pop(name, None)
    return document


def listed(process: Process) -> dict[str, Any]:
    """The document without its timeline, by far its largest part."""
    document = shown(process.model_copy(update={"events": ()}))
    del document["events"]
    return document


def _done(processes: Iterable[Process]) -> dict[str, list[str]]:
    return {"ids": [process.process_id for process in processes]}


@router.get("")
async def list_processes(
    services: OpenServices,
    user: CurrentUser,
    status: ProcessStatus | None = None,
    category: Annotated[str | None, Query(max_length=32)] = None,
    tool_name: Annotated[str | None, Query(alias="toolName", max_length=64)] = None,
    provider: Name = None,
    model: Name = None,
    favourite: bool = False,
    since: Moment = None,
    until: Moment = None,
    search: Annotated[str, Query(max_length=200)] = "",
    sort: Literal["newest", "oldest"] = "newest",
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    brief: bool = False,
    count: bool = False,
) -> dict[str, Any]:
    """`{processes, cursor?, count?}`; give `cursor` back with the same filters for the next page.

    `search` finds parts of words of the prompt, `favourite` favourites alone, `since` and `until` what was
    created in between. `brief` leaves the timelines out; `count` counts what the filters let through.
    """
    narrow = Filter(
        *(status, tool_name, category, provider, model),
        favourite=favourite,
        since=since,
        until=until,
        search=search,
        oldest_first=sort == "oldest",
    )
    page = await services.processes.list(user.id, narrow=narrow, limit=limit, cursor=cursor)
    answer: dict[str, Any] = {"processes": list(map(listed if brief else shown, page.processes))}
    if page.cursor is not None:
        answer["cursor"] = page.cursor
    if count:
        answer["count"] = await services.processes.count(user.id, narrow)
    return answer


@router.post("/favourite")
async def favour_processes(
    asked: Favourites, services: OpenServices, user: CurrentUser
) -> dict[str, list[str]]:
    """Mark up to 500 as favourites, or not so; answers the ids that are the caller's."""
    return _done(await services.processes.favour(asked.ids, user.id, asked.favourite))


@router.post("/discard")
async def discard_processes(asked: Ids, services: OpenServices, user: CurrentUser) -> dict[str, list[str]]:
    """Hide up to 500 that have ended; answers the ids that are hidden. They are purged ten minutes later."""
    return _done(await services.processes.discard(asked.ids, user.id))


@router.post("/restore")
async def restore_processes(asked: Ids, services: OpenServices, user: CurrentUser) -> dict[str, list[str]]:
    """Take that back; answers the ids that are there again."""
    return _done(await services.processes.restore(asked.ids, user.id))


@router.get("/{process_id}")
async def get_process(process_id: str, services: OpenServices, user: CurrentUser) -> dict[str, Any]:
    """The process with its request, results and timeline."""
    return shown(await services.processes.get(process_id, user.id))


@router.post("/{process_id}/cancel")
async def cancel_process(process_id: str, services: OpenServices, user: CurrentUser) -> dict[str, Any]:
    """Call it off; 409 when it has already ended otherwise."""
    return shown(await services.runs.cancel(process_id, user.id))


@router.post("/{process_id}/retry")
async def retry_process(
    process_id: str,
    services: OpenServices,
    user: CurrentUser,
    address: ClientAddress,
    idempotency_key: IdempotencyKey = None,
) -> dict[str, Any]:
    """A new process with the same request, `retryOf` naming this one; answers `{processId}`.

    A repeated `Idempotency-Key` answers with the process of its first use.
    """
    process = await services.runs.retry(process_id, user.id, idempotency_key=idempotency_key, address=address)
    return {"processId": process.process_id}


@router.put("/{process_id}/favourite", status_code=204)
async def favour_process(process_id: str, services: OpenServices, user: CurrentUser) -> Response:
    """Mark it as a favourite."""
    return await _favoured(services, process_id, user.id, True)


@router.delete("/{process_id}/favourite", status_code=204)
async def unfavour_process(process_id: str, services: OpenServices, user: CurrentUser) -> Response:
    """Mark it as no favourite."""
    return await _favoured(services, process_id, user.id, False)


async def _favoured(services: Services, process_id: str, user_id: str, on: bool) -> Response:
    if not await services.processes.favour([process_id], user_id, on):
        raise ProcessNotFound
    return Response(status_code=204)


@router.delete("/{process_id}", status_code=204)
async def delete_process(process_id: str, services: OpenServices, user: CurrentUser) -> Response:
    """Forget an ended process and its files."""
    await services.runs.delete(process_id, user.id)
    return Response(status_code=204)
