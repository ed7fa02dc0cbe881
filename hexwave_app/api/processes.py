"""`/api/processes`: the caller's own."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from hexwave_app.api.context import CurrentUser, IdempotencyKey, OpenServices
from hexwave_app.api.limits import ClientAddress
from hexwave_app.processes.model import Process, ProcessStatus
from hexwave_app.processes.ports import Filter

router = APIRouter(prefix="/api/processes", tags=["processes"])


def shown(process: Process) -> dict[str, Any]:
    """The document, less what is between us and the provider."""
    return process.model_copy(update={"answer": None}).wire()


@router.get("")
async def list_processes(
    services: OpenServices,
    user: CurrentUser,
    status: ProcessStatus | None = None,
    category: Annotated[str | None, Query(max_length=32)] = None,
    tool_name: Annotated[str | None, Query(alias="toolName", max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> dict[str, Any]:
    """`{processes, cursor?}`, newest first; give `cursor` back for the next page."""
    narrow = Filter(status, tool_name, category)
    page = await services.processes.list(user.id, narrow=narrow, limit=limit, cursor=cursor)
    processes = [shown(process) for process in page.processes]
    return {"processes": processes} | ({"cursor": page.cursor} if page.cursor else {})


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


@router.delete("/{process_id}", status_code=204)
async def delete_process(process_id: str, services: OpenServices, user: CurrentUser) -> Response:
    """Forget an ended process and its files."""
    await services.runs.delete(process_id, user.id)
    return Response(status_code=204)
