"""`POST /api/webhook/{category}`: what providers report."""

import json
from typing import Annotated

from fastapi import APIRouter, Query, Request

from hexwave_app.api.context import OpenServices
from hexwave_app.api.limits import ClientAddress
from hexwave_app.processes.errors import InvalidRequest, ProcessNotFound, WebhookRefused

router = APIRouter(tags=["webhook"])


class _InvalidJson(InvalidRequest):
    code = "invalid_json"
    status = 400


@router.post("/api/webhook/{category}")
async def receive_webhook(
    category: str,
    request: Request,
    services: OpenServices,
    address: ClientAddress,
    process_id: Annotated[str, Query(alias="processId", max_length=64)],
    token: Annotated[str, Query(max_length=200)] = "",
) -> dict[str, bool]:
    """Check the token, then the signature over the raw bytes, then parse; results are kept afterwards."""
    await services.limits.webhook(address)
    services.webhooks.check(process_id, token)
    # Not earlier: who only knows the id could keep its provider out.
    await services.limits.report(process_id)
    process = await services.processes.load(process_id)
    if process.category != category:
        raise ProcessNotFound
    provider = services.providers.get(process.provider.name)
    if provider is None:
        raise WebhookRefused(f"The provider {process.provider.name} is not set up here.")
    body = await request.body()
    await provider.verify(request.headers, body)
    await services.deliveries.accept(process, provider.parse(_decoded(body)))
    return {"ok": True}


def _decoded(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _InvalidJson("The body is not valid JSON.") from error
