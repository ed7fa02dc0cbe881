"""`POST /api/generate-{action}`: begin a run of a tool."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from hexwave_app.api.context import CurrentUser, IdempotencyKey, OpenServices
from hexwave_app.api.limits import ClientAddress
from hexwave_app.tools.request import ToolRequest
from hexwave_app.tools.tool import Tool


class Begun(BaseModel):
    """The process that follows the run; subscribe to `process:{processId}` or read `/api/processes/{id}`."""

    process_id: Annotated[str, Field(serialization_alias="processId")]


def generate_router(tools: Iterable[Tool]) -> APIRouter:
    """One route a tool, which takes its request."""
    router = APIRouter(tags=["generate"])
    for tool in tools:
        router.add_api_route(
            f"/api/generate-{tool.action}",
            _endpoint(tool),
            methods=["POST"],
            name=f"generate_{tool.action}",
            summary=tool.title,
            description=f"{tool.request.__doc__ or ''}\n\n"
            "A repeated `Idempotency-Key` answers with the process of its first use.",
        )
    return router


def _endpoint(tool: Tool) -> Callable[..., Awaitable[Begun]]:
    async def generate(
        request: ToolRequest,
        services: OpenServices,
        user: CurrentUser,
        address: ClientAddress,
        idempotency_key: IdempotencyKey = None,
    ) -> Begun:
        process = await services.runs.start(
            tool, request, user.id, idempotency_key=idempotency_key, address=address
        )
        return Begun(process_id=process.process_id)

    # FastAPI reads the model of the body off the annotation.
    generate.__annotations__["request"] = tool.request
    return generate
